/**
 * What: programs of socket.io-client's users, one or more for each fact of its interface, and what they are given to run.
 * Must not know: whose client and whose server it runs on.
 */
import type { Server as HttpServer } from 'node:http';
import type { Server, ServerOptions } from 'socket.io';
import type { io } from '../../src/entry/client-node.ts';

export interface Emitter {
  // What both clients' types agree on is less than what their users do with them.
  on(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
}
export type Peer = ReturnType<typeof io>;
export type Log = unknown[];

export interface Scene {
  readonly log: Log;
  readonly url: string;
  readonly server: Server;
  readonly http: HttpServer;
  io(path?: string, opts?: Record<string, unknown>): Peer;
  manager(opts?: Record<string, unknown>): Peer['io'];
  /** Logs events with what can be compared of their arguments. */
  watch(emitter: object, prefix: string, ...events: string[]): void;
  until(emitter: object, event: string): Promise<unknown[]>;
  restart(): Promise<void>;
}

/** What it does, the server's options, and the program. */
export type Program = [string, Partial<ServerOptions>, (s: Scene) => Promise<void>];

/** Arguments without what differs from run to run. */
export function comparable(value: unknown): unknown {
  if (value instanceof Error) {
    const { message, type, data, description } = value as Error & Record<string, unknown>;
    return {
      error: message,
      // Ours says which transport had no time; theirs does not.
      ...(type !== undefined && message !== 'timeout' && { type }),
      ...(data !== undefined && { data }),
      ...(typeof description === 'number' && { description }),
    };
  }
  if (typeof value === 'object' && value !== null && 'description' in value) {
    return { description: value.description };
  }
  if (typeof value === 'object' && value !== null && 'name' in value && 'pause' in value) {
    return (value as { name: string }).name;
  }
  if (typeof value === 'string') return value.replace(/"(sid|pid)":"[^"]*"/g, '"$1":"…"');
  return value;
}

/** Logs what the engine sends, except for its heartbeat. */
function watchPackets(s: Scene, socket: Peer): void {
  const { engine } = socket.io;
  engine.on('packetCreate', ({ type, data, options }) => {
    if (type === 'message') s.log.push(['out', comparable(data), options]);
  });
}

export const programs: Program[] = [
  [
    'shares connections as it may',
    {},
    async (s) => {
      s.server.of('/a');
      const opts = { autoConnect: false };
      const a = s.io('/a', opts);
      const b = s.io('/b', opts);
      const is = (socket: Peer) => s.log.push(socket.io === a.io);
      is(b);
      is(s.io('/a', opts));
      is(s.io('/c', { ...opts, forceNew: true }));
      is(s.io('/d', { ...opts, multiplex: false }));
      is(s.io('/e', { ...opts, path: '/elsewhere' }));
      is(s.io('/f?x=1', opts));
      is(s.io('/g', opts));
      s.log.push(s.io('/h/i', opts).nsp, s.io('', opts).nsp, s.io('/?a=b', opts).nsp, s.io('/ü', opts).nsp);
      s.log.push(a.io.socket('/b') === b, a.io.socket('/new') === b);
    },
  ],
  [
    'has a query, in the address or beside it',
    {},
    async (s) => {
      const seen: unknown[] = [];
      s.server.on('connection', ({ handshake }) => {
        const { t, tautline, ...query } = handshake.query;
        seen.push(query, 'x-a' in handshake.headers, handshake.auth);
      });
      for (const [path, opts] of [
        ['/?a=1&b=%20', {}],
        ['/', { query: { a: 1, c: 'ü' } }],
        ['/?a=1', { query: { a: 2 }, extraHeaders: { 'x-a': 'b' }, auth: { token: 1 } }],
        ['/', { auth: (give: (data: object) => void) => give({ asked: true }) }],
      ] as const) {
        const socket = s.io(path, { forceNew: true, transports: ['websocket'], ...opts });
        await s.until(socket, 'connect');
      }
      s.log.push(seen);
    },
  ],
  [
    'writes packets as the protocol has them',
    {},
    async (s) => {
      s.server.of('/a').on('connection', (peer) => {
        peer.emit('ask', 1, (answer: unknown) => peer.emit('told', answer));
        peer.on('x', (...args) => (args.at(-1) as (...answer: unknown[]) => void)('y', Buffer.from([1])));
      });
      const socket = s.io('/a', { transports: ['websocket'], auth: { token: 'ü' }, autoConnect: false });
      socket.on('ask', (_n: number, reply: (answer: unknown) => void) => {
        reply({ yes: true });
        reply('twice');
      });
      s.log.push(socket.connect() === socket, socket.active, socket.connected);
      watchPackets(s, socket);
      socket.emit('early', 1);
      await s.until(socket, 'told');
      socket.compress(false).emit('small', 1, null, undefined, [2]);
      socket.send('hello', 2);
      s.log.push(socket.emit('x', new Uint8Array([1, 2, 3]), () => {}) === socket);
      const [answer, bytes] = await new Promise<unknown[]>((resolve) =>
        socket.emit('x', 1, (...args: unknown[]) => resolve(args)),
      );
      s.log.push([answer, bytes]);
      socket.disconnect();
    },
  ],
  [
    'listens to whatever comes and goes',
    {},
    async (s) => {
      s.server.on('connection', (peer) => peer.on('echo', (...args) => peer.emit('back', ...args)));
      const socket = s.io('/', { transports: ['websocket'] });
      const name = (text: string) =>
        Object.assign((...args: unknown[]) => s.log.push([text, ...args]), { text });
      const [one, two, out, first] = [name('one'), name('two'), name('out'), name('first')];
      s.log.push(socket.onAny(one) === socket, socket.prependAny(two) === socket);
      socket.onAnyOutgoing(out).prependAnyOutgoing(first);
      s.log.push(socket.listenersAny().length, socket.listenersAnyOutgoing().length);
      socket.on('back', (n: number) => s.log.push(['back', n]));
      socket.emit('echo', 1);
      await s.until(socket, 'back');
      socket.offAny(two).offAnyOutgoing(first);
      socket.emit('echo', 2);
      await s.until(socket, 'back');
      s.log.push(socket.listenersAny().length);
      socket.offAny().offAnyOutgoing();
      socket.emit('echo', 3);
      await s.until(socket, 'back');
      s.log.push(socket.listenersAny().length, socket.listenersAnyOutgoing().length);
    },
  ],
  [
    'adds and removes listeners',
    {},
    async (s) => {
      const socket = s.io('/', { transports: ['websocket'], autoConnect: false });
      const listener = () => {};
      socket.on('a', listener).once('a', listener);
      s.log.push(socket.listeners('a').length, socket.hasListeners('a'));
      socket.off('a', listener);
      s.log.push(socket.listeners('a').length);
      socket.removeListener('a', listener);
      s.log.push(socket.hasListeners('a'));
      socket.addEventListener('b', listener).on('c', listener);
      socket.removeAllListeners('b');
      s.log.push(socket.hasListeners('b'), socket.hasListeners('c'));
      socket.removeAllListeners();
      s.log.push(socket.hasListeners('c'));
    },
  ],
  [
    'meets nonsense, and comes back',
    {},
    async (s) => {
      let count = 0;
      s.server.on('connection', (peer) => {
        if (++count === 1) peer.conn.send('nonsense');
      });
      const socket = s.io('/', { transports: ['websocket'], reconnectionDelay: 5, randomizationFactor: 0 });
      s.watch(socket, 'socket', 'connect', 'connect_error');
      s.watch(socket.io, 'manager', 'open', 'error', 'reconnect', 'reconnect_attempt');
      socket.on('disconnect', (reason) => s.log.push(reason));
      socket.io.on('close', (reason) => s.log.push(['close', reason]));
      await s.until(socket.io, 'reconnect');
      if (!socket.connected) await s.until(socket, 'connect');
    },
  ],
  ...(['polling', 'websocket'] as const).map(
    (transport): Program => [
      `is told why it was disconnected over ${transport}`,
      {},
      async (s) => {
        s.server.on('connection', (peer) => {
          peer.on('cut', () => peer.conn.close());
          peer.on('kick', () => peer.disconnect());
        });
        for (const how of ['cut', 'kick', 'leave', 'engine']) {
          const socket = s.io('/', { transports: [transport], reconnection: false, forceNew: true });
          await s.until(socket, 'connect');
          s.watch(socket, how, 'disconnect');
          s.watch(socket.io, how, 'close');
          const closed = s.until(socket.io, 'close');
          if (how === 'leave') socket.disconnect();
          else if (how === 'engine') socket.io.engine.close();
          else socket.emit(how);
          await closed;
          s.log.push([socket.active, socket.connected, socket.id]);
        }
      },
    ],
  ),
  [
    'was throttled beyond its heartbeat',
    {},
    async (s) => {
      const got: unknown[] = [];
      s.server.on('connection', (peer) =>
        peer.on('x', (n, reply) => {
          got.push(n);
          reply(n);
        }),
      );
      const socket = s.io('/', { transports: ['websocket'], reconnectionDelay: 5 });
      await s.until(socket, 'connect');
      s.watch(socket, 'socket', 'connect', 'disconnect');
      socket.io.engine._pingTimeoutTime = Date.now() - 1;
      const answer = socket.emitWithAck('x', 1);
      s.log.push(socket.sendBuffer.length, socket.connected);
      s.log.push(await answer, got);
    },
  ],
  [
    'speaks to a server of version 2',
    {},
    async (s) => {
      s.server.engine.on('connection', (conn: { send(text: string): void; removeAllListeners(): void }) => {
        conn.removeAllListeners();
        // What a server of version 2 says first: no answer, no session id.
        conn.send('0');
      });
      const socket = s.io('/', { transports: ['websocket'] });
      s.watch(socket, 'socket', 'connect', 'connect_error');
      await s.until(socket, 'connect_error');
      s.log.push(socket.connected, socket.active);
    },
  ],
  [
    'sends again what is not answered, under new ids and in order',
    {},
    async (s) => {
      const got: unknown[] = [];
      s.server.on('connection', (peer) =>
        peer.on('x', (n, reply) => {
          got.push(n);
          if (n !== 'never' && got.filter((each) => each === n).length > 1) reply(null, n);
        }),
      );
      const socket = s.io('/', { transports: ['websocket'], retries: 2, ackTimeout: 30, autoConnect: false });
      socket.connect();
      watchPackets(s, socket);
      const done = ['one', 'never', 'three'].map(
        (name) =>
          new Promise<void>((resolve) => {
            socket.emit('x', name, (...args: unknown[]) => {
              s.log.push([name, ...args.map(comparable)]);
              resolve();
            });
          }),
      );
      s.log.push(socket._queue.length, socket.sendBuffer.length);
      await s.until(socket, 'connect');
      socket.volatile.emit('light');
      s.log.push(socket._queue.length);
      await Promise.all(done);
      s.log.push(socket._queue.length, Object.keys(socket.acks).length, got);
    },
  ],
  [
    'has a time limit for all acknowledgements',
    {},
    async (s) => {
      s.server.on('connection', (peer) => peer.on('yes', (reply) => reply('yes')));
      const socket = s.io('/', { transports: ['websocket'], ackTimeout: 20 });
      await s.until(socket, 'connect');
      const ask = (name: string) =>
        new Promise<void>((resolve) => {
          socket.emit(name, (...args: unknown[]) => {
            s.log.push([name, args.map(comparable)]);
            resolve();
          });
        });
      await ask('yes');
      await ask('no');
      s.log.push(await socket.emitWithAck('yes'));
      await socket.emitWithAck('no').catch((error) => s.log.push(comparable(error)));
      s.log.push(Object.keys(socket.acks).length);
    },
  ],
  [
    'keeps what was not sent, with its time limit',
    {},
    async (s) => {
      s.server.on('connection', (peer) => peer.on('x', (reply) => reply('late')));
      const socket = s.io('/', { transports: ['websocket'], autoConnect: false });
      const gone = new Promise<void>((resolve) => {
        socket.timeout(10).emit('x', (...args: unknown[]) => {
          s.log.push(args.map(comparable));
          resolve();
        });
      });
      socket.emit('x', (...args: unknown[]) => s.log.push(args));
      s.log.push(socket.sendBuffer.length);
      await gone;
      s.log.push(socket.sendBuffer.length, Object.keys(socket.acks).length);
      socket.connect();
      s.log.push(await socket.emitWithAck('x'));
    },
  ],
  [
    'is reached by tools',
    {},
    async (s) => {
      const socket = s.io('/', { transports: ['websocket'] });
      await s.until(socket, 'connect');
      s.watch(socket, 'socket', 'fake', 'faked');
      s.watch(socket.io, 'manager', 'packet');
      const { engine } = socket.io;
      s.log.push([typeof engine.id, engine.readyState, engine.binaryType, engine.transport.name]);
      s.log.push([typeof engine._pingTimeoutTime, engine._pingTimeoutTime > Date.now()]);
      const faked = s.until(socket, 'faked');
      (engine.emit as (event: string, data: string) => void)('data', '2["faked",1]');
      await faked;
      (socket.onpacket as (packet: object) => void)({ type: 2, nsp: '/', data: ['fake', 2] });
      await new Promise((resolve) => setImmediate(resolve));
      socket.emit('question', () => {});
      s.log.push(Object.keys(socket.acks), socket._queue.length);
      (socket.onpacket as (packet: object) => void)({ type: 3, nsp: '/', id: 0, data: [] });
      s.log.push(Object.keys(socket.acks), Object.keys(socket.io.nsps));
      s.log.push(socket.receiveBuffer.length, socket.sendBuffer.length);
    },
  ],
  [
    'changes the connection of a manager by hand',
    {},
    async (s) => {
      const manager = s.manager({ autoConnect: false, transports: ['websocket'], reconnectionDelay: 7 });
      manager
        .reconnection(false)
        .reconnectionAttempts(2)
        .reconnectionDelay(3)
        .reconnectionDelayMax(4)
        .randomizationFactor(0)
        .timeout(1000);
      s.log.push([
        manager.reconnection(),
        manager.reconnectionAttempts(),
        manager.reconnectionDelay(),
        manager.reconnectionDelayMax(),
        manager.randomizationFactor(),
        manager.timeout(),
      ]);
      s.watch(manager, 'manager', 'open', 'close', 'reconnect_attempt', 'reconnect', 'error');
      const socket = manager.socket('/', { auth: { token: 1 } });
      s.log.push([socket.io === manager, socket.active, socket.nsp, socket.auth]);
      s.log.push(manager.connect() === manager, manager.open() === manager);
      await s.until(manager, 'open');
      s.log.push(manager.open() === manager);
      socket.connect();
      await s.until(socket, 'connect');
      const closed = s.until(manager, 'close');
      manager.engine.close();
      await closed;
      s.log.push(socket.active);
      manager.reconnection(true);
      socket.connect();
      await s.until(socket, 'connect');
      // What is left is closed with its last socket, and opened with the next.
      const again = s.until(manager, 'close');
      s.log.push(socket.disconnect().close() === socket);
      await again;
      s.log.push(manager.socket('/') === socket, socket.active);
      socket.open();
      await s.until(socket, 'connect');
      socket.disconnect();
    },
  ],
  [
    'opens a socket again by asking its manager',
    {},
    async (s) => {
      const manager = s.manager({ transports: ['websocket'] });
      const socket = manager.socket('/');
      await s.until(socket, 'connect');
      const closed = s.until(manager, 'close');
      socket.disconnect();
      await closed;
      s.log.push(manager.socket('/') === socket, socket.active);
      await s.until(socket, 'connect');
      socket.disconnect();
    },
  ],
  [
    'stops to reconnect when it is told to',
    {},
    async (s) => {
      s.http.close();
      const socket = s.io('/', { transports: ['websocket'], reconnectionDelay: 5, randomizationFactor: 0 });
      s.watch(socket.io, 'manager', 'reconnect_attempt', 'reconnect_error', 'reconnect_failed', 'close');
      s.watch(socket, 'socket', 'connect_error', 'disconnect');
      await s.until(socket.io, 'reconnect_attempt');
      await s.until(socket.io, 'reconnect_error');
      socket.disconnect();
      s.log.push(socket.active);
      // Later than the next attempt would be.
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
  ],
  ...[true, false].map(
    (useNativeTimers): Program => [
      `has replaced timers, and useNativeTimers ${useNativeTimers}`,
      {},
      async (s) => {
        s.http.close();
        const { setTimeout } = globalThis;
        const replaced: unknown[] = [];
        globalThis.setTimeout = ((_callback: () => void, delayMs: number) => {
          replaced.push(delayMs);
        }) as unknown as typeof setTimeout;
        try {
          const delays = { reconnectionDelay: 3, randomizationFactor: 0, timeout: 4567 };
          const socket = s.io('/', { transports: ['websocket'], useNativeTimers, ...delays });
          await s.until(socket, 'connect_error');
          if (useNativeTimers) await s.until(socket.io, 'reconnect_attempt');
          s.log.push([3, 4567].map((delayMs) => replaced.includes(delayMs)));
          socket.disconnect();
        } finally {
          globalThis.setTimeout = setTimeout;
        }
      },
    ],
  ),
  [
    'is recovered',
    { connectionStateRecovery: {} },
    async (s) => {
      s.server.on('connection', (peer) => {
        s.log.push(peer.recovered);
        if (!peer.recovered) peer.emit('one', 1);
      });
      const socket = s.io('/', { transports: ['websocket'], reconnectionDelay: 5 });
      await s.until(socket, 'one');
      const { id } = socket;
      const server = [...s.server.sockets.sockets.values()][0]!;
      const gone = new Promise((resolve) => server.once('disconnect', resolve));
      const back = s.until(socket, 'connect');
      socket.io.engine.close();
      await gone;
      s.log.push(socket.id);
      await back;
      s.log.push(socket.recovered, socket.id === id);
    },
  ],
];
