/**
 * What: the events of one name as an async iterator with a bounded buffer, for `for await`.
 * Must not know: which socket it listens to, or how reading from it is held up.
 */
import { UsageError } from '../base/errors.ts';
import { type EventSocket, type Valve, type ValveHolder, whenDisconnected } from './event-socket.ts';

/** What happens to an event that comes when the buffer is full. */
export type EventsOverflow = 'error' | 'drop newest' | 'drop oldest';

/** Options of `socket.events()`. */
export interface EventsOptions {
  /** Ends the iteration: it rejects with the signal's reason, and what is buffered is dropped. */
  readonly signal?: AbortSignal;
  /**
   * From how many buffered events on further ones are held up before they get here, where that can be (on the server);
   * they go on when half of those are left. Default 16.
   */
  readonly holdAt?: number;
  /** Most events in the buffer. Default 1000: what cannot be held up may be many small events. */
  readonly limit?: number;
  /**
   * What happens above the limit, and where more is held up than may be. Default `error`: the iteration rejects with `EVENTS_ERR_OVERFLOW` after what is
   * buffered, since one that misses events without knowing is worse. Drops are counted.
   */
  readonly overflow?: EventsOverflow;
}

const DEFAULT_HOLD_AT = 16;
const DEFAULT_LIMIT = 1000;

interface Waiter<Args> {
  resolve(result: IteratorResult<Args, undefined>): void;
  reject(reason: unknown): void;
}

/**
 * The events of one name, in order, each as the list of its arguments.
 *
 * It listens from the moment it is made until it ends: by `break` (or `return()`), by its signal, by an overflow, or
 * with the socket's `disconnect`, after what had come before.
 */
export class EventIterator<Args extends readonly unknown[]>
  implements AsyncIterableIterator<Args>, ValveHolder
{
  readonly #socket: EventSocket;
  readonly #event: string;
  readonly #valve: Valve | null;
  readonly #holdAt: number;
  readonly #limit: number;
  readonly #overflow: EventsOverflow;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer: Args[] = [];
  readonly #waiters: Waiter<Args>[] = [];
  readonly #forgetEnd: () => void;
  #isHolding = false;
  #isListening = true;
  /** What the iteration rejects with, once, when the buffer is empty. */
  #failure: { readonly reason: unknown } | null = null;
  #dropped = 0;

  /** @throws {UsageError} `EVENTS_ERR_LIMIT`: a limit is no positive integer, or `overflow` no policy. */
  constructor(socket: EventSocket, event: string, options: EventsOptions = {}, valve: Valve | null = null) {
    const { holdAt = DEFAULT_HOLD_AT, limit = DEFAULT_LIMIT, overflow = 'error', signal } = options;
    if (!isPositive(holdAt) || !isPositive(limit) || !OVERFLOWS.has(overflow)) {
      throw new UsageError(
        'holdAt and limit are positive integers, and overflow is error, drop newest or drop oldest.',
        { code: 'EVENTS_ERR_LIMIT' },
      );
    }
    this.#socket = socket;
    this.#event = event;
    this.#valve = valve;
    this.#holdAt = Math.min(holdAt, limit);
    this.#limit = limit;
    this.#overflow = overflow;
    this.#signal = signal;
    socket.on(event, this.#receive);
    this.#forgetEnd = whenDisconnected(socket, () => this.#end());
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#abort);
  }

  /** How many events were dropped because the buffer was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many events wait to be read. */
  get buffered(): number {
    return this.#buffer.length;
  }

  readonly #receive = (...args: unknown[]): void => {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: args as unknown as Args });
      return;
    }
    if (this.#buffer.length >= this.#limit && this.#valve?.isEnding !== true) {
      this.#overflowed(args as unknown as Args);
      return;
    }
    this.#buffer.push(args as unknown as Args);
    if (this.#isHolding || this.#buffer.length < this.#holdAt) return;
    this.#isHolding = true;
    this.#valve?.hold(this);
  };

  #overflowed(args: Args): void {
    if (this.#overflow === 'error') {
      const limit = { name: 'limit', value: this.#limit };
      const message = `More than ${limit.value} events "${this.#event}" wait: read faster, or name another overflow.`;
      this.#fail(new UsageError(message, { code: 'EVENTS_ERR_OVERFLOW', limit }));
      return;
    }
    this.#dropped++;
    if (this.#overflow === 'drop newest') return;
    this.#buffer.shift();
    this.#buffer.push(args);
  }

  /** @internal */
  valveOverflowed(): void {
    if (this.#overflow === 'error') {
      const message = `Too much waits behind the events "${this.#event}", so one was refused: read faster, or name another overflow.`;
      this.#fail(new UsageError(message, { code: 'EVENTS_ERR_OVERFLOW' }));
    } else this.#dropped++;
  }

  readonly #abort = (): void => {
    this.#buffer.length = 0;
    this.#fail(this.#signal?.reason);
  };

  #fail(reason: unknown): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#failure = { reason };
    else waiter.reject(reason);
    this.#end();
  }

  #end(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#socket.off(this.#event, this.#receive);
    this.#forgetEnd();
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#letGo();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
  }

  #letGo(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#valve?.release(this);
  }

  /** The next event; done when the iteration has ended and everything is read. */
  next(): Promise<IteratorResult<Args, undefined>> {
    const value = this.#buffer.shift();
    if (value !== undefined) {
      if (this.#isHolding) {
        this.#valve?.moved();
        if (this.#buffer.length <= this.#holdAt / 2) this.#letGo();
      }
      return Promise.resolve({ done: false, value });
    }
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) return Promise.reject(failure.reason);
    if (!this.#isListening) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** Stops listening and drops what is buffered; `break` in a `for await` calls it. */
  return(): Promise<IteratorResult<Args, undefined>> {
    this.#buffer.length = 0;
    this.#failure = null;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const OVERFLOWS: ReadonlySet<unknown> = new Set<EventsOverflow>(['error', 'drop newest', 'drop oldest']);

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
