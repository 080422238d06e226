/**
 * What: reads MessagePack from peers, as values that JSON could have given too, with bytes and dates among them.
 * Must not know: packets, what carried the bytes, or how they are written (message-pack-writer.ts).
 */
import { PeerError } from '../../base/errors.ts';
import { depthLimit } from './binary.ts';

/** Below it a loop is faster than the platform's decoder. */
const shortText = 24;
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

function invalid(why: string): PeerError {
  return new PeerError(`The message is not MessagePack: ${why}`, { code: 'EVENT_ERR_INVALID_PACKET' });
}

class Reader {
  readonly #source: Uint8Array | ArrayBuffer;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(source: Uint8Array | ArrayBuffer) {
    this.#source = source;
    this.#bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Moves on over so many bytes, which must be there. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw invalid('it ends within a value');
    this.#at = at + length;
    return at;
  }

  #unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at);
    const high = this.#view.getUint32(at);
    return size === 4 ? high : high * 0x100000000 + this.#view.getUint32(at + 4);
  }

  #signed(size: 1 | 2 | 4 | 8): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getInt8(at);
    if (size === 2) return this.#view.getInt16(at);
    const high = this.#view.getInt32(at);
    return size === 4 ? high : high * 0x100000000 + this.#view.getUint32(at + 4);
  }

  /** MessagePack specification, "Formats": the first byte says what follows. */
  read(depth: number): unknown {
    const tag = this.#unsigned(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#text(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#unsigned(1));
      case 0xc5:
        return this.#binary(this.#unsigned(2));
      case 0xc6:
        return this.#binary(this.#unsigned(4));
      case 0xc7:
        return this.#extension(this.#unsigned(1));
      case 0xc8:
        return this.#extension(this.#unsigned(2));
      case 0xc9:
        return this.#extension(this.#unsigned(4));
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xcc:
        return this.#unsigned(1);
      case 0xcd:
        return this.#unsigned(2);
      case 0xce:
        return this.#unsigned(4);
      case 0xcf:
        return this.#unsigned(8);
      case 0xd0:
        return this.#signed(1);
      case 0xd1:
        return this.#signed(2);
      case 0xd2:
        return this.#signed(4);
      case 0xd3:
        return this.#signed(8);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#fixedExtension(1 << (tag - 0xd4));
      case 0xd9:
        return this.#text(this.#unsigned(1));
      case 0xda:
        return this.#text(this.#unsigned(2));
      case 0xdb:
        return this.#text(this.#unsigned(4));
      case 0xdc:
        return this.#array(this.#unsigned(2), depth);
      case 0xdd:
        return this.#array(this.#unsigned(4), depth);
      case 0xde:
        return this.#map(this.#unsigned(2), depth);
      case 0xdf:
        return this.#map(this.#unsigned(4), depth);
      default:
        throw invalid('the byte c1 begins no value');
    }
  }

  #text(length: number): string {
    const start = this.#take(length);
    const end = start + length;
    if (length < shortText) {
      let text = '';
      for (let at = start; at < end; at++) {
        const byte = this.#bytes[at] as number;
        if (byte >= 0x80) return textDecoder.decode(this.#bytes.subarray(start, end));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return textDecoder.decode(this.#bytes.subarray(start, end));
  }

  /** Bytes in the kind in which they came: a part of the Buffer, or an ArrayBuffer. */
  #binary(length: number): Uint8Array | ArrayBuffer {
    const start = this.#take(length);
    const source = this.#source;
    return source instanceof ArrayBuffer
      ? source.slice(start, start + length)
      : source.subarray(start, start + length);
  }

  /** Checked before anything is made: each member takes so many bytes at least. */
  #checkContainer(members: number, bytesEach: number, depth: number): void {
    if (members * bytesEach > this.#bytes.length - this.#at) throw invalid('it ends within a list');
    if (depth > depthLimit) {
      throw new PeerError(`A message may be nested ${depthLimit} levels deep`, {
        code: 'EVENT_ERR_TOO_DEEP',
        limit: { name: 'depth', value: depthLimit },
      });
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#checkContainer(length, 1, depth);
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.read(depth + 1));
    return list;
  }

  #map(size: number, depth: number): Record<string, unknown> {
    this.#checkContainer(size, 2, depth);
    const record: Record<string, unknown> = {};
    for (let i = 0; i < size; i++) {
      const key = this.read(depth + 1);
      if (typeof key !== 'string' && typeof key !== 'number') {
        throw invalid('a key is neither text nor number');
      }
      const value = this.read(depth + 1);
      // Set like any other it would change what the object inherits from; JSON.parse defines it, too.
      if (key === '__proto__') {
        Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
      } else record[key] = value;
    }
    return record;
  }

  // "ext format family". Type 0 is that of socket.io-msgpack-parser: undefined, a date, and bytes that are no Buffer.
  #fixedExtension(length: number): unknown {
    const type = this.#signed(1);
    if (type === 0 && length === 1) {
      this.#take(1);
      return undefined;
    }
    if (type === 0 && length === 8) return new Date(this.#signed(8));
    return this.#timestamp(type, length);
  }

  #extension(length: number): unknown {
    const type = this.#signed(1);
    if (type !== 0) return this.#timestamp(type, length);
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length)).buffer;
  }

  // "Timestamp extension type": 32 bits of seconds; 30 bits of nanoseconds and 34 of seconds; or 32 and 64.
  #timestamp(type: number, length: number): Date {
    if (type !== -1) throw invalid(`the extension type ${type} is unknown`);
    if (length === 4) return new Date(this.#unsigned(4) * 1000);
    if (length !== 8 && length !== 12) throw invalid(`a timestamp has no ${length} bytes`);
    const first = this.#unsigned(4);
    if (length === 12) return new Date(this.#signed(8) * 1000 + first / 1e6);
    const seconds = (first & 3) * 0x100000000 + this.#unsigned(4);
    return new Date(seconds * 1000 + (first >>> 2) / 1e6);
  }
}

/**
 * Reads one value. Integers beyond 2^53 lose their last digits, as numbers do; texts that are no UTF-8 get U+FFFD.
 * @param source bytes in it are handed out in its own kind: as parts of a Buffer, or as ArrayBuffers.
 * @throws {PeerError} `EVENT_ERR_INVALID_PACKET`, `EVENT_ERR_TOO_DEEP`.
 */
export function decodeMessagePack(source: Uint8Array | ArrayBuffer): unknown {
  const reader = new Reader(source);
  const value = reader.read(0);
  if (!reader.isAtEnd) throw invalid('bytes follow its value');
  return value;
}
