/**
 * What: an outbox's storage in browsers: messages in IndexedDB, owners as Web Locks, the page's last lane in the session storage.
 * Must not know: sockets, servers.
 */
import { UsageError } from '../../base/errors.ts';
import type { OutboxStore, StoredMessage } from './store.ts';

const STORE = 'messages';
const LAST_INDEX = Number.MAX_SAFE_INTEGER;

/** One database a name. Nothing is opened before it is needed. */
export class IndexedDbOutboxStore implements OutboxStore {
  readonly #name: string;
  #opening: Promise<IDBDatabase> | undefined;

  constructor(name: string) {
    this.#name = `tautline-outbox ${name}`;
  }

  #open(): Promise<IDBDatabase> {
    this.#opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(STORE, { keyPath: ['lane', 'index'] });
      };
      request.onsuccess = () => {
        const database = request.result;
        // Whoever deletes the database, or has a newer version of it, must not wait for this page.
        database.onversionchange = () => database.close();
        resolve(database);
      };
      request.onerror = () => reject(request.error);
    });
    return this.#opening;
  }

  /** One transaction. What it has written outlives the page, and the browser's process. */
  async #transact<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const transaction = (await this.#open()).transaction(STORE, mode);
    return new Promise((resolve, reject) => {
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }

  load(): Promise<StoredMessage[]> {
    return this.#transact('readonly', (store) => store.getAll());
  }

  async put(message: StoredMessage): Promise<void> {
    await this.#transact('readwrite', (store) => store.put(message));
  }

  async remove(lane: string, from: number, end: number): Promise<void> {
    const range = IDBKeyRange.bound([lane, from], [lane, Math.min(end, LAST_INDEX)], false, true);
    await this.#transact('readwrite', (store) => store.delete(range));
  }

  async clear(): Promise<void> {
    await this.#transact('readwrite', (store) => store.clear());
  }

  own(lane: string, patienceMs?: number): Promise<{ release(): void } | null> {
    // The first thing that a socket asks for: the program learns of it from `io()`. A server that renders pages may well
    // make an outbox that no socket of its own uses.
    if (globalThis.indexedDB === undefined) {
      throw new UsageError(
        'There is no IndexedDB here to keep an outbox in: use createOutbox() with another store, as MemoryOutboxStore',
        { code: 'OUTBOX_ERR_NO_INDEXED_DB' },
      );
    }
    // Pages without TLS have no locks (they need a secure context).
    const { locks } = navigator as { locks?: LockManager };
    if (!locks) return Promise.resolve({ release() {} });
    const options = patienceMs
      ? { signal: AbortSignal.timeout(patienceMs) }
      : { ifAvailable: patienceMs === 0 };
    return new Promise((resolve) => {
      const held = (lock: Lock | null) => {
        if (lock === null) return resolve(null);
        // It is held until this resolves, or the page is gone, however it goes.
        return new Promise<void>((release) => resolve({ release }));
      };
      locks.request(`${this.#name} ${lane}`, options, held).catch(() => resolve(null));
    });
  }

  swapLane(nsp: string, lane: string): string | null {
    const key = `${this.#name} ${nsp}`;
    try {
      const before = sessionStorage.getItem(key);
      sessionStorage.setItem(key, lane);
      return before;
    } catch {
      // The user does not allow it. Then the order of what was left behind is that of ages only.
      return null;
    }
  }
}
