/**
 * What: an outbox's storage in memory: for tests, and for Node, where it survives a socket but not the process.
 * Must not know: sockets, servers, browsers.
 */
import type { OutboxStore, StoredMessage } from './store.ts';

/** What several pages share. A page that is gone is told with `leave`. */
export class MemoryDatabase {
  /** @internal */ readonly messages = new Map<string, Map<number, StoredMessage>>();
  /** @internal By lane: its owner first, then who waits. */ readonly owners = new Map<string, Waiting[]>();

  /** What is kept, by lane and index. */
  all(): StoredMessage[] {
    return [...this.messages.keys()]
      .sort()
      .flatMap((lane) => [...this.messages.get(lane)!.values()].sort((a, b) => a.index - b.index));
  }

  /** @internal */
  release(lane: string, waiting: Waiting): void {
    const queue = this.owners.get(lane);
    const index = queue?.indexOf(waiting) ?? -1;
    if (queue === undefined || index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.owners.delete(lane);
    else if (index === 0) queue[0]!.granted();
  }
}

interface Waiting {
  granted(): void;
}

/** The storage as one page sees it. */
export class MemoryOutboxStore implements OutboxStore {
  readonly #database: MemoryDatabase;
  readonly #lanes = new Map<string, string>();
  readonly #held = new Set<() => void>();

  /** @param database shared by the pages. Default: one of its own. */
  constructor(database: MemoryDatabase = new MemoryDatabase()) {
    this.#database = database;
  }

  load(): Promise<StoredMessage[]> {
    return Promise.resolve(this.#database.all());
  }

  async put(message: StoredMessage): Promise<void> {
    const { lane, index } = message;
    const { messages } = this.#database;
    const ofLane = messages.get(lane) ?? new Map<number, StoredMessage>();
    ofLane.set(index, message);
    messages.set(lane, ofLane);
  }

  remove(lane: string, from: number, end: number): Promise<void> {
    const ofLane = this.#database.messages.get(lane);
    for (const index of ofLane?.keys() ?? []) if (index >= from && index < end) ofLane!.delete(index);
    if (ofLane?.size === 0) this.#database.messages.delete(lane);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.#database.messages.clear();
    return Promise.resolve();
  }

  own(lane: string, patienceMs?: number): Promise<{ release(): void } | null> {
    const database = this.#database;
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const release = (): void => {
        this.#held.delete(release);
        database.release(lane, waiting);
      };
      const waiting: Waiting = {
        granted() {
          clearTimeout(timer);
          resolve({ release });
        },
      };
      const queue = database.owners.get(lane) ?? [];
      database.owners.set(lane, queue);
      queue.push(waiting);
      this.#held.add(release);
      const giveUp = (): void => {
        release();
        resolve(null);
      };
      if (queue.length === 1) waiting.granted();
      else if (patienceMs === 0) giveUp();
      else if (patienceMs !== undefined) timer = setTimeout(giveUp, patienceMs);
    });
  }

  swapLane(nsp: string, lane: string): string | null {
    const before = this.#lanes.get(nsp) ?? null;
    this.#lanes.set(nsp, lane);
    return before;
  }

  /** The page is gone: what it owned belongs to whoever waits. */
  leave(): void {
    for (const release of [...this.#held]) release();
  }
}
