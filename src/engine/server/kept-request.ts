/**
 * What: what is kept of a WebSocket's opening request while its session lasts: all that programs read, in little memory.
 * Must not know: sessions, or what the headers mean.
 */
import { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { asSocket } from '../../transport/websocket/node-http2-connection.ts';
import type { EngineRequest, Query } from './request.ts';
import { queryOf } from './request.ts';

type Headers = IncomingMessage['headers'];

/** What Node and the engine put on every request. Anything else was put there by a program, which may look for it. */
const USUAL_KEYS: ReadonlySet<string | symbol> = new Set([
  ...Reflect.ownKeys(new IncomingMessage(null as unknown as IncomingMessage['socket'])),
  '_eventsCount',
  'parser',
  '_query',
]);

/**
 * Values that most clients of a server have in common (`websocket`, the host, a browser's name) are kept once. Who
 * sends ever new values fills it; it begins anew then, and what is kept already stays where it is.
 */
const shared = new Map<string, string>();
const SHARED_VALUES = 1_000;
const SHARED_LENGTH = 256;

function sharedValue(value: string): string {
  if (value.length > SHARED_LENGTH) return value;
  const known = shared.get(value);
  if (known !== undefined) return known;
  if (shared.size >= SHARED_VALUES) shared.clear();
  shared.set(value, value);
  return value;
}

/**
 * A request without its stream, which nobody reads after an upgrade: a fifth of the memory. It is an
 * `IncomingMessage` to whoever asks, and has what they read.
 */
class KeptRequest {
  readonly headers: Headers;
  readonly socket: IncomingMessage['socket'];
  readonly url: string;
  query: Query | null = null;

  constructor(request: EngineRequest) {
    const { headers } = request;
    for (const name in headers) {
      const value = headers[name];
      if (typeof value === 'string') headers[name] = sharedValue(value);
    }
    this.headers = headers;
    this.socket = request.socket;
    this.url = sharedValue(request.url ?? '');
  }

  get _query(): Query {
    this.query ??= queryOf({ url: this.url } as EngineRequest);
    return this.query;
  }

  get method(): string {
    return 'GET';
  }

  get httpVersion(): string {
    return '1.1';
  }

  get httpVersionMajor(): number {
    return 1;
  }

  get httpVersionMinor(): number {
    return 1;
  }

  get upgrade(): boolean {
    return true;
  }

  get complete(): boolean {
    return true;
  }

  get rawHeaders(): string[] {
    return Object.entries(this.headers).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value ?? '']).flatMap((one) => [name, one]),
    );
  }

  get rawTrailers(): string[] {
    return [];
  }

  get trailers(): Record<string, string> {
    return {};
  }
}
Object.setPrototypeOf(KeptRequest.prototype, IncomingMessage.prototype);

/**
 * The request to keep: a small stand-in, or the request itself when a program has put something on it or listens to
 * it.
 */
export function keptRequest(request: EngineRequest): IncomingMessage {
  if (request.method !== 'GET' || request.httpVersion !== '1.1' || request.eventNames().length > 0)
    return request;
  for (const key of Reflect.ownKeys(request)) if (!USUAL_KEYS.has(key)) return request;
  return new KeptRequest(request) as unknown as IncomingMessage;
}

/**
 * Lets a request of HTTP/2 keep its connection's facts: Node forgets them when the stream ends, which for a poll is at
 * once, while programs ask later whether the connection is encrypted.
 */
export function keepSocket(request: IncomingMessage): void {
  const { stream } = request as unknown as Partial<Http2ServerRequest>;
  if (stream?.session === undefined) return;
  Object.defineProperty(request, 'socket', { value: asSocket(stream, stream.session), configurable: true });
}
