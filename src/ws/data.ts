/**
 * What: turns whatever may be given to `send`, `ping` and `close` into text or bytes.
 * Must not know: connections.
 */
import { Blob, Buffer } from 'node:buffer';
import type { BlobLike } from '../transport/websocket/send-queue.ts';

/**
 * What a program may send. Numbers are sent as their decimal text; null and undefined as nothing; the pieces of a
 * message that came as `fragments` as one message again.
 */
export type SendData =
  | string
  | number
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | BlobLike
  | readonly number[]
  | readonly Uint8Array[]
  | null
  | undefined;

export const EMPTY = Buffer.alloc(0);

/** The view of the same memory; what is not binary goes the way of `Buffer.from`, which throws for the rest. */
export function toBytes(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (Array.isArray(data) && data[0] instanceof Uint8Array) return Buffer.concat(data);
  return Buffer.from(data as Uint8Array);
}

/** Text stays text; falsy values are empty, as with `ws`. */
export function toPayload(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data;
  if (typeof data === 'number') return String(data);
  return data ? toBytes(data) : EMPTY;
}

export function isBlob(data: unknown): data is BlobLike {
  if (typeof data !== 'object' || data === null) return false;
  if (data instanceof Blob) return true;
  // A Blob of another realm or a polyfill, by the parts that are used.
  const { size, arrayBuffer, stream } = data as { size?: unknown; arrayBuffer?: unknown; stream?: unknown };
  return typeof size === 'number' && typeof arrayBuffer === 'function' && typeof stream === 'function';
}

/** How many bytes of payload `data` is. */
export function payloadBytes(data: unknown): number {
  if (!data && typeof data !== 'number') return 0;
  if (isBlob(data)) return data.size;
  const payload = toPayload(data);
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
}
