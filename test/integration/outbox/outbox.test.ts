/**
 * What: events emitted with an outbox reach the server's handlers once and in order, over lost sessions and pages that go.
 * Must not know: how an outbox keeps them; a page is a store over the database that all pages share.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ManagerOptions, SocketOptions } from '../../../src/client/options.ts';
import type { OutboxSettings } from '../../../src/client/outbox/outbox.ts';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { createOutbox, MemoryDatabase, MemoryOutboxStore } from '../../../src/entry/outbox.ts';
import { cuttingProxy } from '../client/cutting-proxy.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** A server whose clients say `word`; it notes them, and answers with how many it has. */
async function serve(opts: object = {}, port = 0) {
  const http: HttpServer = createServer();
  const server = new Server(http, opts as never);
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const got: unknown[] = [];
  const waiting: (() => void)[] = [];
  server.on('connection', (socket) =>
    socket.on('word', (...args) => {
      const reply = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      got.push(args.length === 1 ? args[0] : args);
      reply?.(got.length);
      for (const wake of waiting.splice(0)) wake();
    }),
  );
  const stop = async () => {
    http.closeAllConnections();
    await server.close();
  };
  undo.push(stop);
  const until = async (count: number) => {
    while (got.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { server, http, got, until, stop, port: (http.address() as AddressInfo).port };
}

/** A page: a socket with an outbox in the database that all pages share. */
function open(
  port: number | string,
  database: MemoryDatabase,
  opts: Partial<ManagerOptions & SocketOptions> = {},
  settings: OutboxSettings = {},
) {
  const store = new MemoryOutboxStore(database);
  const errors: unknown[] = [];
  const outbox = createOutbox(store, { onError: (error) => errors.push(error), ...settings });
  const url = typeof port === 'string' ? port : `http://127.0.0.1:${port}`;
  const socket = io(url, {
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 20,
    outbox,
    ...opts,
  });
  let isGone = false;
  const leave = () => {
    if (isGone) return;
    isGone = true;
    socket.disconnect();
    store.leave();
  };
  undo.push(leave);
  return { socket, outbox, store, leave, errors };
}

const next = (
  emitter: { once(event: never, listener: (...args: unknown[]) => void): unknown },
  event: string,
) => new Promise<unknown[]>((resolve) => emitter.once(event as never, (...args) => resolve(args)));

/** Until the database holds no message any more. */
async function untilEmpty(database: MemoryDatabase): Promise<void> {
  while (database.all().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('an outbox', () => {
  it('keeps what is emitted offline for the next page, which sends it before its own, once and in order', async () => {
    const { got, until, port } = await serve();
    const database = new MemoryDatabase();
    const before = open(port, database, { autoConnect: false });
    for (const i of upTo(20)) before.socket.emit('word', i);
    await before.outbox.saved();
    before.leave();
    expect(database.all().map(({ data }) => data)).toEqual(upTo(20).map((i) => ['word', i]));
    const after = open(port, database);
    for (let i = 20; i < 40; i++) after.socket.emit('word', i);
    await until(40);
    expect(got).toEqual(upTo(40));
    await untilEmpty(database);
  });

  it('does not repeat what the server had received when the page was lost with its confirmation', async () => {
    const { got, until, port } = await serve();
    const database = new MemoryDatabase();
    const before = open(port, database);
    // As when the tab is killed at that moment: the server has them, the page has not heard of it.
    before.store.remove = () => Promise.resolve();
    for (const i of upTo(5)) before.socket.emit('word', i);
    await until(5);
    await before.outbox.saved();
    before.leave();
    expect(database.all().length).toBe(5);
    const after = open(port, database);
    after.socket.emit('word', 5);
    await until(6);
    expect(got).toEqual(upTo(6));
    await untilEmpty(database);
  });

  it('sends again what was not confirmed when a session is over, and the server drops what it had', async () => {
    const { server, got, until, port } = await serve({ session: { windowMs: 0 } });
    const proxy = await cuttingProxy(port, 1, 1e9);
    undo.push(proxy.close);
    const database = new MemoryDatabase();
    const { socket } = open(proxy.url, database);
    await next(socket, 'connect');
    let sessions = 1;
    socket.on('connect', () => sessions++);
    for (let round = 0; round < 5; round++) {
      const arrived = new Promise<void>((resolve) => {
        server.sockets.sockets.get(socket.id!)?.once('word', () => resolve());
      });
      for (let i = 0; i < 20; i++) socket.emit('word', round * 20 + i);
      // Some have been received, some are on their way, and no confirmation has come back.
      await arrived;
      const back = next(socket, 'connect');
      proxy.cut();
      await back;
    }
    await until(100);
    expect(got).toEqual(upTo(100));
    expect(sessions).toBe(6);
    expect(await socket.timeout(5000).emitWithAck('word', 100)).toBe(101);
    await untilEmpty(database);
  });

  it('loses nothing and repeats nothing when the server is another one, if that knows the receipts', async () => {
    const saved = new Map<string, number>();
    const receipts = {
      load: async (lane: string) => saved.get(lane),
      save: (lane: string, count: number) => void saved.set(lane, count),
    };
    const first = await serve({ outbox: { receipts } });
    const database = new MemoryDatabase();
    const { socket } = open(first.port, database);
    for (const i of upTo(3)) socket.emit('word', i);
    await first.until(3);
    const lost = next(socket, 'disconnect');
    await first.stop();
    await lost;
    for (const i of [3, 4]) socket.emit('word', i);
    const second = await serve({ outbox: { receipts } }, first.port);
    await second.until(2);
    expect([...first.got, ...second.got]).toEqual(upTo(5));
    await untilEmpty(database);
  });

  it('takes over what another tab leaves behind as soon as it is gone, and not before', async () => {
    const { got, until, port } = await serve();
    const database = new MemoryDatabase();
    const offline = open(port, database, { autoConnect: false });
    offline.socket.emit('word', 'left behind');
    await offline.outbox.saved();
    const online = open(port, database);
    expect(await online.socket.emitWithAck('word', 'own')).toBe(1);
    await untilOnly(database, 1);
    offline.leave();
    await until(2);
    expect(got).toEqual(['own', 'left behind']);
    await untilEmpty(database);
  });

  it('of several tabs that are opened at once, one sends what was left behind', async () => {
    const { got, until, port } = await serve();
    const database = new MemoryDatabase();
    const before = open(port, database, { autoConnect: false });
    for (const i of upTo(10)) before.socket.emit('word', i);
    await before.outbox.saved();
    before.leave();
    const tabs = upTo(4).map(() => open(port, database));
    await until(10);
    await Promise.all(tabs.map(({ socket }, i) => socket.emitWithAck('word', `tab ${i}`)));
    expect(got.slice(0, 10)).toEqual(upTo(10));
    expect(got.slice(10).sort()).toEqual(['tab 0', 'tab 1', 'tab 2', 'tab 3']);
    await untilEmpty(database);
  });

  it('tabs that cannot tell whether others live all send what was left behind; it arrives once', async () => {
    const { got, until, port } = await serve();
    const database = new MemoryDatabase();
    const before = open(port, database, { autoConnect: false });
    for (const i of upTo(10)) before.socket.emit('word', i);
    await before.outbox.saved();
    before.leave();
    const own = MemoryOutboxStore.prototype.own;
    MemoryOutboxStore.prototype.own = async () => ({ release() {} });
    undo.push(() => {
      MemoryOutboxStore.prototype.own = own;
    });
    const tabs = upTo(3).map(() => open(port, database));
    await until(10);
    await Promise.all(tabs.map(({ socket }, i) => socket.emitWithAck('word', `tab ${i}`)));
    expect(got.slice(0, 10)).toEqual(upTo(10));
    expect(got).toHaveLength(13);
  });

  it('keeps namespaces apart', async () => {
    const { server, port } = await serve();
    const got: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      for (const name of ['/a', '/b']) {
        server.of(name).on('connection', (socket) =>
          socket.on('word', (word) => {
            if (got.push([name, word]) === 2) resolve();
          }),
        );
      }
    });
    const database = new MemoryDatabase();
    const before = ['a', 'b'].map((name) =>
      open(`http://127.0.0.1:${port}/${name}`, database, { autoConnect: false }),
    );
    for (const { socket, outbox } of before) {
      socket.emit('word', 1);
      await outbox.saved();
    }
    for (const { leave } of before) leave();
    const store = new MemoryOutboxStore(database);
    const outbox = createOutbox(store);
    for (const name of ['a', 'b']) {
      const socket = io(`http://127.0.0.1:${port}/${name}`, { outbox });
      undo.push(() => socket.disconnect());
    }
    await both;
    expect(got.sort()).toEqual([
      ['/a', 1],
      ['/b', 1],
    ]);
    await untilEmpty(database);
    store.leave();
  });

  it('carries bytes, and acknowledgements of what this page emits', async () => {
    const { got, port } = await serve();
    const { socket } = open(port, new MemoryDatabase(), { autoConnect: false });
    const answers = [socket.emitWithAck('word', Buffer.from([1, 2])), socket.emitWithAck('word', 2)];
    socket.connect();
    expect(await Promise.all(answers)).toEqual([1, 2]);
    expect(got).toEqual([Buffer.from([1, 2]), 2]);
  });

  it('shows listeners for all events and middlewares the events, not how they travel', async () => {
    const { server, port } = await serve();
    const seen: unknown[] = [];
    server.on('connection', (socket) => {
      socket.onAny((...args) => seen.push(['any', ...args.slice(0, 2)]));
      socket.use((event, proceed) => {
        seen.push(['use', ...event.slice(0, 2)]);
        proceed();
      });
    });
    const { socket } = open(port, new MemoryDatabase());
    socket.onAnyOutgoing((...args) => seen.push(['out', ...args]));
    await socket.emitWithAck('word', 1);
    await socket.emitWithAck('word', 2);
    expect(seen).toEqual([
      ['out', 'word', 1],
      ['any', 'word', 1],
      ['use', 'word', 1],
      ['out', 'word', 2],
      ['any', 'word', 2],
      ['use', 'word', 2],
    ]);
  });

  it.each([
    ['messages', { messages: 3 }],
    ['bytes', { bytes: 500 }],
  ])('is bounded in %s, and tells the program what it refuses', async (name, settings) => {
    const { got, port } = await serve();
    const { socket } = open(port, new MemoryDatabase(), { autoConnect: false }, settings);
    const refused: unknown[] = [];
    socket.on('send_error', (error, args) => refused.push([error.code, error.limit?.name, args]));
    for (const i of upTo(3)) socket.emit('word', i);
    await expect(socket.emitWithAck('word', 3)).rejects.toMatchObject({ code: 'OUTBOX_ERR_FULL' });
    expect(refused).toEqual([['OUTBOX_ERR_FULL', `outbox.${name}`, ['word', 3]]]);
    socket.connect();
    while ((await askForRoom(socket)) === null);
    expect(got.slice(0, 3)).toEqual(upTo(3));
  });

  it('passes over what the server would not take, and what cannot be written', async () => {
    const { got, port } = await serve({ maxHttpBufferSize: 1000 });
    const database = new MemoryDatabase();
    const { socket, errors } = open(port, database, { autoConnect: false });
    const refused: unknown[] = [];
    socket.on('send_error', (error) => refused.push(error.code));
    socket.emit('word', 1);
    socket.emit('word', 'x'.repeat(2000));
    socket.emit('word', 1n);
    const answer = socket.emitWithAck('word', 2);
    socket.connect();
    expect(await answer).toBe(2);
    expect(got).toEqual([1, 2]);
    expect(refused).toEqual(['ENGINE_ERR_PAYLOAD_LIMIT']);
    expect(errors).toEqual([expect.any(TypeError)]);
    await untilEmpty(database);
  });

  it('goes on without its storage, and says that it fails', async () => {
    const { got, port } = await serve();
    const store = new MemoryOutboxStore();
    store.put = () => Promise.reject(new Error('no room'));
    store.load = () => Promise.reject(new Error('not allowed'));
    const errors: string[] = [];
    const outbox = createOutbox(store, { onError: (error) => errors.push((error as Error).message) });
    const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, outbox });
    undo.push(() => socket.disconnect());
    expect(await socket.emitWithAck('word', 1)).toBe(1);
    expect(got).toEqual([1]);
    expect(errors.sort()).toEqual(['no room', 'not allowed']);
  });

  it('forgets everything when the user logs out', async () => {
    const { got, port } = await serve();
    const database = new MemoryDatabase();
    const { socket, outbox } = open(port, database, { autoConnect: false });
    socket.emit('word', 'secret');
    await outbox.saved();
    await outbox.clear();
    expect(database.all()).toEqual([]);
    socket.connect();
    await socket.emitWithAck('word', 'hello');
    expect(got).toEqual(['hello']);
  });

  it.each([
    ['session extension', { session: false }],
    ['receipts', { outbox: false }],
  ])('of a server without %s is sent as plain events, and forgotten when it has left', async (_, opts) => {
    const { got, port } = await serve(opts);
    const database = new MemoryDatabase();
    const before = open(port, database, { autoConnect: false });
    before.socket.emit('word', 0);
    await before.outbox.saved();
    before.leave();
    const { socket } = open(port, database);
    expect(await socket.emitWithAck('word', 1)).toBe(2);
    expect(await socket.emitWithAck('word', 2)).toBe(3);
    expect(got).toEqual([0, 1, 2]);
    await untilEmpty(database);
  });
});

async function untilOnly(database: MemoryDatabase, count: number): Promise<void> {
  while (database.all().length > count) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Emits, unless the outbox is full. */
async function askForRoom(socket: ReturnType<typeof open>['socket']): Promise<unknown> {
  try {
    return await socket.emitWithAck('word', 'room');
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return null;
  }
}
