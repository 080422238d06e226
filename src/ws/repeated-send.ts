/**
 * What: notices that the same message is sent to one client after the other, as `for (c of clients) c.send(data)`
 *   does, and sends a shared one from the second on.
 * Must not know: who the clients are.
 */
import type { NodeConnection, SendCallback } from '../transport/websocket/node-connection.ts';
import { SharedMessage } from '../transport/websocket/shared-message.ts';

/** Above this, header and payload go out separately, uncopied; sharing a frame would save nothing. */
const LARGEST_BYTES = 65_536;

let lastData: string | Uint8Array | null = null;
let lastIsBinary = false;
/** The same message again to the same client is no broadcast: its own context compresses it to nearly nothing. */
let lastConnection: NodeConnection | null = null;
/** There once the same data has come a second time. */
let shared: SharedMessage | null = null;

function isRepeated(data: string | Uint8Array, isBinary: boolean): boolean {
  return data === lastData && isBinary === lastIsBinary && data.length > 0;
}

/**
 * Sends a whole message, compressed where that was agreed on.
 * @returns whether the caller may go on at once.
 */
export function sendRepeatable(
  connection: NodeConnection,
  data: string | Uint8Array,
  isBinary: boolean,
  callback: SendCallback | undefined,
): boolean {
  if (connection.options.role === 'server' && data.length <= LARGEST_BYTES) {
    if (isRepeated(data, isBinary) && connection !== lastConnection) {
      lastConnection = connection;
      // A program may have changed its buffer since.
      if (shared === null || (typeof data !== 'string' && !shared.hasContent(data))) {
        shared = new SharedMessage(data, isBinary);
      }
      shared.sendTo(connection, true, callback);
      return !connection.shouldWait;
    }
    lastData = data;
    lastIsBinary = isBinary;
    lastConnection = connection;
    shared = null;
  }
  connection.send(data, isBinary, true, callback);
  return !connection.shouldWait;
}
