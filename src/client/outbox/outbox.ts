/**
 * What: keeps what sockets emit until the server has confirmed it, over lost sessions and pages that were loaded again.
 * Must not know: any kind of storage, transports, how packets are written.
 */
import { UsageError } from '../../base/errors.ts';
import type { Random } from '../../base/port.ts';
import type { KeptSocket, SocketOutbox } from '../options.ts';
import { SocketLanes } from './lanes.ts';
import type { OutboxStore } from './store.ts';

/** Options of an outbox. */
export interface OutboxSettings {
  /** Most messages that one page may have waiting. Default 10,000: a page loads them all when it begins. */
  readonly messages?: number;
  /** Most bytes of them, roughly; text counts two a character. Default 10 MiB, which every browser grants unasked. */
  readonly bytes?: number;
  /**
   * Told when the storage fails: it is full, or not allowed. Messages go out as ever, but may not outlive the page.
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown) => void;
}

/** What is allowed, and what there is, in all sockets of one outbox. */
export class OutboxBudget {
  readonly #most: { readonly messages: number; readonly bytes: number };
  #messages = 0;
  #bytes = 0;

  constructor({ messages = 10_000, bytes = 10 * 1024 * 1024 }: OutboxSettings) {
    this.#most = { messages, bytes };
  }

  /** @returns why there is no room for another message. */
  refusal(bytes: number): UsageError | undefined {
    const isMany = this.#messages >= this.#most.messages;
    if (!isMany && this.#bytes + bytes <= this.#most.bytes) return undefined;
    const name = isMany ? 'messages' : 'bytes';
    const limit = { name: `outbox.${name}`, value: this.#most[name] };
    const message = `The outbox is full (${limit.name}: ${limit.value}). Wait until the server has taken some of it.`;
    return new UsageError(message, { code: 'OUTBOX_ERR_FULL', limit });
  }

  add(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

/** The option `outbox` of `io()`. One outbox serves the sockets of one server, whatever their namespaces. */
export class Outbox {
  readonly #store: OutboxStore;
  readonly #random: Random;
  readonly #budget: OutboxBudget;
  readonly #onError: (error: unknown) => void;
  readonly #sockets: SocketLanes[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(store: OutboxStore, random: Random, settings: OutboxSettings = {}) {
    this.#store = store;
    this.#random = random;
    this.#budget = new OutboxBudget(settings);
    this.#onError = settings.onError ?? ((error) => console.error(error));
  }

  /** Called by a socket that is to use it. @internal */
  attach(socket: KeptSocket): SocketOutbox {
    const lanes = new SocketLanes(socket, this.#store, this.#createLane(), this.#budget, (saving) =>
      this.#note(saving),
    );
    this.#sockets.push(lanes);
    return lanes;
  }

  /** By age first, so that the lanes that are left behind are sent in order. */
  #createLane(): string {
    const bytes = new Uint8Array(16);
    this.#random.fill(bytes);
    const chance = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${Date.now().toString(36).padStart(9, '0')}-${chance}`;
  }

  #note(saving: Promise<unknown>): void {
    const noted = saving.catch((error: unknown) => this.#onError(error));
    // Without their results, which would pile up.
    this.#saving = Promise.all([this.#saving, noted]).then(() => {});
  }

  /** Resolves when all that was emitted so far would outlive the page, or `onError` was told why it does not. */
  saved(): Promise<void> {
    return this.#saving;
  }

  /** Forgets all that waits, of other pages too; to be called when the user logs out. */
  async clear(): Promise<void> {
    for (const lanes of this.#sockets) lanes.clear();
    await this.#store.clear();
  }
}
