/**
 * What: shows who gets a broadcast, how often it is encoded, and how answers to it are gathered.
 * Must not know: transports.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BroadcastOperator, RemoteSocket } from '../../../src/hub/broadcast-operator.ts';
import type { Hub } from '../../../src/hub/hub.ts';
import type { Socket } from '../../../src/hub/socket.ts';
import { Adapter, createHub, type ScriptedPeer } from './scripted-peer.ts';

/** Four sockets: a in x, b in x and y, c in y, d in none. */
function createFour() {
  const { hub, enter } = createHub();
  const members = (['a', 'b', 'c', 'd'] as const).map((name) => ({ name, ...enter() }));
  const [a, b, c, d] = members.map(({ socket }) => socket) as [Socket, Socket, Socket, Socket];
  a.join('x');
  b.join(['x', 'y']);
  c.join('y');
  const whoGot = (): string =>
    members.map(({ name, peer }) => (peer.take().includes('2["e"]') ? name : '')).join('');
  return { hub, a, b, c, d, members, whoGot };
}

type Four = ReturnType<typeof createFour>;

describe('who gets a broadcast', () => {
  const rows: [string, string, (four: Four) => unknown][] = [
    ['everybody', 'abcd', ({ hub }) => hub.emit('e')],
    ['everybody else', 'bcd', ({ a }) => a.broadcast.emit('e')],
    ['a room', 'ab', ({ hub }) => hub.to('x').emit('e')],
    ['a room, said otherwise', 'ab', ({ hub }) => hub.in('x').emit('e')],
    ['two rooms, each once', 'abc', ({ hub }) => hub.to('x').to('y').emit('e')],
    ['two rooms in a list', 'abc', ({ hub }) => hub.to(['x', 'y']).emit('e')],
    ['the same room twice', 'ab', ({ hub }) => hub.to(['x', 'x']).emit('e')],
    ['an empty room', '', ({ hub }) => hub.to('z').emit('e')],
    ['all but a room', 'cd', ({ hub }) => hub.except('x').emit('e')],
    ['all but two rooms', 'd', ({ hub }) => hub.except('x').except('y').emit('e')],
    ['all but two rooms in a list', 'd', ({ hub }) => hub.except(['x', 'y']).emit('e')],
    ['a room but another', 'a', ({ hub }) => hub.to('x').except('y').emit('e')],
    ['a room but one socket', 'b', ({ hub, a }) => hub.to('x').except(a.id).emit('e')],
    ['the others in a room', 'b', ({ a }) => a.to('x').emit('e')],
    ['the others in a room one is not in', 'ab', ({ d }) => d.in('x').emit('e')],
    ['the others that are not in a room', 'cd', ({ a }) => a.except('x').emit('e')],
    ['one socket by id', 'c', ({ hub, c }) => hub.to(c.id).emit('e')],
    ['this server only', 'abcd', ({ hub }) => hub.local.emit('e')],
    ['the others on this server', 'bcd', ({ a }) => a.local.emit('e')],
    ['the namespace', 'abcd', ({ hub }) => hub.of('/').emit('e')],
    ['nobody after leaving', 'b', ({ hub, a }) => [a.leave('x'), hub.to('x').emit('e')]],
    ['nobody after leaving all', 'bcd', ({ hub, a }) => [a.leaveAll(), hub.emit('e')]],
    [
      'those who were made to join',
      'abcd',
      ({ hub }) => [hub.socketsJoin(['n', 'm']), hub.to('n').emit('e')],
    ],
    [
      'not those who were made to leave',
      'a',
      ({ hub }) => [hub.in('y').socketsLeave('x'), hub.to('x').emit('e')],
    ],
    ['not those who were sent away', 'cd', ({ hub }) => [hub.in('x').disconnectSockets(true), hub.emit('e')]],
  ];
  it.each(rows)('%s: %s', (_title, expected, act) => {
    const four = createFour();
    act(four);
    expect(four.whoGot()).toBe(expected);
  });

  const changes: [string, string, (four: Four) => unknown][] = [
    ['who joins', 'abc', ({ c }) => c.join('x')],
    ['not who leaves', 'b', ({ a }) => a.leave('x')],
    ['not who leaves all rooms', 'b', ({ a }) => a.leaveAll()],
    ['not who goes', 'b', ({ a }) => a.disconnect()],
    ['nobody in a room that is empty by now', '', ({ a, b }) => [a.leave('x'), b.leave('x')]],
    [
      'not who goes while somebody is told of it',
      'b',
      ({ hub, a }) => [
        hub.sockets.adapter.on('leave-room', () => void hub.to('x').emit('gone')),
        a.disconnect(),
      ],
    ],
    [
      'who joins a room that is told of before',
      'a',
      ({ hub, a, b }) => [
        a.leave('x'),
        b.leave('x'),
        hub.sockets.adapter.on('create-room', () => void hub.to('x').emit('made')),
        a.join('x'),
      ],
    ],
  ];
  it.each(changes)('is the same again, but %s', (_title, expected, change) => {
    const four = createFour();
    four.hub.to('x').emit('before');
    change(four);
    for (const { peer } of four.members) peer.take();
    four.hub.to('x').emit('e');
    expect(four.whoGot()).toBe(expected);
  });

  it('is not who has to go because another was told', () => {
    const { hub, a, b, whoGot } = createFour();
    a.onAnyOutgoing(() => void b.disconnect());
    hub.to('x').emit('e');
    expect(whoGot()).toBe('a');
  });

  it('is who comes, though all were told before', () => {
    const { hub, enter } = createHub();
    const first = enter();
    hub.emit('e');
    const second = enter();
    first.peer.take();
    hub.emit('e');
    expect([first.peer.take(), second.peer.take()]).toEqual([['2["e"]'], ['2["e"]']]);
  });

  it('is nobody whom a middleware has not let in yet, though in a room', () => {
    const { hub, connect } = createHub();
    hub.use((socket) => void socket.join('x'));
    const peer = connect().say('0');
    hub.emit('e');
    hub.to('x').emit('e');
    expect(peer.take()).toEqual([]);
  });

  it('is who can take it at once, when it is volatile', () => {
    const { hub, members, whoGot } = createFour();
    (members[1] as { peer: ScriptedPeer }).peer.isWritable = false;
    hub.volatile.emit('e');
    expect(whoGot()).toBe('acd');
  });
});

