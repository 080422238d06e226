/**
 * What: what a client of ours does with a Socket.IO server, whoever has written that: a suite over each transport.
 * Must not know: which server it is.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket as TcpSocket,
} from 'node:net';
import type { Server as OfficialServer, ServerOptions } from 'socket.io';
import { afterEach, describe, expect, it } from 'vitest';
import type { ManagerOptions, SocketOptions } from '../../src/client/options.ts';
import type { Socket } from '../../src/client/socket.ts';
import { io as connect } from '../../src/entry/client-node.ts';

type Options = Partial<ManagerOptions & SocketOptions>;

/** What the suite needs of a server's class. */
export type ServerClass = new (http: HttpServer, opts: Partial<ServerOptions>) => OfficialServer;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

async function listen(Server: ServerClass, opts: Partial<ServerOptions>, port: number) {
  const http: HttpServer = createServer();
  const server = new Server(http, opts);
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address() as AddressInfo;
  const close = async () => {
    http.closeAllConnections();
    await server.close();
  };
  undo.push(close);
  return { server, close, port: address.port, url: `http://127.0.0.1:${address.port}` };
}

/** A way to a server on which, from some moment on, nothing moves any more. */
async function stallable(port: number) {
  const sockets: TcpSocket[] = [];
  const proxy = createTcpServer((down) => {
    const up = connectTcp(port, '127.0.0.1');
    sockets.push(down, up);
    for (const socket of [down, up]) socket.on('error', () => {});
    down.pipe(up).pipe(down);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  undo.push(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await once(proxy, 'close');
  });
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    stall() {
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

/** The next event of a socket, as its arguments. */
const next = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

const ways: [string, Options][] = [
  ['polling', { transports: ['polling'] }],
  ['websocket', { transports: ['websocket'] }],
  ['upgrade', { transports: ['polling', 'websocket'] }],
];

/** Declares the suite for a server. */
export function clientScenarios(Server: ServerClass): void {
  describe.each(ways)('over %s', (way, transportOptions) => declare(Server, way, transportOptions));
}

function declare(Server: ServerClass, way: string, transportOptions: Options): void {
  const serve = (opts: Partial<ServerOptions> = {}, port = 0) => listen(Server, opts, port);

  function open(url: string, opts: Options = {}): Socket {
    const socket = connect(url, { forceNew: true, reconnectionDelay: 10, ...transportOptions, ...opts });
    undo.push(() => socket.disconnect());
    return socket;
  }

  /** Connected, and where an upgrade is due, upgraded. */
  async function opened(url: string, opts: Options = {}): Promise<Socket> {
    const socket = open(url, opts);
    const upgraded =
      way === 'upgrade' ? new Promise((resolve) => socket.io.engine.once('upgrade', resolve)) : undefined;
    await Promise.all([next(socket, 'connect'), upgraded]);
    return socket;
  }

  it('connects, with the same id on both sides', async () => {
    const { server, url } = await serve();
    const ids: string[] = [];
    server.on('connection', (socket) => ids.push(socket.id));
    const socket = await opened(url);
    expect(ids).toEqual([socket.id]);
    expect(socket.io.engine.transport.name).toBe(way === 'polling' ? 'polling' : 'websocket');
  });

  it('is refused with a message and data, and does not come back by itself', async () => {
    const { server, url } = await serve();
    server.use((_socket, next) => next(Object.assign(new Error('not you'), { data: { code: 7 } })));
    const socket = open(url);
    const [error] = await next(socket, 'connect_error');
    expect(error).toMatchObject({ message: 'not you', data: { code: 7 } });
    expect(socket.active).toBe(false);
  });

  it('learns that a namespace does not exist', async () => {
    const { url } = await serve();
    const [error] = await next(open(`${url}/nowhere`), 'connect_error');
    expect(error).toMatchObject({ message: 'Invalid namespace' });
  });

  it('exchanges events with many arguments of all kinds', async () => {
    const { server, url } = await serve();
    const args = [1, 'two', null, true, { three: [3, { four: 4 }] }, 'ünïcödé €😀', -0.5, []];
    server.on('connection', (socket) => socket.on('args', (...received) => socket.emit('back', ...received)));
    const socket = await opened(url);
    socket.emit('args', ...args);
    expect(await next(socket, 'back')).toEqual(args);
  });

  it('gets and gives acknowledgements', async () => {
    const { server, url } = await serve();
    const answers: unknown[] = [];
    server.on('connection', (socket) => {
      socket.on('sum', (a, b, reply) => reply(a + b, 'ok'));
      socket.on('ask me', (reply) => socket.emit('question', 20, (answer: unknown) => reply(answer)));
    });
    const socket = await opened(url);
    socket.on('question', (n, reply) => reply(n + 1));
    await new Promise<void>((resolve) => {
      socket.emit('sum', 1, 2, (...args: unknown[]) => {
        answers.push(...args);
        resolve();
      });
    });
    expect(answers).toEqual([3, 'ok']);
    expect(await socket.emitWithAck('sum', 3, 4)).toBe(7);
    expect(await socket.emitWithAck('ask me')).toBe(21);
  });

  it('gives up waiting for an acknowledgement', async () => {
    const { url } = await serve();
    const socket = await opened(url);
    await expect(socket.timeout(20).emitWithAck('nobody listens')).rejects.toThrow('operation has timed out');
  });

  it('carries bytes anywhere in a message', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => {
      socket.on('bytes', (message, reply) => {
        expect(Buffer.isBuffer(message.deep[1].bytes)).toBe(true);
        reply(message, Buffer.from('answer'));
      });
    });
    const socket = await opened(url);
    const message = {
      deep: ['x', { bytes: Uint8Array.of(0, 1, 255) }],
      buffer: Uint8Array.of(4, 5).buffer,
      view: new DataView(Uint8Array.of(9, 8, 7).buffer, 1, 1),
      node: Buffer.from('node'),
      empty: new Uint8Array(0),
    };
    const answer = await new Promise<unknown[]>((resolve) =>
      socket.emit('bytes', message, (...args: unknown[]) => resolve(args)),
    );
    expect(answer).toEqual([
      {
        deep: ['x', { bytes: Buffer.from([0, 1, 255]) }],
        buffer: Buffer.from([4, 5]),
        view: Buffer.from([8]),
        node: Buffer.from('node'),
        empty: Buffer.alloc(0),
      },
      Buffer.from('answer'),
    ]);
  });

  it('receives what is sent to its rooms, and nothing else', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => {
      socket.on('join', async (room, reply) => {
        await socket.join(room);
        reply();
      });
    });
    const [a, b] = await Promise.all([opened(url), opened(url)]);
    const seen: string[] = [];
    a.on('news', (text) => seen.push(`a ${text}`));
    b.on('news', (text) => seen.push(`b ${text}`));
    await a.emitWithAck('join', 'red');
    await b.emitWithAck('join', 'blue');
    server.to('red').emit('news', 'red');
    server.to('blue').emit('news', 'blue');
    const all = [next(a, 'end'), next(b, 'end')];
    server.emit('end');
    await Promise.all(all);
    expect(seen.sort()).toEqual(['a red', 'b blue']);
  });

  it('enters namespaces over one connection, with credentials', async () => {
    const { server, url } = await serve();
    server.of('/admin').use((socket, next) => {
      next(socket.handshake.auth.token === 'secret' ? undefined : new Error('who are you'));
    });
    server.of('/admin').on('connection', (socket) => socket.emit('hello', socket.handshake.auth));
    const main = await opened(url);
    const admin = main.io.socket('/admin', { auth: { token: 'wrong' } });
    expect((await next(admin, 'connect_error'))[0]).toMatchObject({ message: 'who are you' });
    admin.auth = (callback) => callback({ token: 'secret' });
    const hello = next(admin, 'hello');
    admin.connect();
    expect(await hello).toEqual([{ token: 'secret' }]);
    expect(server.engine.clientsCount).toBe(1);
    admin.disconnect();
    expect(main.connected).toBe(true);
  });

  it('sees why it was disconnected, and so does the server', async () => {
    const { server, url } = await serve();
    const reasons: string[] = [];
    const gone = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('kick', (close) => socket.disconnect(close));
        socket.on('disconnect', (reason) => {
          reasons.push(reason);
          if (reasons.length === 3) resolve();
        });
      });
    });
    const kicked = await opened(url);
    kicked.emit('kick', false);
    expect(await next(kicked, 'disconnect')).toEqual(['io server disconnect', undefined]);
    const closed = await opened(url);
    closed.emit('kick', true);
    expect((await next(closed, 'disconnect'))[0]).toBe('io server disconnect');
    const leaving = await opened(url);
    const left = next(leaving, 'disconnect');
    leaving.disconnect();
    expect(await left).toEqual(['io client disconnect', undefined]);
    await gone;
    expect(reasons).toEqual([
      'server namespace disconnect',
      'server namespace disconnect',
      'client namespace disconnect',
    ]);
  });

  it('notices a server that has fallen silent', async () => {
    const { port } = await serve({ pingInterval: 40, pingTimeout: 60 });
    const { url, stall } = await stallable(port);
    const socket = await opened(url);
    await new Promise((resolve) => socket.io.once('ping', () => resolve(undefined)));
    stall();
    // Between two Tautline ends the session waits for another connection first.
    const [reason] = await Promise.race([next(socket, 'disconnect'), next(socket, 'interrupted')]);
    expect(reason).toBe('ping timeout');
  });

  it('passes 900 kB in both directions', async () => {
    const { server, url } = await serve();
    const text = 'x'.repeat(900_000);
    // 900 kB as base64, for HTTP.
    const bytes = Buffer.alloc(way === 'polling' ? 670_000 : 900_000, 7);
    server.on('connection', (socket) => socket.on('big', (value, reply) => reply(value)));
    const socket = await opened(url);
    expect(await socket.emitWithAck('big', text)).toBe(text);
    expect(bytes.equals(await socket.emitWithAck('big', bytes))).toBe(true);
  });

  it('refuses a message above the limit before it is sent, and goes on', async () => {
    const { server, url } = await serve({ maxHttpBufferSize: 10_000 });
    server.on('connection', (socket) => socket.on('echo', (value, reply) => reply(value)));
    const socket = await opened(url);
    await expect(socket.emitWithAck('echo', 'x'.repeat(10_000))).rejects.toMatchObject({
      code: 'ENGINE_ERR_PAYLOAD_LIMIT',
      limit: { name: 'maxPayload', value: 10_000 },
    });
    expect(await socket.emitWithAck('echo', 'small')).toBe('small');
  });

  it('keeps 2,000 messages in order, both ways', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => socket.on('n', (n) => socket.emit('n', n)));
    // Some before the connection, some during the upgrade, the rest whenever they come.
    const socket = open(url);
    const received: number[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('n', (n) => {
        received.push(n);
        if (n === 1999) resolve();
      });
    });
    for (let n = 0; n < 1000; n++) socket.emit('n', n);
    await next(socket, 'connect');
    for (let n = 1000; n < 2000; n++) {
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      socket.emit('n', n);
    }
    await done;
    expect(received).toEqual(Array.from({ length: 2000 }, (_, n) => n));
  });

  it('splits what it sends by the server’s limit', async () => {
    const { server, url } = await serve({ maxHttpBufferSize: 2000 });
    server.on('connection', (socket) => {
      socket.on('n', () => {});
      socket.on('count', (reply) => reply());
    });
    const socket = open(url);
    for (let n = 0; n < 50; n++) socket.emit('n', 'x'.repeat(100), n, Uint8Array.of(n));
    await socket.emitWithAck('count');
    expect(socket.connected).toBe(true);
  });

  it('comes back after a restart of the server, and sends what waited', async () => {
    const first = await serve();
    const socket = await opened(first.url);
    const events: string[] = [];
    socket.io.on('reconnect', () => events.push('reconnect'));
    // Who polls cannot be told in time that a session is over: it looks for the server until there is one again.
    const disconnected = Promise.race([next(socket, 'disconnect'), next(socket, 'interrupted')]);
    await first.close();
    const [reason] = await disconnected;
    expect(['transport close', 'transport error']).toContain(reason);
    const answer = socket.emitWithAck('waiting', 1);
    const { server } = await serve({}, first.port);
    server.on('connection', (peer) => peer.on('waiting', (n, reply) => reply(n + 1)));
    expect(await answer).toBe(2);
    expect(events).toEqual(['reconnect']);
  });

  it('gets back what it missed, with the state recovery of the server', async () => {
    const { server, url } = await serve({ connectionStateRecovery: {} });
    server.on('connection', (socket) => {
      if (!socket.recovered) void socket.join('room');
    });
    const socket = await opened(url);
    const { id } = socket;
    const seen: unknown[] = [];
    socket.on('news', (n) => seen.push(n));
    const first = next(socket, 'news');
    server.to('room').emit('news', 1);
    await first;
    const disconnected = next(socket, 'disconnect');
    const engineClosed = new Promise((resolve) => {
      for (const peer of server.sockets.sockets.values()) peer.on('disconnect', resolve);
    });
    const back = next(socket, 'connect');
    // Cut, not closed, so that the server keeps the state.
    socket.io.engine.transport.terminate();
    for (const peer of server.sockets.sockets.values()) peer.conn.close(true);
    socket.io.engine.close();
    await Promise.all([disconnected, engineClosed]);
    server.to('room').emit('news', 2);
    await back;
    expect(seen).toEqual([1, 2]);
    expect(socket).toMatchObject({ id, recovered: true });
  });

  it('carries headers, the query and cookies', async () => {
    const { server, url } = await serve({ cookie: { name: 'sticky' } });
    const handshakes: { headers: Record<string, unknown>; query: Record<string, unknown> }[] = [];
    server.on('connection', (socket) => handshakes.push(socket.handshake));
    const cookies: (string | undefined)[] = [];
    server.engine.on('headers', (_headers: unknown, request: { headers: { cookie?: string } }) =>
      cookies.push(request.headers.cookie),
    );
    const socket = await opened(`${url}/?a=1`, { extraHeaders: { 'x-test': 'yes' }, withCredentials: true });
    expect(handshakes[0]).toMatchObject({ headers: { 'x-test': 'yes' }, query: { a: '1', EIO: '4' } });
    if (way !== 'websocket') expect(cookies.at(-1)).toBe(`sticky=${socket.io.engine.id}`);
  });
}
