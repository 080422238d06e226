/**
 * What: shows who is told what of those who come to a room, change, are interrupted, and leave.
 * Must not know: transports.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemoryPresenceStore } from '../../../src/hub/memory-presence-store.ts';
import { PresenceMembers } from '../../../src/hub/presence-members.ts';
import type { PresenceEntry, PresenceStore } from '../../../src/hub/presence-store.ts';
import { createHub, type ScriptedPeer } from './scripted-peer.ts';

/** What a client was told of presence, without the room when it is `a`. */
function told(peer: ScriptedPeer): unknown[][] {
  return peer.take().map((message) => {
    const [event, { room, ...rest }] = JSON.parse(String(message).replace(/^\d+(\/\w+,)?/, ''));
    return room === 'a' ? [event, rest] : [event, room, rest];
  });
}

const member = (key: string, meta: unknown = null, isInterrupted = false) => ({ key, meta, isInterrupted });

describe('presence in a room', () => {
  it('gives whoever joins a snapshot with itself in it, and the others the difference', async () => {
    const { hub, enter } = createHub();
    const ada = enter();
    const bob = enter();
    const room = hub.presence('a');
    expect(await room.join(ada.socket, { name: 'Ada' }, { key: 'ada' })).toBe(true);
    expect(ada.socket.rooms).toContain('a');
    expect(told(ada.peer)).toEqual([['presence:state', { members: [member('ada', { name: 'Ada' })] }]]);
    await room.join(bob.socket);
    const both = [member('ada', { name: 'Ada' }), member(bob.socket.id)];
    expect(told(bob.peer)).toEqual([['presence:state', { members: both }]]);
    expect(told(ada.peer)).toEqual([['presence:join', { member: member(bob.socket.id) }]]);
    expect(await room.list()).toEqual(both);
  });

  it('tells of an update, and of none when nothing has changed', async () => {
    const { hub, enter } = createHub();
    const ada = enter();
    const room = hub.presence<{ at: number }>('a');
    await room.join(ada.socket, { at: 1 }, { key: 'ada' });
    told(ada.peer);
    expect(await room.update(ada.socket, { at: 2 })).toBe(true);
    await room.update(ada.socket, { at: 2 });
    expect(told(ada.peer)).toEqual([['presence:update', { member: member('ada', { at: 2 }) }]]);
    expect(await room.update(enter().socket, { at: 3 })).toBe(false);
  });

  it.each([
    [
      'leaves by presence',
      (io: ReturnType<typeof createHub>, { socket }) => io.hub.presence('a').leave(socket),
    ],
    ['leaves the room', (_io, { socket }) => socket.leave('a')],
    ['is made to leave it', ({ hub }) => hub.in('a').except('other').socketsLeave('a')],
    ['is disconnected', (_io, { socket }) => socket.disconnect()],
    ['loses its connection for good', (_io, { peer }) => peer.break()],
    ['leaves the namespace', (_io, { peer }) => peer.say('1')],
  ] as [
    string,
    (io: ReturnType<typeof createHub>, who: ReturnType<ReturnType<typeof createHub>['enter']>) => void,
  ][])('ends when a socket %s', async (_name, leave) => {
    const io = createHub();
    const [ada, bob] = [io.enter(), io.enter()];
    bob.socket.join('other');
    const room = io.hub.presence('a');
    await room.join(ada.socket, 1, { key: 'ada' });
    await room.join(bob.socket, 2, { key: 'bob' });
    told(ada.peer);
    told(bob.peer);
    leave(io, ada);
    expect(told(bob.peer)).toEqual([['presence:leave', { member: member('ada', 1) }]]);
    expect(ada.peer.take().filter((message) => String(message).includes('presence'))).toEqual([]);
    expect(await room.list()).toEqual([member('bob', 2)]);
    // Who is gone is told nothing, and does not come back by itself.
    await room.update(bob.socket, 3);
    expect(ada.peer.take().filter((message) => String(message).includes('presence'))).toEqual([]);
  });

  it('counts several sockets of one user once, and shows what the last of them said', async () => {
    const { hub, enter } = createHub();
    const [one, two, other] = [enter(), enter(), enter()];
    const room = hub.presence('a');
    await room.join(other.socket, null, { key: 'other' });
    told(other.peer);
    await room.join(one.socket, 'first', { key: 'ada' });
    await room.join(two.socket, 'second', { key: 'ada' });
    two.socket.leave('a');
    one.socket.leave('a');
    expect(told(other.peer)).toEqual([
      ['presence:join', { member: member('ada', 'first') }],
      ['presence:update', { member: member('ada', 'second') }],
      ['presence:update', { member: member('ada', 'first') }],
      ['presence:leave', { member: member('ada', 'first') }],
    ]);
  });

  it('marks a member whose connections are all lost, and lets nobody leave or join for it', async () => {
    const { hub, enter } = createHub();
    const [one, two, other] = [enter(), enter(), enter()];
    const room = hub.presence('a');
    await room.join(other.socket, null, { key: 'other' });
    await room.join(one.socket, 1, { key: 'ada' });
    await room.join(two.socket, 1, { key: 'ada' });
    told(other.peer);
    one.peer.listener?.peerInterrupted('transport close', undefined);
    expect(told(other.peer)).toEqual([]);
    two.peer.listener?.peerInterrupted('transport close', undefined);
    expect(told(other.peer)).toEqual([['presence:update', { member: member('ada', 1, true) }]]);
    // What the program says meanwhile does not bring the connection back.
    await room.update(two.socket, 2);
    expect(told(other.peer)).toEqual([['presence:update', { member: member('ada', 2, true) }]]);
    one.peer.listener?.peerResumed(5);
    two.peer.listener?.peerResumed(5);
    expect(told(other.peer)).toEqual([['presence:update', { member: member('ada', 2) }]]);
    one.peer.listener?.peerInterrupted('transport close', undefined);
    two.peer.listener?.peerInterrupted('transport close', undefined);
    one.peer.break();
    two.peer.break();
    expect(told(other.peer)).toEqual([
      ['presence:update', { member: member('ada', 2, true) }],
      ['presence:leave', { member: member('ada', 2, true) }],
    ]);
  });

  it('can be watched without being there', async () => {
    const { hub, enter } = createHub();
    const [ada, lobby] = [enter(), enter()];
    const room = hub.presence('a');
    room.watch(lobby.socket);
    expect(told(lobby.peer)).toEqual([['presence:state', { members: [] }]]);
    await room.join(ada.socket, null, { key: 'ada' });
    expect(told(lobby.peer)).toEqual([['presence:join', { member: member('ada') }]]);
    expect(told(ada.peer)).toEqual([['presence:state', { members: [member('ada')] }]]);
    room.unwatch(lobby.socket);
    // Whoever is there goes on being told.
    room.unwatch(ada.socket);
    await room.update(ada.socket, 1);
    expect(told(lobby.peer)).toEqual([]);
    expect(told(ada.peer)).toEqual([['presence:update', { member: member('ada', 1) }]]);
    room.watch(lobby.socket);
    told(lobby.peer);
    lobby.peer.break();
    await room.update(ada.socket, 2);
    expect(told(lobby.peer)).toEqual([]);
  });

  it('tells the program, and ends what listens on request', async () => {
    const { hub, enter } = createHub();
    const { socket } = enter();
    const room = hub.presence('a');
    const seen: unknown[] = [];
    const listener = (member: { key: string }) => seen.push(member.key);
    for (const event of ['join', 'update', 'leave'] as const) {
      room.on(event, (member) => seen.push(event, member.meta));
    }
    room.on('join', listener);
    await room.join(socket, 1, { key: 'ada' });
    await room.update(socket, 2);
    hub.presence('a').off('join', listener);
    room.off('join', listener);
    socket.leave('a');
    await room.join(socket, 3, { key: 'ada' });
    expect(seen).toEqual(['join', 1, 'ada', 'update', 2, 'leave', 2, 'join', 3]);
  });

  it('lets the exception of one listener hold up nobody', async () => {
    const { hub, enter } = createHub();
    const thrown = vi.fn();
    process.once('uncaughtException', thrown);
    const { socket, peer } = enter();
    hub.presence('a').on('join', () => {
      throw new Error('from a listener');
    });
    expect(await hub.presence('a').join(socket)).toBe(true);
    expect(told(peer)).toHaveLength(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(thrown).toHaveBeenCalledTimes(1);
  });

  it('keeps namespaces and rooms apart, and refuses a socket of another namespace', async () => {
    const store = new MemoryPresenceStore();
    const { hub, enter } = createHub({ presence: { store } });
    const [main, chat] = [enter(), enter('/chat')];
    await hub.presence('a').join(main.socket, null, { key: 'main' });
    await hub.of('/chat').presence('a').join(chat.socket, null, { key: 'chat' });
    await hub.presence('b').join(main.socket, null, { key: 'main' });
    expect(told(chat.peer)).toEqual([['presence:state', { members: [member('chat')] }]]);
    expect(told(main.peer)).toEqual([
      ['presence:state', { members: [member('main')] }],
      ['presence:state', 'b', { members: [member('main')] }],
    ]);
    const refused = { code: 'PRESENCE_ERR_NAMESPACE' };
    await expect(hub.presence('a').join(chat.socket)).rejects.toMatchObject(refused);
    expect(() => hub.presence('a').watch(chat.socket)).toThrow(expect.objectContaining(refused));
  });

  it('bounds what a member shows of itself, and keeps it as JSON', async () => {
    const { hub, enter } = createHub({ presence: { metaLimitBytes: 10 } });
    const { socket } = enter();
    const room = hub.presence('a');
    await expect(room.join(socket, 'x'.repeat(9))).rejects.toMatchObject({
      code: 'PRESENCE_ERR_META_TOO_LARGE',
      limit: { name: 'metaLimitBytes', value: 10 },
    });
    await room.join(socket, { d: new Date(0), u: undefined }.u, { key: 'k' });
    expect(await room.list()).toEqual([member('k')]);
    await expect(room.update(socket, 'ü'.repeat(5))).rejects.toMatchObject({
      code: 'PRESENCE_ERR_META_TOO_LARGE',
    });
    expect(await room.list()).toEqual([member('k')]);
  });

  it('is given up with the last who cares, and nothing of it stays', async () => {
    const store = new MemoryPresenceStore();
    const subscriptions = new Set<() => void>();
    const subscribe = vi.spyOn(store, 'subscribe').mockImplementation((channel, listener) => {
      const end = MemoryPresenceStore.prototype.subscribe.call(store, channel, listener);
      const own = () => {
        subscriptions.delete(own);
        end();
      };
      subscriptions.add(own);
      return own;
    });
    const { hub, enter } = createHub({ presence: { store } });
    const [ada, bob] = [enter(), enter()];
    for (const room of ['a', 'b']) {
      await hub.presence(room).join(ada.socket);
      hub.presence(room).watch(bob.socket);
    }
    expect(subscriptions.size).toBe(2);
    ada.peer.break();
    bob.peer.break();
    expect(subscriptions.size).toBe(0);
    expect(subscribe).toHaveBeenCalledTimes(2);
  });

  it('does nothing for a socket that is gone', async () => {
    const { hub, enter } = createHub();
    const { socket, peer } = enter();
    peer.break();
    expect(await hub.presence('a').join(socket)).toBe(false);
    hub.presence('a').watch(socket);
    expect(await hub.presence('a').list()).toEqual([]);
  });
});

/** A store each of whose calls takes its time, and tells its subscribers later still. */
class SlowStore implements PresenceStore {
  readonly inner = new MemoryPresenceStore();
  failure: Error | null = null;
  #last: Promise<unknown> = Promise.resolve();

  #later<T>(call: () => Promise<T>): Promise<T> {
    const { failure } = this;
    const done = this.#last.then(async () => {
      for (let i = 0; i < 5; i++) await null;
      if (failure !== null) throw failure;
      return call();
    });
    this.#last = done.catch(() => {});
    return done;
  }

  put(channel: string, entry: PresenceEntry) {
    return this.#later(() => this.inner.put(channel, entry));
  }
  mark(channel: string, id: string, isInterrupted: boolean) {
    return this.#later(() => this.inner.mark(channel, id, isInterrupted));
  }
  remove(channel: string, id: string) {
    return this.#later(() => this.inner.remove(channel, id));
  }
  list(channel: string) {
    return this.#later(() => this.inner.list(channel));
  }
  subscribe(...[channel, listener]: Parameters<PresenceStore['subscribe']>) {
    let end = () => {};
    let isOver = false;
    this.#later(async () => {
      if (!isOver) end = this.inner.subscribe(channel, listener);
    });
    return () => {
      isOver = true;
      end();
    };
  }
  /** Resolved when everything that was asked for is done. */
  async settled(): Promise<void> {
    await this.#later(async () => {});
  }
}

