/**
 * What: the same program on the official socket.io-client 4.8 and on ours, against the official server and ours: what
 * the program sees must be the same, event by event.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type ServerOptions, type Socket as ServerSocket } from 'socket.io';
import { Manager as OfficialManager, io as official } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import { Manager as OurManager, io as ours } from '../../src/entry/client-node.ts';
import { Server as OurServer } from '../../src/entry/index.ts';
import {
  programs as clientPrograms,
  comparable,
  type Emitter,
  type Log,
  type Peer,
  type Program,
  type Scene,
} from './client-programs.ts';

const programs: Program[] = [
  [
    'connects, talks and leaves',
    {},
    async (s) => {
      s.server.on('connection', (peer) => {
        peer.emit('hello', 1, { two: 2 });
        peer.on('echo', (value, reply) => reply(value));
      });
      const socket = s.io('/', { autoConnect: false });
      s.log.push([socket.connected, socket.disconnected, socket.active, socket.id, socket.recovered]);
      s.watch(socket, 'socket', 'connect', 'connect_error', 'disconnect', 'hello');
      s.watch(socket.io, 'manager', 'open', 'close', 'error', 'reconnect', 'reconnect_attempt');
      socket.connect();
      await s.until(socket, 'hello');
      s.log.push([socket.connected, socket.active, typeof socket.id, socket.id === socket.io.engine.id]);
      s.log.push(await socket.emitWithAck('echo', 'x'));
      socket.disconnect();
      s.log.push([socket.connected, socket.disconnected, socket.active, socket.id]);
    },
  ],
  [
    'is refused, and tries again by hand',
    {},
    async (s) => {
      let tries = 0;
      s.server.use((_peer, next) =>
        next(++tries === 1 ? Object.assign(new Error('no'), { data: { why: 1 } }) : undefined),
      );
      const socket = s.io('/');
      s.watch(socket, 'socket', 'connect', 'connect_error', 'disconnect');
      s.watch(socket.io, 'manager', 'open', 'close', 'error', 'reconnect_attempt');
      await s.until(socket, 'connect_error');
      s.log.push([socket.active, socket.connected]);
      socket.connect();
      await s.until(socket, 'connect');
    },
  ],
  [
    'is thrown out by the server',
    {},
    async (s) => {
      s.server.on('connection', (peer) => peer.on('kick', (close) => peer.disconnect(close)));
      for (const close of [false, true]) {
        const socket = s.io('/');
        s.watch(socket, 'socket', 'connect', 'disconnect');
        s.watch(socket.io, 'manager', 'close', 'reconnect_attempt');
        await s.until(socket, 'connect');
        socket.emit('kick', close);
        await s.until(socket, 'disconnect');
        s.log.push([socket.active, socket.id]);
      }
    },
  ],
  [
    'loses its server and finds it again',
    {},
    async (s) => {
      const socket = s.io('/', { transports: ['websocket'], reconnectionDelay: 20, randomizationFactor: 0 });
      s.watch(socket, 'socket', 'connect', 'disconnect');
      s.watch(socket.io, 'manager', 'open', 'close', 'reconnect');
      await s.until(socket, 'connect');
      const gone = s.until(socket, 'disconnect');
      const back = s.until(socket.io, 'reconnect');
      const connected = s.until(socket, 'connect');
      await s.restart();
      await Promise.all([gone, back, connected]);
    },
  ],
  ...(['polling', 'websocket'] as const).map(
    (transport): Program => [
      `cannot reach anybody over ${transport}`,
      {},
      async (s) => {
        s.http.close();
        const socket = s.io('/', { transports: [transport], reconnectionAttempts: 2, reconnectionDelay: 5 });
        s.watch(socket, 'socket', 'connect', 'connect_error', 'disconnect');
        s.watch(socket.io, 'manager', 'error', 'reconnect_attempt', 'reconnect_error', 'reconnect_failed');
        await s.until(socket.io, 'reconnect_failed');
      },
    ],
  ),
  [
    'asks at the wrong path',
    {},
    async (s) => {
      s.http.on('request', (request, response) => {
        if (request.url?.startsWith('/wrong')) response.writeHead(404).end('nothing here');
      });
      const socket = s.io('/', { path: '/wrong', transports: ['polling'], reconnection: false });
      s.watch(socket, 'socket', 'connect_error');
      s.watch(socket.io, 'manager', 'error', 'close');
      await s.until(socket, 'connect_error');
    },
  ],
  [
    'has no time to connect',
    {},
    async (s) => {
      // The answer never comes; on a machine that is slow enough it would otherwise beat the timer.
      s.http
        .removeAllListeners('upgrade')
        .removeAllListeners('request')
        .on('request', () => {});
      const socket = s.io('/', { timeout: 0, reconnectionAttempts: 1, reconnectionDelay: 5 });
      s.watch(socket, 'socket', 'connect', 'connect_error');
      s.watch(socket.io, 'manager', 'error', 'reconnect_attempt', 'reconnect_error', 'reconnect_failed');
      await s.until(socket.io, 'reconnect_failed');
    },
  ],
  [
    'says what the engine does',
    { pingInterval: 50 },
    async (s) => {
      const socket = s.io('/', { autoConnect: false, transports: ['polling', 'websocket'] });
      socket.connect();
      s.watch(socket.io.engine, 'engine', 'open', 'upgrading', 'upgrade', 'upgradeError', 'close');
      const types: unknown[] = [];
      socket.io.engine.on('packetCreate', ({ type, data }) => types.push(['out', type, comparable(data)]));
      socket.io.engine.on('packet', ({ type, data }) => {
        // A noop only ends a poll that happens to wait.
        if (type !== 'open' && type !== 'noop') types.push(['in', type, comparable(data || '')]);
      });
      const upgraded = s.until(socket.io.engine, 'upgrade');
      await s.until(socket, 'connect');
      await upgraded;
      await s.until(socket.io, 'ping');
      socket.emit('bye', 1);
      socket.disconnect();
      // How many pings there were, and between which packets, is chance.
      const isBeat = (each: unknown) => /"p[io]ng"/.test(JSON.stringify(each));
      s.log.push(types.filter((each) => !isBeat(each)));
      s.log.push([...new Set(types.filter(isBeat).map((each) => JSON.stringify(each)))].sort());
      await s.until(socket.io.engine, 'close');
      s.log.push([socket.io.engine.id, socket.io.engine.readyState]);
    },
  ],
  [
    'emits before, while and after connecting',
    {},
    async (s) => {
      const got: unknown[] = [];
      s.server.on('connection', (peer) => peer.onAny((...args) => got.push(args)));
      const socket = s.io('/', { transports: ['websocket'] });
      socket.onAnyOutgoing((...args) => s.log.push(['out', ...args]));
      socket.emit('before', 1);
      socket.volatile.emit('volatile before');
      socket.emit('ack before', () => {});
      s.log.push(
        socket.sendBuffer.map(({ type, data, id, options }) => ({
          type,
          data: data?.[0 as never],
          id,
          options,
        })),
      );
      socket.on('connect', () => {
        socket.emit('in connect');
        socket.volatile.emit('volatile in connect');
      });
      await s.until(socket, 'connect');
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.volatile.emit('volatile one');
      socket.volatile.emit('volatile two');
      socket.emit('last', () => {});
      await new Promise<void>((resolve) => {
        const check = () =>
          got.length >= 4 && JSON.stringify(got).includes('last') ? resolve() : setTimeout(check, 5);
        check();
      });
      s.log.push(JSON.stringify(got));
    },
  ],
  [
    'asks for acknowledgements that do not all come',
    {},
    async (s) => {
      s.server.on('connection', (peer) => {
        peer.on('answer', (reply) => reply('a', 'b'));
        peer.on('cut', () => peer.conn.close());
      });
      const socket = s.io('/', { reconnection: false, transports: ['websocket'] });
      await s.until(socket, 'connect');
      s.watch(socket, 'socket', 'disconnect');
      socket.emit('answer', (...args: unknown[]) => s.log.push(['plain', args]));
      socket
        .timeout(1000)
        .emit('answer', (...args: unknown[]) => s.log.push(['timed', args.map(comparable)]));
      await socket.emitWithAck('answer').then((value) => s.log.push(['promise', value]));
      await socket
        .timeout(10)
        .emitWithAck('silence')
        .catch((error) => s.log.push(comparable(error)));
      socket.emit('silence', () => s.log.push('never'));
      socket
        .timeout(9999)
        .emit('silence', (...args: unknown[]) => s.log.push(['timed', args.map(comparable)]));
      const lost = socket.emitWithAck('silence').catch((error) => s.log.push(['promise', comparable(error)]));
      socket.emit('cut');
      await lost;
      s.log.push(Object.keys(socket.acks as object).length);
    },
  ],
  [
    'retries',
    {},
    async (s) => {
      const got: unknown[] = [];
      s.server.on('connection', (peer) => {
        let n = 0;
        peer.on('x', (value, reply) => {
          got.push(value);
          if (++n % 2 === 0) reply(value);
        });
      });
      const socket = s.io('/', { retries: 3, ackTimeout: 30, transports: ['websocket'] });
      const answers = [1, 2, 3].map(
        (value) =>
          new Promise<void>((resolve) => {
            socket.emit('x', value, (...args: unknown[]) => {
              s.log.push(args.map(comparable));
              resolve();
            });
          }),
      );
      s.log.push((socket._queue as unknown[]).length);
      await Promise.all(answers);
      s.log.push(got, (socket._queue as unknown[]).length);
    },
  ],
  [
    'uses namespaces',
    {},
    async (s) => {
      s.server.of('/a').on('connection', (peer) => peer.emit('from a'));
      s.server.of('/b').on('connection', (peer) => peer.on('bye', () => peer.disconnect()));
      const a = s.io('/a');
      const b = s.io('/b');
      s.log.push(a.io === b.io, s.io('/a').io === a.io);
      s.watch(a, 'a', 'connect', 'disconnect', 'from a');
      s.watch(b, 'b', 'connect', 'disconnect');
      s.watch(a.io, 'manager', 'close');
      await Promise.all([s.until(a, 'connect'), s.until(b, 'connect')]);
      b.emit('bye');
      await s.until(b, 'disconnect');
      s.log.push([a.connected, b.connected, b.active]);
      a.disconnect();
      s.log.push([a.io.engine.readyState === 'open']);
      const missing = s.io('/missing');
      s.watch(missing, 'missing', 'connect_error');
      await s.until(missing, 'connect_error');
    },
  ],
  [
    'is closed while it waits for its namespace',
    {},
    async (s) => {
      let release = () => {};
      s.server.use((_peer, next) => {
        release = next;
      });
      const socket = s.io('/', { reconnection: false });
      s.watch(socket, 'socket', 'connect', 'connect_error', 'disconnect');
      s.watch(socket.io, 'manager', 'open', 'close', 'error');
      await s.until(socket.io, 'open');
      await new Promise((resolve) => setTimeout(resolve, 20));
      const closed = s.until(socket.io, 'close');
      socket.io.engine.close();
      await closed;
      release();
    },
  ],
  [
    'meets a server that speaks nonsense',
    {},
    async (s) => {
      s.server.on('connection', (peer: ServerSocket) => peer.on('x', () => peer.conn.send('nonsense')));
      const socket = s.io('/', { reconnection: false });
      s.watch(socket, 'socket', 'connect', 'connect_error');
      s.watch(socket.io, 'manager', 'open', 'error');
      socket.on('disconnect', (reason) => s.log.push(reason));
      await s.until(socket, 'connect');
      socket.emit('x');
      await s.until(socket, 'disconnect');
    },
  ],
  [
    'manages by hand',
    {},
    async (s) => {
      const manager = s.manager({ autoConnect: false });
      s.log.push([manager.engine === undefined, manager.opts.path]);
      s.log.push(await new Promise((resolve) => manager.open((error) => resolve(error))));
      s.log.push([
        manager.reconnection(),
        manager.reconnectionAttempts(),
        manager.reconnectionDelay(),
        manager.reconnectionDelayMax(),
        manager.randomizationFactor(),
        manager.timeout(),
      ]);
      s.log.push(manager.timeout(5) === manager);
      const socket = manager.socket('/');
      s.log.push(socket.active, manager.socket('/') === socket);
      socket.connect();
      await s.until(socket, 'connect');
      const closed = s.until(manager, 'close');
      socket.disconnect();
      s.log.push((await closed).map(comparable));
    },
  ],
  [
    'is told of reserved names',
    {},
    async (s) => {
      const socket = s.io('/', { autoConnect: false });
      for (const name of [
        'connect',
        'connect_error',
        'disconnect',
        'disconnecting',
        'newListener',
        'removeListener',
      ]) {
        try {
          socket.emit(name);
        } catch (error) {
          s.log.push(comparable(error));
        }
      }
    },
  ],
];

async function run(
  program: (s: Scene) => Promise<void>,
  opts: Partial<ServerOptions>,
  isOurs: boolean,
  isOurServer: boolean,
): Promise<Log> {
  const log: Log = [];
  let http!: HttpServer;
  let server!: Server;
  const ServerClass = (isOurServer ? OurServer : Server) as typeof Server;
  const start = async (port: number) => {
    http = createServer();
    server = new ServerClass(http, opts);
    http.listen(port, '127.0.0.1');
    await once(http, 'listening');
  };
  const stop = async () => {
    const closed = server.close();
    // A request may be on its way still.
    const timer = setInterval(() => http.closeAllConnections(), 5);
    await closed;
    clearInterval(timer);
  };
  await start(0);
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const io = (isOurs ? ours : official) as typeof ours;
  const Manager = (isOurs ? OurManager : OfficialManager) as typeof OurManager;
  const made: Peer[] = [];
  const scene: Scene = {
    log,
    url,
    get server() {
      return server;
    },
    get http() {
      return http;
    },
    io(path = '/', options = {}) {
      // Between our two ends the session would outlive its connections; that is another test's matter.
      const socket = io(url + path, { session: false, ...options } as typeof options);
      made.push(socket);
      return socket;
    },
    manager: (options = {}) => new Manager(url, { session: false, ...options } as typeof options),
    watch(emitter, prefix, ...events) {
      for (const event of events) {
        (emitter as Emitter).on(event, (...args) => log.push([prefix, event, ...args.map(comparable)]));
      }
    },
    until: (emitter, event) =>
      new Promise((resolve) => (emitter as Emitter).once(event, (...args) => resolve(args))),
    async restart() {
      await stop();
      await start(port);
    },
  };
  await program(scene);
  const all = log.slice();
  for (const socket of made) {
    socket.off();
    socket.disconnect();
  }
  await stop();
  return all;
}

describe.each([...programs, ...clientPrograms])('a program that %s', (_, opts, program) => {
  it.each([
    ['our client with the official server', true, false],
    ['the official client with our server', false, true],
    ['our client with our server', true, true],
  ])('sees the same with %s', async (_who, isOurs, isOurServer) => {
    const expected = await run(program, opts, false, false);
    expect(expected).not.toEqual([]);
    expect(await run(program, opts, isOurs, isOurServer)).toEqual(expected);
  });
});
