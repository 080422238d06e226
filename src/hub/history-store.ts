/**
 * What: the port behind the history of rooms: a log for each room, of which the latest part is kept.
 * Must not know: sockets, or how events are written into the messages that it keeps.
 */

/** How much of a room is kept: whatever passes one of these bounds is forgotten, the oldest first. */
export interface HistoryLimits {
  /** Most events. Default 100: a few screens of a chat. */
  limitEvents: number;
  /** Milliseconds for which an event is kept. Default 3600000, an hour. */
  limitAgeMs: number;
  /** Most bytes of all events together, as encoded. Default 1048576, 1 MiB. */
  limitBytes: number;
}

/** One event of a room's history. */
export interface HistoryEntry {
  /** Names the entry in `since`. Opaque; never given twice, also not by another process. */
  readonly id: string;
  /** Its place in the order of the channel: larger than that of every entry before, not always by one. */
  readonly number: number;
  /** When it was appended, in milliseconds since 1970, by the store's clock. */
  readonly atMs: number;
  /** The event as its parser wrote it: a text, and attachments. Opaque to the store. */
  readonly payload: readonly (string | Uint8Array)[];
}

/** What a reader gets. */
export interface HistoryPage {
  /** In order. */
  readonly entries: readonly HistoryEntry[];
  /** Whether they are all that followed `since`. False without `since`, or when some of it is no longer kept. */
  readonly isContinuous: boolean;
  /** The place up to which was read. An entry that is appended later has a larger number. */
  readonly lastNumber: number;
  /** The id for that place: `since` it, there is nothing yet. */
  readonly lastId: string;
}

/** What is to be read. */
export interface HistoryQuery {
  /** Only what followed the entry, or the place, with this id. An id that is not known counts as none. */
  readonly since?: string;
  /** At most so many, the latest; all that are kept by default. */
  readonly limit?: number;
}

/**
 * Keeps the logs of all rooms.
 *
 * - **Rooms** are named by a `channel`, a text that holds the namespace too.
 * - **Order**: the entries of a channel have one order, which every reader and subscriber on every server sees. The
 *   appends of one instance are entered in the order of the calls.
 * - **Delivery**: a subscriber is told every entry that was appended after its `subscribe` resolved, and perhaps some
 *   from before, each once, in order, whatever happens to the store's own connections meanwhile. A `read` that begins
 *   after that shows all that was before.
 * - **Atomicity**: an append is entered whole, or its promise rejects and nobody sees anything of it.
 * - **Idempotence**: `append` is not idempotent: each call is an entry. `clear` is.
 * - **Copies**: what was appended is not changed by what its owner does with the bytes later.
 * - **Time**: every promise settles; a store that waits for others gives up after a time and rejects.
 * - **Bounds**: each append enforces its limits on the channel; `read` never shows what is older than the age that was
 *   given with the last append.
 */
export interface HistoryStore {
  /** Adds an entry; resolves when every `read` shows it. */
  append(
    channel: string,
    payload: readonly (string | Uint8Array)[],
    limits: HistoryLimits,
  ): Promise<HistoryEntry>;
  /** What is kept, or what is new since. */
  read(channel: string, query: HistoryQuery): Promise<HistoryPage>;
  /**
   * Calls `listener` with each entry from now on.
   * @returns resolves, when that is so, to a function that ends it: no call follows.
   */
  subscribe(channel: string, listener: (entry: HistoryEntry) => void): Promise<() => void>;
  /** Forgets the entries of a channel. Readers that come back with `since` learn that something is missing. */
  clear(channel: string): Promise<void>;
}
