/**
 * What: the `token` of HTTP (RFC 9110 section 5.6.2) and the white space around it, character by character.
 * Must not know: headers; both wire/http and wire/websocket read their grammars with it.
 */

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const isTokenTable = new Uint8Array(256);
for (let i = 0; i < tokenCharacters.length; i++) isTokenTable[tokenCharacters.charCodeAt(i)] = 1;

/** Whether a character code may stand in a token. */
export function isTokenCode(code: number): boolean {
  return code < 256 && isTokenTable[code] === 1;
}

/** The index of the first character at or behind `start` that cannot stand in a token. */
export function skipToken(text: string, start: number): number {
  let at = start;
  while (at < text.length && isTokenCode(text.charCodeAt(at))) at++;
  return at;
}

function isSpaceCode(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The index of the first character at or behind `start` that is neither space nor tab. */
export function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isSpaceCode(text.charCodeAt(at))) at++;
  return at;
}

/** The part from `start` to `end` without the spaces and tabs at its ends. */
export function trimSpace(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isSpaceCode(text.charCodeAt(from))) from++;
  while (to > from && isSpaceCode(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Whether the whole of `text` is one token. */
export function isToken(text: string): boolean {
  return text.length > 0 && skipToken(text, 0) === text.length;
}
