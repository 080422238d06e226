/**
 * What: one client's event stream on a Node response: sends events, keeps the connection alive, bounds what waits.
 * Must not know: histories and channels, or what the events say.
 */
import { Buffer } from 'node:buffer';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { UsageError } from '../base/errors.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import {
  type AnyResponse,
  eventStreamHeaders,
  type ResponseListener,
  ResponseStream,
  writeHead,
} from '../transport/sse/node-response.ts';
import { type EventStreamMessage, formatComment, formatEvent } from '../wire/sse/format.ts';
import { EncodedEvent, encodeEvent } from './encoded-event.ts';
import { KeepAlive, type KeptAlive } from './keep-alive.ts';
import { type OverflowPolicy, SendBuffer } from './send-buffer.ts';

/** A request of node:http, node:https or the compatibility API of node:http2, or a framework's that extends one. */
export type EventStreamRequest = IncomingMessage | Http2ServerRequest;
/** The response to it. */
export type EventStreamResponse = AnyResponse;

/** How an event stream begins, is kept alive, and is bounded. */
export interface EventStreamOptions {
  /** More headers, such as those of CORS; they win over the stream's own. */
  headers?: OutgoingHttpHeaders;
  /** Milliseconds after which the client is to reconnect. Default: not said; browsers then take 3 to 5 seconds. */
  retryMs?: number;
  /**
   * Milliseconds of silence after which a comment is sent; 0: never. Default 15000: the shortest idle limits in
   * common use are 30 s (load balancers, mobile networks), so that one comment may be lost; and the WHATWG standard
   * advises "every 15 seconds or so".
   */
  keepAliveIntervalMs?: number;
  /** What happens when the client reads too slowly. Default `close`: nothing is missed without being noticed. */
  overflow?: OverflowPolicy;
  /** Most bytes that wait for a slow client, beyond the 16 KiB or so that Node holds. Default 1 MiB. */
  bufferLimitBytes?: number;
  /**
   * Name of a query parameter that says where to begin when there is no `Last-Event-ID` header, as for a page that
   * was loaded with the state up to some event. Default: none is looked at.
   */
  lastEventIdParameter?: string;
}

/**
 * Why a stream is over.
 * - `closedByUs`: after `close()`
 * - `closedByPeer`: the client went away, or the network did
 * - `overflowed`: the client read too slowly, and the policy is `close`
 * - `refused`: it never began: the request was not a GET
 */
export type EventStreamEnd = 'closedByUs' | 'closedByPeer' | 'overflowed' | 'refused';

/** Codes of the {@link UsageError}s that this file throws. */
export const SSE_HEADERS_SENT = 'SSE_HEADERS_SENT';

const DEFAULT_KEEP_ALIVE_MS = 15_000;
const DEFAULT_BUFFER_LIMIT_BYTES = 1024 * 1024;

const keepAlive = new KeepAlive(nodeClock);
const COMMENT = Buffer.from(formatComment());

/**
 * Answers a request with an event stream (WHATWG HTML, section 9.2 "Server-sent events").
 *
 * GET is answered with status 200 and stays open; HEAD with the headers only; any other method with 405. In the last
 * two cases, and when the client has gone already, the stream that is returned is over from the beginning.
 * To make clients stay away for good, answer with status 204 instead of calling this.
 * @throws {UsageError} `SSE_HEADERS_SENT` when the response has begun already.
 */
export function createEventStream(
  request: EventStreamRequest,
  response: EventStreamResponse,
  options: EventStreamOptions = {},
): EventStream {
  return new EventStream(request, response, options);
}

/** An event stream to one client; made by {@link createEventStream}. */
export class EventStream implements ResponseListener, KeptAlive {
  /**
   * The id of the last event that the client has received, by its `Last-Event-ID` header; empty when it is new.
   * It comes from the client: check it before you use it.
   */
  readonly lastEventId: string;
  /** @internal */ readonly stream: ResponseStream | null;
  /** @internal */ readonly buffer: SendBuffer;
  /** @internal */ readonly keepAliveIntervalMs: number;
  /** @internal */ quietTicks = 0;
  /** @internal */ end: EventStreamEnd | null = null;
  /** @internal Called when it may be sent again, or never will. */ waiters: (() => void)[] | null = null;
  /** @internal */ closeListeners: ((end: EventStreamEnd) => void)[] | null = null;

  /** @internal */
  constructor(request: EventStreamRequest, response: EventStreamResponse, options: EventStreamOptions) {
    const {
      headers = {},
      retryMs,
      keepAliveIntervalMs = DEFAULT_KEEP_ALIVE_MS,
      overflow = 'close',
      bufferLimitBytes = DEFAULT_BUFFER_LIMIT_BYTES,
    } = options;
    if (response.headersSent) {
      throw new UsageError('The response has begun already: an event stream needs its own headers.', {
        code: SSE_HEADERS_SENT,
      });
    }
    this.lastEventId = readLastEventId(request, options.lastEventIdParameter);
    this.buffer = new SendBuffer(overflow, bufferLimitBytes);
    this.keepAliveIntervalMs = keepAliveIntervalMs;
    if (request.method !== 'GET') {
      this.stream = null;
      this.end = 'refused';
      refuse(request, response, headers);
      return;
    }
    // Made before anything is sent, so that what is wrong with it is thrown before anything is sent.
    const first = retryMs === undefined ? COMMENT : Buffer.from(formatEvent({ retryMs }));
    const stream = new ResponseStream(response, headers, this);
    this.stream = stream;
    if (stream.isOver) {
      this.end = 'closedByPeer';
      return;
    }
    // Some proxies pass the headers on with the first byte of the body only.
    stream.write(first);
    if (keepAliveIntervalMs > 0) keepAlive.add(this, keepAliveIntervalMs);
  }

