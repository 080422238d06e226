/**
 * What: how far each outbox of the clients has been received, so that what is sent again is not delivered again.
 * Must not know: sockets, events, and why a client sends something again.
 */

/**
 * Remembers counts beyond this process, for many servers or for restarts. Counts only grow; a smaller one that is saved
 * late must not replace a larger one. Losing one means that messages may be delivered twice, never that one is lost.
 */
export interface ReceiptStore {
  /** The count of a lane, `undefined` when it is not known. A rejected promise counts as the latter. */
  load(lane: string): number | undefined | Promise<number | undefined>;
  /** Told after each message that was received; may wait and save the latest only. */
  save(lane: string, count: number): void;
}

/** The option `outbox` of a server. */
export interface OutboxOptions {
  /**
   * How many lanes are remembered: each page that uses an outbox has one, until it was not heard of while so many
   * others were. Default 10000, some 2 MB.
   */
  readonly lanes?: number;
  /** Where counts are kept beside this process's memory. Default: nowhere. */
  readonly receipts?: ReceiptStore;
}

/** More than these a single connection has no use for; it could push out those of others. */
const LANES_OF_ONE = 100;
const LANE_CHARACTERS = 64;

/** Counts by lane, the one that was heard of longest ago first. */
export class OutboxReceipts {
  readonly #counts = new Map<string, number>();
  readonly #lanesOf = new WeakMap<object, Set<string>>();
  readonly #most: number;
  readonly #store: ReceiptStore | undefined;

  constructor({ lanes = 10_000, receipts }: OutboxOptions = {}) {
    this.#most = lanes;
    this.#store = receipts;
  }

  /** How many messages of a lane ({@link laneKey}) were received; `null`: nothing is known of it. */
  async count(key: string): Promise<number | null> {
    let stored: number | undefined;
    try {
      stored = await this.#store?.load(key);
    } catch {
      // What memory knows is better than no answer, for which the client would wait.
    }
    const known = this.#counts.get(key);
    if (stored !== undefined && stored > (known ?? -1)) {
      this.#remember(key, stored);
      return stored;
    }
    return known ?? null;
  }

  /**
   * A message has arrived.
   * @param owner whose connection it came over.
   * @param key of its lane ({@link laneKey}).
   * @returns whether it is new; `null` when its sender does not keep the protocol.
   */
  take(owner: object, key: string, index: unknown): boolean | null {
    if (!Number.isSafeInteger(index) || (index as number) < 0) return null;
    let lanes = this.#lanesOf.get(owner);
    if (lanes === undefined) {
      lanes = new Set();
      this.#lanesOf.set(owner, lanes);
    }
    lanes.add(key);
    if (lanes.size > LANES_OF_ONE) return null;
    // The client sends in order, so that what is below was received, or refused where it was sent.
    if ((index as number) < (this.#counts.get(key) ?? 0)) return false;
    const count = (index as number) + 1;
    this.#remember(key, count);
    this.#store?.save(key, count);
    return true;
  }

  #remember(key: string, count: number): void {
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size <= this.#most) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      return;
    }
  }
}

/** Under which a lane is remembered; `null` when this is none. */
export function laneKey(nsp: string, lane: unknown): string | null {
  return typeof lane === 'string' && lane !== '' && lane.length <= LANE_CHARACTERS ? `${nsp} ${lane}` : null;
}
