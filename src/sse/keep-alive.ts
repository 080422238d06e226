/**
 * What: says to quiet streams when something should be written, with one timer for all streams of one interval.
 * Must not know: what is written, or to whom.
 */
import type { Clock, Timer } from '../base/port.ts';

/** What is kept alive. `quietTicks` is set to 0 by whoever writes. */
export interface KeptAlive {
  /** @internal */
  quietTicks: number;
  /** Nothing was written for the interval. */
  keepAlive(): void;
}

/** So many ticks make an interval: silence lasts from nine tenths of it to all of it, and no write reads a clock. */
const TICKS = 10;

class Round {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #members = new Set<KeptAlive>();
  #timer: Timer | null = null;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#tickMs = intervalMs / TICKS;
  }

  add(member: KeptAlive): void {
    this.#members.add(member);
    this.#timer ??= this.#clock.setTimer(this.#tickMs, () => this.#tick());
  }

  /** @returns whether it was the last. */
  remove(member: KeptAlive): boolean {
    this.#members.delete(member);
    if (this.#members.size > 0) return false;
    this.#timer?.cancel();
    this.#timer = null;
    return true;
  }

  #tick(): void {
    this.#timer = this.#clock.setTimer(this.#tickMs, () => this.#tick());
    for (const member of this.#members) {
      if (++member.quietTicks < TICKS) continue;
      member.quietTicks = 0;
      member.keepAlive();
    }
  }
}

/** All streams that are kept alive, by interval. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #rounds = new Map<number, Round>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(member: KeptAlive, intervalMs: number): void {
    let round = this.#rounds.get(intervalMs);
    if (round === undefined) {
      round = new Round(this.#clock, intervalMs);
      this.#rounds.set(intervalMs, round);
    }
    member.quietTicks = 0;
    round.add(member);
  }

  remove(member: KeptAlive, intervalMs: number): void {
    if (this.#rounds.get(intervalMs)?.remove(member)) this.#rounds.delete(intervalMs);
  }
}
