/**
 * What: token buckets in memory, for one server; those that are full are forgotten.
 * Must not know: events, sockets, clocks.
 */
import { UsageError } from '../base/errors.ts';
import type { RateLimitStore } from './store.ts';
import { type BucketDecision, type BucketShape, takeToken } from './token-bucket.ts';

const DEFAULT_KEYS_LIMIT = 100_000;
/** Buckets that each call looks at and may forget; more than one, so that forgetting keeps up with what comes. */
const SWEPT_A_CALL = 2;

/** The memory twin of {@link RateLimitStore}. */
export class MemoryRateLimitStore implements RateLimitStore {
  /** When each is full again; the one that was used least recently comes first. */
  readonly #fullAtMs = new Map<string, number>();
  readonly #keysLimit: number;
  #hand = this.#fullAtMs.entries();

  /**
   * @param keysLimit most keys; above it the one that was used least recently is forgotten, which is a full bucket to
   * its owner. Default 100,000, some 15 MB.
   * @throws {UsageError} `RATE_ERR_LIMIT`: the limit is no positive integer.
   */
  constructor(keysLimit: number = DEFAULT_KEYS_LIMIT) {
    if (!Number.isSafeInteger(keysLimit) || keysLimit < 1) {
      throw new UsageError('keysLimit is a positive integer.', { code: 'RATE_ERR_LIMIT' });
    }
    this.#keysLimit = keysLimit;
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  take(key: string, shape: BucketShape, longestWaitMs: number, nowMs: number): BucketDecision {
    const decision = takeToken(shape, this.#fullAtMs.get(key), nowMs, longestWaitMs);
    // Behind all others.
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, decision.fullAtMs);
    this.#sweep(nowMs);
    return decision;
  }

  /** A hand that goes round, a little with each call. */
  #sweep(nowMs: number): void {
    for (let swept = 0; swept < SWEPT_A_CALL; swept++) {
      const { done, value } = this.#hand.next();
      if (done) {
        this.#hand = this.#fullAtMs.entries();
        break;
      }
      const [key, fullAtMs] = value;
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(key);
    }
    if (this.#fullAtMs.size <= this.#keysLimit) return;
    const [oldest] = this.#fullAtMs.keys();
    this.#fullAtMs.delete(oldest as string);
  }
}
