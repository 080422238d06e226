/**
 * What: says in transport errors' codes what an operating system's error name means for a connection.
 * Must not know: sockets or requests; names are those that libuv and OpenSSL give in `error.code`.
 */
import { PeerError } from './errors.ts';
import type { TransportErrorCode } from './transport-error.ts';

/** Why a connection failed, from the `code` of the platform's error. */
export function explainSystemError(error: unknown): TransportErrorCode {
  const { code } = error as { code?: unknown };
  // Without a code it is not the system's; HPE_… is what Node's HTTP parser says of an answer that is none.
  if (error instanceof PeerError || typeof code !== 'string' || code.startsWith('HPE_')) {
    return 'TRANSPORT_ERR_PROTOCOL';
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'TRANSPORT_ERR_DNS';
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'TRANSPORT_ERR_REFUSED';
    case 'ETIMEDOUT':
      return 'TRANSPORT_ERR_TIMEOUT';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'TRANSPORT_ERR_CLOSED';
  }
  // Certificates: CERT_HAS_EXPIRED, DEPTH_ZERO_SELF_SIGNED_CERT, UNABLE_TO_VERIFY_LEAF_SIGNATURE, ERR_TLS_…, ERR_SSL_…
  return /CERT|TLS|SSL|EPROTO|SIGNATURE/.test(code) ? 'TRANSPORT_ERR_TLS' : 'TRANSPORT_ERR_NETWORK';
}
