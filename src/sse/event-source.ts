/**
 * What: the interface `EventSource` of the WHATWG standard (HTML, section 9.2 "Server-sent events"), for Node.
 * Must not know: sockets, HTTP but for what the standard says of it, how an event stream is parsed.
 */
import { hasBadPort } from '../base/bad-port.ts';
import { PeerError } from '../base/errors.ts';
import { ErrorEvent, expose, MessageEvent } from '../base/event.ts';
import { EventHandlers } from '../base/event-handler.ts';
import { explainSystemError } from '../base/system-error.ts';
import { TransportError } from '../base/transport-error.ts';
import { requireArguments, toDictionary, toUsvString } from '../base/web-idl.ts';
import { queueNetworkTask } from '../transport/platform/node-task-queue.ts';
import { requestStream, streamError } from '../transport/sse/node-request.ts';
import { toHeaders } from '../wire/http/header-init.ts';
import { EventStreamParser } from '../wire/sse/parser.ts';
import type { EventSourceInit } from './event-source-init.ts';
import { FatalResponse, type FetchPolicy, judge, requestHeaders } from './fetch-policy.ts';

/** The events of an `EventSource`, besides those that the server names. */
export interface EventSourceEventMap {
  open: Event;
  message: MessageEvent<string>;
  /** Deviation: an `ErrorEvent`, with the cause in `error`, where browsers must hide it in a plain `Event`. */
  error: ErrorEvent;
}

type Handler<E extends Event> = ((this: EventSource, event: E) => unknown) | null;
type Listener<E extends Event> =
  | ((this: EventSource, event: E) => unknown)
  | { handleEvent(event: E): unknown }
  | null;
type RemoveOptions = boolean | { capture?: boolean };
type AddOptions = boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal };

/** Listeners by event; the server may name others, which are `MessageEvent`s too. */
export interface EventSource {
  /** Calls `listener` for each event of this type: `open`, `error`, `message`, or one that the server has named. */
  addEventListener<Type extends keyof EventSourceEventMap>(
    type: Type,
    listener: Listener<EventSourceEventMap[Type]>,
    options?: AddOptions,
  ): void;
  addEventListener(type: string, listener: Listener<MessageEvent<string>>, options?: AddOptions): void;
  /** Removes a listener that was added with the same `capture`. */
  removeEventListener<Type extends keyof EventSourceEventMap>(
    type: Type,
    listener: Listener<EventSourceEventMap[Type]>,
    options?: RemoveOptions,
  ): void;
  removeEventListener(type: string, listener: Listener<MessageEvent<string>>, options?: RemoveOptions): void;
}

const ReadyState = { connecting: 0, open: 1, closed: 2 } as const;

