import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ManagerOptions } from '../../../src/client/options.ts';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { cuttingProxy, meddlingProxy, seeded } from './cutting-proxy.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

async function serve(opts: object = {}) {
  const http = createServer();
  const server = new Server(http, opts as never);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  undo.push(async () => {
    http.closeAllConnections();
    await server.close();
  });
  return { server, port: (http.address() as AddressInfo).port };
}

function open(url: string, opts: Partial<ManagerOptions> = {}) {
  const socket = io(url, {
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 50,
    ...opts,
  });
  undo.push(() => socket.disconnect());
  return socket;
}

const next = (
  emitter: { once(event: never, listener: (...args: unknown[]) => void): unknown },
  event: string,
) => new Promise<unknown[]>((resolve) => emitter.once(event as never, (...args) => resolve(args)));

const COUNT = 600;

describe.each([
  ['websocket', { transports: ['websocket'] }, 8000],
  ['polling', { transports: ['polling'] }, 20_000],
  ['an event stream', { transports: ['sse'] }, 20_000],
  ['short polling', { transports: ['short-polling'], shortPollingIntervalMs: 30 }, 20_000],
  ['the choice of the client', {}, 20_000],
])('over %s, through a proxy that cuts at random', (_, opts, mostBytes) => {
  it.each([1, 2])(
    `${COUNT} messages arrive each way, once and in order (seed %i)`,
    async (seed) => {
      const { server, port } = await serve({
        pingInterval: 300,
        pingTimeout: 300,
        transports: ['websocket', 'sse', 'polling', 'short-polling'],
      });
      const proxy = await cuttingProxy(port, seed, mostBytes);
      undo.push(proxy.close);
      const up: number[] = [];
      const down: number[] = [];
      const events: string[] = [];
      const random = seeded(seed + 100);
      const all = Array.from({ length: COUNT }, (_, i) => i);
      const socket = open(proxy.url, opts);
      const finished = new Promise<void>((resolve) => {
        const check = () => {
          if (up.length >= COUNT && down.length >= COUNT) resolve();
        };
        server.on('connection', (peer) => {
          peer.on('disconnect', (reason) => events.push(`server: ${reason}`));
          peer.on('over', (reply) => reply('over'));
          peer.on('up', (n: number) => {
            up.push(n);
            check();
          });
          let sent = 0;
          const say = () => {
            for (let i = 0; i < 10 && sent < COUNT; i++)
              peer.emit('down', sent++, 'x'.repeat(random() * 100));
            if (sent < COUNT) setTimeout(say, random() * 60);
          };
          say();
        });
        socket.on('down', (n: number) => {
          down.push(n);
          check();
        });
      });
      // Until the session is there, each loss begins another one.
      await next(socket, 'connect');
      socket.on('disconnect', (reason) => events.push(`client: ${reason}`));
      let sent = 0;
      const say = () => {
        for (let i = 0; i < 10 && sent < COUNT; i++) {
          socket.emit('up', sent++, i % 3 ? 'y'.repeat(random() * 100) : Buffer.alloc(random() * 100));
        }
        if (sent < COUNT) setTimeout(say, random() * 60);
      };
      say();
      await finished;
      proxy.calm();
      // What came twice or late would come before this answer.
      expect(await socket.emitWithAck('over')).toBe('over');
      expect(up).toEqual(all);
      expect(down).toEqual(all);
      expect(events).toEqual([]);
      expect(proxy.cuts).toBeGreaterThan(5);
    },
    30_000,
  );
});

