/**
 * What: shows what a client hears and says while the server cannot take more of its events, over each transport.
 * Must not know: how much may wait where.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket as TcpSocket } from 'node:net';
import { io as plainIo } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Socket as OurSocket, io as ourIo } from '../../../src/entry/client-node.ts';
import { withStreams } from '../../../src/entry/client-stream.ts';
import { defineContract } from '../../../src/entry/contract.ts';
import { RateLimiter, type Socket } from '../../../src/entry/index.ts';
import { next, type Scene, scene } from './scene.ts';

type Kind = 'ours' | 'plain';

const ways: [Kind, string][] = [
  ['ours', 'websocket'],
  ['ours', 'sse'],
  ['ours', 'polling'],
  ['plain', 'websocket'],
  ['plain', 'polling'],
];
const kinds: [Kind][] = [['ours'], ['plain']];

async function enter(s: Scene, kind: Kind, transport = 'websocket') {
  const options = { transports: [transport] };
  const { client, socket } = await (kind === 'ours' ? s.ours('/', options) : s.plain('/', options));
  return { client: withStreams(client as OurSocket), socket };
}

const isHeld = (socket: Socket) => (socket.conn as unknown as { isHeld: boolean }).isHeld;
const KILOBYTE = 'x'.repeat(1000);
/** Nobody opens it. */
const shut = new Promise<never>(() => {});

/** Reads one event and then no more. */
async function readOne(events: AsyncIterable<unknown[]>): Promise<void> {
  for await (const _ of events) await shut;
}

describe.each(ways)('a client that floods (%s, %s)', (kind, transport) => {
  it('has to wait where it is read slowly, and loses nothing', async () => {
    const { client, socket } = await enter(await scene(), kind, transport);
    const events = socket.events('row');
    const flood = 3000;
    for (let i = 0; i < flood; i++) client.emit('row', i, KILOBYTE);
    await expect.poll(() => isHeld(socket)).toBe(true);
    expect(events.buffered).toBe(16);
    let expected = 0;
    for await (const [i] of events) {
      expect(i).toBe(expected++);
      if (expected === flood) break;
    }
    expect(events.dropped).toBe(0);
    expect(socket.connected).toBe(true);
  });

  it.each(['emitWithAck', 'timeout(5000).emitWithAck', 'stream'])(
    'answers the loop that reads it: %s',
    async (how) => {
      const { client, socket } = await enter(await scene(), kind, transport);
      client.on('more?', (answer) => answer('yes'));
      client.onStream('more?', () => ['yes']);
      const ask = async (): Promise<unknown> => {
        if (how === 'emitWithAck') return socket.emitWithAck('more?');
        if (how !== 'stream') return socket.timeout(5000).emitWithAck('more?');
        for await (const part of socket.stream('more?')) return part;
        return undefined;
      };
      const events = socket.events('row');
      for (let i = 0; i < 100; i++) client.emit('row', i);
      const handled: number[] = [];
      for await (const [i] of events) {
        expect(await ask()).toBe('yes');
        handled.push(i as number);
        if (handled.length === 100) break;
      }
      expect(handled).toEqual(Array.from({ length: 100 }, (_, i) => i));
    },
  );

  it('answers it behind megabytes of events, too', async () => {
    const { client, socket } = await enter(await scene(), kind, transport);
    client.on('more?', (answer) => answer('yes'));
    const events = socket.events('row');
    for (let i = 0; i < 3000; i++) client.emit('row', i, KILOBYTE);
    let handled = 0;
    for await (const _ of events) {
      if (handled % 1000 === 0) expect(await socket.emitWithAck('more?')).toBe('yes');
      if (++handled === 3000) break;
    }
    expect(events.dropped).toBe(0);
  });

  it('is heard to leave while the loop does not go on, and what it sent is read to the end', async () => {
    const { client, socket } = await enter(await scene(), kind, transport);
    const events = socket.events('row');
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const [i] of events) {
        await gate;
        seen.push(i);
      }
    })();
    for (let i = 0; i < 2000; i++) client.emit('row', i);
    // Its answer passes what waits, so all of it has come.
    socket.on('all', (answer) => answer());
    await client.emitWithAck('all');
    client.disconnect();
    if (socket.connected) await once(socket, 'disconnect');
    expect(seen).toEqual([]);
    open();
    await loop;
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });
});

/** Connections through it can be cut without a word, and be silent. */
async function proxyTo(port: number) {
  const pairs: [TcpSocket, TcpSocket][] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
    pairs.push([near, far]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      for (const [, far] of pairs) far.destroy();
    },
    reset: () => {
      for (const [, far] of pairs) far.resetAndDestroy();
    },
    silence: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.pause();
        // The server's words are taken, and nobody hears them.
        far.resume();
      }
    },
  };
}

const stuck = defineContract({
  clientToServer: { row: [z.number().refine(() => shut), z.string()], all: { args: [], ack: [] } },
});
const never = { nowMs: () => 0, setTimer: () => ({ cancel() {} }) };

