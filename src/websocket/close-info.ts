/**
 * What: which close codes and reasons a program may give.
 * Must not know: who closes; `WebSocket`, `WebSocketStream` and `WebSocketError` have the same rules.
 */

/**
 * "Validate close code and reason": the code is 1000 or 3000 to 4999, the reason at most 123 bytes of UTF-8.
 * @param code null when there is none.
 * @throws {DOMException} `InvalidAccessError` for the code, `SyntaxError` for the reason.
 */
export function checkClose(code: number | null, reason: string): void {
  // RFC 6455 section 7.4.1: the others are not for applications.
  if (code !== null && code !== 1000 && (code < 3000 || code > 4999)) {
    throw new DOMException(
      `The close code must be 1000 or between 3000 and 4999; ${code} is neither`,
      'InvalidAccessError',
    );
  }
  // RFC 6455 section 5.5: a control frame carries 125 bytes, two of which are the code.
  if (Buffer.byteLength(reason) > 123) {
    throw new DOMException('The close reason is longer than 123 bytes of UTF-8', 'SyntaxError');
  }
}
