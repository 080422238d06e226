/**
 * What: holds messages back from a reader that is slow, within a bound, by a policy that the program names.
 * Must not know: frames and sockets; messages are functions that send.
 */
import type { SendCallback } from '../transport/websocket/node-connection.ts';

/**
 * What becomes of messages when the bound is reached. `close`: the connection is closed with 1013 and what waits is
 * given up. `drop-newest`: the message is not sent. `drop-oldest`: those that have waited longest are not sent.
 * `keep-latest`: a message takes the place of one that waits with the same `key`; beyond that as `drop-oldest`.
 */
export type SlowReaderPolicy = 'close' | 'drop-newest' | 'drop-oldest' | 'keep-latest';

/** How much may wait for a slow reader, and what happens then. Pings, pongs and close frames are exempt. */
export interface SlowReaderOptions {
  /** Payload bytes that may wait in the process, besides what the operating system has taken. */
  readonly limitBytes: number;
  readonly policy: SlowReaderPolicy;
}

/** Counts of what a slow reader has cost. */
export interface SendStatistics {
  /** Messages that were never sent, by the policy for slow readers. */
  droppedMessages: number;
  droppedBytes: number;
}

/** A message that waits. */
export interface HeldMessage {
  readonly bytes: number;
  /** Under `keep-latest`, what it replaces. */
  readonly key: string | undefined;
  readonly callback: SendCallback | undefined;
  send(): void;
}

/** What is given to the callback of a message that was dropped. */
export function droppedError(): Error {
  return Object.assign(new Error('The message was dropped since the peer reads too slowly'), {
    code: 'WS_ERR_MESSAGE_DROPPED',
  });
}

/** Messages in their order. */
export class HeldMessages {
  readonly #options: SlowReaderOptions;
  readonly #counters: readonly SendStatistics[];
  /** By key where they have one, else by number; a Map keeps their order, and the place of one that is replaced. */
  readonly #messages = new Map<string | number, HeldMessage>();
  #number = 0;
  bytes = 0;

  /** @param counters all of them count what is dropped. */
  constructor(options: SlowReaderOptions, counters: readonly SendStatistics[]) {
    this.#options = options;
    this.#counters = counters;
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  /** @returns false when the bound is passed and the policy is to close; the message was not taken. */
  hold(message: HeldMessage): boolean {
    const { limitBytes, policy } = this.#options;
    const key = policy === 'keep-latest' ? message.key : undefined;
    const replaced = key === undefined ? undefined : this.#messages.get(key);
    if (replaced !== undefined) {
      this.bytes -= replaced.bytes;
      this.#drop(replaced);
    }
    if (this.bytes + message.bytes > limitBytes) {
      if (policy === 'close') return false;
      if (policy === 'drop-newest' || message.bytes > limitBytes) {
        this.#drop(message);
        if (replaced !== undefined) this.#messages.delete(key!);
        return true;
      }
    }
    this.#messages.set(key ?? this.#number++, message);
    this.bytes += message.bytes;
    for (const [oldKey, old] of this.#messages) {
      if (this.bytes <= limitBytes) break;
      if (old === message) continue;
      this.#messages.delete(oldKey);
      this.bytes -= old.bytes;
      this.#drop(old);
    }
    return true;
  }

  /** Sends in order while `mayGoOn`. */
  release(mayGoOn: () => boolean): void {
    for (const [key, message] of this.#messages) {
      if (!mayGoOn()) return;
      this.#messages.delete(key);
      this.bytes -= message.bytes;
      message.send();
    }
  }

  /** Gives up all that waits, with the error for their callbacks. */
  discard(error: Error): void {
    for (const message of this.#messages.values()) this.#drop(message, error);
    this.#messages.clear();
    this.bytes = 0;
  }

  #drop({ bytes, callback }: HeldMessage, error?: Error): void {
    for (const counter of this.#counters) {
      counter.droppedMessages++;
      counter.droppedBytes += bytes;
    }
    if (callback !== undefined) process.nextTick(callback, error ?? droppedError());
  }
}
