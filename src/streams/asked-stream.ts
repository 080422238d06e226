/**
 * What: a stream as the side that asked for it sees it: an async iterator that grants credit as it is read.
 * Must not know: sockets; it is told what came, and tells what to send.
 */
import { PeerError } from '../base/errors.ts';
import type { AskingMessage, StreamFailure } from './message.ts';
import { StreamError } from './stream-error.ts';

/** Through which a stream speaks. */
export interface AskingPort {
  /** Opens the stream: gives its id, under which it is told what comes. */
  open(stream: AskedStream<unknown>): number;
  send(message: AskingMessage): void;
  /** The stream has ended here; nothing that comes for it is wanted. */
  forget(id: number): void;
}

interface Waiter<Part> {
  resolve(result: IteratorResult<Part, undefined>): void;
  reject(reason: unknown): void;
}

/**
 * The parts of an answer, in order. It is asked for when the iteration begins.
 *
 * `break` (or `return()`) and the signal cancel it on the other side too. It rejects with {@link StreamError} when the
 * other side fails, and with `STREAM_ERR_DISCONNECTED` when the session ends before the answer does.
 */
export class AskedStream<Part> implements AsyncIterableIterator<Part> {
  readonly #port: AskingPort;
  /** What was asked for. */
  readonly name: string;
  readonly #args: readonly unknown[];
  readonly #credit: number;
  readonly #signal: AbortSignal | undefined;
  readonly #parts: Part[] = [];
  readonly #waiters: Waiter<Part>[] = [];
  /** Known once the stream was asked for. */
  #id = 0;
  #isOver = false;
  #failure: { readonly reason: unknown } | null = null;
  /** Granted and not yet come. */
  #due: number;
  /** Read since credit was granted last. */
  #read = 0;

  constructor(
    port: AskingPort,
    name: string,
    args: readonly unknown[],
    credit: number,
    signal: AbortSignal | undefined,
  ) {
    this.#port = port;
    this.name = name;
    this.#args = args;
    this.#credit = credit;
    this.#due = credit;
    this.#signal = signal;
  }

  #open(): void {
    if (this.#signal?.aborted) {
      this.#isOver = true;
      this.#failure = { reason: this.#signal.reason };
      return;
    }
    this.#id = this.#port.open(this as AskedStream<unknown>);
    try {
      this.#port.send(['open', this.#id, this.name, this.#credit, this.#args]);
    } catch (error) {
      // What cannot be written; the other side knows nothing of the stream.
      this.#finish({ reason: error });
      return;
    }
    this.#signal?.addEventListener('abort', this.#abort);
  }

  /** A part has come. @internal */
  receivePart(value: unknown): void {
    if (this.#due === 0) {
      const message = 'The other side of a stream sent more parts than it was asked for.';
      this.cancel(new PeerError(message, { code: 'STREAM_ERR_CREDIT' }));
      return;
    }
    this.#due--;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#parts.push(value as Part);
      return;
    }
    waiter.resolve({ done: false, value: value as Part });
    this.#grant();
  }

  /** The other side has ended it. @internal */
  receiveEnd(failure: StreamFailure | undefined): void {
    this.#finish(failure && { reason: new StreamError(failure.message, { ...detailsOf(failure) }) });
  }

  /** The rest is not wanted; the iteration rejects with `reason`. @internal */
  cancel(reason: unknown): void {
    this.#port.send(['cancel', this.#id]);
    this.#finish({ reason });
  }

  /** It cannot go on. @internal */
  fail(reason: unknown): void {
    this.#finish({ reason });
  }

  /** Credit goes back in halves of the whole, so that most parts cost no message the other way. */
  #grant(): void {
    if (++this.#read * 2 < this.#credit || this.#isOver) return;
    this.#due += this.#read;
    this.#port.send(['more', this.#id, this.#read]);
    this.#read = 0;
  }

  readonly #abort = (): void => {
    this.#parts.length = 0;
    this.cancel(this.#signal?.reason);
  };

  #finish(failure?: { readonly reason: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    if (this.#id !== 0) this.#port.forget(this.#id);
    const waiter = failure && this.#waiters.shift();
    if (waiter !== undefined) waiter.reject(failure?.reason);
    else if (failure !== undefined) this.#failure = failure;
    for (const each of this.#waiters.splice(0)) each.resolve({ done: true, value: undefined });
  }

  /** The next part; done when the answer is complete. */
  next(): Promise<IteratorResult<Part, undefined>> {
    if (this.#id === 0 && !this.#isOver) this.#open();
    if (this.#parts.length > 0) {
      const value = this.#parts.shift() as Part;
      this.#grant();
      return Promise.resolve({ done: false, value });
    }
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) return Promise.reject(failure.reason);
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** Cancels the rest; `break` in a `for await` calls it. */
  return(): Promise<IteratorResult<Part, undefined>> {
    this.#parts.length = 0;
    this.#failure = null;
    if (this.#id !== 0 && !this.#isOver) this.#port.send(['cancel', this.#id]);
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function detailsOf({ code, data }: StreamFailure): { code: string; data?: unknown } {
  return data === undefined ? { code } : { code, data };
}