describe('presence with a store that takes its time', () => {
  it('gives each a snapshot and then every difference, also of those who join at once', async () => {
    const store = new SlowStore();
    const { hub, enter } = createHub({ presence: { store } });
    const clients = Array.from({ length: 6 }, enter.bind(null, '/', undefined));
    await Promise.all(clients.map(({ socket }, i) => hub.presence('a').join(socket, i, { key: `${i}` })));
    clients[0]?.socket.leave('a');
    await hub.presence('a').update(clients[1]!.socket, 'new');
    await store.settled();
    const expected = new Map(Array.from({ length: 5 }, (_, i) => [`${i + 1}`, i === 0 ? 'new' : i + 1]));
    for (const { peer } of clients.slice(1)) {
      const members = new Map<string, unknown>();
      const [first, ...rest] = told(peer) as [string, { members: never[]; member: PresenceEntry }][];
      expect(first?.[0]).toBe('presence:state');
      for (const { key, meta } of first?.[1].members ?? []) members.set(key, meta);
      for (const [event, { member }] of rest) {
        expect(members.has(member.key)).toBe(event !== 'presence:join');
        if (event === 'presence:leave') members.delete(member.key);
        else members.set(member.key, member.meta);
      }
      expect(members).toEqual(expected);
    }
  });

  it('has nobody stay who leaves before the store has heard of it', async () => {
    const store = new SlowStore();
    const { hub, enter } = createHub({ presence: { store } });
    const { socket, peer } = enter();
    const joined = hub.presence('a').join(socket);
    socket.leave('a');
    expect(await joined).toBe(false);
    const again = hub.presence('a').join(socket);
    peer.break();
    expect(await again).toBe(false);
    expect(await hub.presence('a').list()).toEqual([]);
  });

  it('tells whoever joins that the store has failed, and warns where nobody waits', async () => {
    const store = new SlowStore();
    const { hub, enter } = createHub({ presence: { store } });
    const { socket } = enter();
    await hub.presence('a').join(socket);
    store.failure = new Error('gone away');
    await expect(hub.presence('b').join(socket)).rejects.toThrow('gone away');
    const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve));
    socket.leave('a');
    expect(await warned).toMatchObject({
      code: 'PRESENCE_STORE_FAILED',
      message: 'The presence store has failed: gone away',
    });
  });
});