describe('the cost of a broadcast', () => {
  it('is one encoding: every receiver gets the same instance', () => {
    const { hub, members } = createFour();
    const write = vi.spyOn(JSON, 'stringify');
    hub
      .to('x')
      .to('y')
      .compress(false)
      .emit('file', { a: 1 }, Buffer.from([1]));
    expect(write).toHaveBeenCalledTimes(1);
    write.mockRestore();
    const sent = members.slice(0, 3).map(({ peer }) => peer.packets);
    expect(sent[0]).toHaveLength(2);
    expect(sent[0]?.[0]).toMatchObject({ compress: false, type: '4' });
    for (const packets of sent) {
      expect(packets[0]).toBe(sent[0]?.[0]);
      expect(packets[1]).toBe(sent[0]?.[1]);
    }
  });
});

describe('an operator', () => {
  it('never changes: each call gives a new one', () => {
    const { hub } = createHub();
    const base = hub.to('a');
    const extended = base.to(['b', 'c']).except('d').volatile.compress(false).local.timeout(5);
    expect(base).toMatchObject({ rooms: new Set(['a']), exceptRooms: new Set(), flags: {} });
    expect(extended).toMatchObject({
      rooms: new Set(['a', 'b', 'c']),
      exceptRooms: new Set(['d']),
      flags: { volatile: true, compress: false, local: true, timeout: 5 },
    });
    expect(extended).toBeInstanceOf(BroadcastOperator);
  });

  it('takes the flags of a socket over, and the socket loses them', () => {
    const { enter } = createHub();
    const { socket } = enter();
    expect(socket.volatile.compress(false).to('a')).toMatchObject({
      rooms: new Set(['a']),
      exceptRooms: new Set([socket.id]),
      flags: { volatile: true, compress: false },
    });
    expect(socket.to('a')).toMatchObject({ flags: {} });
  });
});

