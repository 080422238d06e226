import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from '../../../../src/engine/client/backoff.ts';

const fixed = (byte: number) => ({ fill: (target: Uint8Array) => void target.fill(byte) });

describe('backoffDelayMs', () => {
  const settings = { reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.5 };
  it.each([
    [0, 0x00, 500],
    [0, 0x80, 1001],
    [0, 0xff, 1499],
    [1, 0x00, 1000],
    [1, 0x80, 2003],
    [2, 0x00, 2000],
    [2, 0xff, 5000],
    [3, 0x00, 4000],
    [4, 0x00, 5000],
    [5000, 0x80, 5000],
  ])('after %i attempts and with chance %i it is %i ms', (attempts, chance, expected) => {
    expect(backoffDelayMs(attempts, settings, fixed(chance))).toBe(expected);
  });

  it('does not stray without a randomization factor', () => {
    const still = { ...settings, randomizationFactor: 0 };
    expect([0, 1, 2, 3].map((n) => backoffDelayMs(n, still, fixed(0xff)))).toEqual([1000, 2000, 4000, 5000]);
  });
});
