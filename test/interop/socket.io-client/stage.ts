/**
 * What: runs one scenario against our server and against socket.io's, with socket.io's own client, and compares.
 * Must not know: what the scenarios are about.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Server as OfficialServer } from 'socket.io';
import {
  type Socket as ClientSocket,
  io as connectTo,
  type ManagerOptions,
  type SocketOptions,
} from 'socket.io-client';
import { expect } from 'vitest';
import type { ServerOptions } from '../../../src/server/options.ts';
import { Server } from '../../../src/server/server.ts';

export type { ClientSocket };
export type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** How a client may get there: every scenario is played on each. */
export const transportTable: [string, ClientOptions][] = [
  ['polling alone', { transports: ['polling'] }],
  ['websocket alone', { transports: ['websocket'] }],
  ['polling, then the upgrade', { transports: ['polling', 'websocket'] }],
];

/** One server, its clients, and what was seen on both sides. */
export class Stage {
  readonly io: Server;
  readonly httpServer: HttpServer;
  readonly seen: unknown[] = [];
  readonly #clientOptions: ClientOptions;
  readonly #clients: ClientSocket[] = [];
  #waiting: { count: number; resolve: () => void } | null = null;

  constructor(io: Server, httpServer: HttpServer, clientOptions: ClientOptions) {
    this.io = io;
    this.httpServer = httpServer;
    this.#clientOptions = clientOptions;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.httpServer.address() as AddressInfo).port}`;
  }

  /** Writes down what was seen. Ids differ from run to run and must not be in it. */
  log(...entry: unknown[]): void {
    this.seen.push(entry.length === 1 ? entry[0] : entry);
    if (this.#waiting !== null && this.seen.length >= this.#waiting.count) {
      this.#waiting.resolve();
      this.#waiting = null;
    }
  }

  /** Resolves when so many entries are written. */
  async until(count: number): Promise<void> {
    if (this.seen.length >= count) return;
    await new Promise<void>((resolve) => {
      this.#waiting = { count, resolve };
    });
  }

  /** A client that has not begun to connect to the end of it. */
  client(nsp = '/', options: ClientOptions = {}): ClientSocket {
    const client = connectTo(this.url + nsp, {
      forceNew: true,
      reconnection: false,
      ...this.#clientOptions,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** A client that is in the namespace. */
  async connect(nsp = '/', options: ClientOptions = {}): Promise<ClientSocket> {
    const client = this.client(nsp, options);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('connect_error', reject);
    });
    return client;
  }

  /** A client whose connection will not change any more: how a session ends depends on what carries it. */
  async connectForGood(): Promise<ClientSocket> {
    const client = await this.connect();
    const { engine } = client.io;
    const { transports = [] } = this.#clientOptions;
    const isLast = engine.transport.name === transports[transports.length - 1];
    if (!isLast) await new Promise((resolve) => engine.once('upgrade', resolve));
    return client;
  }

  /** Plays on until everything written so far on one connection has arrived on the other side. */
  async settle(client: ClientSocket): Promise<void> {
    await client.timeout(5000).emitWithAck('__settle');
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.io.close();
  }
}

export type Scenario = (stage: Stage) => Promise<void>;

async function play(
  scenario: Scenario,
  create: (httpServer: HttpServer, options: Partial<ServerOptions>) => Server,
  options: Partial<ServerOptions>,
  clientOptions: ClientOptions,
): Promise<unknown[]> {
  const httpServer = createServer();
  const io = create(httpServer, options);
  io.on('connection', (socket) => socket.on('__settle', (ack) => ack()));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const stage = new Stage(io, httpServer, clientOptions);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`stuck after ${inspect(stage.seen)}`)), 10_000);
  });
  try {
    await Promise.race([scenario(stage), tooLate]);
    return stage.seen;
  } finally {
    clearTimeout(timer);
    await stage.close();
  }
}

/** Plays on socket.io first, then on ours, and expects to have seen the same. */
export async function expectParity(
  scenario: Scenario,
  clientOptions: ClientOptions,
  options: Partial<ServerOptions> = {},
): Promise<unknown[]> {
  const theirs = await play(
    scenario,
    (httpServer, opts) => new OfficialServer(httpServer, opts as object) as unknown as Server,
    options,
    clientOptions,
  );
  const ours = await play(
    scenario,
    (httpServer, opts) => new Server(httpServer, opts),
    options,
    clientOptions,
  );
  expect(ours).toEqual(theirs);
  return ours;
}
