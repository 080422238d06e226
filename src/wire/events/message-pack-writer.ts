/**
 * What: writes values as MessagePack, as the parser of that name writes the packets of Socket.IO.
 * Must not know: packets, what carries the bytes, or how they are read (message-pack-reader.ts).
 */
import { UsageError } from '../../base/errors.ts';
import { utf8Length, writeUtf8 } from '../../base/utf8.ts';
import { depthLimit } from './binary.ts';

/** Most events fit; what was needed for a larger one is given back. */
const keptBytes = 8192;
/** Beyond it the platform is faster at UTF-8 than a loop. */
const shortText = 100;

const textEncoder = new TextEncoder();

/** Grows as it is written to; used again for the next value. */
class Writer {
  #bytes = new Uint8Array(keptBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Gives out a copy of what was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > keptBytes) this.#allocate(keptBytes);
  }

  #allocate(length: number): void {
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Makes room and gives the place where to write. */
  #claim(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      const written = this.#bytes;
      this.#allocate(Math.max(written.length * 2, at + length));
      this.#bytes.set(written.subarray(0, at));
    }
    this.#at = at + length;
    return at;
  }

  #byte(value: number): void {
    const at = this.#claim(1);
    this.#bytes[at] = value;
  }

  /** A tag with the length behind it, in as few bytes as it takes; the tags for 8, 16 and 32 bits follow each other. */
  #length(length: number, tag8: number | null, tag16: number): void {
    if (tag8 !== null && length < 0x100) {
      const at = this.#claim(2);
      this.#bytes[at] = tag8;
      this.#bytes[at + 1] = length;
    } else if (length < 0x10000) {
      const at = this.#claim(3);
      this.#bytes[at] = tag16;
      this.#view.setUint16(at + 1, length);
    } else {
      const at = this.#claim(5);
      this.#bytes[at] = tag16 + 1;
      this.#view.setUint32(at + 1, length);
    }
  }

  /** @throws {UsageError} `EVENT_ERR_TOO_DEEP`; {TypeError} for a BigInt. */
  write(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.#text(value);
        return;
      case 'number':
        this.#number(value);
        return;
      case 'boolean':
        this.#byte(value ? 0xc3 : 0xc2);
        return;
      case 'undefined':
        this.#undefined();
        return;
      case 'object':
        if (value === null) this.#byte(0xc0);
        else this.#object(value, depth);
        return;
      case 'bigint':
        throw new TypeError('MessagePack writes no BigInt; send a number or a text');
      default:
        // Functions and symbols, as JSON has them in lists.
        this.#byte(0xc0);
    }
  }

  /** MessagePack has no such value; the parsers of Socket.IO take an extension of type 0 with one byte for it. */
  #undefined(): void {
    const at = this.#claim(3);
    this.#bytes[at] = 0xd4;
    this.#bytes[at + 1] = 0;
    this.#bytes[at + 2] = 0;
  }

  // MessagePack specification, "str format family".
  #text(text: string): void {
    const length = utf8Length(text);
    if (length < 32) this.#byte(0xa0 | length);
    else this.#length(length, 0xd9, 0xda);
    const at = this.#claim(length);
    if (length < shortText) writeUtf8(this.#bytes, text, at);
    else textEncoder.encodeInto(text, this.#bytes.subarray(at));
  }

  // "int format family", and "float format family" for what is no integer or would not be exact as one.
  #number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      const at = this.#claim(9);
      this.#bytes[at] = 0xcb;
      this.#view.setFloat64(at + 1, value);
    } else if (value >= 0) {
      this.#positive(value);
    } else {
      this.#negative(value);
    }
  }

  #positive(value: number): void {
    if (value < 0x80) this.#byte(value);
    else if (value < 0x100000000) {
      const at = this.#claim(value < 0x100 ? 2 : value < 0x10000 ? 3 : 5);
      this.#bytes[at] = value < 0x100 ? 0xcc : value < 0x10000 ? 0xcd : 0xce;
      if (value < 0x100) this.#bytes[at + 1] = value;
      else if (value < 0x10000) this.#view.setUint16(at + 1, value);
      else this.#view.setUint32(at + 1, value);
    } else this.#wide(0xcf, value);
  }

  #negative(value: number): void {
    if (value >= -0x20) this.#byte(0x100 + value);
    else if (value >= -0x80000000) {
      const at = this.#claim(value >= -0x80 ? 2 : value >= -0x8000 ? 3 : 5);
      this.#bytes[at] = value >= -0x80 ? 0xd0 : value >= -0x8000 ? 0xd1 : 0xd2;
      if (value >= -0x80) this.#view.setInt8(at + 1, value);
      else if (value >= -0x8000) this.#view.setInt16(at + 1, value);
      else this.#view.setInt32(at + 1, value);
    } else this.#wide(0xd3, value);
  }

  /** 64 bits: two's complement comes out of the division by itself, as the upper half is rounded down. */
  #wide(tag: number, value: number): void {
    const at = this.#claim(9);
    this.#bytes[at] = tag;
    this.#view.setInt32(at + 1, Math.floor(value / 0x100000000));
    this.#view.setUint32(at + 5, value >>> 0);
  }

  #object(value: object, depth: number): void {
    if (depth > depthLimit) {
      throw new UsageError(`A message may be nested ${depthLimit} levels deep and may not contain itself`, {
        code: 'EVENT_ERR_TOO_DEEP',
        limit: { name: 'depth', value: depthLimit },
      });
    }
    if (Array.isArray(value)) {
      if (value.length < 16) this.#byte(0x90 | value.length);
      else this.#length(value.length, null, 0xdc);
      for (let i = 0; i < value.length; i++) this.write(value[i], depth + 1);
    } else if (value instanceof ArrayBuffer) {
      this.#binary(new Uint8Array(value));
    } else if (ArrayBuffer.isView(value)) {
      this.#binary(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else if (value instanceof Date) {
      this.#date(value);
    } else {
      const { toJSON } = value as { toJSON?: unknown };
      if (typeof toJSON === 'function') this.write(toJSON.call(value), depth + 1);
      else this.#map(value as Record<string, unknown>, depth);
    }
  }

  /** Deviation: socket.io-msgpack-parser on Node writes only Buffers so, other bytes as an extension; see the door. */
  #binary(bytes: Uint8Array): void {
    this.#length(bytes.length, 0xc4, 0xc5);
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** As socket.io-msgpack-parser has it: an extension of type 0 with eight bytes, milliseconds since 1970. */
  #date(date: Date): void {
    const time = date.getTime();
    // An invalid date is null in JSON, too.
    if (Number.isNaN(time)) {
      this.#byte(0xc0);
      return;
    }
    const at = this.#claim(10);
    this.#bytes[at] = 0xd7;
    this.#bytes[at + 1] = 0;
    this.#view.setInt32(at + 2, Math.floor(time / 0x100000000));
    this.#view.setUint32(at + 6, time >>> 0);
  }

  #map(record: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(record).filter((key) => typeof record[key] !== 'function');
    if (keys.length < 16) this.#byte(0x80 | keys.length);
    else this.#length(keys.length, null, 0xde);
    for (const key of keys) {
      this.#text(key);
      this.write(record[key], depth + 1);
    }
  }
}

/** Null while it is in use: a `toJSON` may send an event of its own. */
let idle: Writer | null = new Writer();

/**
 * Writes a value as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).
 * @throws {UsageError} `EVENT_ERR_TOO_DEEP`; {TypeError} for a BigInt.
 */
export function encodeMessagePack(value: unknown): Uint8Array {
  const writer = idle ?? new Writer();
  idle = null;
  try {
    writer.write(value, 0);
    return writer.take();
  } finally {
    writer.clear();
    idle = writer;
  }
}
