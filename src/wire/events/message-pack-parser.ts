/**
 * What: packets as MessagePack, one message each whatever is in it: the shape that the option `parser` prescribes.
 * Must not know: sockets; how values become bytes.
 */
import { PeerError, UsageError } from '../../base/errors.ts';
import { isPacketValid } from './codec.ts';
import { decodeMessagePack } from './message-pack-reader.ts';
import { encodeMessagePack } from './message-pack-writer.ts';
import { type IncomingBytes, type Packet, PacketType, protocol } from './packet.ts';
import type { PacketDecoder, PacketEncoder } from './parser.ts';
import { checkArguments } from './text.ts';

/** Writes each packet as one binary message. */
export class Encoder implements PacketEncoder {
  /** @throws {UsageError} `EVENT_ERR_TOO_DEEP`, `EVENT_ERR_TOO_MANY_ARGUMENTS`; {TypeError} for a BigInt. */
  encode({ type, nsp, data, id }: Packet): Uint8Array[] {
    const packet: Record<string, unknown> = {
      // Bytes are part of the message, so there are no binary kinds.
      type: type >= PacketType.binaryEvent ? type - 3 : type,
      nsp,
    };
    checkArguments(data, UsageError);
    if (data !== undefined) packet.data = data;
    if (id !== undefined) packet.id = id;
    return [encodeMessagePack(packet)];
  }
}

/** Reads what {@link Encoder} writes, and socket.io-msgpack-parser. */
export class Decoder implements PacketDecoder {
  #listeners: ((packet: Packet) => void)[] = [];

  /**
   * Takes the next message, which is a packet.
   * @throws {PeerError} `EVENT_ERR_INVALID_PACKET`, `EVENT_ERR_TOO_DEEP`, `EVENT_ERR_TOO_MANY_ARGUMENTS`; the connection
   * cannot go on.
   */
  add(message: string | IncomingBytes): void {
    if (typeof message === 'string' || !(message instanceof Uint8Array || message instanceof ArrayBuffer)) {
      throw invalid('A packet of MessagePack is bytes; does the peer use the same parser?');
    }
    const decoded = decodeMessagePack(message);
    if (typeof decoded !== 'object' || decoded === null) throw invalid('The message is no packet');
    const { type, nsp, data, id } = decoded as Partial<Record<keyof Packet, unknown>>;
    checkArguments(data, PeerError);
    const packet: unknown = {
      type,
      nsp,
      data: data ?? undefined,
      id: id ?? undefined,
      attachments: undefined,
    };
    if (!isPacketValid(packet) || packet.type >= PacketType.binaryEvent) {
      throw invalid('The message is no packet');
    }
    for (const listener of this.#listeners) listener(packet);
  }

  /** Calls `listener` with each packet. */
  on(_event: 'decoded', listener: (packet: Packet) => void): this {
    this.#listeners.push(listener);
    return this;
  }

  /** Removes a listener; all of them when none is named. */
  off(_event?: 'decoded', listener?: (packet: Packet) => void): this {
    this.#listeners = listener === undefined ? [] : this.#listeners.filter((each) => each !== listener);
    return this;
  }

  /** The same as {@link off}: socket.io calls it so. */
  removeListener(event?: 'decoded', listener?: (packet: Packet) => void): this {
    return this.off(event, listener);
  }

  /** Nothing is kept between two messages. */
  destroy(): void {}
}

function invalid(message: string): PeerError {
  return new PeerError(message, { code: 'EVENT_ERR_INVALID_PACKET' });
}

/** For the option `parser` of servers and clients; both ends need it. */
export const messagePackParser = { protocol, Encoder, Decoder };
