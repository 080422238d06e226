/**
 * What: the same program on the official engine.io-client 6 and on ours, against the official server and against ours:
 * what the program sees, and what the server sees of it, must be the same.
 */
import { once } from 'node:events';
import { Agent, createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AttachOptions,
  Server as OfficialServer,
  type ServerOptions,
  type Socket as ServerSocket,
} from 'engine.io';
import * as official from 'engine.io-client';
import { describe, expect, it } from 'vitest';
import { WebSocketServer, WebSocket as Ws } from 'ws';
import { Server as OurServer } from '../../src/entry/engine.ts';
import * as ours from '../../src/entry/engine-client-node.ts';

type Door = typeof ours;
type Client = InstanceType<Door['Socket']>;
type Options = Record<string, unknown>;
type Listener = (...args: never[]) => void;

interface Scene {
  readonly log: unknown[];
  readonly door: Door;
  readonly http: HttpServer;
  readonly server: OfficialServer;
  readonly port: number;
  /** Connects to the server, after this path and query. */
  connect(opts?: Options, rest?: string): Client;
  /** Logs what the server is asked for, with these headers. */
  watchRequests(...headers: string[]): void;
  /** Logs events with what can be compared of their arguments. */
  watch(emitter: object, ...events: string[]): void;
  until(emitter: object, event: string): Promise<unknown[]>;
}

/** Of a client's options those that the server must know, too. */
const pick = ({ path, addTrailingSlash }: Options): AttachOptions => ({
  ...(typeof path === 'string' && { path }),
  ...(addTrailingSlash === false && { addTrailingSlash }),
});

type Program = (s: Scene) => Promise<void>;

/** Values without what differs from run to run. */
function comparable(value: unknown): unknown {
  if (value instanceof Error) {
    const { message, type, description } = value as Error & Record<string, unknown>;
    // The status that a WebSocket was refused with, theirs does not tell.
    const isStatus = typeof description === 'number' && message !== 'websocket error';
    return { error: message, type, ...(isStatus && { description }) };
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'string' ? value.replace(/"sid":"[^"]*"/, '"sid":"…"') : value;
  }
  if (Buffer.isBuffer(value) || value instanceof ArrayBuffer)
    return [value.constructor.name, [...new Uint8Array(value)]];
  if ('sid' in value)
    return Object.keys(value)
      .filter((key) => key !== 'session')
      .sort();
  if ('type' in value) {
    const { type, data, options } = value as Record<string, unknown>;
    return { type, data: comparable(data || ''), options };
  }
  if ('description' in value) return { description: value.description };
  if ('pause' in value && 'name' in value) return value.name;
  return value;
}

const echo = (socket: ServerSocket) => socket.on('message', (data: string | Buffer) => socket.send(data));

/** A transport as a program of its own would bring it along, on the class that either package has. */
function webSocketOf({ Transport }: Door) {
  const digits = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'];
  return class Mine extends Transport {
    #socket: Ws | undefined;
    get name() {
      return 'websocket';
    }
    doOpen() {
      const socket = new Ws(this.createUri('ws', { ...this.query, mine: 'yes' }));
      this.#socket = socket;
      socket.on('open', () => this.onOpen());
      socket.on('message', (data: Buffer, isBinary) => this.onData(isBinary ? data : data.toString()));
      socket.on('close', () => this.onClose({ description: 'mine is closed' }));
      socket.on('error', (error) => this.onError('mine broke', error));
    }
    write(packets: { type: string; data?: unknown }[]) {
      this.writable = false;
      for (const { type, data = '' } of packets) {
        this.#socket?.send(typeof data === 'string' ? digits.indexOf(type) + data : (data as Uint8Array));
      }
      setImmediate(() => {
        this.writable = true;
        this.emitReserved('drain');
      });
    }
    doClose() {
      this.#socket?.close();
    }
  };
}

