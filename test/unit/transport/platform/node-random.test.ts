/**
 * What: random bytes: all of the target is filled, and no two are alike, small or large.
 * Must not know: how they are made.
 */
import { expect, test } from 'vitest';
import { nodeRandom } from '../../../../src/transport/platform/node-random.ts';

test.each([4, 16, 64, 65, 10_000])('fills %i bytes, each time otherwise', (length) => {
  const seen = new Set<string>();
  // More than the pool holds.
  const rounds = Math.max(20, Math.ceil(20_000 / length));
  for (let i = 0; i < rounds; i++) {
    const target = Buffer.alloc(length);
    nodeRandom.fill(target);
    seen.add(target.toString('hex'));
  }
  // Four bytes may come twice by chance: about once in 200 runs of 5,000.
  expect(seen.size).toBeGreaterThan(rounds - 4);
});

test('leaves what is not the target alone', () => {
  const memory = new Uint8Array(12);
  nodeRandom.fill(memory.subarray(4, 8));
  expect([...memory.subarray(0, 4), ...memory.subarray(8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});

test('every bit comes up', () => {
  const ones = new Uint8Array(8);
  const target = new Uint8Array(4);
  for (let i = 0; i < 200; i++) {
    nodeRandom.fill(target);
    for (const byte of target) for (let bit = 0; bit < 8; bit++) ones[bit]! |= (byte >> bit) & 1;
  }
  expect([...ones]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
});
