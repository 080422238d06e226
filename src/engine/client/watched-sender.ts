/**
 * What: whether the server lives, as far as its silence, the answers to what was sent, and a clock that jumps can tell.
 * Must not know: how a connection is looked for.
 */
import type { Timer } from '../../base/port.ts';
import { EngineSender } from './sender.ts';

/** How often is looked whether the clock has jumped; and who was heard so recently is not asked whether he lives. */
export const TICK_MS = 5000;

/** A session that gives up a server which is silent for too long. */
export abstract class WatchedSender extends EngineSender {
  /** When the server is given up, on the wall clock; tools move it. @internal */
  _pingTimeoutTime = Infinity;
  #heartbeat: Timer | undefined;

  /**
   * Finds out at once whether the connection lives: a fresh one is attached, which takes over if it can be had. Without
   * a session only the time since the last ping can tell.
   * @param quietMs not if the server was heard within the last so many milliseconds.
   * @internal
   */
  protected abstract check(quietMs?: number): void;

  /** For so long the server may be silent. @internal */
  protected get limitMs(): number {
    const { pingInterval, pingTimeout } = this.handshake!;
    return pingInterval + pingTimeout;
  }

  /** The server lives. @internal */
  protected heard(): void {
    this._pingTimeoutTime = this.clock.nowMs() + this.limitMs;
  }

  /** The server lives, and is expected to say so again. @internal */
  protected watch(): void {
    this.heard();
    this.tick();
  }

  /** Looks whether the server still lives, now and then again. @internal */
  protected tick(): void {
    this.#heartbeat?.cancel();
    const startMs = this.clock.nowMs();
    // A POST whose answer does not come would hold up all others, also where the polls beside it are answered.
    const isPosting = this.session && this.handedOver;
    const postDueMs = isPosting ? this.handedOverAtMs + this.limitMs : Infinity;
    const delayMs = Math.min(Math.min(this._pingTimeoutTime, postDueMs) - startMs, TICK_MS);
    if (delayMs <= 0) {
      this.lost('ping timeout');
      return;
    }
    this.#heartbeat = this.clock.setTimer(delayMs, () => {
      // The machine has slept, or the page was frozen. Timers of background tabs are late, too, but those hear pings.
      const lateMs = this.clock.nowMs() - startMs - delayMs;
      if (lateMs > TICK_MS) this.check(lateMs);
      this.tick();
    });
  }

  /**
   * Whether the server should have been heard by now, though the timer has not fired: timers of background tabs are
   * throttled and machines sleep. If so, the connection is given up at once.
   * @returns whether the session is over with it.
   * @internal
   */
  _hasPingExpired(): boolean {
    const hasExpired = this.clock.nowMs() > this._pingTimeoutTime;
    if (hasExpired) {
      this._pingTimeoutTime = Infinity;
      queueMicrotask(() => this.lost('ping timeout'));
    }
    return hasExpired && !this.session;
  }

  /** No timer is to fire any more. @internal */
  protected halt(): void {
    this.#heartbeat?.cancel();
  }
}
