/**
 * What: a message for many receivers: framed once, deflated once per set of parameters, on a server.
 * Must not know: who the receivers are, and why they get it.
 */
import { Buffer } from 'node:buffer';
import type { DeflateUse } from '../../protocol/websocket/permessage-deflate.ts';
import {
  encodeDeflatedServerFrame,
  encodeServerFrame,
  frameHeaderLength,
} from '../../wire/websocket/frame.ts';
import { Opcode } from '../../wire/websocket/opcode.ts';
import { nodeByteCodec } from '../platform/node-byte-codec.ts';
import type { NodeConnection } from './node-connection.ts';
import type { SendCallback } from './node-outbox.ts';

/** The four bytes at the end of a flush, which are not sent (RFC 7692 section 7.2.1). */
const TAIL_BYTES = 4;

/**
 * The content is copied when the object is made. Deflated frames refer to nothing sent before, so that they fit every
 * receiver with the same window; a receiver that keeps a context loses what it could have saved by it.
 */
export class SharedMessage {
  readonly #isBinary: boolean;
  readonly #frame: Buffer;
  readonly #payload: Buffer;
  /** By parameters; null where compression does not pay. There are one or two kinds of receivers at a time. */
  readonly #deflated: { readonly use: DeflateUse; readonly frame: Uint8Array | null }[] = [];

  constructor(data: string | Uint8Array, isBinary: boolean) {
    this.#isBinary = isBinary;
    this.#frame = encodeServerFrame(this.#opcode, data, nodeByteCodec) as Buffer;
    const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    this.#payload = this.#frame.subarray(frameHeaderLength(length, false));
  }

  /** The length of its payload. */
  get bytes(): number {
    return this.#payload.length;
  }

  /** Whether the content is still that of `data`, which its owner may have changed. */
  hasContent(data: Uint8Array): boolean {
    return this.#payload.equals(data);
  }

  /**
   * Sends it on a connection in the server role that is between messages.
   * @returns false when the connection is not open; `callback` then gets no call.
   */
  sendTo(connection: NodeConnection, compress: boolean, callback?: SendCallback): boolean {
    const use = connection.options.deflate;
    const { length } = this.#payload;
    if (compress && use !== null && length >= use.thresholdBytes) {
      const deflated = this.#deflatedFor(use);
      if (deflated !== null) return connection.sendFrame(deflated, callback, true, length);
    }
    return connection.sendFrame(this.#frame, callback, false, length);
  }

  get #opcode(): typeof Opcode.binary | typeof Opcode.text {
    return this.#isBinary ? Opcode.binary : Opcode.text;
  }

  #deflatedFor(use: DeflateUse): Uint8Array | null {
    for (const known of this.#deflated) if (isSameDeflation(known.use, use)) return known.frame;
    const deflater = use.port.createDeflater(use.agreement.ownWindowBits);
    const content = deflater.deflate(this.#payload);
    deflater.close();
    const body = content.subarray(0, content.length - TAIL_BYTES);
    const pays = body.length < this.#payload.length;
    const frame = pays ? encodeDeflatedServerFrame(this.#opcode, body, nodeByteCodec) : null;
    this.#deflated.push({ use, frame });
    return frame;
  }
}

function isSameDeflation(one: DeflateUse, other: DeflateUse): boolean {
  return (
    one === other ||
    (one.port === other.port && one.agreement.ownWindowBits === other.agreement.ownWindowBits)
  );
}