describe('a client that goes while its events wait', () => {
  const holds: [string, (s: Scene['io']) => void, (socket: Socket) => void][] = [
    ['for a loop', () => {}, (socket) => void readOne(socket.events('row'))],
    ['for an asynchronous schema', (io) => void io.contract(stuck), () => {}],
    [
      'for the rate policy delay',
      (io) =>
        void io.guard(
          new RateLimiter({ events: 'row', limit: 1, policy: 'delay', maxDelayMs: 1e9 }, { clock: never }),
        ),
      () => {},
    ],
  ];
  const ends = ['cut', 'reset', 'silence'] as const;
  const cases = holds.flatMap(([title, guard, hold]) =>
    ends.map((end) => [title, end, guard, hold] as const),
  );

  it.each(cases)('%s is noticed (%s)', async (_title, end, guard, hold) => {
    const s = await scene({ pingInterval: 200, pingTimeout: 200 }, guard);
    const proxy = await proxyTo(s.port);
    const connected = once(s.io as never, 'connection') as Promise<[Socket]>;
    const client = plainIo(proxy.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    onTestFinished(() => void client.disconnect());
    const [socket] = await connected;
    hold(socket);
    for (let i = 0; i < 200; i++) client.emit('row', i, '');
    // The heartbeat runs.
    await next(client.io, 'ping');
    const ended = once(socket, 'disconnect');
    proxy[end]();
    const [reason] = await ended;
    expect(reason).toBe(
      end === 'silence' ? 'ping timeout' : end === 'cut' ? 'transport close' : 'transport error',
    );
  });

  it.each([
    ['cut', 'websocket'],
    ['reset', 'websocket'],
    ['cut', 'polling'],
    ['silence', 'polling'],
  ] as const)('is noticed when its connection is not read any more (%s, %s)', async (end, transport) => {
    const s = await scene({ pingInterval: 200, pingTimeout: 200 });
    const proxy = await proxyTo(s.port);
    const connected = once(s.io as never, 'connection') as Promise<[Socket]>;
    const client = plainIo(proxy.url, { transports: [transport], forceNew: true, reconnection: false });
    onTestFinished(() => void client.disconnect());
    const [socket] = await connected;
    void readOne(socket.events('row'));
    for (let i = 0; i < 3000; i++) client.emit('row', i, KILOBYTE);
    await expect.poll(() => isHeld(socket)).toBe(true);
    const ended = once(socket, 'disconnect');
    proxy[end]();
    expect(await ended).toHaveLength(2);
  });
});

describe.each(['websocket', 'sse', 'polling'])('a session whose events wait (%s)', (transport) => {
  it('loses and repeats none when its connections break', async () => {
    const s = await scene();
    const proxy = await proxyTo(s.port);
    const connected = once(s.io as never, 'connection') as Promise<[Socket]>;
    const client = ourIo(proxy.url, { transports: [transport], forceNew: true, reconnectionDelay: 10 });
    onTestFinished(() => void client.disconnect());
    const [socket] = await connected;
    const events = socket.events('row');
    const flood = 4000;
    for (let i = 0; i < flood; i++) client.emit('row', i, KILOBYTE);
    await expect.poll(() => isHeld(socket)).toBe(true);
    const resumed = next(client, 'resumed');
    proxy.cut();
    if (transport === 'websocket') await resumed;
    let expected = 0;
    for await (const [i] of events) {
      expect(i).toBe(expected++);
      if (expected === flood) break;
    }
    // What comes behind is the next.
    socket.on('all', (answer) => answer('once'));
    expect(await client.emitWithAck('all')).toBe('once');
    expect(events.dropped).toBe(0);
  });
});

describe('events that wait', () => {
  it.each(kinds)('are passed by those of other names (%s)', async (kind) => {
    const { client, socket } = await enter(await scene(), kind);
    const events = socket.events('row');
    socket.on('other', (answer) => answer(events.buffered));
    for (let i = 0; i < 100; i++) client.emit('row', i);
    expect(await client.emitWithAck('other')).toBe(16);
  });

  it.each(kinds)(
    'for a rate limit are passed by those that do not share it, and refused when they come (%s)',
    async (kind) => {
      const limiter = new RateLimiter(
        { events: ['up', 'import'], limit: 1, perMs: 1000, burst: 1, policy: 'delay', maxDelayMs: 2000 },
        { clock: never },
      );
      const s = await scene({}, (io) => void io.guard(limiter));
      const { client, socket } = await enter(s, kind);
      const seen: unknown[] = [];
      socket.on('up', (i) => seen.push(i));
      socket.on('other', (answer) => answer('heard'));
      for (let i = 0; i < 300; i++) client.emit('up', i);
      expect(await client.emitWithAck('import')).toMatchObject({ error: { code: 'RATE_ERR_LIMITED' } });
      expect(await client.emitWithAck('other')).toBe('heard');
      expect(seen).toEqual([0]);
      expect(limiter.counters).toMatchObject({ delayed: 2, refused: 298 });
    },
  );

  it('for a schema keep the order of all names', async () => {
    const slow = defineContract({
      clientToServer: {
        slow: [z.number().refine(async () => true)],
        fast: [z.number()],
        all: { args: [], ack: [] },
      },
    });
    const s = await scene({}, (io) => void io.contract(slow));
    const { client, socket } = await enter(s, 'plain');
    const seen: unknown[] = [];
    socket.on('slow', (i) => seen.push(i));
    socket.on('fast', (i) => seen.push(i));
    socket.on('all', (answer) => answer());
    for (let i = 0; i < 300; i++) client.emit(i % 2 === 0 ? 'slow' : 'fast', i);
    await client.emitWithAck('all');
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });
});
