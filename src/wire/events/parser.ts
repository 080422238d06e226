/**
 * What: the default parser in the shape that Socket.IO's `parser` option prescribes.
 * Must not know: sockets; replacing it (MessagePack, say) must need nothing else to change.
 */
import { decodePacket, encodePacket, isPacketValid, type JsonReplacer, type JsonReviver } from './codec.ts';
import { MessageDecoder, type PacketEncoder } from './message-decoder.ts';
import { type Attachment, type Packet, protocol } from './packet.ts';

export type { LooselyTypedParser, PacketDecoder, PacketEncoder, Parser } from './message-decoder.ts';

/** How packets are written. */
export interface EncoderOptions {
  /** Given to JSON.stringify. */
  replacer?: JsonReplacer;
  /** Most attachments of one packet. Default 10: receivers that were not told otherwise end the session above it. */
  maxAttachments?: number;
}

/** Encodes packets as JSON with attachments. */
export class Encoder implements PacketEncoder {
  readonly #replacer: JsonReplacer | undefined;
  readonly #maxAttachments: number | undefined;

  constructor(options: EncoderOptions | JsonReplacer = {}) {
    const { replacer, maxAttachments } = typeof options === 'function' ? { replacer: options } : options;
    this.#replacer = replacer;
    this.#maxAttachments = maxAttachments;
  }

  encode(packet: Packet): (string | Attachment)[] {
    return encodePacket(packet, this.#replacer, this.#maxAttachments);
  }
}

/** How packets are read. */
export interface DecoderOptions {
  /** Given to JSON.parse. */
  reviver?: JsonReviver;
  /** Most attachments of one packet; 10 by default, so that a peer cannot make us wait for millions. */
  maxAttachments?: number;
}

/** Decodes JSON with attachments; tells its listeners each complete packet. */
export class Decoder extends MessageDecoder {
  constructor(options: DecoderOptions | JsonReviver = {}) {
    const { reviver, maxAttachments } = typeof options === 'function' ? { reviver: options } : options;
    super((text) => decodePacket(text, reviver, maxAttachments));
  }
}

/** The default parser, complete, as `socket.io-parser` exports it. */
export const jsonParser = { protocol, Encoder, Decoder, isPacketValid };