const programs: [string, Partial<ServerOptions>, Program][] = [
  ...[['polling'], ['websocket']].map((transports): (typeof programs)[number] => [
    `connects, talks and leaves over ${transports}`,
    {},
    async (s) => {
      s.server.on('connection', echo);
      const socket = s.connect({ transports });
      const look = () =>
        s.log.push([
          socket.readyState,
          typeof socket.id,
          socket.binaryType,
          socket.transport.name,
          socket.writeBuffer.length,
        ]);
      look();
      s.watch(
        socket,
        ...[
          'open',
          'handshake',
          'packet',
          'packetCreate',
          'message',
          'data',
          'flush',
          'drain',
          'error',
          'close',
        ],
      );
      socket.send('before', {}, () => s.log.push('sent'));
      look();
      await s.until(socket, 'message');
      look();
      socket.send(Buffer.from([1, 2]), { compress: false });
      await s.until(socket, 'message');
      socket.binaryType = 'arraybuffer';
      socket.send(Uint8Array.of(3, 4));
      await s.until(socket, 'message');
      s.log.push(socket.close() === socket);
      if (socket.readyState !== 'closed') await s.until(socket, 'close');
      look();
      socket.send('late');
      look();
    },
  ]),
  [
    'moves from polling to WebSocket',
    {},
    async (s) => {
      s.server.on('connection', echo);
      const socket = s.connect({ transports: ['polling', 'websocket'] });
      s.watch(socket, 'open', 'upgrading', 'upgrade', 'upgradeError', 'close');
      const got: unknown[] = [];
      const upgraded = s.until(socket, 'upgrade');
      await s.until(socket, 'open');
      const all = new Promise<void>((resolve) => {
        socket.on('message', (data: unknown) => {
          if (got.push(data) === 4) resolve();
        });
      });
      socket.send('before');
      socket.on('upgrading', () => socket.send('within 1'));
      socket.on('upgrade', () => socket.send('within 2'));
      await upgraded;
      socket.send('after');
      await all;
      s.log.push(got);
      s.log.push(socket.transport.name, s.door.Socket.priorWebsocketSuccess);
      socket.close();
    },
  ],
  [
    'stays with polling where upgrade is false',
    {},
    async (s) => {
      s.server.on('connection', echo);
      s.watchRequests();
      const socket = s.connect({ transports: ['polling', 'websocket'], upgrade: false });
      socket.send('x');
      await s.until(socket, 'message');
      s.log.push(socket.transport.name);
    },
  ],
  [
    'remembers that WebSocket worked',
    {},
    async (s) => {
      const first = s.connect({ transports: ['websocket'] });
      await s.until(first, 'open');
      for (const rememberUpgrade of [true, false]) {
        const next = s.connect({ transports: ['polling', 'websocket'], rememberUpgrade });
        s.log.push(next.transport.name);
        await s.until(next, 'open');
        s.door.Socket.priorWebsocketSuccess = true;
      }
    },
  ],
  [
    'tries all transports when told to',
    { transports: ['websocket'] },
    async (s) => {
      for (const tryAllTransports of [true, false]) {
        const socket = s.connect({ transports: ['polling', 'websocket'], tryAllTransports });
        s.watch(socket, 'open', 'error', 'close');
        await Promise.race([s.until(socket, 'open'), s.until(socket, 'close')]);
        s.log.push(socket.readyState, socket.transport.name);
      }
    },
  ],
  [
    'is heard to live',
    { pingInterval: 20, pingTimeout: 5000 },
    async (s) => {
      const socket = s.connect({ transports: ['websocket'] });
      await s.until(socket, 'ping');
      const seen: unknown[] = [];
      for (const event of [
        'packet',
        'heartbeat',
        'packetCreate',
        'ping',
        'pong',
        'flush',
        'drain',
      ] as const) {
        (socket.on as (event: string, listener: Listener) => void)(event, (packet?: unknown) =>
          seen.push([event, comparable(packet)]),
        );
      }
      await s.until(socket, 'drain');
      s.log.push(seen);
    },
  ],
  [
    'does not hear a server that is silent',
    {},
    async (s) => {
      const silent = new WebSocketServer({ noServer: true });
      s.http.removeAllListeners('upgrade').on('upgrade', (request, peer, head) => {
        silent.handleUpgrade(request, peer, head, (socket) =>
          socket.send('0{"sid":"x","upgrades":[],"pingInterval":20,"pingTimeout":20,"maxPayload":1000}'),
        );
      });
      const socket = s.connect({ transports: ['websocket'] });
      s.watch(socket, 'open', 'error', 'close');
      await s.until(socket, 'close');
    },
  ],
  [
    'moves the end of the heartbeat, as tools do',
    {},
    async (s) => {
      const socket = s.connect({ transports: ['websocket'] });
      await s.until(socket, 'open');
      s.watch(socket, 'close');
      s.log.push(socket._hasPingExpired(), socket._pingTimeoutTime > Date.now() + 40_000);
      socket._pingTimeoutTime = Date.now() - 1;
      s.log.push(socket._hasPingExpired());
      await s.until(socket, 'close');
    },
  ],
  [
    'closes while something waits, and while it connects',
    {},
    async (s) => {
      const got: unknown[] = [];
      const both = new Promise<void>((resolve) => {
        s.server.on('connection', (socket) =>
          socket.on('message', (data: unknown) => {
            got.push(data);
            if (got.length === 2) resolve();
          }),
        );
      });
      const socket = s.connect({ transports: ['websocket'] });
      await s.until(socket, 'open');
      s.watch(socket, 'close', 'drain');
      socket.send('one').send('two').close();
      s.log.push(socket.readyState);
      await both;
      s.log.push(got);
      if (socket.readyState !== 'closed') await s.until(socket, 'close');
      const early = s.connect({ transports: ['polling'] });
      s.watch(early, 'open', 'close', 'error');
      early.close();
      s.log.push(early.readyState);
    },
  ],
  [
    'is closed by the server',
    {},
    async (s) => {
      for (const transport of ['polling', 'websocket']) {
        const connection = once(s.server, 'connection');
        const socket = s.connect({ transports: [transport] });
        await s.until(socket, 'open');
        s.watch(socket, 'close', 'error');
        const closed = s.until(socket, 'close');
        (await connection)[0].close();
        await closed;
        s.log.push(socket.readyState, socket.id);
      }
    },
  ],
  [
    'asks where nothing is',
    {},
    async (s) => {
      for (const transport of ['polling', 'websocket']) {
        const socket = s.connect({ transports: [transport], path: '/nothing' });
        s.http.removeAllListeners('upgrade');
        s.http.on('upgrade', (_request, peer) => peer.end('HTTP/1.1 404 Not Found\r\n\r\n'));
        s.http.removeAllListeners('request');
        s.http.on('request', (_request, response) => response.writeHead(404).end('nothing'));
        s.watch(socket, 'open', 'error', 'close');
        await s.until(socket, 'close');
        s.log.push(socket.readyState, s.door.Socket.priorWebsocketSuccess);
      }
    },
  ],
  [
    'has no transport',
    {},
    async (s) => {
      const socket = s.connect({ transports: [] });
      const [error] = await s.until(socket, 'error');
      // Theirs is a bare string here.
      s.log.push(error instanceof Error ? error.message : error);
    },
  ],
  [
    'keeps cookies when told to',
    { cookie: { name: 'sticky', httpOnly: true } },
    async (s) => {
      s.server.on('connection', echo);
      for (const withCredentials of [true, false]) {
        const cookies = new Set<boolean>();
        const note = (request: IncomingMessage) => {
          if (request.url?.includes('sid=')) cookies.add(/^sticky=[^;]+$/.test(request.headers.cookie ?? ''));
        };
        s.http.on('request', note).on('upgrade', note);
        const socket = s.connect({ transports: ['polling', 'websocket'], withCredentials });
        const upgraded = s.until(socket, 'upgrade');
        socket.send('x');
        await Promise.all([s.until(socket, 'message'), upgraded]);
        s.http.off('request', note).off('upgrade', note);
        socket.close();
        s.log.push([...cookies]);
      }
    },
  ],
  [
    'goes through an agent of its own',
    {},
    async (s) => {
      for (const transport of ['polling', 'websocket']) {
        let count = 0;
        const agent = new Agent();
        const connect = agent.createConnection;
        agent.createConnection = function (...args) {
          count++;
          return connect.apply(this, args);
        };
        const socket = s.connect({ transports: [transport], agent });
        await s.until(socket, 'open');
        s.log.push(count > 0);
        socket.close();
        agent.destroy();
      }
    },
  ],
  [
    'offers subprotocols and compression',
    { perMessageDeflate: { threshold: 0 } },
    async (s) => {
      for (const opts of [
        { protocols: ['a', 'b'] },
        { protocols: 'c' },
        { perMessageDeflate: { threshold: 1 } },
        { perMessageDeflate: false },
        {},
      ]) {
        const request = once(s.http, 'upgrade');
        const socket = s.connect({ transports: ['websocket'], ...opts });
        const [{ headers }] = (await request) as [IncomingMessage];
        const offer = headers['sec-websocket-extensions'];
        s.log.push([headers['sec-websocket-protocol'], offer?.split(';')[0]]);
        await s.until(socket, 'open');
      }
    },
  ],
  [
    'brings a transport along as a class',
    {},
    async (s) => {
      s.server.on('connection', echo);
      s.watchRequests();
      const Mine = webSocketOf(s.door);
      const socket = s.connect({ transports: [Mine] });
      s.watch(socket, 'open', 'error', 'close', 'message');
      await s.until(socket, 'open');
      s.log.push(socket.transport instanceof Mine, socket.transport instanceof s.door.Transport);
      socket.send('text');
      await s.until(socket, 'message');
      socket.send(Uint8Array.of(1, 2, 3));
      await s.until(socket, 'message');
      const closed = s.until(socket, 'close');
      socket.close();
      await closed;
    },
  ],
  [
    'upgrades to a transport of its own, which the server ends',
    {},
    async (s) => {
      const connection = once(s.server, 'connection');
      const Mine = webSocketOf(s.door);
      const socket = s.connect({ transports: [s.door.NodeXHR, Mine] });
      s.watch(socket, 'open', 'upgrade', 'upgradeError', 'error', 'close');
      await s.until(socket, 'upgrade');
      s.log.push(socket.transport instanceof Mine);
      const [peer] = await connection;
      if (peer.transport.name !== 'websocket') await once(peer, 'upgrade');
      const closed = s.until(socket, 'close');
      peer.close();
      await closed;
    },
  ],
  [
    'brings a transport along that breaks',
    {},
    async (s) => {
      const Mine = webSocketOf(s.door);
      s.http.removeAllListeners('upgrade').on('upgrade', (_request, peer) => peer.destroy());
      const socket = s.connect({ transports: [Mine] });
      s.watch(socket, 'open', 'error', 'close');
      await s.until(socket, 'close');
    },
  ],
  [
    'names implementations',
    {},
    async (s) => {
      const { Fetch, NodeXHR, NodeWebSocket } = s.door;
      for (const transports of [[NodeXHR], [Fetch], [NodeWebSocket], [NodeXHR, NodeWebSocket]]) {
        const socket = s.connect({ transports });
        await s.until(socket, 'open');
        s.log.push(socket.transport.name, socket.transport instanceof s.door.Transport);
      }
      const socket = s.connect({ transportImplementations: [NodeWebSocket] });
      await s.until(socket, 'open');
      s.log.push(socket.transport.name);
      s.log.push(s.door.transports.polling === NodeXHR, s.door.transports.websocket === NodeWebSocket);
    },
  ],
  [
    'gives its address in parts',
    {},
    async (s) => {
      s.watchRequests('host');
      for (const opts of [
        { hostname: '127.0.0.1', port: s.port },
        { host: '127.0.0.1', port: String(s.port), secure: false, query: { a: 1 } },
      ]) {
        const socket = new s.door.Socket({ ...opts, transports: ['websocket'] } as never);
        await s.until(socket, 'open');
        socket.close();
      }
    },
  ],
  ...(
    [
      ['no option', {}],
      ['path', { path: '/other' }],
      ['path with a slash', { path: '/other/' }],
      ['path and addTrailingSlash', { path: '/other', addTrailingSlash: false }],
      ['addTrailingSlash', { addTrailingSlash: false }],
      ['query', { query: { a: 1, b: 'ü &', c: '' } }],
      ['the query of the address', {}, '/?x=1&y=%20z&flag'],
      ['the query of the address and query', { query: { a: 1 } }, '/?x=1'],
      ['a path in the address', {}, '/some/path?x=1'],
      ['timestampRequests', { timestampRequests: true }],
      ['no timestampRequests', { timestampRequests: false }],
      ['timestampParam', { timestampParam: 'ts', timestampRequests: true }],
      ['forceBase64', { forceBase64: true }],
      ['extraHeaders', { extraHeaders: { 'x-a': 'b', 'user-agent': 'me', cookie: 'c=d' } }],
      [
        'transportOptions',
        {
          extraHeaders: { 'x-a': 'all' },
          query: { a: 1 },
          transportOptions: {
            polling: { extraHeaders: { 'x-a': 'polling' } },
            websocket: { extraHeaders: { 'x-a': 'websocket' } },
          },
        },
      ],
    ] as [string, Options, string?][]
  ).flatMap(([what, opts, rest]) =>
    ['polling', 'websocket'].map((transport): (typeof programs)[number] => [
      `asks with ${what} over ${transport}`,
      pick(opts) as Partial<ServerOptions>,
      async (s) => {
        s.server.on('connection', echo);
        // What says who asks by itself is another matter.
        const agent = what === 'extraHeaders' ? ['user-agent'] : [];
        s.watchRequests('x-a', 'cookie', 'accept', 'content-type', ...agent);
        const socket = s.connect({ transports: [transport], ...opts }, rest);
        socket.send(Uint8Array.of(1, 2));
        s.log.push((await s.until(socket, 'message')).map(comparable));
      },
    ]),
  ),
];

