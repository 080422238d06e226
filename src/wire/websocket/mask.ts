/**
 * What: the masking of payloads (RFC 6455 section 5.3), by words of 32 bits, large ones by WebAssembly.
 * Must not know: frames. A key is a number here: its first byte on the wire is the lowest eight bits.
 */

import { maskSimd } from './mask-simd.ts';

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
/** Shorter payloads are masked byte by byte unless a view of their memory is at hand: making one costs as much. */
const wordsWorthBytes = 64;
/** From here on the way through WebAssembly's memory is the shorter one. */
const simdFromBytes = 2048;
const nonAscii = 0x80808080 | 0;

/*
 * The views of the memory used last. A process reads again and again into few buffers, and making a view costs as
 * much as masking a small frame. One buffer of each kind stays referenced by this, if it is not large.
 */
const keepUpToBytes = 0x40000;
let wordsBuffer: ArrayBufferLike | null = null;
let words: Int32Array<ArrayBufferLike> = new Int32Array(0);
let sourceBuffer: ArrayBufferLike | null = null;
let source: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
let targetBuffer: ArrayBufferLike | null = null;
let target: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));

/** The key as it applies `phase` bytes further on. */
export function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) << 3;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

/** Reads a masking key as it stands on the wire. */
export function readKey(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): number {
  let seen = 0;
  let rest = key;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]! ^ (rest & 0xff);
    bytes[i] = byte;
    seen |= byte;
    rest = (rest >>> 8) | (rest << 24);
  }
  return seen & 0x80;
}

/**
 * Masks or unmasks the bytes from `start` to `end` in place (the one undoes the other).
 * @param key as it applies to the byte at `start`, see {@link rotateKey}.
 * @returns 0 when all the results are ASCII: a text of them needs no further check.
 */
export function mask(bytes: Uint8Array, start: number, end: number, key: number): number {
  if (end - start >= simdFromBytes) {
    const stop = start + ((end - start) & ~15);
    const seen = maskSimd(bytes, start, stop, key);
    if (seen >= 0) return seen | maskBytes(bytes, stop, end, key);
  }
  return maskWords(bytes, start, end, key);
}

function maskWords(bytes: Uint8Array, start: number, end: number, key: number): number {
  const buffer = bytes.buffer;
  if (buffer !== wordsBuffer) {
    if (end - start < wordsWorthBytes || !isLittleEndian) return maskBytes(bytes, start, end, key);
    wordsBuffer = buffer;
    words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
  }
  const base = bytes.byteOffset;
  const aligned = Math.min(end, start + (-(base + start) & 3));
  let seen = maskBytes(bytes, start, aligned, key);
  const wordKey = rotateKey(key, aligned - start);
  const lastWord = (base + end) >> 2;
  let at = (base + aligned) >> 2;
  // A constant: of a variable of the module, the loop would look again at each word what it holds.
  const view = words;
  // Four words a turn: half the time of one word a turn.
  for (; at + 3 < lastWord; at += 4) {
    const w0 = view[at]! ^ wordKey;
    const w1 = view[at + 1]! ^ wordKey;
    const w2 = view[at + 2]! ^ wordKey;
    const w3 = view[at + 3]! ^ wordKey;
    view[at] = w0;
    view[at + 1] = w1;
    view[at + 2] = w2;
    view[at + 3] = w3;
    seen |= w0 | w1 | w2 | w3;
  }
  for (; at < lastWord; at++) {
    const word = view[at]! ^ wordKey;
    view[at] = word;
    seen |= word;
  }
  const tail = Math.max(aligned, (lastWord << 2) - base);
  seen |= maskBytes(bytes, tail, end, wordKey);
  if (buffer.byteLength > keepUpToBytes) wordsBuffer = null;
  return seen & nonAscii;
}

/**
 * Masks or unmasks `length` bytes of `from` at `start` into `into` at `offset`; `from` stays as it is.
 * @param key as it applies to the first byte.
 * @returns 0 when all the results are ASCII.
 */
export function maskInto(
  into: Uint8Array,
  offset: number,
  from: Uint8Array,
  start: number,
  length: number,
  key: number,
): number {
  let seen = 0;
  let done = 0;
  if (length >= 16) {
    if (from.buffer !== sourceBuffer) {
      sourceBuffer = from.buffer;
      source = new DataView(sourceBuffer);
    }
    if (into.buffer !== targetBuffer) {
      targetBuffer = into.buffer;
      target = new DataView(targetBuffer);
    }
    // Constants, as above.
    const reader = source;
    const writer = target;
    let read = from.byteOffset + start;
    let write = into.byteOffset + offset;
    const wordCount = length >> 2;
    for (let i = 0; i < wordCount; i++, read += 4, write += 4) {
      const word = reader.getInt32(read, true) ^ key;
      writer.setInt32(write, word, true);
      seen |= word;
    }
    done = wordCount << 2;
    if (from.buffer.byteLength > keepUpToBytes) sourceBuffer = null;
    if (into.buffer.byteLength > keepUpToBytes) targetBuffer = null;
  }
  let rest = key;
  for (; done < length; done++) {
    const byte = from[start + done]! ^ (rest & 0xff);
    into[offset + done] = byte;
    seen |= byte;
    rest = (rest >>> 8) | (rest << 24);
  }
  return seen & nonAscii;
}
