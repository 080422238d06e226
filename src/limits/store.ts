/**
 * What: the port of where token buckets are kept, so that several servers can count together.
 * Must not know: events, sockets, or any store.
 */
import type { BucketDecision, BucketShape } from './token-bucket.ts';

/**
 * Keeps token buckets by key.
 *
 * Atomicity: two calls for one key do not get the same token. Order: calls of one server for one key are decided in the
 * order in which they were made. A bucket that is full may be forgotten, and should be: keys come from the outside.
 */
export interface RateLimitStore {
  /**
   * Takes a token, by {@link takeToken} or to the same effect.
   * @param longestWaitMs how long it may be made to wait for one, in milliseconds.
   * @param nowMs the caller's time; a store that is shared uses its own.
   */
  take(
    key: string,
    shape: BucketShape,
    longestWaitMs: number,
    nowMs: number,
  ): BucketDecision | Promise<BucketDecision>;
}
