/**
 * What: one WebSocket between the real client's transport and the real server's, and what the network does to it.
 * Must not know: sessions, packets.
 */

import { nodeByteCodec } from '../../src/transport/platform/node-byte-codec.ts';
import type { ConnectionListener } from '../../src/transport/websocket/connection-listener.ts';
import type { NodeConnection } from '../../src/transport/websocket/node-connection.ts';
import type { Fate, Noticed } from './history.ts';
import { ORIGIN_START, PATIENCE_MS, WIRE } from './http-link.ts';
import type { Actor, VirtualTime } from './virtual-time.ts';

/** After so much that nobody acknowledges, a sender's buffers are full. */
const BUFFER_BYTES = 2000;

/** Who takes WebSockets. */
export interface WebSocketHost {
  readonly actor: Actor;
  /** @returns whether it was accepted; then `connection.start` was called. */
  take(url: string, connection: NodeConnection): boolean;
}

export interface WebSocketLinkPlaces {
  readonly time: VirtualTime;
  readonly client: Actor;
  server(): WebSocketHost | null;
  trace(text: () => string): void;
}

/** What the client's transport uses of a browser's WebSocket. */
export interface ClientSocket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

type Data = string | Uint8Array;

/** The server's end: what its transport uses of a `NodeConnection`. */
class ServerConnection {
  listener: ConnectionListener | null = null;
  readonly options = { codec: nodeByteCodec };
  readonly isDeflated = false;
  /** Whose end only tells how many connections wait for their clients' farewells. */
  readonly socket = { once: () => {} };
  bufferedBytes = 0;
  isFull = false;
  isEnded = false;
  readonly #link: WebSocketLink | null;

  constructor(link: WebSocketLink | null) {
    this.#link = link;
  }

  get shouldWait(): boolean {
    return this.isFull || this.bufferedBytes > BUFFER_BYTES;
  }

  start(listener: ConnectionListener): void {
    // A transport may have been closed before it was started: it has put its deaf listener here.
    this.listener ??= listener;
  }

  send(data: Data): boolean {
    if (!this.isEnded) this.#link?.down(data);
    if (this.#link === null) this.bufferedBytes += data.length;
    return true;
  }

  /** A frame that is shared by many: unmasked, whole. */
  sendFrame(frame: Uint8Array): boolean {
    const length = frame[1]!;
    const start = length < 126 ? 2 : length === 126 ? 4 : 10;
    const payload = frame.subarray(start);
    return this.send((frame[0]! & 0x0f) === 1 ? Buffer.from(payload).toString() : payload);
  }

  close(code = 1005, reason: string | Uint8Array = ''): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#link?.closeDown(code, String(reason));
  }

  terminate(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#link?.breakOff('client');
  }

  fill(isFull: boolean): void {
    if (this.isFull === isFull) return;
    this.isFull = isFull;
    if (!isFull && !this.isEnded) this.listener?.onDrain();
  }

  /** The other side is gone. @param code of its close frame; 0: there was none. */
  ended(code: number): void {
    if (this.isEnded) return;
    this.isEnded = true;
    if (code !== 0) this.listener?.onCloseFrame(code, new Uint8Array(0));
    this.listener?.onClose(code || 1006, new Uint8Array(0), null);
  }

  hear(data: Data): void {
    if (this.isEnded || this.listener === null) return;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.listener.onMessage(bytes, 0, bytes.length, typeof data !== 'string', false);
  }
}

/** One WebSocket. */
export class WebSocketLink {
  readonly #places: WebSocketLinkPlaces;
  readonly #fate: Fate;
  readonly #name: string;
  readonly #socket: ClientSocket;
  #connection: ServerConnection | null = null;
  #isCut = false;
  #isClientDone = false;
  #isHeard = false;
  #upAtMs = 0;
  #downAtMs = 0;
  readonly onOver: () => void;

  constructor(
    places: WebSocketLinkPlaces,
    fate: Fate,
    name: string,
    url: string,
    socket: ClientSocket,
    onOver: () => void,
  ) {
    this.#places = places;
    this.#fate = fate;
    this.#name = name;
    this.#socket = socket;
    this.onOver = onOver;
    this.#start(url.slice(url.indexOf('/', ORIGIN_START)));
  }

