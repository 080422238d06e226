/**
 * What: servers of one cluster, ours and the official one among them, over a carrier in memory: an adapter that a program
 * writes on `ClusterAdapterWithHeartbeat`, with either package.
 * Must not know: how adapters work; only what reaches the clients, and what the servers are told.
 */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Server as OfficialServer } from 'socket.io';
import { io as connectTo } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as ours from '../../src/entry/adapter.ts';
import { Server } from '../../src/entry/index.ts';

const official = createRequire(createRequire(import.meta.url).resolve('socket.io'))(
  'socket.io-adapter',
) as typeof ours;

/** What a program writes: messages to all, answers to one; what arrives is copied, as a network does. */
function adapterOn(bus: EventEmitter, { ClusterAdapterWithHeartbeat }: typeof ours) {
  return class BusAdapter extends ClusterAdapterWithHeartbeat {
    constructor(nsp: never) {
      super(nsp, { heartbeatInterval: 50, heartbeatTimeout: 60_000 });
      bus.on('message', (message) => this.onMessage(structuredClone(message)));
      bus.on(`response ${this.uid}`, (response) => this.onResponse(structuredClone(response)));
    }
    protected override async doPublish(message: ours.ClusterMessage): Promise<string> {
      bus.emit('message', structuredClone(message));
      return '';
    }
    protected override async doPublishResponse(uid: string, response: ours.ClusterResponse): Promise<void> {
      bus.emit(`response ${uid}`, structuredClone(response));
    }
  };
}

interface Node {
  readonly io: Server;
  readonly client: ReturnType<typeof connectTo>;
  readonly seen: unknown[];
}

async function start(kinds: readonly ('ours' | 'official')[]): Promise<[Node, Node, Node]> {
  const bus = new EventEmitter().setMaxListeners(50);
  const nodes: Node[] = [];
  for (const [index, kind] of kinds.entries()) {
    const http = createServer();
    const adapter = adapterOn(bus, kind === 'ours' ? ours : official);
    const io =
      kind === 'ours'
        ? new Server(http, { adapter: adapter as never })
        : (new OfficialServer(http, { adapter: adapter as never }) as unknown as Server);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    onTestFinished(() => io.close());
    io.on('connection', (socket) => {
      socket.data.node = index;
      socket.join(['all', `node ${index}`]);
      socket.on('sync', (reply) => reply());
    });
    const client = connectTo(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
      forceNew: true,
      transports: ['websocket'],
    });
    onTestFinished(() => void client.disconnect());
    const seen: unknown[] = [];
    client.on('e', (...args) => seen.push(...args));
    client.on('ask', (reply) => reply(index));
    await new Promise<void>((resolve) => client.once('connect', () => resolve()));
    nodes.push({ io, client, seen });
  }
  return nodes as [Node, Node, Node];
}

describe.each([
  [['ours', 'ours', 'ours']],
  [['ours', 'official', 'ours']],
  [['official', 'ours', 'official']],
] as const)('a cluster of %j', (kinds) => {
  it('is one for rooms, broadcasts and acknowledgements', async () => {
    const nodes = await start(kinds);
    const [a, b, c] = nodes;
    const settle = () => Promise.all(nodes.map(({ client }) => client.emitWithAck('sync')));
    expect(await a.io.of('/').adapter.serverCount()).toBe(3);
    a.io.emit('e', 'all', Buffer.from([1]));
    b.io.to('node 2').emit('e', 'to c');
    b.io.except('node 0').emit('e', 'not to a');
    c.io.local.emit('e', 'local');
    await settle();
    expect(nodes.map(({ seen }) => seen.filter((each) => typeof each === 'string'))).toEqual([
      ['all'],
      ['all', 'not to a'],
      ['all', 'to c', 'not to a', 'local'],
    ]);
    expect(a.seen[1]).toEqual(Buffer.from([1]));

    expect(((await a.io.timeout(5000).emitWithAck('ask')) as number[]).sort()).toEqual([0, 1, 2]);
    expect(await a.io.to('node 1').timeout(5000).emitWithAck('ask')).toEqual([1]);
    await expect(a.io.timeout(200).emitWithAck('nobody answers')).rejects.toThrow('operation has timed out');

    const sockets = await b.io.fetchSockets();
    expect(sockets.map(({ data }) => data.node).sort()).toEqual([0, 1, 2]);
    const [remote] = await b.io.in('node 0').fetchSockets();
    expect(remote?.handshake.headers.host).toMatch(/^127/);
    expect([...(remote?.rooms ?? [])]).toContain('node 0');
    remote?.join('joined');
    b.io.in('node 1').socketsJoin('joined');
    b.io.to('joined').emit('e', 'joined');
    b.io.socketsLeave('joined');
    b.io.to('joined').emit('e', 'left');
    await settle();
    expect(nodes.map(({ seen }) => seen.at(-1))).toEqual(['joined', 'joined', 'local']);
    const ended = new Promise((resolve) => c.client.once('disconnect', resolve));
    a.io.in('node 2').disconnectSockets();
    expect(await ended).toBe('io server disconnect');
    expect((await a.io.fetchSockets()).length).toBe(2);
  });

  it('passes events between the servers, and forgets a server that closes', async () => {
    const [a, b, c] = await start(kinds);
    const told: unknown[] = [];
    for (const [index, { io }] of [a, b, c].entries()) {
      io.on('hello', (...args: unknown[]) => told.push([index, ...args]));
      io.on('count', (reply: (n: number) => void) => reply(index));
    }
    a.io.serverSideEmit('hello', 1, 'x');
    expect(told.sort()).toEqual([
      [1, 1, 'x'],
      [2, 1, 'x'],
    ]);
    expect(((await b.io.serverSideEmitWithAck('count')) as number[]).sort()).toEqual([0, 2]);
    await c.io.close();
    expect(await b.io.of('/').adapter.serverCount()).toBe(2);
    expect(await b.io.serverSideEmitWithAck('count')).toEqual([0]);
  });
});

