/**
 * What: header values that are lists of tokens (RFC 9110 section 5.6.1), read in linear time.
 * Must not know: which header has which list, or what the tokens mean.
 */
import { isToken, trimSpace } from '../../base/token.ts';

const comma = 0x2c;

/**
 * Whether a list (`Connection: keep-alive, Upgrade`) has a token, without regard to case.
 * Lists as these come from proxies too: what is no token is passed over.
 * @param token in lower case.
 */
export function listHasToken(value: string, token: string): boolean {
  // The usual value is the token alone.
  if (value.length === token.length && value.toLowerCase() === token) return true;
  let start = 0;
  for (let at = 0; at <= value.length; at++) {
    if (at < value.length && value.charCodeAt(at) !== comma) continue;
    if (at - start >= token.length && trimSpace(value, start, at).toLowerCase() === token) return true;
    start = at + 1;
  }
  return false;
}

/**
 * Reads a list of which every element must be a token and none may come twice, such as Sec-WebSocket-Protocol
 * (RFC 6455 sections 4.1 and 4.3). Empty elements are refused: RFC 9110 section 5.6.1 forbids to send them.
 * @returns the tokens in their order, or `null` when the value is not such a list.
 */
export function parseUniqueTokens(value: string): Set<string> | null {
  const tokens = new Set<string>();
  for (const element of value.split(',')) {
    const token = trimSpace(element, 0, element.length);
    if (!isToken(token) || tokens.has(token)) return null;
    tokens.add(token);
  }
  return tokens;
}