  /** Whether events can be sent: the stream is not over. */
  get isOpen(): boolean {
    return this.end === null;
  }

  /** Whether an event would leave at once; otherwise it waits, see {@link ready}. */
  get isWritable(): boolean {
    return this.end === null && this.buffer.isEmpty && this.stream!.isWritable;
  }

  /** How many events the client missed because it read too slowly. */
  get dropped(): number {
    return this.buffer.dropped;
  }

  /** Bytes that wait for the client. */
  get bufferedBytes(): number {
    return this.buffer.bytes + (this.end === null ? this.stream!.bufferedBytes : 0);
  }

  /**
   * Sends an event.
   * @returns whether the next one may be sent at once. If not, this one waits (or was dropped, as `overflow` says);
   *   who produces faster than the client reads should wait for {@link ready}. False when the stream is over.
   * @throws {UsageError} `SSE_FIELD_INVALID` when a field would break out of its line, or would be ignored by clients.
   */
  send(event: EventStreamMessage | EncodedEvent): boolean {
    const encoded = event instanceof EncodedEvent ? event : encodeEvent(event);
    if (this.end !== null) return false;
    if (this.isWritable) this.#write(encoded.bytes);
    else if (!this.buffer.push(encoded)) this.#finish('overflowed');
    return this.isWritable;
  }

  /** Sends a comment, which clients ignore. Skipped when events are waiting. @returns as {@link send}. */
  comment(text = ''): boolean {
    if (this.isWritable) this.#write(Buffer.from(formatComment(text)));
    return this.isWritable;
  }

  /** Waits until an event may be sent at once. @returns false when the stream is over. */
  ready(): Promise<boolean> {
    if (this.isWritable || this.end !== null) return Promise.resolve(this.end === null);
    return new Promise((resolve) => {
      this.waiters ??= [];
      this.waiters.push(() => resolve(this.end === null));
    });
  }

  /** Calls back once, when the stream is over; at once when it is already. */
  onClose(listener: (end: EventStreamEnd) => void): void {
    if (this.end !== null) {
      listener(this.end);
      return;
    }
    this.closeListeners ??= [];
    this.closeListeners.push(listener);
  }

  /** Resolves when the stream is over, and says why. */
  get closed(): Promise<EventStreamEnd> {
    return new Promise((resolve) => this.onClose(resolve));
  }

  /** Ends the stream; the client will reconnect, unless it is answered with 204. What waits is dropped. */
  close(): void {
    this.#finish('closedByUs');
  }

  /** @internal */
  responseDrained(): void {
    while (this.end === null && this.stream!.isWritable) {
      const next = this.buffer.shift();
      if (next === null) break;
      this.#write(next.bytes);
    }
    if (this.isWritable) this.#wake();
  }

  /** @internal */
  responseClosed(): void {
    this.#finish('closedByPeer');
  }

  /** @internal */
  keepAlive(): void {
    if (this.isWritable) this.#write(COMMENT);
  }

  #write(bytes: Uint8Array): void {
    this.quietTicks = 0;
    this.stream!.write(bytes);
  }

  #finish(end: EventStreamEnd): void {
    if (this.end !== null) return;
    this.end = end;
    this.buffer.clear();
    if (this.keepAliveIntervalMs > 0) keepAlive.remove(this, this.keepAliveIntervalMs);
    // Who reads nothing would never see the end of the response.
    if (end === 'overflowed') this.stream!.destroy();
    else this.stream!.end();
    const { closeListeners } = this;
    this.closeListeners = null;
    this.#wake();
    if (closeListeners !== null) for (const listener of closeListeners) listener(end);
  }

  #wake(): void {
    const { waiters } = this;
    this.waiters = null;
    if (waiters !== null) for (const waiter of waiters) waiter();
  }
}

function refuse(
  request: EventStreamRequest,
  response: EventStreamResponse,
  headers: OutgoingHttpHeaders,
): void {
  if (request.method === 'HEAD') writeHead(response, 200, { ...eventStreamHeaders, ...headers });
  // RFC 9110 section 15.5.6: the answer names what is allowed.
  else writeHead(response, 405, { Allow: 'GET, HEAD', 'Content-Length': '0', ...headers });
  response.end();
}

function readLastEventId(request: EventStreamRequest, parameter: string | undefined): string {
  const header = request.headers['last-event-id'];
  // WHATWG HTML 9.2.3: the header is UTF-8. Node reads headers as Latin-1, which loses no byte.
  if (typeof header === 'string') return Buffer.from(header, 'latin1').toString('utf8');
  if (parameter === undefined) return '';
  const [, query = ''] = (request.url ?? '').split('?', 2);
  return new URLSearchParams(query).get(parameter) ?? '';
}