describe('a removal that the store has not taken', () => {
  /** Takes none while it is down. */
  class FailingStore extends MemoryPresenceStore {
    isDown = false;
    removals = 0;

    override remove(channel: string, id: string): Promise<void> {
      this.removals++;
      return this.isDown ? Promise.reject(new Error('down')) : super.remove(channel, id);
    }
  }

  const start = async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const store = new FailingStore();
    const { hub, enter } = createHub({ presence: { store } });
    const room = hub.presence('a');
    const ada = enter();
    const bob = enter();
    await room.join(ada.socket, null, { key: 'ada' });
    await room.join(bob.socket, null, { key: 'bob' });
    ada.peer.take();
    store.isDown = true;
    const keys = async () => (await room.list()).map(({ key }) => key);
    return { store, hub, room, ada, bob, warn, keys };
  };

  it('is tried again until it is, at intervals that grow, so that no ghost stays', async () => {
    const { store, ada, bob, warn, keys } = await start();
    bob.peer.break();
    // After 0, 1, 3, 7, 15, 31, 61 and 91 seconds.
    await vi.advanceTimersByTimeAsync(100_000);
    expect(store.removals).toBe(8);
    expect(warn).toHaveBeenCalledTimes(8);
    expect(await keys()).toEqual(['ada', 'bob']);
    store.isDown = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await keys()).toEqual(['ada']);
    expect(told(ada.peer)).toEqual([['presence:leave', { member: member('bob') }]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is left where the socket has come back', async () => {
    const { store, room, bob, keys } = await start();
    await bob.socket.leave('a');
    store.isDown = false;
    await room.join(bob.socket, null, { key: 'bob' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await keys()).toEqual(['ada', 'bob']);
    expect(store.removals).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is left to the lease of the store when the server closes', async () => {
    const { store, hub, bob } = await start();
    bob.peer.break();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(1);
    await hub.closeNamespaces();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(store.removals).toBe(2);
  });
});

describe('members', () => {
  const entry = (id: string, key: string, meta: unknown = null, isInterrupted = false) => ({
    id,
    key,
    meta,
    isInterrupted,
  });

  it('are told by what distinguishes a new state from the old one', () => {
    const members = new PresenceMembers();
    const seen: string[] = [];
    const tell = (event: string, { key }: { key: string }) => seen.push(`${event} ${key}`);
    members.apply({ type: 'state', entries: [entry('1', 'a'), entry('2', 'b'), entry('3', 'c')] }, tell);
    seen.length = 0;
    members.apply(
      { type: 'state', entries: [entry('9', 'd'), entry('7', 'a'), entry('3', 'c', 'other')] },
      tell,
    );
    expect(seen).toEqual(['leave b', 'update c', 'join d']);
    expect(members.list().map(({ key }) => key)).toEqual(['d', 'a', 'c']);
  });

  it('leave under the old key and join under the new one when a socket changes it', () => {
    const members = new PresenceMembers();
    const seen: string[] = [];
    members.apply({ type: 'put', entry: entry('1', 'guest') }, () => {});
    members.apply({ type: 'put', entry: entry('1', 'ada') }, (event, { key }) =>
      seen.push(`${event} ${key}`),
    );
    expect(seen).toEqual(['leave guest', 'join ada']);
    expect(members.list()).toHaveLength(1);
  });
});
