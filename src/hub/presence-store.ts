/**
 * What: the port behind presence: who is in which room, kept where every server of a cluster sees the same.
 * Must not know: sockets, wire events, or what becomes of a change; presence.ts makes that of it.
 */

/** One socket that is present in a room. */
export interface PresenceEntry {
  /** The socket's id; one entry for each in a room. */
  readonly id: string;
  /** Who it is. Entries with one key are one member. */
  readonly key: string;
  /** What the member shows of itself: a JSON value. */
  readonly meta: unknown;
  /** Whether its connection is lost while its session is waited for. */
  readonly isInterrupted: boolean;
}

/** What happened in a room, in the words of a store. */
export type PresenceChange =
  /** All that is known. The first thing that a subscriber is told; it may come again, and replaces what was before. */
  | { readonly type: 'state'; readonly entries: readonly PresenceEntry[] }
  /** An entry is new, or has another key or meta; it goes to the end of the list. */
  | { readonly type: 'put'; readonly entry: PresenceEntry }
  /** An entry is interrupted, or no longer so; it keeps its place. */
  | { readonly type: 'mark'; readonly id: string; readonly isInterrupted: boolean }
  /** An entry is gone. */
  | { readonly type: 'remove'; readonly id: string };

/**
 * Keeps the entries of all rooms.
 *
 * - **Rooms** are named by a `channel`, a text that holds the namespace too.
 * - **Order**: the calls of one instance take effect in the order in which they were made. The changes of a channel
 *   have one order, which every subscriber on every server sees. Entries are listed in the order of their last `put`.
 * - **Delivery**: a subscriber is told `state` first, then each change once. A store that lost its own connection
 *   tells `state` again. Listeners are never called within `subscribe` of an asynchronous store, and may be within it
 *   of one in memory.
 * - **Atomicity**: each call takes effect whole or, when its promise rejects, not at all.
 * - **Idempotence**: `mark` and `remove` of what is so already, or is not known, do nothing and tell nobody; the same
 *   `put` again is told again.
 * - **Failure**: a `remove` that rejects is called again, after 1 s, then at intervals that double up to 30 s, until it
 *   resolves, the id is put again, or the server closes. Other calls are not repeated.
 * - **Copies**: what was put is not changed by what its owner does with the object later.
 * - **Time**: every promise settles; a store that waits for others gives up after a time and rejects.
 * - **Death of a server**: its entries go, and subscribers are told, at the latest when the store's lease is over.
 */
export interface PresenceStore {
  /** Adds an entry, or replaces the one with its id. Resolves when a `list` anywhere shows it. */
  put(channel: string, entry: PresenceEntry): Promise<void>;
  /** Says whether an entry is interrupted. */
  mark(channel: string, id: string, isInterrupted: boolean): Promise<void>;
  /** Removes an entry. */
  remove(channel: string, id: string): Promise<void>;
  /** The entries of a channel, in the order of their last `put`. */
  list(channel: string): Promise<readonly PresenceEntry[]>;
  /**
   * Calls `listener` with the state of a channel and each change from then on.
   * @returns a function that ends it: no call follows.
   */
  subscribe(channel: string, listener: (change: PresenceChange) => void): () => void;
}
