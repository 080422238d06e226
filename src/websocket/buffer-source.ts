/**
 * What: the Web IDL type `BufferSource`: memory that a program hands in, as bytes.
 * Must not know: WebSockets.
 */
import { types } from 'node:util';

const NO_BYTES = new Uint8Array(0);

/**
 * A `BufferSource` as a view of its bytes; null for anything else. Detached memory is empty.
 * @throws {TypeError} when the memory is shared or resizable: neither type allows it.
 */
export function toBytes(value: unknown): Uint8Array | null {
  if (typeof value !== 'object' || value === null) return null;
  const isView = ArrayBuffer.isView(value);
  if (!isView && !types.isAnyArrayBuffer(value)) return null;
  const buffer = isView ? value.buffer : value;
  if (types.isSharedArrayBuffer(buffer)) throw new TypeError('The memory must not be shared');
  if ('resizable' in buffer && buffer.resizable === true) {
    throw new TypeError('The memory must not be resizable');
  }
  if (value.byteLength === 0) return NO_BYTES;
  return isView ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(buffer);
}
