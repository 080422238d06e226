/**
 * What: says in transport errors' codes what an HTTP status other than the one that is due means for a connection.
 * Must not know: requests, transports.
 */
import type { TransportErrorCode } from './transport-error.ts';

/** Why a connection failed. @param text the answer's body, which says more where our server wrote it. */
export function explainStatus(status: number, text: string): TransportErrorCode {
  // RFC 9110 sections 15.5.8, 15.6.3, 15.6.5: only who stands between client and server says these.
  if ([407, 502, 504].includes(status)) return 'TRANSPORT_ERR_PROXY';
  // Engine.IO protocol 4 knows the code 5; RFC 9110 sections 15.5.22 and 15.6.6.
  if (/"code":5\b|protocol version/.test(text) || status === 426 || status === 505)
    return 'TRANSPORT_ERR_VERSION';
  // RFC 9110 section 15.5.14, RFC 6585 section 4; a 503 has other reasons, too.
  const isLimit = status === 413 || status === 429 || /limits\./.test(text);
  return isLimit ? 'TRANSPORT_ERR_LIMIT' : 'TRANSPORT_ERR_STATUS';
}
