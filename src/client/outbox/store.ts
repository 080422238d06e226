/**
 * What: the port through which an outbox keeps messages beyond the page, and learns whose messages nobody sends any more.
 * Must not know: sockets, servers, any kind of storage.
 */

/** A message that the server may not have. */
export interface StoredMessage {
  /** Who has emitted it: one socket of one page. Lanes in the order of their names are in the order of their age. */
  readonly lane: string;
  /** Its place in the lane, from 0 on; not every place need be taken. */
  readonly index: number;
  /** The namespace. */
  readonly nsp: string;
  /** The event's name and its arguments. */
  readonly data: readonly unknown[];
}

/**
 * Storage that all pages of a user share. Order: what is done by calls one after the other is done in that order. Each
 * promise resolves when it is done for good, and rejects when it is not (no room, not allowed).
 */
export interface OutboxStore {
  /** Everything that is kept, by lane and index; changes nothing. */
  load(): Promise<readonly StoredMessage[]>;
  /** Keeps a message, which nobody changes any more. */
  put(message: StoredMessage): Promise<void>;
  /** Forgets the messages of a lane from index `from` on and below `end`. Harmless where there are none. */
  remove(lane: string, from: number, end: number): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
  /**
   * Waits until nobody owns the lane, and owns it from then on, until this page is gone or `release` is called. At most
   * one page owns a lane, where the platform can tell; where it cannot, everyone does at once, and the server sorts out
   * what is sent twice.
   * @param patienceMs after which to give up; 0: at once if it is owned; `undefined`: never.
   * @returns `null` when it has given up.
   */
  own(lane: string, patienceMs?: number): Promise<{ release(): void } | null>;
  /** The lane of this very page before it was loaded again, if it has kept one under this name; then keeps `lane`. */
  swapLane(nsp: string, lane: string): string | null;
}
