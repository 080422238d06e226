/**
 * What: shows that who joins a room is given what was said, and then what follows: no gap, nothing twice, in order.
 * Must not know: transports.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type {
  HistoryEntry,
  HistoryLimits,
  HistoryQuery,
  HistoryStore,
} from '../../../src/hub/history-store.ts';
import { MemoryHistoryStore } from '../../../src/hub/memory-history-store.ts';
import type { Socket } from '../../../src/hub/socket.ts';
import { Dice } from '../../fuzz/dice.ts';
import { createHub, type ScriptedPeer } from './scripted-peer.ts';

/** What a client was told, without the marks' ids and times. */
function told(peer: ScriptedPeer): unknown[][] {
  return peer.take().map((message) => {
    const [event, ...args] = JSON.parse(String(message).replace(/^\d+(\/\w+,)?/, ''));
    const last = args.at(-1);
    if (event === 'history') return [event, last.isReset, last.count];
    if (typeof last?.id === 'string') args.pop();
    return [event, ...args];
  });
}

describe('the history of a room', () => {
  it('gives whoever joins what was said, then what follows', async () => {
    const { hub, enter } = createHub();
    const room = hub.history('a');
    const marks = [await room.emit('chat', 'one'), await room.emit('chat', 'two', { x: 1 })];
    const { peer, socket } = enter();
    const start = await room.join(socket);
    expect(socket.rooms).toContain('a');
    expect(start).toEqual({ room: 'a', isReset: true, count: 2, id: marks[1]?.id });
    marks.push(await room.emit('chat', 'three'));
    const events = [
      ['history', start],
      ['chat', 'one', marks[0]],
      ['chat', 'two', { x: 1 }, marks[1]],
      ['chat', 'three', marks[2]],
    ];
    expect(peer.take().map((text) => JSON.parse(String(text).slice(1)))).toEqual(events);
    expect(marks[0]).toEqual({ room: 'a', id: expect.any(String), atMs: expect.any(Number) });
    expect(await room.read()).toEqual([
      { mark: marks[0], event: 'chat', args: ['one'] },
      { mark: marks[1], event: 'chat', args: ['two', { x: 1 }] },
      { mark: marks[2], event: 'chat', args: ['three'] },
    ]);
  });

  it('gives who comes back what it has missed, or everything with a reset', async () => {
    const { hub, enter } = createHub();
    const room = hub.history('a', { limitEvents: 3 });
    const first = await room.emit('chat', 1);
    await room.emit('chat', 2);
    const { peer, socket } = enter();
    const start = await room.join(socket, { since: first.id });
    expect(told(peer)).toEqual([
      ['history', false, 1],
      ['chat', 2],
    ]);
    socket.leave('a');
    await room.emit('chat', 3);
    expect(told(peer)).toEqual([]);
    await room.join(socket, { since: start?.id });
    expect(told(peer)).toEqual([
      ['history', false, 1],
      ['chat', 3],
    ]);
    socket.leave('a');
    for (const n of [4, 5, 6, 7]) await room.emit('chat', n);
    await room.join(socket, { since: start?.id });
    expect(told(peer)).toEqual([
      ['history', true, 3],
      ['chat', 5],
      ['chat', 6],
      ['chat', 7],
    ]);
  });

  it.each([[undefined], [null], [1], [{}], [['x']], [''], ['x'.repeat(100_000)], ['__proto__']])(
    'takes %j for no id, whatever a client says',
    async (since) => {
      const { hub, enter } = createHub();
      await hub.history('a').emit('chat', 1);
      const { peer, socket } = enter();
      await hub.history('a').join(socket, { since });
      expect(told(peer)).toEqual([
        ['history', true, 1],
        ['chat', 1],
      ]);
    },
  );

  it('gives no more than asked for, the latest', async () => {
    const { hub, enter } = createHub();
    for (const n of [1, 2, 3]) await hub.history('a').emit('chat', n);
    const [some, none] = [enter(), enter()];
    await hub.history('a').join(some.socket, { limit: 2 });
    await hub.history('a').join(none.socket, { limit: 0 });
    await hub.history('a').emit('chat', 4);
    expect(told(some.peer)).toEqual([
      ['history', true, 2],
      ['chat', 2],
      ['chat', 3],
      ['chat', 4],
    ]);
    expect(told(none.peer)).toEqual([
      ['history', true, 0],
      ['chat', 4],
    ]);
  });

  it('reaches the speaker in the same order, and nobody who has not joined it', async () => {
    const { hub, enter } = createHub();
    const [ada, bob, other] = [enter(), enter(), enter()];
    await hub.history('a').join(ada.socket);
    await hub.history('a').join(bob.socket);
    other.socket.join('a');
    told(ada.peer);
    told(bob.peer);
    hub.history('a').emit('chat', 1);
    await hub.history('a').emit('chat', 2);
    expect(told(ada.peer)).toEqual([
      ['chat', 1],
      ['chat', 2],
    ]);
    expect(told(bob.peer)).toEqual([
      ['chat', 1],
      ['chat', 2],
    ]);
    expect(told(other.peer)).toEqual([]);
  });

  it('carries bytes, and refuses what could not be read again', async () => {
    const { hub, enter } = createHub();
    const bytes = Buffer.from([1, 2, 3]);
    await hub.history('a').emit('file', bytes);
    bytes.fill(0);
    const { peer, socket } = enter();
    await hub.history('a').join(socket);
    const [, text, attachment] = peer.take();
    expect(text).toMatch(/^51-\["file",\{"_placeholder":true,"num":0\},\{"room":"a","id":/);
    expect([...(attachment as Uint8Array)]).toEqual([1, 2, 3]);
    const many = Array.from({ length: 11 }, () => Buffer.alloc(1));
    await expect(hub.history('a').emit('files', many)).rejects.toThrow(/attachments/);
    await expect(hub.history('a').emit('asks', () => {})).rejects.toMatchObject({ code: 'HISTORY_ERR_ACK' });
    expect(await hub.history('a').read()).toHaveLength(1);
  });

  it('tells its program which events passed the limit of bytes, and forgets on request', async () => {
    const { hub, enter } = createHub({ history: { limitBytes: 2000 } });
    const room = hub.history('a');
    for (const n of [1, 2, 3]) await room.emit('chat', n, 'x'.repeat(500));
    expect((await room.read()).map(({ args }) => args[0])).toEqual([2, 3]);
    await room.clear();
    expect(await room.read()).toEqual([]);
    const { peer, socket } = enter();
    await room.join(socket);
    expect(told(peer)).toEqual([['history', true, 0]]);
  });

  it('keeps namespaces and rooms apart, and refuses a socket of another namespace', async () => {
    const { hub, enter } = createHub({ history: { store: new MemoryHistoryStore() } });
    const { socket, peer } = enter('/chat');
    await hub.history('a').emit('chat', 'main');
    await hub.of('/chat').history('a').emit('chat', 'chat');
    await hub.of('/chat').history('b').emit('chat', 'b');
    await hub.of('/chat').history('a').join(socket);
    expect(told(peer)).toEqual([
      ['history', true, 1],
      ['chat', 'chat'],
    ]);
    await expect(hub.history('a').join(socket)).rejects.toMatchObject({ code: 'HISTORY_ERR_NAMESPACE' });
  });

  it('does nothing for a socket that is gone', async () => {
    const { hub, enter } = createHub();
    const { socket, peer } = enter();
    peer.break();
    expect(await hub.history('a').join(socket)).toBe(null);
  });
});

/**
 * A store each of whose calls takes a while, whose readers may be shown what subscribers are told only later, and the
 * other way round.
 */
class UnevenStore implements HistoryStore {
  readonly inner = new MemoryHistoryStore();
  readonly #dice: Dice;
  failure: Error | null = null;
  #appends: Promise<unknown> = Promise.resolve();

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  async wait(): Promise<void> {
    for (let i = this.#dice.roll(20); i > 0; i--) await null;
  }

  append(
    channel: string,
    payload: readonly (string | Uint8Array)[],
    limits: HistoryLimits,
  ): Promise<HistoryEntry> {
    const done = this.#appends.then(async () => {
      await this.wait();
      return this.inner.append(channel, payload, limits);
    });
    this.#appends = done;
    return done;
  }

  async read(channel: string, query: HistoryQuery) {
    await this.wait();
    if (this.failure !== null) throw this.failure;
    const page = await this.inner.read(channel, query);
    await this.wait();
    return page;
  }

  async subscribe(channel: string, listener: (entry: HistoryEntry) => void) {
    await this.wait();
    if (this.failure !== null) throw this.failure;
    let order: Promise<unknown> = Promise.resolve();
    let isOver = false;
    const end = await this.inner.subscribe(channel, (entry) => {
      order = order.then(async () => {
        await this.wait();
        if (!isOver) listener(entry);
      });
    });
    await this.wait();
    return () => {
      isOver = true;
      end();
    };
  }

  clear(channel: string) {
    return this.inner.clear(channel);
  }
}

/** Gives every step of a store that takes its time a chance. */
const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('the history of a room whose store takes its time', () => {
  it.each(Array.from({ length: 60 }, (_, i) => i + 1))(
    'gives every client a row without gap or repeat, whatever crosses (seed %i)',
    async (seed) => {
      const dice = new Dice(seed);
      const store = new UnevenStore(dice);
      const { hub, enter } = createHub({ history: { store, limitEvents: 1000 } });
      const clients = Array.from({ length: 4 }, () => ({
        ...enter(),
        seen: [] as number[],
        last: undefined,
      }));
      type Client = { peer: ScriptedPeer; socket: Socket; seen: number[]; last: string | undefined };
      const note = (client: Client) => {
        for (const message of client.peer.take()) {
          const [event, ...args] = JSON.parse(String(message).slice(1));
          if (event === 'history' && args[0].isReset) client.seen = [];
          if (event === 'chat') client.seen.push(args[0]);
          client.last = args.at(-1).id;
        }
      };
      let said = 0;
      for (let step = 0; step < 60; step++) {
        const client = dice.pick(clients) as Client;
        const action = dice.roll(8);
        note(client);
        if (action < 5) void hub.history('a').emit('chat', ++said);
        else if (action < 7) void hub.history('a').join(client.socket, { since: client.last });
        else client.socket.leave('a');
        for (let i = dice.roll(10); i > 0; i--) await null;
      }
      await settle();
      for (const client of clients as Client[]) {
        note(client);
        await hub.history('a').join(client.socket, { since: client.last });
      }
      await hub.history('a').emit('chat', ++said);
      await settle();
      const expected = Array.from({ length: said }, (_, i) => i + 1);
      for (const client of clients as Client[]) {
        note(client);
        expect(client.seen).toEqual(expected);
      }
    },
  );

  it('gives a client that left while it joined nothing, and one that joined again what it asked for last', async () => {
    const store = new UnevenStore(new Dice(1));
    const { hub, enter } = createHub({ history: { store } });
    const { socket, peer } = enter();
    for (const n of [1, 2]) await hub.history('a').emit('chat', n);
    const left = hub.history('a').join(socket);
    socket.leave('a');
    expect(await left).toBe(null);
    const first = hub.history('a').join(socket);
    const second = hub.history('a').join(socket, { limit: 1 });
    expect(await first).toBe(null);
    expect(await second).toMatchObject({ count: 1 });
    expect(told(peer)).toEqual([
      ['history', true, 1],
      ['chat', 2],
    ]);
  });

  it('tells whoever joins that the store has failed, and takes nothing from who was there', async () => {
    const store = new UnevenStore(new Dice(1));
    const { hub, enter } = createHub({ history: { store } });
    const { socket, peer } = enter();
    await hub.history('a').join(socket);
    told(peer);
    store.failure = new Error('gone away');
    const again = hub.history('a').join(socket);
    await Promise.all([expect(again).rejects.toThrow('gone away'), hub.history('a').emit('chat', 1)]);
    await hub.history('a').emit('chat', 2);
    await settle();
    expect(told(peer)).toEqual([
      ['chat', 1],
      ['chat', 2],
    ]);
    const other = enter();
    await expect(hub.history('b').join(other.socket)).rejects.toThrow('gone away');
    store.failure = null;
    expect(await hub.history('b').join(other.socket)).toMatchObject({ count: 0 });
  });
});

describe('an event that nobody could read', () => {
  it.each<[string, string, unknown[], string]>([
    ['a reserved name', 'connect', [], 'HISTORY_ERR_RESERVED_NAME'],
    [
      'more arguments than an event has, with its mark',
      'chat',
      Array(999).fill(0),
      'EVENT_ERR_TOO_MANY_ARGUMENTS',
    ],
    [
      'more attachments than a packet has',
      'chat',
      Array(11).fill(new Uint8Array(1)),
      'EVENT_ERR_TOO_MANY_ATTACHMENTS',
    ],
  ])('is not kept: %s', async (_title, name, args, code) => {
    const { hub } = createHub();
    const room = hub.history('a');
    await expect(room.emit(name, ...args)).rejects.toMatchObject({ name: 'UsageError', code });
    expect(await room.read()).toEqual([]);
  });

  it('is left out where another server has written it, counted, and told of once', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const store = new MemoryHistoryStore();
    const { hub, enter } = createHub({ history: { store } });
    const room = hub.history('a');
    await room.emit('chat', 1);
    const limits = { limitEvents: 9, limitAgeMs: 9000, limitBytes: 9000 };
    await store.append('/,a', ['2["connect"]'], limits);
    await room.emit('chat', 2);
    expect((await room.read()).map(({ args }) => args)).toEqual([[1], [2]]);
    expect(room.unreadable).toBe(1);
    const { peer, socket } = enter();
    await room.join(socket);
    expect(told(peer).slice(1)).toEqual([
      ['chat', 1],
      ['chat', 2],
    ]);
    expect(hub.history('a').unreadable).toBe(2);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledWith(expect.any(String), { code: 'HISTORY_UNREADABLE' });
  });
});

