/**
 * What: chance that can be had again, and the loop that feeds it to a target.
 * Must not know: any target.
 */

/** Those that have found something, and a few to begin with. */
const seeds = [1, 2, 3, 5, 8, 13, 21, 34, 2024, 65_537];
/** How long each target goes on; 0: only as long as `npm test` has time. */
export const seconds = Number(process.env.FUZZ_SECONDS ?? 0);

/** Chance that can be had again. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  }

  /** 0 to `limit` - 1. */
  roll(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.roll(choices.length)]!;
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(length).map(() => this.roll(256));
  }
}

/** Runs a target with the seeds and `count` more, then until the time is over. */
export function fuzz(count: number, target: (dice: Dice) => void): void {
  const until = performance.now() + seconds * 1000;
  const first = Number(process.env.FUZZ_SEED ?? 100_000);
  const attempt = (seed: number): void => {
    try {
      target(new Dice(seed));
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  };
  for (const seed of seeds) attempt(seed);
  let seed = first;
  for (; seed < first + count; seed++) attempt(seed);
  for (; performance.now() < until; seed++) attempt(seed);
}

export const timeout = 60_000 + seconds * 1000;
