/**
 * What: an http.Server whose plain upgrade requests take a shorter way than through Node's HTTP parser.
 * Must not know: what is done with an upgrade. To its user it is an http.Server in every other respect.
 */
import { IncomingMessage, type RequestListener, Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { readUpgradeHead } from './upgrade-head.ts';

/*
 * Why: Node makes a parser, an entry in its list of connections and a dozen listeners for each connection, and undoes
 * it all when the connection turns into something else. For a server that waits for nothing but upgrades that is a
 * third of the cost of a new connection. What is not a complete and plain upgrade in the first chunk goes to Node's
 * parser, first chunk included, as if nothing had happened.
 */

/** How long a connection may be silent before Node's parser, which has the time limits for heads, takes it. */
const SILENCE_MS = 1_000;

const kServer = Symbol('tautline.server');
type WaitingSocket = Duplex & { [kServer]?: UpgradeServer };

function onFirstChunk(this: WaitingSocket, chunk: Buffer): void {
  this[kServer]?.receiveFirst(this, chunk);
}
function onEarlyEnd(this: WaitingSocket): void {
  this[kServer]?.forget(this);
  this.end();
}
function onEarlyError(this: WaitingSocket): void {
  this[kServer]?.forget(this);
  this.destroy();
}

/** The methods of Node's messages by which its parser fills them; there since its beginnings. */
interface Fillable {
  _addHeaderLines?(headers: string[], count: number): void;
}

/** See {@link IncomingMessage}; made as Node makes it for an upgrade. */
function makeRequest(socket: Duplex, url: string, rawHeaders: string[]): IncomingMessage {
  const request = new IncomingMessage(socket as IncomingMessage['socket']);
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.httpVersion = '1.1';
  request.method = 'GET';
  request.url = url;
  Object.assign(request, { upgrade: true });
  (request as Fillable)._addHeaderLines!(rawHeaders, rawHeaders.length);
  request.complete = true;
  request.push(null);
  return request;
}

const canMakeRequests = typeof (IncomingMessage.prototype as Fillable)._addHeaderLines === 'function';

/** An HTTP server for upgrades. Emits `upgrade` and everything else as an http.Server does. */
export class UpgradeServer extends Server {
  /** What Node does with a connection. */
  readonly #parse: ((socket: Duplex) => void)[];
  /** Connections that have said nothing yet: since the last sweep, and since before. */
  #young = new Set<WaitingSocket>();
  #old = new Set<WaitingSocket>();
  #sweep: ReturnType<typeof setTimeout> | null = null;

  constructor(listener: RequestListener<typeof IncomingMessage, typeof ServerResponse>) {
    super(listener);
    this.#parse = this.listeners('connection') as ((socket: Duplex) => void)[];
    if (!canMakeRequests) return;
    this.removeAllListeners('connection');
    this.on('connection', (socket) => this.#wait(socket));
  }

  #wait(socket: WaitingSocket): void {
    socket[kServer] = this;
    this.#young.add(socket);
    if (this.#sweep === null) this.#scheduleSweep();
    socket.on('error', onEarlyError);
    socket.on('end', onEarlyEnd);
    socket.on('data', onFirstChunk);
  }

  #scheduleSweep(): void {
    this.#sweep = setTimeout(() => {
      const silent = this.#old;
      this.#old = this.#young;
      this.#young = new Set();
      for (const socket of silent) {
        this.forget(socket);
        socket.pause();
        this.#handOver(socket);
      }
      this.#sweep = null;
      if (this.#old.size > 0) this.#scheduleSweep();
    }, SILENCE_MS);
    this.#sweep.unref();
  }

  /** @internal The connection is no longer this server's to listen to. */
  forget(socket: WaitingSocket): void {
    if (!this.#young.delete(socket)) this.#old.delete(socket);
    socket[kServer] = undefined;
    socket.removeListener('data', onFirstChunk);
    socket.removeListener('end', onEarlyEnd);
    socket.removeListener('error', onEarlyError);
  }

  /** @internal */
  receiveFirst(socket: WaitingSocket, chunk: Buffer): void {
    this.forget(socket);
    const end = chunk.indexOf('\r\n\r\n');
    const head = end === -1 ? null : readUpgradeHead(chunk.toString('latin1', 0, end + 2));
    if (head === null || this.listenerCount('upgrade') === 0) {
      socket.pause();
      socket.unshift(chunk);
      this.#handOver(socket);
      return;
    }
    this.emit('upgrade', makeRequest(socket, head.url, head.rawHeaders), socket, chunk.subarray(end + 4));
    // Nobody reads yet: what comes shall wait for whoever will.
    if (socket.listenerCount('data') === 0 && !socket.destroyed) socket.pause();
  }

  #handOver(socket: Duplex): void {
    for (const parse of this.#parse) parse.call(this, socket);
    socket.resume();
  }

  /** Also ends the connections that have said nothing yet; called by `close`. */
  override closeIdleConnections(): void {
    super.closeIdleConnections();
    this.#endWaiting();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#endWaiting();
  }

  #endWaiting(): void {
    for (const waiting of [this.#young, this.#old]) {
      for (const socket of waiting) {
        this.forget(socket);
        socket.destroy();
      }
    }
    if (this.#sweep !== null) clearTimeout(this.#sweep);
    this.#sweep = null;
  }
}
