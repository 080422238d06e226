import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../../src/base/byte-queue.ts';

describe('a byte queue', () => {
  it('gives chunks in their order, in parts, and counts what is left', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3));
    queue.push(new Uint8Array(0));
    queue.push(Uint8Array.of(4));
    expect([queue.byteLength, queue.frontOffset]).toEqual([4, 0]);
    queue.consumeFront(2);
    expect([queue.byteLength, queue.frontOffset]).toEqual([2, 2]);
    expect(queue.front).toEqual(Uint8Array.of(1, 2, 3));
    queue.consumeFront(3);
    expect(queue.front).toEqual(Uint8Array.of(4));
    queue.consumeFront(1);
    expect([queue.byteLength, queue.front]).toEqual([0, undefined]);
  });

  it('takes a chunk in before all others', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(2));
    queue.push(Uint8Array.of(3));
    queue.consumeFront(1);
    queue.pushFront(Uint8Array.of(1));
    expect(queue.front).toEqual(Uint8Array.of(1));
    queue.consumeFront(1);
    expect(queue.front).toEqual(Uint8Array.of(3));
    expect(queue.byteLength).toBe(1);
  });

  it('keeps the order over any number of chunks', () => {
    const queue = new ByteQueue();
    const taken: number[] = [];
    for (let i = 0; i < 1000; i++) {
      queue.push(Uint8Array.of(i & 0xff, i >> 8));
      if (i % 3 === 0) continue;
      const front = queue.front!;
      taken.push(front[0]! | (front[1]! << 8));
      queue.consumeFront(2);
    }
    while (queue.front !== undefined) {
      taken.push(queue.front[0]! | (queue.front[1]! << 8));
      queue.consumeFront(2);
    }
    expect(taken).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('is not harmed by consuming from nothing', () => {
    const queue = new ByteQueue();
    queue.consumeFront(5);
    expect(queue.byteLength).toBe(0);
  });
});