describe('fetchSockets', () => {
  it('gives the sockets themselves, in rooms or out', async () => {
    const { hub, a, b, c, d } = createFour();
    expect(await hub.fetchSockets()).toEqual([a, b, c, d]);
    expect(await hub.in('x').fetchSockets()).toEqual([a, b]);
    expect(await hub.in('x').except('y').fetchSockets()).toEqual([a]);
    expect(await a.broadcast.fetchSockets()).toEqual([b, c, d]);
    expect(await hub.allSockets()).toEqual(new Set([a.id, b.id, c.id, d.id]));
    expect(await hub.in('y').allSockets()).toEqual(new Set([b.id, c.id]));
  });

  it('makes remote sockets of what a custom adapter tells', async () => {
    class Elsewhere extends Adapter {
      override fetchSockets() {
        return Promise.resolve([
          { id: '42', handshake: { url: '/x' }, rooms: ['42', 'r'], data: { name: 'n' } },
        ]);
      }
    }
    const { hub, enter } = createHub({ adapter: Elsewhere });
    const { socket, peer } = enter();
    const [remote] = await hub.fetchSockets();
    expect(remote).toBeInstanceOf(RemoteSocket);
    expect(remote).toMatchObject({
      id: '42',
      handshake: { url: '/x' },
      rooms: new Set(['42', 'r']),
      data: { name: 'n' },
    });
    socket.join('42');
    remote?.emit('e', 1);
    remote?.join('s');
    remote?.leave('s');
    remote?.join(['t', 'u']);
    expect(peer.take()).toEqual(['2["e",1]']);
    expect(socket.rooms).toEqual(new Set([socket.id, '42', 't', 'u']));
    expect(remote?.disconnect(true)).toBe(remote);
    expect(peer.isOpen).toBe(false);
  });
});

describe('answers to a broadcast', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const answer = (peer: ScriptedPeer, ...values: unknown[]): void => {
    const id = /^2(\d+)\[/.exec(peer.take()[0] as string)?.[1];
    peer.say(`3${id}${JSON.stringify(values)}`);
  };

  it('are gathered, the first argument of each', async () => {
    const { hub, members } = createFour();
    const done = vi.fn();
    hub.to('x').timeout(100).emit('ask', 1, done);
    const promise = hub.to('y').timeout(100).emitWithAck('ask', 2);
    expect(members[0]?.peer.sent).toEqual(['20["ask",1]']);
    const [a, b, c] = members.map(({ peer }) => peer) as [ScriptedPeer, ScriptedPeer, ScriptedPeer];
    b.say('31["b2"]', '30["b1"]');
    a.say('30["a1","ignored"]');
    c.say('31["c2"]');
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledExactlyOnceWith(null, ['b1', 'a1']);
    expect(await promise).toEqual(['b2', 'c2']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are none when there is nobody', async () => {
    const { hub } = createHub();
    const done = vi.fn();
    hub.timeout(100).emit('ask', done);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledExactlyOnceWith(null, []);
    expect(await hub.to('nowhere').timeout(100).emitWithAck('ask')).toEqual([]);
  });

  it('that do not come are an error with what has come, and nothing is kept', async () => {
    const { hub, a, b, members } = createFour();
    const done = vi.fn();
    hub.to('x').timeout(100).emit('ask', done);
    const promise = hub.to('x').timeout(100).emitWithAck('ask');
    const rejected = expect(promise).rejects.toMatchObject({
      message: 'operation has timed out',
      responses: [],
    });
    answer(members[0]?.peer as ScriptedPeer, 'a');
    await vi.advanceTimersByTimeAsync(100);
    members[1]?.peer.say('30["late"]');
    expect(done).toHaveBeenCalledExactlyOnceWith(new Error('operation has timed out'), ['a']);
    expect([a.acks.size, b.acks.size]).toEqual([0, 0]);
    await rejected;
  });

  it('of a socket that is gone are missed, not waited for beyond the time', async () => {
    const { hub, members } = createFour();
    const done = vi.fn();
    hub.to('x').timeout(100).emit('ask', done);
    members[0]?.peer.break();
    answer(members[1]?.peer as ScriptedPeer, 'b');
    await vi.advanceTimersByTimeAsync(100);
    expect(done).toHaveBeenCalledExactlyOnceWith(new Error('operation has timed out'), ['b']);
  });

  it('of one remote socket are one answer, not a list', async () => {
    const { hub, a, members } = createFour();
    const remote = new RemoteSocket((hub as Hub).sockets.adapter, {
      id: a.id,
      handshake: {},
      rooms: [],
      data: {},
    });
    const done = vi.fn();
    remote.timeout(100).emit('ask', done);
    answer(members[0]?.peer as ScriptedPeer, 'a');
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledExactlyOnceWith(null, 'a');
    const late = vi.fn();
    remote.timeout(100).emit('ask', late);
    await vi.advanceTimersByTimeAsync(100);
    expect(late).toHaveBeenCalledExactlyOnceWith(new Error('operation has timed out'), null);
  });
});
