/**
 * What: a token bucket as a pure machine: what is in it is one number, a time.
 * Must not know: clocks, events, or whose bucket it is.
 */

/** How much a bucket lets through. */
export interface BucketShape {
  /** Tokens that come back within {@link perMs}. */
  readonly tokens: number;
  /** In milliseconds. */
  readonly perMs: number;
  /** Tokens that it holds when it is full: how many may go at once. */
  readonly burst: number;
}

/** What taking a token came to. */
export interface BucketDecision {
  readonly isGranted: boolean;
  /**
   * If granted: for how long to wait before going on, 0 for not at all. If not: when it is worth another attempt, in
   * milliseconds.
   */
  readonly waitMs: number;
  /** When the bucket is full again, on the clock that was used: the whole of its state. */
  readonly fullAtMs: number;
}

/** What is shorter is no wait: times are sums of fractions, which do not come out even. */
const SHORTEST_WAIT_MS = 0.001;

/**
 * Takes one token. A token costs `perMs / tokens` milliseconds of the future: the bucket is full at a time that each
 * token puts off, and empty when that time is `burst` tokens away.
 * @param fullAtMs what the last decision said; anything in the past, or undefined, for a full bucket.
 * @param longestWaitMs how long it may be made to wait; tokens that will only come by then are taken in advance.
 */
export function takeToken(
  { tokens, perMs, burst }: BucketShape,
  fullAtMs: number | undefined,
  nowMs: number,
  longestWaitMs = 0,
): BucketDecision {
  const costMs = perMs / tokens;
  const before = Math.max(fullAtMs ?? nowMs, nowMs);
  const after = before + costMs;
  const missingMs = after - burst * costMs - nowMs;
  const waitMs = missingMs < SHORTEST_WAIT_MS ? 0 : missingMs;
  if (waitMs <= longestWaitMs) return { isGranted: true, waitMs, fullAtMs: after };
  return { isGranted: false, waitMs: waitMs - longestWaitMs, fullAtMs: before };
}
