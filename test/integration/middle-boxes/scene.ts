/**
 * What: a server behind a middle box, clients of all kinds in front of it, and what they say to each other.
 * Must not know: which box it is, or what is expected of it.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io as standardIo } from 'socket.io-client';
import type { ManagerOptions } from '../../../src/client/options.ts';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { type BoxKind, startBox } from './box.ts';
import { type Change, configuration } from './configuration.ts';

const GREETING = 'behind the box';

/** So many messages go each way. */
const COUNT = 60;

/** Every third is binary. */
const bodyOf = (n: number): string | Buffer =>
  n % 3 ? `é${'x'.repeat(n)}` : Buffer.from([0, n, 255, ...Buffer.from('\n\r\0')]);

const all = Array.from({ length: COUNT }, (_, n) => [n, bodyOf(n)]);

/** One of two servers of an application. */
interface Node {
  readonly server: Server;
  readonly port: number;
  /** Emits the method and transport of each request, as in `GET polling`. */
  readonly requests: EventEmitter;
  /** What came from each visitor, in order, whatever sessions it had. */
  readonly got: Map<unknown, unknown[]>;
  stop(): Promise<void>;
}

async function startNode(options: object): Promise<Node> {
  const http = createServer((_, response) => response.end(GREETING));
  const requests = new EventEmitter();
  const note = ({ method, url = '' }: IncomingMessage) => {
    requests.emit(`${method} ${new URL(url, 'http://node').searchParams.get('transport')}`);
  };
  const server = new Server(http, {
    transports: ['websocket', 'sse', 'polling', 'short-polling'],
    ...options,
  });
  // Behind the server, which passes its own requests to nobody who was there before.
  http.on('request', note).on('upgrade', note);
  const got = new Map<unknown, unknown[]>();
  server.on('connection', (socket) => {
    const { name } = socket.handshake.auth;
    const mine = got.get(name) ?? [];
    got.set(name, mine);
    socket.on('up', (...message) => mine.push(message));
    socket.on('say', (from: number, to: number) => {
      for (let n = from; n < to; n++) socket.emit('down', n, bodyOf(n));
    });
    socket.on('all said', (reply) => reply());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    server,
    port: (http.address() as AddressInfo).port,
    requests,
    got,
    async stop() {
      http.closeAllConnections();
      await server.close();
    },
  };
}

/** What both kinds of client have. */
interface AnyClient {
  connected: boolean;
  on(event: string, listener: (...values: never[]) => void): unknown;
  once(event: string, listener: (...values: never[]) => void): unknown;
  emit(event: string, ...values: unknown[]): unknown;
  emitWithAck(event: string, ...values: unknown[]): Promise<unknown>;
  disconnect(): unknown;
}

/** A client, and what came to it. */
export class Visitor<Client extends AnyClient> {
  readonly client: Client;
  readonly name: string;
  /** What came, in order. */
  readonly got: unknown[] = [];
  /** What was told of the connection, in order. */
  readonly told: string[] = [];
  /** Comes with the reason when it cannot connect, else with nothing. */
  readonly connected: Promise<Error | undefined>;
  #sent = 0;

  constructor(name: string, client: Client) {
    this.name = name;
    this.client = client;
    this.connected = new Promise((resolve) => {
      client.once('connect', () => resolve(undefined));
      client.once('connect_error', (error: Error) => resolve(error));
    });
    client.on('down', (...message: unknown[]) => this.got.push(message));
    client.on('disconnect', (reason: string) => this.told.push(`disconnect: ${reason}`));
    for (const event of ['interrupted', 'resumed']) client.on(event, () => this.told.push(event));
  }

  /** Sends a part of all messages, and lets as many be sent. */
  talk(share: number): void {
    const to = Math.round(COUNT * share);
    const from = this.#sent;
    this.#sent = to;
    this.client.emit('say', from, to);
    for (let n = from; n < to; n++) this.client.emit('up', n, bodyOf(n));
  }

  /** Until all that was sent before must have come at either end. */
  async settled(): Promise<void> {
    await this.client.emitWithAck('all said');
  }
}

/** When every message arrives once and in order. */
export const everything = { up: all, down: all };

/** A box that runs, with two servers behind it. */
export class Scene {
  readonly url: string;
  readonly nodes: readonly Node[];
  readonly #undo: (() => unknown)[] = [];

  private constructor(url: string, nodes: readonly Node[], undo: () => unknown) {
    this.url = url;
    this.nodes = nodes;
    this.#undo.push(undo);
  }

  static async start(kind: BoxKind, changes: readonly Change[], options: object = {}): Promise<Scene> {
    const nodes = [await startNode(options), await startNode(options)];
    const ports = nodes.map(({ port }) => port);
    try {
      const box = await startBox(kind, (port) => configuration(kind, changes, port, ports), GREETING);
      return new Scene(box.url, nodes, async () => {
        for (const node of nodes) await node.stop();
        await box.end();
      });
    } catch (error) {
      for (const node of nodes) await node.stop();
      throw error;
    }
  }

  /** One of our clients. */
  visit(name: string, options: Partial<ManagerOptions> = {}): Visitor<ReturnType<typeof io>> {
    const auth = { name };
    return this.#keep(name, io(this.url, { forceNew: true, reconnectionDelay: 10, auth, ...options }));
  }

  /** The official client. */
  visitAsStandard(name: string, options: object = {}): Visitor<ReturnType<typeof standardIo>> {
    const auth = { name };
    return this.#keep(
      name,
      standardIo(this.url, { forceNew: true, reconnectionDelay: 10, auth, ...options }),
    );
  }

  #keep<Client extends AnyClient>(name: string, client: Client): Visitor<Client> {
    this.#undo.push(() => client.disconnect());
    return new Visitor(name, client);
  }

  /** Until so many requests of this kind have come from now on. */
  requested(kind: string, times: number): Promise<void> {
    return new Promise((resolve) => {
      let count = 0;
      const note = () => {
        if (++count === times) resolve();
      };
      for (const { requests } of this.nodes) requests.on(kind, note);
    });
  }

  /** What a visitor and the servers have got of each other. */
  exchanged({ name, got }: { readonly name: string; readonly got: unknown[] }): {
    up: unknown;
    down: unknown;
  } {
    return { up: this.nodes.flatMap((node) => node.got.get(name) ?? []), down: got };
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }
}
