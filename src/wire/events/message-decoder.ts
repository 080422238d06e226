/**
 * What: makes packets of the messages that bring them, a text and its attachments; and what a parser is, as types.
 * Must not know: sockets, or how the text of a packet is read.
 */
import { PeerError } from '../../base/errors.ts';
import type { Attachment, IncomingBytes, Packet } from './packet.ts';
import { PendingPacket } from './text.ts';

/** Packets to texts and bytes. */
export interface PacketEncoder {
  /** One packet as one or several messages, in order. */
  encode(packet: Packet): (string | Attachment)[];
}

/** Texts and bytes to packets. One for each connection. */
export interface PacketDecoder {
  /** Takes the next message; throws when it is not valid. Bytes are handed on in the kind in which they come. */
  add(message: string | IncomingBytes): void;
  /** Calls `listener` with each packet, once it is complete with its attachments. */
  on(event: 'decoded', listener: (packet: Packet) => void): unknown;
  /** Ends {@link on}. */
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

/**
 * A parser whose own types say less, or something else, than what it does: those of socket.io-msgpack-parser, say. What it
 * decodes is checked, whatever it is.
 */
export interface LooselyTypedParser {
  readonly Encoder: new () => object;
  readonly Decoder: new () => object;
}

/** Puts attachments to the packets that they belong to; tells its listeners each complete packet. */
export class MessageDecoder implements PacketDecoder {
  readonly #read: (text: string) => Packet;
  #listeners: ((packet: Packet) => void)[] = [];
  #pending: PendingPacket | null = null;

  /** @param read a packet's text. @throws {PeerError} */
  constructor(read: (text: string) => Packet) {
    this.#read = read;
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
      const packet = this.#read(message);
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

  /** Calls `listener` with each packet, once it is complete with its attachments. */
  on(_event: 'decoded', listener: (packet: Packet) => void): this {
    this.#listeners.push(listener);
    return this;
  }

  /** Removes a listener; all of them when none is named. */
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
