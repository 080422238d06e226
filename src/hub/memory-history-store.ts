/**
 * What: the HistoryStore of one process; several servers in one process may share an instance.
 * Must not know: sockets, or what the payloads say.
 */
import { Buffer } from 'node:buffer';
import type { Clock } from '../base/port.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import type {
  HistoryEntry,
  HistoryLimits,
  HistoryPage,
  HistoryQuery,
  HistoryStore,
} from './history-store.ts';
import { createId } from './identifier.ts';

/** How a {@link MemoryHistoryStore} is bounded. */
export interface MemoryHistoryStoreOptions {
  /** Most bytes of all rooms together. Default 268435456, 256 MiB: the room that was silent longest is forgotten. */
  limitTotalBytes?: number;
  /** Time; for tests. */
  clock?: Clock;
}

type Listener = (entry: HistoryEntry) => void;

interface Kept {
  readonly entry: HistoryEntry;
  readonly bytes: number;
  readonly keptMs: number;
}

interface Log {
  entries: Kept[];
  bytes: number;
  limitAgeMs: number;
  /** The number of the latest entry that was forgotten. */
  forgottenNumber: number;
}

/** What an entry costs beside its payload: the objects around it, roughly. */
const overheadBytes = 200;

/** Keeps history in memory. An append has been entered, and every subscriber was told, when it returns. */
export class MemoryHistoryStore implements HistoryStore {
  readonly #limitTotalBytes: number;
  readonly #clock: Clock;
  /** Ids of an earlier process must not be taken for ours. Short, for it travels with each event. */
  readonly #epoch = createId().slice(0, 8);
  /** The logs, the one that was silent longest first. */
  readonly #logs = new Map<string, Log>();
  readonly #listeners = new Map<string, Set<Listener>>();
  /** One count for all channels, so that a log that was forgotten and begins again gives no number twice. */
  #lastNumber = 0;
  /** The latest number of the logs that are forgotten altogether. */
  #forgottenNumber = 0;
  #bytes = 0;

  constructor({ limitTotalBytes = 256 * 1024 * 1024, clock = nodeClock }: MemoryHistoryStoreOptions = {}) {
    this.#limitTotalBytes = limitTotalBytes;
    this.#clock = clock;
  }

  /** Bytes kept, of all rooms. */
  get bytes(): number {
    return this.#bytes;
  }

  append(
    channel: string,
    payload: readonly (string | Uint8Array)[],
    limits: HistoryLimits,
  ): Promise<HistoryEntry> {
    const number = ++this.#lastNumber;
    // Bytes belong to whoever gave them, and may be written over.
    const copies = payload.map((part) => (typeof part === 'string' ? part : new Uint8Array(part)));
    const entry = { id: this.#idOf(number), number, atMs: Date.now(), payload: copies };
    let bytes = overheadBytes;
    for (const part of payload) bytes += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
    const log = this.#logs.get(channel) ?? { entries: [], bytes: 0, limitAgeMs: 0, forgottenNumber: 0 };
    // A log that begins anew knows no longer what it has forgotten before.
    if (!this.#logs.has(channel)) log.forgottenNumber = this.#forgottenNumber;
    this.#logs.delete(channel);
    this.#logs.set(channel, log);
    log.limitAgeMs = limits.limitAgeMs;
    log.entries.push({ entry, bytes, keptMs: this.#clock.nowMs() });
    log.bytes += bytes;
    this.#bytes += bytes;
    this.#trim(log, limits.limitEvents, limits.limitBytes);
    this.#forgetSilent();
    for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(entry);
    return Promise.resolve(entry);
  }

  read(channel: string, { since, limit }: HistoryQuery): Promise<HistoryPage> {
    const log = this.#logs.get(channel);
    if (log !== undefined) this.#trim(log);
    const number = since === undefined ? null : this.#numberOf(since);
    const isContinuous = number !== null && number >= (log?.forgottenNumber ?? this.#forgottenNumber);
    let entries = (log?.entries ?? []).map(({ entry }) => entry);
    if (isContinuous) entries = entries.filter((entry) => entry.number > number);
    const isCut = limit !== undefined && entries.length > limit;
    return Promise.resolve({
      entries: isCut ? entries.slice(entries.length - limit) : entries,
      isContinuous: isContinuous && !isCut,
      lastNumber: this.#lastNumber,
      lastId: this.#idOf(this.#lastNumber),
    });
  }

  subscribe(channel: string, listener: Listener): Promise<() => void> {
    const own: Listener = (entry) => listener(entry);
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(own));
    return Promise.resolve(() => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    });
  }

  clear(channel: string): Promise<void> {
    const log = this.#logs.get(channel);
    if (log !== undefined) this.#forget(channel, log);
    return Promise.resolve();
  }

  #idOf(number: number): string {
    return `${this.#epoch}.${number}`;
  }

  /** @returns null for an id that we have not given. */
  #numberOf(id: string): number | null {
    const prefix = `${this.#epoch}.`;
    const number = id.startsWith(prefix) ? Number(id.slice(prefix.length)) : Number.NaN;
    return number <= this.#lastNumber && this.#idOf(number) === id ? number : null;
  }

  #trim(log: Log, limitEvents = Number.POSITIVE_INFINITY, limitBytes = Number.POSITIVE_INFINITY): void {
    const oldestMs = this.#clock.nowMs() - log.limitAgeMs;
    let count = 0;
    for (const { bytes, keptMs, entry } of log.entries) {
      const isMore = log.entries.length - count > limitEvents || log.bytes > limitBytes;
      if (!isMore && keptMs >= oldestMs) break;
      count++;
      log.bytes -= bytes;
      this.#bytes -= bytes;
      log.forgottenNumber = entry.number;
    }
    if (count > 0) log.entries = log.entries.slice(count);
  }

  /** Instead of a timer: rooms of which nothing is left to keep go as others are spoken in. */
  #forgetSilent(): void {
    for (const [channel, log] of this.#logs) {
      this.#trim(log);
      if (log.entries.length > 0 && this.#bytes <= this.#limitTotalBytes) break;
      this.#forget(channel, log);
    }
  }

  #forget(channel: string, log: Log): void {
    this.#logs.delete(channel);
    this.#bytes -= log.bytes;
    const latest = log.entries.at(-1)?.entry.number ?? log.forgottenNumber;
    this.#forgottenNumber = Math.max(this.#forgottenNumber, latest);
  }
}
