/**
 * What: `WebSocketError`, the error that `WebSocketStream` gives and takes.
 * Must not know: streams.
 */

import { expose } from '../base/event.ts';
import { toClampedUnsignedShort, toDictionary, toDomString, toUsvString } from '../base/web-idl.ts';
import { checkClose } from './close-info.ts';

/** How a WebSocket is or was closed. */
export interface WebSocketCloseInfo {
  /** 1000 or 3000 to 4999. */
  closeCode?: number | undefined;
  /** At most 123 bytes of UTF-8. */
  reason?: string | undefined;
}

/** The members of a `WebSocketCloseInfo` argument. @throws {TypeError} when it is no object. */
export function toCloseInfo(what: string, value: unknown): { code: number | null; reason: string } {
  const { closeCode, reason } = toDictionary(what, value);
  return {
    code: closeCode === undefined ? null : toClampedUnsignedShort(closeCode),
    reason: reason === undefined ? '' : toUsvString(reason),
  };
}

let create: (message: string, code: number | null, reason: string, cause: Error | null) => WebSocketError;

/**
 * A WebSocket's failure with the close code and reason that go with it.
 *
 * Given to `writer.abort()` or `reader.cancel()` of a `WebSocketStream`, it closes with its code and reason.
 */
export class WebSocketError extends DOMException {
  #closeCode: number | null;
  #reason: string;

  /**
   * @throws {DOMException} `InvalidAccessError` when the code is neither 1000 nor between 3000 and 4999;
   *   `SyntaxError` when the reason is longer than 123 bytes of UTF-8.
   */
  constructor(message: string = '', init: WebSocketCloseInfo = {}) {
    const text = toDomString(message);
    const { code, reason } = toCloseInfo("Failed to construct 'WebSocketError': the second argument", init);
    super(text, 'WebSocketError');
    checkClose(code, reason);
    // A reason cannot be sent without a code: it becomes 1000 (normal closure).
    this.#closeCode = code === null && reason !== '' ? 1000 : code;
    this.#reason = reason;
  }

  /** Null when there is none. (`code` is an old member of `DOMException` with another meaning.) */
  get closeCode(): number | null {
    return this.#closeCode;
  }
  get reason(): string {
    return this.#reason;
  }

  static {
    create = (message, code, reason, cause) => {
      const error = new WebSocketError(message);
      error.#closeCode = code;
      error.#reason = reason;
      if (cause !== null) {
        Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
      }
      return error;
    };
  }
}

expose(WebSocketError.prototype, 'WebSocketError', ['closeCode', 'reason']);

/** An error that the WebSocket itself reports; its code, such as 1006, need not be one that programs may send. */
export function createWebSocketError(
  message: string,
  code: number | null,
  reason: string,
  cause: Error | null,
): WebSocketError {
  return create(message, code, reason, cause);
}
