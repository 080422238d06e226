/**
 * What: the two implementations side by side, `ws` and `tautline/ws`, and a journal that compares what they do.
 * Must not know: single scenarios.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as theirs from 'ws';
import * as ours from '../../../src/entry/ws.ts';

type ClientOptions = NonNullable<ConstructorParameters<typeof ours.WebSocket>[2]>;
type ServerOptions = NonNullable<ConstructorParameters<typeof ours.WebSocketServer>[0]>;

/** What scenarios use of either implementation; typed as ours. */
export interface Implementation {
  readonly name: 'ws' | 'tautline';
  readonly WebSocket: typeof ours.WebSocket;
  readonly WebSocketServer: typeof ours.WebSocketServer;
  readonly createWebSocketStream: typeof ours.createWebSocketStream;
}

export const ws: Implementation = {
  name: 'ws',
  WebSocket: theirs.WebSocket as unknown as typeof ours.WebSocket,
  WebSocketServer: theirs.WebSocketServer as unknown as typeof ours.WebSocketServer,
  createWebSocketStream: theirs.createWebSocketStream as unknown as typeof ours.createWebSocketStream,
};

export const tautline: Implementation = {
  name: 'tautline',
  WebSocket: ours.WebSocket,
  WebSocketServer: ours.WebSocketServer,
  createWebSocketStream: ours.createWebSocketStream,
};

export const implementations = [ws, tautline] as const;

export interface Pairing {
  readonly client: Implementation;
  readonly server: Implementation;
}

/** Who plays client and who plays server. The first is the reference. */
export const pairings: readonly Pairing[] = [
  { client: ws, server: ws },
  { client: tautline, server: tautline },
  { client: tautline, server: ws },
  { client: ws, server: tautline },
];

/** Notes what is observed, in order, in a form that can be compared. */
export class Journal {
  readonly lines: string[] = [];

  note(...what: unknown[]): void {
    this.lines.push(what.map(describe).join(' '));
  }
}

function describe(value: unknown): string {
  if (value instanceof Error) {
    const { code } = value as { code?: unknown };
    return `${value.constructor.name}(${value.message}${typeof code === 'string' ? `, ${code}` : ''})`;
  }
  if (Buffer.isBuffer(value)) return `Buffer(${printable(value)})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${printable(Buffer.from(value))})`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return value.constructor.name;
  return String(value);
}

function printable(bytes: Buffer): string {
  return bytes.length > 64 ? `${bytes.length} bytes` : bytes.toString('latin1');
}

/** A server and a client connected to it, each with a journal that notes its events. */
export class Scene {
  readonly server: InstanceType<typeof ours.WebSocketServer>;
  readonly client: ours.WebSocket;
  /** The server's side of the connection. */
  readonly peer: ours.WebSocket;
  readonly atClient = new Journal();
  readonly atServer = new Journal();
  readonly #closed: Promise<unknown>;

  private constructor(
    server: InstanceType<typeof ours.WebSocketServer>,
    client: ours.WebSocket,
    peer: ours.WebSocket,
    closed: Promise<unknown>,
  ) {
    this.server = server;
    this.client = client;
    this.peer = peer;
    this.#closed = closed;
    noteEvents(client, this.atClient);
    noteEvents(peer, this.atServer);
  }

  static async open(
    pairing: Pairing,
    { client = {}, server = {} }: { client?: ClientOptions; server?: ServerOptions } = {},
  ): Promise<Scene> {
    const listening = await listen(pairing.server, server);
    const socket = new pairing.client.WebSocket(addressOf(listening), client);
    const connected = once(listening, 'connection') as Promise<[ours.WebSocket]>;
    const [[peer]] = await Promise.all([connected, once(socket, 'open')]);
    const closed = Promise.all([once(socket, 'close'), once(peer, 'close')]);
    // A scenario that expects an error notes it by its own listener.
    closed.catch(() => {});
    return new Scene(listening, socket, peer, closed);
  }

  /** Waits until both sides are closed, and the server too. */
  async finish(): Promise<{ client: string[]; server: string[] }> {
    await Promise.allSettled([closedState(this.client), closedState(this.peer), this.#closed]);
    await close(this.server);
    return { client: this.atClient.lines, server: this.atServer.lines };
  }
}

async function closedState(socket: ours.WebSocket): Promise<void> {
  while (socket.readyState !== socket.CLOSED) await new Promise((resolve) => socket.once('close', resolve));
}

function noteEvents(socket: ours.WebSocket, journal: Journal): void {
  socket.on('message', (data, isBinary) => journal.note('message', data, isBinary));
  socket.on('ping', (data) => journal.note('ping', data));
  socket.on('pong', (data) => journal.note('pong', data));
  socket.on('error', (error) => journal.note('error', error, 'state', socket.readyState));
  socket.on('close', (code, reason) => journal.note('close', code, reason, 'state', socket.readyState));
}

export async function listen(
  implementation: Implementation,
  options: ServerOptions = {},
): Promise<InstanceType<typeof ours.WebSocketServer>> {
  const server = new implementation.WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  return server;
}

export function addressOf(server: { address(): AddressInfo | string | null }, path = ''): string {
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}

export function close(server: { close(callback: () => void): void }): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