const DEFAULT_RECONNECTION_TIME_MS = 3000;
const DEFAULT_EVENT_LIMIT_CHARS = 100 * 1024 * 1024;
/** WHATWG HTML 9.2.3 allows a backoff: this long after the first failure in a row, twice as long after each other. */
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;
/** Longer times would make the timers of Node fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A stream of events from a server, as browsers have it: reconnects by itself, and then says which event was the last.
 *
 * Deviations, where the standard has no word for a program that is no page: a relative URL has no base and is a
 * `SyntaxError`; there are more options; the `error` event tells the cause; after failures the time between two
 * attempts grows, as the standard allows; `isTrusted` is false.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: types listeners by event, as the interfaces of the DOM do.
export class EventSource extends EventTarget {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSED: 2;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSED: 2;

  readonly #url: URL;
  readonly #init: EventSourceInit;
  readonly #policy: FetchPolicy;
  readonly #handlers = new EventHandlers(this);
  readonly #parser: EventStreamParser;
  #readyState: 0 | 1 | 2 = ReadyState.connecting;
  #reconnectionTimeMs: number;
  /** Attempts that failed since a connection was open. */
  #failures = 0;
  /** Where the next request goes: where the redirects of the last one led, as the standard's request remembers it. */
  #current: URL;
  /** Gives up the request or the timer that is under way. */
  #abort: () => void = () => {};

  /**
   * Starts connecting; `open` or `error` follows.
   * @param url absolute.
   * @throws {DOMException} `SyntaxError` for a URL that is none.
   */
  constructor(url: string | URL, init: EventSourceInit = {}) {
    const failed = "Failed to construct 'EventSource'";
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    requireArguments(failed, arguments.length, 1);
    const text = toUsvString(url);
    const options: EventSourceInit = toDictionary(`${failed}: the second argument`, init);
    const withCredentials = Boolean(options.withCredentials);
    super();
    let address: URL;
    try {
      address = new URL(text);
    } catch {
      throw new DOMException(`${failed}: the URL '${text}' is invalid`, 'SyntaxError');
    }
    this.#url = address;
    this.#current = address;
    this.#init = options;
    this.#policy = {
      url: address,
      origin: options.origin === undefined ? null : new URL(options.origin).origin,
      withCredentials,
      headers: toHeaders(options.headers),
    };
    this.#reconnectionTimeMs = options.reconnectionTimeMs ?? DEFAULT_RECONNECTION_TIME_MS;
    this.#parser = new EventStreamParser(
      {
        eventReceived: ({ type, data, lastEventId }) => {
          const event = { data, lastEventId, origin: this.#current.origin };
          this.#queue(() => this.dispatchEvent(new MessageEvent<string>(type, event)));
        },
        retryReceived: (retryMs) => {
          this.#reconnectionTimeMs = retryMs;
        },
      },
      '',
      options.eventLimitChars ?? DEFAULT_EVENT_LIMIT_CHARS,
    );
    const refusal = refuse(address);
    if (refusal === null) this.#connect();
    else this.#fail(refusal);
  }

  /** The URL, serialized. */
  get url(): string {
    return this.#url.href;
  }

  /** Whether credentials go along to other origins. */
  get withCredentials(): boolean {
    return this.#policy.withCredentials;
  }

  /** {@link EventSource.CONNECTING}, `OPEN` or `CLOSED`. */
  get readyState(): 0 | 1 | 2 {
    return this.#readyState;
  }

  get onopen(): Handler<Event> {
    return this.#handlers.get('open') as Handler<Event>;
  }
  set onopen(handler: Handler<Event>) {
    this.#handlers.set('open', handler);
  }
  get onmessage(): Handler<MessageEvent<string>> {
    return this.#handlers.get('message') as Handler<MessageEvent<string>>;
  }
  set onmessage(handler: Handler<MessageEvent<string>>) {
    this.#handlers.set('message', handler);
  }
  get onerror(): Handler<ErrorEvent> {
    return this.#handlers.get('error') as Handler<ErrorEvent>;
  }
  set onerror(handler: Handler<ErrorEvent>) {
    this.#handlers.set('error', handler);
  }

  /** Ends the connection, and comes back no more. No event follows. */
  close(): void {
    this.#readyState = ReadyState.closed;
    this.#abort();
  }

  #connect(): void {
    const policy = this.#policy;
    this.#abort = requestStream(
      {
        url: this.#current,
        options: this.#init.request ?? {},
        headers: (url) => requestHeaders(policy, url, this.#parser.lastEventId),
        check: (response, url, target) => judge(policy, response, url, target),
        silenceTimeoutMs: this.#init.silenceTimeoutMs ?? 0,
      },
      {
        streamOpened: (_response, url) => {
          this.#current = url;
          this.#failures = 0;
          this.#announce();
        },
        streamReceived: (text) => this.#parser.receive(text),
        streamEnded: (error) => {
          this.#parser.receiveEnd();
          // A server that sends what is too large would send it again.
          if (error instanceof FatalResponse) this.#fail(error.error);
          else if (error instanceof PeerError) this.#fail(error);
          else this.#reestablish(error);
        },
      },
    );
  }

  #reconnect(): void {
    try {
      this.#connect();
    } catch (error) {
      // An option that worked at first, such as a `lookup` or an agent, throws.
      this.#fail(error as Error);
    }
  }

  /** "Announce the connection". */
  #announce(): void {
    this.#queue(() => {
      this.#readyState = ReadyState.open;
      this.dispatchEvent(new Event('open'));
    });
  }

  /** "Reestablish the connection". @param cause null: the server ended the stream in an orderly way. */
  #reestablish(cause: Error | null): void {
    this.#queue(() => {
      const wasOpen = this.#readyState === ReadyState.open;
      this.#readyState = ReadyState.connecting;
      let delayMs = this.#reconnectionTimeMs;
      if (!wasOpen) {
        const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures++, LONGEST_BACKOFF_MS);
        delayMs = Math.max(delayMs, backoffMs);
      }
      const timer = setTimeout(() => this.#reconnect(), Math.min(delayMs, LONGEST_TIMER_MS));
      this.#abort = () => clearTimeout(timer);
      this.#report(cause === null ? ended() : explained(cause));
    });
  }

  /** "Fail the connection". */
  #fail(error: Error): void {
    this.#queue(() => {
      this.#readyState = ReadyState.closed;
      this.#report(error);
    });
  }

  #report(error: Error): void {
    this.dispatchEvent(new ErrorEvent('error', { message: error.message, error }));
  }

  /** Everything that the program sees is a task of its own, and nothing is to be seen after `close()`. */
  #queue(task: () => void): void {
    queueNetworkTask(() => {
      if (this.#readyState !== ReadyState.closed) task();
    });
  }
}

expose(EventSource.prototype, 'EventSource', [
  'url',
  'withCredentials',
  'readyState',
  'onopen',
  'onmessage',
  'onerror',
  'close',
]);
for (const [name, value] of [
  ['CONNECTING', ReadyState.connecting],
  ['OPEN', ReadyState.open],
  ['CLOSED', ReadyState.closed],
] as const) {
  Object.defineProperty(EventSource, name, { value, enumerable: true });
  Object.defineProperty(EventSource.prototype, name, { value, enumerable: true });
}

/** What no attempt can mend: WHATWG HTML 9.2.2 allows to fail when reconnecting is known to be futile. */
function refuse(address: URL): TransportError | null {
  const { protocol } = address;
  if (protocol !== 'http:' && protocol !== 'https:') {
    return streamError(
      `The URL's scheme must be 'http' or 'https', not '${protocol}'`,
      'TRANSPORT_ERR_NETWORK',
    );
  }
  if (hasBadPort(address)) {
    return streamError(
      `Port ${address.port} is one of those that the Fetch standard forbids`,
      'TRANSPORT_ERR_REFUSED',
    );
  }
  return null;
}

function ended(): TransportError {
  return streamError('The server ended the stream', 'TRANSPORT_ERR_CLOSED');
}

function explained(cause: Error): TransportError {
  if (cause instanceof TransportError) return cause;
  return streamError(cause.message, explainSystemError(cause), undefined, cause);
}
