import { describe, expect, it } from 'vitest';
import { MemoryRateLimitStore } from '../../../src/limits/memory-store.ts';
import { type BucketShape, takeToken } from '../../../src/limits/token-bucket.ts';

const shape: BucketShape = { tokens: 10, perMs: 1000, burst: 3 };

/** Takes at each time; what came of it, and the wait. */
function takeAt(times: readonly number[], of: BucketShape = shape, longestWaitMs = 0) {
  let state: number | undefined;
  return times.map((nowMs) => {
    const { isGranted, waitMs, fullAtMs } = takeToken(of, state, nowMs, longestWaitMs);
    state = fullAtMs;
    return [isGranted, waitMs];
  });
}

describe('a token bucket', () => {
  it('gives its burst at once, then says when the next token comes', () => {
    expect(takeAt([0, 0, 0, 0, 40])).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
      [false, 100],
      [false, 60],
    ]);
  });

  it('has its first token at any time, however its fraction rounds', () => {
    const hourly = { tokens: 1, perMs: 3_600_000, burst: 1 };
    for (let i = 0; i < 1000; i++) expect(takeToken(hourly, undefined, i * 1234.56789).waitMs).toBe(0);
  });

  it('fills again with time, and no further than its burst', () => {
    expect(takeAt([0, 0, 0, 100, 100]).map(([isGranted]) => isGranted)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(takeAt([0, 0, 0, 9000, 9000, 9000, 9000]).map(([isGranted]) => isGranted)).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('takes tokens in advance where one may be made to wait, as far as that', () => {
    expect(takeAt([0, 0, 0, 0, 0, 0], shape, 200)).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
      [true, 100],
      [true, 200],
      [false, 100],
    ]);
  });

  it('gives no more than its rate in the long run, however it is asked', () => {
    const times = Array.from({ length: 5000 }, (_, i) => i * 7);
    const granted = takeAt(times).filter(([isGranted]) => isGranted).length;
    const most = shape.burst + ((times.at(-1) as number) / shape.perMs) * shape.tokens;
    expect(granted).toBeLessThanOrEqual(most);
    expect(granted).toBeGreaterThan(most - 2);
  });
});

describe('the store in memory', () => {
  it('keeps the buckets of keys apart, whatever the key', () => {
    const store = new MemoryRateLimitStore();
    const one = { tokens: 1, perMs: 1000, burst: 1 };
    for (const key of ['a', 'b', '__proto__', '']) {
      expect([store.take(key, one, 0, 0).isGranted, store.take(key, one, 0, 0).isGranted]).toEqual([
        true,
        false,
      ]);
    }
  });

  it('forgets the buckets that are full again, while others are used', () => {
    const store = new MemoryRateLimitStore();
    for (let i = 0; i < 1000; i++) store.take(`old ${i}`, shape, 0, 0);
    expect(store.size).toBe(1000);
    for (let i = 0; i < 1000; i++) store.take('new', shape, 0, 10_000);
    expect(store.size).toBe(1);
  });

  it('holds no more keys than it may, and forgets the one used least recently', () => {
    const store = new MemoryRateLimitStore(3);
    const slow = { tokens: 1, perMs: 1e6, burst: 1 };
    for (const key of ['a', 'b', 'c', 'a', 'd']) store.take(key, slow, 0, 0);
    expect(store.size).toBe(3);
    expect(store.take('a', slow, 0, 0).isGranted).toBe(false);
    expect(store.take('b', slow, 0, 0).isGranted).toBe(true);
  });

  it.each([0, -1, 1.5])('cannot hold %s keys', (limit) => {
    expect(() => new MemoryRateLimitStore(limit)).toThrow(
      expect.objectContaining({ code: 'RATE_ERR_LIMIT' }),
    );
  });
});
