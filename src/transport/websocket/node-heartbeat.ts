/**
 * What: finds peers that have gone without a word: asks those that are silent, gives up those that stay it.
 * Must not know: frames and sockets; it sees how long nothing came.
 */

/** How long is too long. */
export interface HeartbeatSettings {
  /** How long nothing may come before a ping is sent. */
  readonly intervalMs: number;
  /** How long after the ping anything must have come. */
  readonly timeoutMs: number;
}

/** Someone who can be asked. */
export interface Heart {
  /** Set to 0 whenever anything comes from the peer; counted up here. */
  silentTicks: number;
  /** Asks for a sign of life. */
  askPeer(): void;
  /** No sign came: the peer is gone. */
  losePeer(): void;
}

/** One look at all connections for each of these parts of the shorter time: that is how exact it is. */
const PARTS = 4;

/** One timer for all connections with the same settings: a timer each would cost more than the connection. */
export class Heartbeat {
  readonly #tickMs: number;
  readonly #askAt: number;
  readonly #loseAt: number;
  readonly #hearts = new Set<Heart>();
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor({ intervalMs, timeoutMs }: HeartbeatSettings) {
    this.#tickMs = Math.max(1, Math.min(intervalMs, timeoutMs) / PARTS);
    this.#askAt = Math.max(1, Math.ceil(intervalMs / this.#tickMs));
    this.#loseAt = this.#askAt + Math.max(1, Math.ceil(timeoutMs / this.#tickMs));
  }

  add(heart: Heart): void {
    heart.silentTicks = 0;
    this.#hearts.add(heart);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    // The connections keep the process alive, not the watch over them.
    this.#timer.unref();
  }

  remove(heart: Heart): void {
    this.#hearts.delete(heart);
    if (this.#hearts.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    for (const heart of this.#hearts) {
      const ticks = ++heart.silentTicks;
      if (ticks === this.#askAt) heart.askPeer();
      else if (ticks >= this.#loseAt) heart.losePeer();
    }
  }
}

const known = new Map<string, Heartbeat>();

/** The heartbeat for these settings; one for all who have equal ones. */
export function heartbeatFor(settings: HeartbeatSettings): Heartbeat {
  const key = `${settings.intervalMs} ${settings.timeoutMs}`;
  let heartbeat = known.get(key);
  if (heartbeat === undefined) {
    heartbeat = new Heartbeat(settings);
    known.set(key, heartbeat);
  }
  return heartbeat;
}
