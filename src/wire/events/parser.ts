/**
 * What: the default parser in the shape that Socket.IO's `parser` option prescribes, and that shape as types.
 * Must not know: sockets; replacing it (MessagePack, say) must need nothing else to change.
 */
import { PeerError } from '../../base/errors.ts';
import {
  decodePacket,
  defaultAttachmentLimit,
  encodePacket,
  isPacketValid,
  type JsonReplacer,
  type JsonReviver,
  PendingPacket,
} from './codec.ts';
import { type Attachment, type IncomingBytes, type Packet, protocol } from './packet.ts';

/** Packets to texts and bytes. */
export interface PacketEncoder {
  /** One packet as one or several messages, in order. */
  encode(packet: Packet): (string | Attachment)[];
}

/** Texts and bytes to packets. One for each connection. */
export interface PacketDecoder {
  /** Takes the next message; throws when it is not valid. Bytes are handed on in the kind in which they come. */
  add(message: string | IncomingBytes): void;
  on(event: 'decoded', listener: (packet: Packet) => void): unknown;
  off(event: 'decoded', listener: (packet: Packet) => void): unknown;
  /** Forgets a half-received packet. */
  destroy(): void;
}

/** What the `parser` option of servers and clients takes. */
export interface Parser {
  readonly protocol?: number;
  readonly Encoder: new () => PacketEncoder;
  readonly Decoder: new () => PacketDecoder;
}

/** Encodes packets as JSON with attachments. */
export class Encoder implements PacketEncoder {
  readonly #replacer: JsonReplacer | undefined;

  /** @param replacer given to JSON.stringify. */
  constructor(replacer?: JsonReplacer) {
    this.#replacer = replacer;
  }

  encode(packet: Packet): (string | Attachment)[] {
    return encodePacket(packet, this.#replacer);
  }
}

export interface DecoderOptions {
  /** Given to JSON.parse. */
  reviver?: JsonReviver;
  /** Most attachments of one packet; 10 by default, so that a peer cannot make us wait for millions. */
  maxAttachments?: number;
}

/** Decodes JSON with attachments; tells its listeners each complete packet. */
export class Decoder implements PacketDecoder {
  readonly #options: DecoderOptions;
  #listeners: ((packet: Packet) => void)[] = [];
  #pending: PendingPacket | null = null;

  constructor(options: DecoderOptions | JsonReviver = {}) {
    this.#options = typeof options === 'function' ? { reviver: options } : options;
  }

  /**
   * Takes the next message.
   * @throws {PeerError} `EVENT_ERR_INVALID_PACKET` and the other codes of `decodePacket`; the connection cannot go on.
   */
  add(message: string | IncomingBytes): void {
    if (typeof message === 'string') {
      if (this.#pending !== null) {
        throw new PeerError('A text came where an attachment was due', { code: 'EVENT_ERR_ATTACHMENT' });
      }
      const { reviver, maxAttachments = defaultAttachmentLimit } = this.#options;
      const packet = decodePacket(message, reviver, maxAttachments);
      if (packet.attachments === undefined) this.#decoded(packet);
      else this.#pending = new PendingPacket(packet as PendingPacket['packet']);
      return;
    }
    const pending = this.#pending;
    if (pending === null) {
      throw new PeerError('Bytes came that belong to no packet', { code: 'EVENT_ERR_ATTACHMENT' });
    }
    const packet = pending.add(message);
    if (packet !== null) {
      this.#pending = null;
      this.#decoded(packet);
    }
  }

  on(_event: 'decoded', listener: (packet: Packet) => void): this {
    this.#listeners.push(listener);
    return this;
  }

  off(_event?: 'decoded', listener?: (packet: Packet) => void): this {
    this.#listeners = listener === undefined ? [] : this.#listeners.filter((each) => each !== listener);
    return this;
  }

  destroy(): void {
    this.#pending = null;
  }

  #decoded(packet: Packet): void {
    for (const listener of this.#listeners) listener(packet);
  }
}

/** The default parser, complete, as `socket.io-parser` exports it. */
export const jsonParser = { protocol, Encoder, Decoder, isPacketValid };