describe('a server that hangs', () => {
  it('is not waited for longer than told, and not at all once its heartbeats are missed', async () => {
    const bus = new EventEmitter();
    class Adapter extends ours.ClusterAdapterWithHeartbeat {
      constructor(nsp: never) {
        super(nsp, { heartbeatInterval: 20, heartbeatTimeout: 100 });
        bus.on('message', (message) => this.onMessage(message));
      }
      protected override doPublish(message: ours.ClusterMessage): Promise<string> {
        bus.emit('published', message);
        return Promise.resolve('');
      }
      protected override doPublishResponse(): Promise<void> {
        return Promise.resolve();
      }
    }
    const heard: number[] = [];
    bus.on('published', ({ type }) => heard.push(type));
    const io = new Server({ adapter: Adapter as never });
    onTestFinished(() => io.close());
    expect(heard).toEqual([ours.MessageType.INITIAL_HEARTBEAT]);
    bus.emit('message', { uid: 'other', nsp: '/', type: ours.MessageType.INITIAL_HEARTBEAT });
    expect(heard).toEqual([ours.MessageType.INITIAL_HEARTBEAT, ours.MessageType.HEARTBEAT]);
    await expect(io.timeout(10).fetchSockets()).rejects.toThrow(
      'timeout reached: only 0 responses received out of 1',
    );
    // Nobody hears of it again: the question that is under way is answered without it.
    expect(await io.timeout(20_000).fetchSockets()).toEqual([]);
    expect(await io.of('/').adapter.serverCount()).toBe(1);
    // It has gone on giving signs of life itself.
    expect(heard.filter((type) => type === ours.MessageType.HEARTBEAT).length).toBeGreaterThan(1);
  });
});

describe('connection state recovery over a log', () => {
  it('gives each packet its place in the log as the offset, here and there', async () => {
    const bus = new EventEmitter();
    let place = 0;
    class Logged extends ours.ClusterAdapter {
      constructor(nsp: never) {
        super(nsp);
        bus.on('message', (message, offset) => this.onMessage(structuredClone(message), offset));
      }
      protected override async doPublish(message: ours.ClusterMessage): Promise<string> {
        const offset = `log-${++place}`;
        bus.emit('message', message, offset);
        return offset;
      }
      protected override async doPublishResponse(): Promise<void> {}
    }
    const offsets: unknown[][] = [];
    for (let i = 0; i < 2; i++) {
      const http = createServer();
      const io = new Server(http, { adapter: Logged as never, connectionStateRecovery: {} });
      http.listen(0, '127.0.0.1');
      await once(http, 'listening');
      onTestFinished(() => io.close());
      const client = connectTo(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
        forceNew: true,
        transports: ['websocket'],
      });
      onTestFinished(() => void client.disconnect());
      await new Promise<void>((resolve) => client.once('connect', () => resolve()));
      offsets.push([]);
      client.onAny((...args) => offsets[i]?.push(args));
      if (i === 0) continue;
      const last = new Promise((resolve) => client.once('last', resolve));
      io.emit('first', 1);
      io.volatile.emit('volatile');
      io.emit('last');
      await last;
    }
    expect(offsets[1]).toEqual(
      expect.arrayContaining([['first', 1, 'log-1'], ['last', 'log-3'], ['volatile']]),
    );
  });
});
