/**
 * What: where a WebSocket may go and what it may ask for: the URL and the subprotocols.
 * Must not know: connections.
 */
import { isToken } from '../base/token.ts';
import { toDomString } from '../base/web-idl.ts';

/**
 * The URL record of a `url` argument: `http` and `https` become `ws` and `wss`. A program in Node has no base URL,
 * so a relative one cannot be resolved.
 * @throws {DOMException} `SyntaxError` when it cannot be parsed, has another scheme or a fragment.
 */
export function toAddress(value: unknown): URL {
  const text = toDomString(value);
  let address: URL;
  try {
    address = new URL(text);
  } catch {
    throw syntaxError(`The URL '${text}' is invalid`);
  }
  // WHATWG WebSockets, "get a URL record": http and https are other names for ws and wss.
  if (address.protocol === 'http:') address.protocol = 'ws:';
  else if (address.protocol === 'https:') address.protocol = 'wss:';
  if (address.protocol !== 'ws:' && address.protocol !== 'wss:') {
    throw syntaxError(
      `The URL's scheme must be 'ws', 'wss', 'http' or 'https'; '${address.protocol}' is not`,
    );
  }
  // An empty fragment is one too. Anywhere else in a serialized URL the sign is percent-encoded.
  if (address.href.includes('#')) throw syntaxError(`The URL '${text}' has a fragment`);
  return address;
}

/**
 * Checks the values for `Sec-WebSocket-Protocol`.
 * @throws {DOMException} `SyntaxError` when one occurs twice or is not a token (RFC 6455 section 4.1 item 10).
 */
export function checkSubprotocols(protocols: readonly string[]): void {
  const seen = new Set<string>();
  for (const protocol of protocols) {
    if (!isToken(protocol)) throw syntaxError(`The subprotocol '${protocol}' is invalid`);
    if (seen.has(protocol)) throw syntaxError(`The subprotocol '${protocol}' is duplicated`);
    seen.add(protocol);
  }
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError');
}
