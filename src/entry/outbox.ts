/**
 * What: `tautline/client/outbox`: the option `outbox` of `io()`, by which what is emitted survives lost sessions and reloads.
 * Must not know: how an outbox works.
 */
import { Outbox, type OutboxSettings } from '../client/outbox/outbox.ts';
import type { OutboxStore } from '../client/outbox/store.ts';
import { IndexedDbOutboxStore } from '../client/outbox/web.ts';
import { webRandom } from '../transport/platform/web-random.ts';

/**
 * Keeps what a browser's sockets emit until the server has it, in IndexedDB: `io(url, { outbox })`.
 *
 * What was emitted offline, or not confirmed when the page was left, is sent by the next page that uses the same name,
 * in order, and the server drops what it had received (docs/protocol/outbox.md). Several tabs may use one name: each sends
 * its own, and takes over what tabs that are gone have left behind.
 * @param name one for each server and user: whoever uses it sends what is kept under it.
 * @throws {UsageError} `OUTBOX_ERR_NO_INDEXED_DB`, from `io()`, where there is none, as in Node: use {@link createOutbox}.
 */
export function indexedDbOutbox(name: string, settings?: OutboxSettings): Outbox {
  return createOutbox(new IndexedDbOutboxStore(name), settings);
}

/** The same with other storage, such as {@link MemoryOutboxStore} in Node and in tests. */
export function createOutbox(store: OutboxStore, settings?: OutboxSettings): Outbox {
  return new Outbox(store, webRandom, settings);
}

export { MemoryDatabase, MemoryOutboxStore } from '../client/outbox/memory-store.ts';
export type { Outbox, OutboxSettings } from '../client/outbox/outbox.ts';
export type { OutboxStore, StoredMessage } from '../client/outbox/store.ts';
