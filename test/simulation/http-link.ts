/**
 * What: one HTTP request and its answer between the real client and the real server, and what the network does to them.
 * Must not know: sessions, packets, what a request asks for.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, ExchangeOutcome } from '../../src/transport/http/client.ts';
import type { Fate, Noticed } from './history.ts';
import type { Actor, VirtualTime } from './virtual-time.ts';

type Listener = (...args: never[]) => void;

/** As much of node's emitter as the server's side of a request uses. */
class Listeners {
  readonly #list: [event: string, listener: Listener][] = [];

  on(event: string, listener: Listener): this {
    this.#list.push([event, listener]);
    return this;
  }

  off(event: string, listener: Listener): this {
    const at = this.#list.findIndex(([name, other]) => name === event && other === listener);
    if (at !== -1) this.#list.splice(at, 1);
    return this;
  }

  eventNames(): string[] {
    return this.#list.map(([name]) => name);
  }

  tell(event: string, ...args: unknown[]): void {
    for (const [name, listener] of [...this.#list]) if (name === event) listener(...(args as never[]));
  }
}

/** A request as the server sees it. */
export class Request extends Listeners {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string> = { host: 'sim' };
  readonly httpVersion = '1.1';
  readonly socket = { remoteAddress: '127.0.0.1' };

  constructor(method: string, url: string) {
    super();
    this.method = method;
    this.url = url;
  }
}

/** What becomes of an answer. */
interface Receiver {
  head(status: number, headers: Record<string, unknown>): void;
  piece(text: string): void;
  end(): void;
  /** The server cuts the connection. */
  destroyed(): void;
}

/** An answer as the server writes it. */
class Response extends Listeners {
  readonly req: Request;
  destroyed = false;
  headersSent = false;
  writableEnded = false;
  writableLength = 0;
  isFull = false;
  readonly #receiver: Receiver;
  readonly #time: VirtualTime;
  readonly #server: Actor;

  constructor(req: Request, receiver: Receiver, time: VirtualTime, server: Actor) {
    super();
    this.req = req;
    this.#receiver = receiver;
    this.#time = time;
    this.#server = server;
  }

  setHeader(): void {}
  appendHeader(): void {}
  flushHeaders(): void {}

  writeHead(status: number, headers: Record<string, unknown>): void {
    this.headersSent = true;
    this.#receiver.head(status, headers);
  }

  write(text: string): boolean {
    if (!this.destroyed) this.#receiver.piece(text);
    return !this.isFull;
  }

  end(text = ''): void {
    if (this.writableEnded || this.destroyed) return;
    if (text !== '') this.#receiver.piece(text);
    this.writableEnded = true;
    this.#receiver.end();
    this.#time.after(0, this.#server, () => this.closed());
  }

  destroy(): void {
    if (this.destroyed) return;
    this.#receiver.destroyed();
    this.#time.after(0, this.#server, () => this.closed());
  }

  /** The reader is slow, or reads again. */
  fill(isFull: boolean): void {
    if (this.isFull === isFull) return;
    this.isFull = isFull;
    if (!isFull && !this.destroyed) this.tell('drain');
  }

  closed(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.req.tell('close');
    this.tell('close');
  }
}

/** Who takes requests, at the moment at which they arrive. */
export interface HttpHost {
  readonly actor: Actor;
  take(request: IncomingMessage, response: ServerResponse): void;
}

export interface HttpLinkPlaces {
  readonly time: VirtualTime;
  readonly client: Actor;
  /** The server that listens now; `null`: nobody does. */
  server(): HttpHost | null;
  trace(text: () => string): void;
}

/** One request under way. */
export class HttpLink {
  readonly #places: HttpLinkPlaces;
  readonly #fate: Fate;
  readonly #name: string;
  readonly #done: (outcome: ExchangeOutcome) => void;
  readonly #received: ((text: string) => void) | undefined;
  #response: Response | null = null;
  /** Nothing gets from one end to the other any more. */
  #isCut = false;
  /** The client has its answer, or wants none. */
  #isDone = false;
  #status = 0;
  #text = '';
  #isStream = false;
  #lastMs = 0;
  #isSplit = false;
  /** Characters. */
  #heard = 0;
  readonly onOver: () => void;

  constructor(
    places: HttpLinkPlaces,
    fate: Fate,
    name: string,
    [target, body, , done, received]: Parameters<Exchange>,
    onOver: () => void,
  ) {
    this.#places = places;
    this.#fate = fate;
    this.#name = name;
    this.#done = done;
    this.#received = received;
    this.onOver = onOver;
    const url = target.url(body !== undefined);
    this.#start(url.slice(url.indexOf('/', ORIGIN_START)), body);
  }

  /** Whether the server has it, and both still hold the connection. */
  get isWaiting(): boolean {
    return (
      !this.#isCut && this.#response !== null && !this.#response.writableEnded && !this.#response.destroyed
    );
  }

  #start(url: string, body: string | undefined): void {
    const { time, client, trace } = this.#places;
    const { fault, upMs, downMs, afterMs = 0 } = this.#fate;
    const about = body === undefined ? '' : ` ${JSON.stringify(body.slice(0, 60))}`;
    trace(
      () =>
        `${this.#name} → ${body === undefined ? 'GET' : 'POST'} ${url.replace(/^.*?\?EIO=4&/, '')}${about}`,
    );
    const fail = (status: number, delayMs: number): void => {
      this.#isCut = true;
      time.after(delayMs, client, () => this.#finish(status, ''));
    };
    if (!url.includes('sid=')) {
      time.after(PATIENCE_MS, client, () => {
        if (this.#heard < HANDSHAKE_LENGTH) this.#finish(0, '');
      });
    }
    if (fault === 'hangs') {
      this.#isCut = true;
      return;
    }
    if (fault === 'refused') {
      fail(0, upMs);
      return;
    }
    if (fault === 'bad gateway') {
      fail(502, upMs + downMs);
      return;
    }
    if (fault === 'late') {
      fail(0, upMs);
      this.#arrive(url, body, upMs + afterMs, null);
      return;
    }
    if (fault === 'twice') this.#arrive(url, body, upMs + afterMs, null);
    this.#arrive(url, body, upMs, this);
  }

  /** @param link `null`: a copy, for whose answer nobody waits. */
  #arrive(url: string, body: string | undefined, delayMs: number, link: HttpLink | null): void {
    const { time } = this.#places;
    // On the wire's own time: the server may sleep, or be restarted, while the request is on its way.
    time.after(delayMs, WIRE, () => {
      if (link?.isOver) return;
      const server = this.#places.server();
      if (server === null) {
        if (link !== null) this.breakOff('client');
        return;
      }
      time.after(0, server.actor, () => {
        if (link?.isOver) return;
        this.#give(server, url, body, link);
      });
    });
  }

  get isOver(): boolean {
    return this.#isCut;
  }

  #give(server: HttpHost, url: string, body: string | undefined, link: HttpLink | null): void {
    const { time, trace } = this.#places;
    const { fault, afterMs = 0, noticed = 'both' } = this.#fate;
    const request = new Request(body === undefined ? 'GET' : 'POST', url);
    const response = new Response(request, link === null ? NOBODY : this.#receiver(), time, server.actor);
    trace(() => `${this.#name} at the server${link === null ? ' (a copy)' : ''}`);
    if (link !== null) this.#response = response;
    server.take(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    if (body !== undefined) {
      const bytes = Buffer.from(body);
      const half = bytes.length >> 1;
      if (link !== null && fault === 'half a body') {
        request.tell('data', bytes.subarray(0, half));
        this.breakOff('both');
        return;
      }
      if (fault === 'in pieces') {
        request.tell('data', bytes.subarray(0, half));
        time.after(afterMs, server.actor, () => {
          if (response.destroyed || link?.isOver) return;
          request.tell('data', bytes.subarray(half));
          request.tell('end');
        });
      } else {
        request.tell('data', bytes);
        request.tell('end');
      }
    }
    if (link === null) {
      // Whoever sent the copy does not wait for ever.
      time.after(2000, server.actor, () => response.closed());
    } else if (fault === 'cut') {
      time.after(afterMs, WIRE, () => this.breakOff(noticed));
    }
  }

  #receiver(): Receiver {
    const { client, time, trace } = this.#places;
    const { downMs, fault, afterMs = 0 } = this.#fate;
    const isLost = fault === 'answer lost';
    const later = (run: () => void): void => {
      // A connection keeps the order.
      this.#lastMs = Math.max(time.nowMs + downMs, this.#lastMs);
      time.after(this.#lastMs - time.nowMs, client, () => {
        if (this.#isCut || this.#isDone) return;
        run();
      });
    };
    return {
      head: (status, headers) => {
        this.#status = status;
        this.#isStream = this.#received !== undefined && headers['Content-Type'] === 'text/event-stream';
      },
      piece: (text) => {
        trace(() => `${this.#name} ← ${JSON.stringify(text.slice(0, 100))}${isLost ? ' (lost)' : ''}`);
        if (isLost) return;
        if (!this.#isStream || fault === 'buffered') {
          this.#text += text;
        } else if (fault === 'in pieces' && text.length > 1) {
          const half = text.length >> 1;
          later(() => this.#hear(text.slice(0, half)));
          // Once: a connection that were slow each time would be slow for ever.
          if (!this.#isSplit) this.#lastMs += afterMs;
          this.#isSplit = true;
          later(() => this.#hear(text.slice(half)));
        } else {
          later(() => this.#hear(text));
        }
      },
      end: () => {
        if (isLost) {
          this.breakOff(this.#fate.noticed === 'nobody' ? 'nobody' : 'client');
          return;
        }
        later(() => {
          if (fault === 'gateway timeout') {
            this.#finish(504, '');
            return;
          }
          if (this.#isStream && this.#text !== '') this.#hear(this.#text);
          this.#finish(this.#status, this.#isStream ? '' : this.#text);
        });
      },
      destroyed: () => this.breakOff('client'),
    };
  }

  #hear(text: string): void {
    this.#heard += text.length;
    this.#received!(text);
  }

  #finish(status: number, text: string): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.onOver();
    this.#places.trace(() => `${this.#name} ended with ${status}`);
    this.#done({ status, text });
  }

  /** The connection is cut. */
  breakOff(noticed: Noticed): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { time, client } = this.#places;
    this.#places.trace(() => `${this.#name} is cut, noticed by ${noticed}`);
    if (noticed === 'both' || noticed === 'client') time.after(1, client, () => this.#finish(0, ''));
    if (noticed === 'both' || noticed === 'server') this.#closeAtServer();
  }

  /** The client wants no answer any more. */
  giveUp(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.onOver();
    const { time } = this.#places;
    if (this.#isCut || this.#fate.noticed === 'nobody' || this.#fate.noticed === 'client') {
      this.#isCut = true;
      return;
    }
    time.after(this.#fate.upMs, WIRE, () => {
      if (this.#isCut) return;
      this.#isCut = true;
      this.#closeAtServer();
    });
  }

  #closeAtServer(): void {
    const { time } = this.#places;
    const response = this.#response;
    const server = this.#places.server();
    if (response !== null && server !== null) time.after(0, server.actor, () => response.closed());
  }

  /** The reader is slow, or reads again. */
  fill(isFull: boolean): void {
    this.#response?.fill(isFull);
  }
}

/**
 * A session that has not begun has no heartbeat: how long a platform waits for the first answer. Many wait longer, and
 * leave it to a Manager's `timeout`.
 */
export const PATIENCE_MS = 20_000;

/** Less than this of an event stream is no handshake yet. */
const HANDSHAKE_LENGTH = 100;

/** Behind `http://`. */
export const ORIGIN_START = 7;

/** The network itself never sleeps. */
export const WIRE: Actor = { awakeAtMs: 0, isDead: false };

const NOBODY: Receiver = { head() {}, piece() {}, end() {}, destroyed() {} };