  #start(url: string): void {
    const { time, client, trace } = this.#places;
    const { fault, upMs, afterMs = 0 } = this.#fate;
    trace(() => `${this.#name} → WebSocket ${url.replace(/^.*?\?EIO=4&/, '')}`);
    const fail = (): void => {
      this.#isCut = true;
      time.after(upMs, client, () => this.#clientClosed(1006, ''));
    };
    if (!url.includes('sid=')) {
      time.after(PATIENCE_MS, client, () => {
        if (!this.#isHeard) this.#clientClosed(1006, '');
      });
    }
    if (fault === 'hangs') {
      this.#isCut = true;
    } else if (fault === 'late') {
      fail();
      this.#copy(url, upMs + afterMs);
    } else if (fault === undefined || fault === 'cut' || fault === 'twice') {
      if (fault === 'twice') this.#copy(url, upMs + afterMs);
      time.after(upMs, WIRE, () => this.#reach(url));
    } else {
      fail();
    }
  }

  /** The request once more, from nobody. */
  #copy(url: string, delayMs: number): void {
    const { time, trace } = this.#places;
    time.after(delayMs, WIRE, () => {
      const server = this.#places.server();
      if (server === null) return;
      time.after(0, server.actor, () => {
        trace(() => `${this.#name} at the server (a copy)`);
        const connection = new ServerConnection(null);
        server.take(url, connection as unknown as NodeConnection);
        if (this.#fate.noticed !== 'nobody') time.after(2000, server.actor, () => connection.ended(0));
      });
    });
  }

  #reach(url: string): void {
    const { time } = this.#places;
    if (this.#isCut) return;
    const server = this.#places.server();
    if (server === null) {
      this.breakOff('client');
      return;
    }
    time.after(0, server.actor, () => {
      if (this.#isCut) return;
      const connection = new ServerConnection(this);
      this.#connection = connection;
      this.#places.trace(() => `${this.#name} at the server`);
      // The answer to the handshake is the first thing that the client hears.
      this.#later('down', () => this.#socket.onopen?.());
      if (!server.take(url, connection as unknown as NodeConnection)) {
        this.breakOff('client');
        return;
      }
      const { fault, afterMs = 0, noticed = 'both' } = this.#fate;
      if (fault === 'cut') time.after(afterMs, WIRE, () => this.breakOff(noticed));
    });
  }

  /** Lets something arrive at an end, behind all that is on its way there. */
  #later(way: 'up' | 'down', run: () => void): void {
    const { time, client } = this.#places;
    const { upMs, downMs } = this.#fate;
    if (way === 'down') {
      this.#downAtMs = Math.max(time.nowMs + downMs, this.#downAtMs);
      time.after(this.#downAtMs - time.nowMs, client, () => {
        if (this.#isCut || this.#isClientDone) return;
        this.#isHeard = true;
        run();
      });
    } else {
      this.#upAtMs = Math.max(time.nowMs + upMs, this.#upAtMs);
      const server = this.#places.server();
      if (server === null) return;
      time.after(this.#upAtMs - time.nowMs, server.actor, () => {
        if (!this.#isCut) run();
      });
    }
  }

  /** What the server says. */
  down(data: Data): void {
    this.#places.trace(() => `${this.#name} ← ${shown(data)}`);
    if (this.#isCut) {
      this.#connection!.bufferedBytes += data.length;
      return;
    }
    this.#later('down', () => {
      this.#socket.onmessage?.({ data: typeof data === 'string' ? data : Uint8Array.from(data).buffer });
    });
  }

  closeDown(code: number, reason: string): void {
    this.#places.trace(() => `${this.#name} ← closed with ${code} ${reason}`);
    this.#later('down', () => this.#clientClosed(code, reason));
  }

  /** What the client says. */
  up(data: Data): void {
    this.#places.trace(() => `${this.#name} → ${shown(data)}`);
    if (!this.#isCut && !this.#isClientDone) this.#later('up', () => this.#connection?.hear(data));
  }

  closeUp(code: number | undefined): void {
    if (this.#isClientDone) return;
    this.#places.trace(() => `${this.#name} → closed with ${code}`);
    // Sent before it is done, so that it goes.
    if (!this.#isCut) this.#later('up', () => this.#connection?.ended(code ?? 1005));
    this.#isClientDone = true;
    this.onOver();
  }

  #clientClosed(code: number, reason: string): void {
    if (this.#isClientDone) return;
    this.#isClientDone = true;
    this.onOver();
    if (code === 1006) this.#socket.onerror?.({ type: 'error' });
    this.#socket.onclose?.({ code, reason });
  }

  breakOff(noticed: Noticed): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { time, client, trace } = this.#places;
    trace(() => `${this.#name} is cut, noticed by ${noticed}`);
    if (noticed === 'both' || noticed === 'client') {
      time.after(1, client, () => this.#clientClosed(1006, ''));
    }
    const server = this.#places.server();
    if ((noticed === 'both' || noticed === 'server') && server !== null) {
      time.after(0, server.actor, () => this.#connection?.ended(0));
    }
  }

  fill(isFull: boolean): void {
    this.#connection?.fill(isFull);
  }
}

const shown = (data: Data): string =>
  typeof data === 'string' ? JSON.stringify(data.slice(0, 100)) : `${data.length} bytes`;
