/**
 * What: the PresenceStore of one process; several servers in one process may share an instance.
 * Must not know: sockets, or what subscribers do.
 */
import type { PresenceChange, PresenceEntry, PresenceStore } from './presence-store.ts';

type Listener = (change: PresenceChange) => void;

interface Channel {
  readonly entries: Map<string, PresenceEntry>;
  readonly listeners: Set<Listener>;
}

/** Keeps presence in memory. Each call has taken effect, and every subscriber was told, when it returns. */
export class MemoryPresenceStore implements PresenceStore {
  readonly #channels = new Map<string, Channel>();

  put(channel: string, entry: PresenceEntry): Promise<void> {
    const { entries } = this.#channel(channel);
    const copy = { ...entry, meta: structuredClone(entry.meta) };
    // A Map keeps the place of a key that is set again; the entry goes to the end.
    entries.delete(entry.id);
    entries.set(entry.id, copy);
    this.#tell(channel, { type: 'put', entry: copy });
    return Promise.resolve();
  }

  mark(channel: string, id: string, isInterrupted: boolean): Promise<void> {
    const entries = this.#channels.get(channel)?.entries;
    const entry = entries?.get(id);
    if (entries !== undefined && entry !== undefined && entry.isInterrupted !== isInterrupted) {
      entries.set(id, { ...entry, isInterrupted });
      this.#tell(channel, { type: 'mark', id, isInterrupted });
    }
    return Promise.resolve();
  }

  remove(channel: string, id: string): Promise<void> {
    if (this.#channels.get(channel)?.entries.delete(id)) {
      this.#tell(channel, { type: 'remove', id });
      this.#forgetIfEmpty(channel);
    }
    return Promise.resolve();
  }

  list(channel: string): Promise<readonly PresenceEntry[]> {
    return Promise.resolve([...(this.#channels.get(channel)?.entries.values() ?? [])]);
  }

  subscribe(channel: string, listener: Listener): () => void {
    const { entries, listeners } = this.#channel(channel);
    // The same function twice is two subscriptions.
    const own: Listener = (change) => listener(change);
    listeners.add(own);
    own({ type: 'state', entries: [...entries.values()] });
    return () => {
      listeners.delete(own);
      this.#forgetIfEmpty(channel);
    };
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { entries: new Map(), listeners: new Set() };
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #tell(name: string, change: PresenceChange): void {
    // A copy: who subscribes while others are told learns of it by the state.
    for (const listener of [...this.#channel(name).listeners]) {
      if (this.#channels.get(name)?.listeners.has(listener)) listener(change);
    }
  }

  #forgetIfEmpty(name: string): void {
    const channel = this.#channels.get(name);
    if (channel?.entries.size === 0 && channel.listeners.size === 0) this.#channels.delete(name);
  }
}