describe('the limits of a room', () => {
  const say = async (room: { emit(event: string, value: number): Promise<unknown> }, count: number) => {
    for (let i = 0; i < count; i++) await room.emit('chat', i);
  };

  it('are the room’s: who speaks there without giving any does not shorten it', async () => {
    const { hub } = createHub({ history: { limitEvents: 5 } });
    await say(hub.history('a', { limitEvents: 20 }), 19);
    await say(hub.history('a'), 1);
    expect(await hub.history('a').read()).toHaveLength(20);
    await say(hub.history('b'), 20);
    expect(await hub.history('b').read()).toHaveLength(5);
  });

  it('are those that were given last, each by itself', async () => {
    const { hub } = createHub();
    const early = hub.history('a', { limitEvents: 20, limitBytes: 100_000 });
    hub.history('a', { limitEvents: 3 });
    await say(early, 10);
    expect(await early.read()).toHaveLength(3);
    hub.history('a', { limitBytes: 450 });
    await say(early, 10);
    expect(await early.read()).toHaveLength(2);
  });

  it.each([{ limitEvents: Number.NaN }, { limitAgeMs: -1 }, { limitBytes: '5' as unknown as number }])(
    'are numbers: %j',
    (limits) => {
      const wrong = expect.objectContaining({ code: 'HISTORY_ERR_LIMIT' });
      expect(() => createHub().hub.history('a', limits)).toThrow(wrong);
      expect(() => createHub({ history: limits }).hub.history('a')).toThrow(wrong);
    },
  );
});
