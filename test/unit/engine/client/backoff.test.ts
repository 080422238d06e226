import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from '../../../../src/engine/client/backoff.ts';

describe('backoffDelayMs', () => {
  const settings = { reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.5 };
  it.each([
    [0, 0, 500],
    [0, 0.5, 1000],
    [0, 0.9999, 1499],
    [1, 0, 1000],
    [1, 0.5, 2000],
    [2, 0, 2000],
    [2, 0.9999, 5000],
    [3, 0, 4000],
    [4, 0, 5000],
    [5000, 0.5, 5000],
  ])('after %i attempts and with chance %f it is %i ms', (attempts, chance, expected) => {
    expect(backoffDelayMs(attempts, settings, chance)).toBe(expected);
  });

  it('does not stray without a randomization factor', () => {
    const still = { ...settings, randomizationFactor: 0 };
    expect([0, 1, 2, 3].map((n) => backoffDelayMs(n, still, 0.9999))).toEqual([1000, 2000, 4000, 5000]);
  });
});
