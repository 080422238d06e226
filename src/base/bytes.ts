/**
 * What: work on byte arrays that every floor needs: join, compare.
 * Must not know: what the bytes mean.
 */
import type { ByteCodec } from './port.ts';

/** No bytes at all. Shared: it has nothing that could be changed. */
export const emptyBytes = new Uint8Array(0);

/**
 * Joins pieces into one array.
 * @param length the sum of the lengths of the pieces, which the caller has counted anyway.
 * @returns the piece itself when there is only one.
 */
export function joinBytes(pieces: readonly Uint8Array[], length: number, codec: ByteCodec): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = codec.allocate(length);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

/** The same bytes, not copied, as a `Uint8Array`. */
export function toBytes(source: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (source instanceof Uint8Array) return source;
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

/** Whether two arrays hold the same bytes. Not for secrets: it stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** A copy in memory of its own. */
export function copyBytes(bytes: Uint8Array, codec: ByteCodec): Uint8Array {
  const copy = codec.allocate(bytes.length);
  copy.set(bytes);
  return copy;
}

/**
 * A view of the bytes from `start` to `end`; always a plain Uint8Array. Half the price of `subarray`, which on a
 * Node Buffer makes another Buffer.
 */
export function viewBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