describe('an interruption', () => {
  it('is told, with its length, and what is emitted meanwhile arrives in order', async () => {
    const { server, port } = await serve();
    const proxy = await cuttingProxy(port, 1, 1e9);
    undo.push(proxy.close);
    const got: unknown[] = [];
    server.on('connection', (peer) => {
      peer.join('room');
      peer.data.name = 'kept';
      peer.on('word', (word) => got.push(word));
      peer.on('who', (reply) => reply([peer.data.name, [...peer.rooms].includes('room'), got]));
    });
    const socket = open(proxy.url);
    await next(socket, 'connect');
    const { id } = socket;
    const seen: unknown[] = [];
    for (const name of ['interrupted', 'resumed'] as const) {
      socket.on(name as 'resumed', () => seen.push([name, socket.connected, socket.io.engine.readyState]));
    }
    socket.emit('word', 1);
    const lost = next(socket.io, 'interrupted');
    const back = next(socket, 'resumed');
    proxy.cut();
    const [reason] = await lost;
    expect(['transport close', 'transport error']).toContain(reason);
    socket.emit('word', 2);
    socket.volatile.emit('word', 'dropped');
    socket.emit('word', 3);
    const answer = socket.emitWithAck('who');
    expect((await back)[0]).toBeGreaterThanOrEqual(0);
    expect(await answer).toEqual(['kept', true, [1, 2, 3]]);
    expect(socket.id).toBe(id);
    expect(seen).toEqual([
      ['interrupted', true, 'open'],
      ['resumed', true, 'open'],
    ]);
  });

  it('ends the session at once without reconnection, and tells what is unconfirmed', async () => {
    const { server, port } = await serve();
    const proxy = await cuttingProxy(port, 1, 1e9);
    undo.push(proxy.close);
    const socket = open(proxy.url, { reconnection: false });
    await next(socket, 'connect');
    const arrived = new Promise((resolve) => server.sockets.sockets.get(socket.id!)!.on('word', resolve));
    socket.emit('word', 'perhaps');
    await arrived;
    const gone = next(socket, 'disconnect');
    proxy.cut();
    const [, description] = (await gone) as [string, { unconfirmed: { data: unknown }[] }];
    expect(description.unconfirmed.map(({ data }) => data)).toEqual([['word', 'perhaps']]);
  });

  it('ends where the server is another one, and a new session sends what had never left', async () => {
    const first = await serve();
    const socket = open(`http://127.0.0.1:${first.port}`, { transports: ['polling'] });
    await next(socket, 'connect');
    const events: unknown[] = [];
    socket.on('disconnect', (_, description) => {
      events.push(['disconnect', description?.unconfirmed?.length]);
    });
    const lost = next(socket, 'interrupted');
    // As when its process is killed: nobody says goodbye.
    for (const peer of Object.values(first.server.engine.clients)) peer.transport.terminate?.();
    const http = first.server.httpServer as ReturnType<typeof createServer>;
    http.close();
    http.closeAllConnections();
    await lost;
    const answer = socket.emitWithAck('word', 1);
    const second = createServer();
    const server = new Server(second);
    second.listen(first.port, '127.0.0.1');
    undo.push(() => server.close());
    server.on('connection', (peer) => peer.on('word', (n, reply) => reply(n + 1)));
    expect(await answer).toBe(2);
    expect(events).toEqual([['disconnect', 0]]);
  });
});

describe('the choice of a transport', () => {
  it('is WebSocket, with one request, where nothing is in the way', async () => {
    const { port } = await serve();
    const socket = open(`http://127.0.0.1:${port}`);
    await next(socket, 'connect');
    expect(socket.io.engine.decision.map(({ transport, outcome }) => [transport, outcome])).toEqual([
      ['websocket', 'started'],
      ['websocket', 'opened'],
    ]);
  });

  it.each(['refuses', 'swallows', 'delays'] as const)(
    'connects within a second behind a proxy that %s upgrades, and says why',
    async (meddling) => {
      const { port } = await serve();
      const proxy = await meddlingProxy(port, meddling);
      undo.push(proxy.close);
      const socket = open(proxy.url);
      const { engine } = socket.io;
      await next(socket, 'connect');
      const opened = engine.decision.find(({ outcome }) => outcome === 'opened')!;
      expect(opened.transport).not.toBe('websocket');
      expect(opened.atMs).toBeLessThan(1000);
      const [fate] = engine.decision.filter(
        ({ transport, outcome }) => transport === 'websocket' && outcome !== 'started',
      );
      if (meddling === 'refuses') {
        expect(fate).toMatchObject({
          outcome: 'failed',
          reason: { code: 'TRANSPORT_ERR_PROXY', description: 502 },
        });
      } else expect(fate).toMatchObject({ outcome: 'overtaken' });
      if (meddling !== 'delays') return;
      if (engine.transport.name !== 'websocket') await next(engine, 'upgrade');
      expect(engine.decision.at(-1)).toMatchObject({ transport: 'websocket', outcome: 'opened' });
      expect(socket.connected).toBe(true);
    },
  );

  it('begins with what worked the last time', async () => {
    const { port } = await serve();
    const proxy = await meddlingProxy(port, 'swallows');
    undo.push(proxy.close);
    const before = open(proxy.url);
    await next(before, 'connect');
    const winner = before.io.engine.transport.name;
    expect(winner).not.toBe('websocket');
    const socket = open(proxy.url);
    await next(socket, 'connect');
    expect(socket.io.engine.decision.slice(0, 2)).toMatchObject([
      { transport: winner, outcome: 'started' },
      { transport: winner, outcome: 'opened' },
    ]);
  });
});

it('more waits for the connection than a session keeps: all comes, once and in order, in one session', async () => {
  const { server, port } = await serve();
  const received: number[] = [];
  const steps: string[] = [];
  const socket = open(`http://127.0.0.1:${port}`, { session: { bufferMessages: 64 } });
  const whole = new Promise<void>((resolve) => {
    server.on('connection', (peer) => {
      peer.on('word', (n: number) => {
        if (received.push(n) === 500) resolve();
      });
    });
  });
  for (const event of ['connect', 'disconnect', 'interrupted'] as const) {
    socket.on(event, () => steps.push(event));
  }
  for (let n = 0; n < 500; n++) socket.emit('word', n);
  await whole;
  expect(received).toEqual(Array.from({ length: 500 }, (_, n) => n));
  expect(steps).toEqual(['connect']);
});
