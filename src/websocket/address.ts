/**
 * What: where a WebSocket may go and what it may ask for: the URL, the subprotocols, the ports that are refused.
 * Must not know: connections.
 */
import { isToken } from '../base/token.ts';
import { toDomString } from './conversion.ts';

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

// Fetch, "bad port": ports on which other protocols listen that a request could be smuggled into.
const badPorts = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** Whether the standard forbids to connect to the port of this URL. */
export function hasBadPort(address: URL): boolean {
  return address.port !== '' && badPorts.has(Number(address.port));
}
