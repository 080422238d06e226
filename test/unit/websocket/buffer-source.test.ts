import { describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/websocket/buffer-source.ts';

describe('a BufferSource', () => {
  it('sees the bytes of every kind of BufferSource, and only those of the view', () => {
    const memory = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    expect(toBytes(memory)).toEqual(new Uint8Array(memory));
    expect(toBytes(new DataView(memory, 2, 3))).toEqual(new Uint8Array([3, 4, 5]));
    expect(toBytes(new Uint16Array(memory, 2, 1))).toEqual(new Uint8Array([3, 4]));
    expect(toBytes(Buffer.from([7]))).toEqual(new Uint8Array([7]));
    for (const value of ['text', 5, null, undefined, {}, [1], new Blob([])])
      expect(toBytes(value)).toBeNull();
  });

  it('takes detached memory as empty', () => {
    const memory = new ArrayBuffer(4);
    const view = new Uint8Array(memory);
    structuredClone(memory, { transfer: [memory] });
    expect(toBytes(memory)).toHaveLength(0);
    expect(toBytes(view)).toHaveLength(0);
  });

  it('refuses shared and resizable memory, and views of it', () => {
    const shared = new SharedArrayBuffer(4);
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    const resizable = new Resizable(4, { maxByteLength: 8 });
    for (const value of [shared, new Uint8Array(shared), resizable, new DataView(resizable)]) {
      expect(() => toBytes(value)).toThrow(TypeError);
    }
  });
});
