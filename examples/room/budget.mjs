// What: a bound on how often something may be done: so many a second, with a reserve for bursts.
// Must not know: what is being done, or by whom.

/** A reserve of `burst` that is spent one by one and fills up again by `perSecond`. */
export class Budget {
  #perSecond;
  #burst;
  #left;
  #sinceMs;

  constructor(perSecond, burst, nowMs = Date.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#sinceMs = nowMs;
  }

  /** Spends one, or returns false if nothing is left. */
  spend(nowMs = Date.now()) {
    const earned = (Math.max(0, nowMs - this.#sinceMs) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + earned);
    this.#sinceMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