type Pair = [door: Door, Server: typeof OfficialServer];

async function run(program: Program, opts: Partial<ServerOptions>, [door, Server]: Pair): Promise<unknown[]> {
  const log: unknown[] = [];
  const http = createServer();
  const server = new Server(opts as ServerOptions);
  server.attach(http, { destroyUpgrade: false, ...pick(opts as Options) });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const made: Client[] = [];
  door.Socket.priorWebsocketSuccess = false;
  await program({
    log,
    door,
    http,
    server,
    port,
    connect(options = {}, rest = '') {
      // Between our two ends the session would outlive its connections; that is another test's matter.
      const socket = new door.Socket(`ws://127.0.0.1:${port}${rest}`, {
        session: false,
        ...options,
      } as never);
      made.push(socket);
      return socket;
    },
    watchRequests(...names) {
      const note = ({ method, url = '', headers }: IncomingMessage) => {
        const { pathname, searchParams } = new URL(url, 'http://h');
        const query = [...searchParams]
          .filter(([key]) => key !== 'tautline')
          .map(([key, value]) => [key, ['sid', 't', 'ts'].includes(key) ? '…' : value].join('='));
        const sent = Object.fromEntries(
          names.map((name) => [name, String(headers[name] ?? '').replace(String(port), 'port')]),
        );
        const line = JSON.stringify([method, pathname, query.sort(), sent]);
        // How often is polled is chance.
        if (!log.includes(line)) log.push(line);
      };
      http.prependListener('request', note);
      http.prependListener('upgrade', note);
    },
    watch(emitter, ...events) {
      for (const event of events) {
        (emitter as { on(event: string, listener: Listener): void }).on(event, (...args: unknown[]) =>
          log.push([event, ...args.map(comparable)]),
        );
      }
    },
    until: (emitter, event) =>
      new Promise((resolve) =>
        (emitter as { once(event: string, listener: Listener): void }).once(event, (...args: unknown[]) =>
          resolve(args),
        ),
      ),
  });
  const seen = log.slice();
  for (const socket of made) {
    socket.off();
    socket.on('error', () => {});
    socket.close();
  }
  server.close();
  http.close();
  http.closeAllConnections();
  await once(http, 'close');
  return JSON.parse(JSON.stringify(seen, (_, value) => (value === undefined ? 'undefined' : value)));
}

const theirs: Pair = [official as unknown as Door, OfficialServer];
const others: [string, Pair][] = [
  ['our client with the official server', [ours, OfficialServer]],
  ['the official client with our server', [official as unknown as Door, OurServer as never]],
  ['our client with our server', [ours, OurServer as never]],
];

describe.each(programs)('a program that %s', (_, opts, program) => {
  it.each(others)('sees the same with %s', async (_who, pair) => {
    const expected = await run(program, opts, theirs);
    expect(expected).not.toEqual([]);
    expect(await run(program, opts, pair)).toEqual(expected);
  });
});
