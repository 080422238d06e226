/**
 * What: makes one frame of a message that is sent to many clients in a row, as `for (c of clients) c.send(data)`.
 * Must not know: who the clients are; it sees that the same data comes again.
 */
import { Buffer } from 'node:buffer';
import { nodeByteCodec } from '../transport/platform/node-byte-codec.ts';
import type { NodeConnection, SendCallback } from '../transport/websocket/node-connection.ts';
import { encodeServerFrame, frameHeaderLength } from '../wire/websocket/frame.ts';
import { Opcode } from '../wire/websocket/opcode.ts';

/** Above this, header and payload go out separately, uncopied; sharing a frame would save nothing. */
const LARGEST_BYTES = 65_536;

let lastData: string | Uint8Array | null = null;
let lastIsBinary = false;
/** The frame, once the same data has come a second time. */
let frame: Buffer | null = null;
/** Its payload, to be compared: a program may have changed its buffer since. */
let framePayload: Buffer | null = null;

function remember(data: string | Uint8Array, isBinary: boolean): void {
  lastData = data;
  lastIsBinary = isBinary;
  frame = null;
}

function makeFrame(data: string | Uint8Array, isBinary: boolean): Buffer {
  frame = encodeServerFrame(isBinary ? Opcode.binary : Opcode.text, data, nodeByteCodec) as Buffer;
  const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
  framePayload = frame.subarray(frameHeaderLength(length, false));
  return frame;
}

export const SharedFrames = {
  /** Sends a whole message. @returns whether the caller may go on at once. */
  send(
    connection: NodeConnection,
    data: string | Uint8Array,
    isBinary: boolean,
    callback: SendCallback | undefined,
  ): boolean {
    if (connection.canShareFrames && data.length <= LARGEST_BYTES) {
      if (data === lastData && isBinary === lastIsBinary && data.length > 0) {
        let shared = frame;
        if (shared === null || (typeof data !== 'string' && !framePayload!.equals(data))) {
          shared = makeFrame(data, isBinary);
        }
        connection.sendFrame(shared, callback, false, framePayload!.length);
        return !connection.shouldWait;
      }
      remember(data, isBinary);
    }
    connection.send(data, isBinary, true, callback);
    return !connection.shouldWait;
  },
};
