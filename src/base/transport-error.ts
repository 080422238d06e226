/**
 * What: the error of a client's transport that could not be opened, or broke: which one, at which step, and why.
 * Must not know: any transport; whoever fails fills it in.
 */

import { Fault, type FaultDetails } from './errors.ts';

/**
 * What the transport was doing.
 * - `open`: connecting (name lookup, TCP, TLS, proxy) and the first answer of the server
 * - `read`, `write`: an open transport was waiting for the peer, or was sending
 * - `probe`: trying whether a better transport works, while the session lives on another
 */
export type TransportStep = 'open' | 'read' | 'write' | 'probe';

/**
 * Why, as a stable code.
 * - `TRANSPORT_ERR_NETWORK`: no connection; browsers hide the reason (name, refusal, TLS, proxy)
 * - `TRANSPORT_ERR_CORS`: the server answers, but not to pages of this origin; see its option `cors` (browsers, over HTTP)
 * - `TRANSPORT_ERR_PROXY`: a proxy on the way wants credentials (407), or does not reach the server (502, 504)
 * - `TRANSPORT_ERR_VERSION`: the server speaks other revisions of the protocol
 * - `TRANSPORT_ERR_LIMIT`: the server has a limit that is reached (413, 429, or 503 with the name of the limit)
 * - `TRANSPORT_ERR_DNS`: the name of the server could not be resolved
 * - `TRANSPORT_ERR_REFUSED`: nobody listens there, or the host cannot be reached
 * - `TRANSPORT_ERR_TLS`: the server's certificate, or the TLS handshake, is not acceptable
 * - `TRANSPORT_ERR_TIMEOUT`: no answer in time
 * - `TRANSPORT_ERR_STATUS`: another HTTP status than the one that was due; see `description`
 * - `TRANSPORT_ERR_PROTOCOL`: the answer is not what the protocol asks for
 * - `TRANSPORT_ERR_CLOSED`: the peer closed in the middle
 */
export type TransportErrorCode =
  | 'TRANSPORT_ERR_NETWORK'
  | 'TRANSPORT_ERR_CORS'
  | 'TRANSPORT_ERR_PROXY'
  | 'TRANSPORT_ERR_VERSION'
  | 'TRANSPORT_ERR_LIMIT'
  | 'TRANSPORT_ERR_DNS'
  | 'TRANSPORT_ERR_REFUSED'
  | 'TRANSPORT_ERR_TLS'
  | 'TRANSPORT_ERR_TIMEOUT'
  | 'TRANSPORT_ERR_STATUS'
  | 'TRANSPORT_ERR_PROTOCOL'
  | 'TRANSPORT_ERR_CLOSED';

export interface TransportErrorDetails extends FaultDetails {
  /** The name of the transport on the wire. */
  readonly transport: string;
  readonly step: TransportStep;
  readonly code: TransportErrorCode;
  /** The HTTP status (0: there was no answer), or the platform's event. */
  readonly description?: unknown;
  /** The platform's own response or request. */
  readonly context?: unknown;
}

/**
 * A transport failed. `message` is the text that Socket.IO's users match on (`xhr poll error`, `websocket error`);
 * `transport`, `step`, `code` and `cause` say what happened.
 */
export class TransportError extends Fault<TransportErrorDetails> {
  readonly type = 'TransportError';
  declare readonly transport: string;
  declare readonly step: TransportStep;
  declare readonly description?: unknown;
  declare readonly context?: unknown;
}

/** The error of a transport that did not open in time. */
export function timeoutError(transport: string): TransportError {
  return new TransportError('timeout', { transport, step: 'open', code: 'TRANSPORT_ERR_TIMEOUT' });
}
