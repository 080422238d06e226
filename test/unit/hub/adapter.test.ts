/**
 * What: shows what an adapter keeps and reports, what its subclasses may change, and how sessions are recovered.
 * Must not know: transports.
 */
import { Adapter as OfficialAdapter } from 'socket.io-adapter';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdapterConstructor } from '../../../src/hub/hub.ts';
import type { AnyNamespace } from '../../../src/hub/namespace.ts';
import { SessionAwareAdapter } from '../../../src/hub/session-aware-adapter.ts';
import { Adapter, createHub } from './scripted-peer.ts';

describe('rooms', () => {
  it('report that they are made, entered, left and gone', () => {
    const { hub } = createHub();
    const { adapter } = hub.sockets;
    const seen: unknown[][] = [];
    for (const name of ['create-room', 'delete-room', 'join-room', 'leave-room']) {
      adapter.on(name, (...args) => void seen.push([name, ...args]));
    }
    adapter.addAll('s1', new Set(['r1', 'r2']));
    adapter.addAll('s2', new Set(['r1']));
    adapter.addAll('s2', new Set(['r1']));
    adapter.del('s1', 'r1');
    adapter.del('s1', 'r1');
    adapter.del('s3', 'r1');
    adapter.delAll('s1');
    adapter.delAll('s3');
    expect(seen).toEqual([
      ['create-room', 'r1'],
      ['join-room', 'r1', 's1'],
      ['create-room', 'r2'],
      ['join-room', 'r2', 's1'],
      ['join-room', 'r1', 's2'],
      ['leave-room', 'r1', 's1'],
      ['leave-room', 'r2', 's1'],
      ['delete-room', 'r2'],
    ]);
    expect(adapter.rooms).toEqual(new Map([['r1', new Set(['s2'])]]));
    expect(adapter.sids).toEqual(new Map([['s2', new Set(['r1'])]]));
    expect(adapter.socketRooms('s2')).toEqual(new Set(['r1']));
    expect(adapter.socketRooms('s1')).toBeUndefined();
  });
});

describe('a room that is named by a socket', () => {
  type Rooms = Pick<Adapter, 'addAll' | 'del' | 'delAll' | 'rooms' | 'sids'>;
  const steps: [string, (adapter: Rooms) => void][] = [
    ['a joins a', (adapter) => void adapter.addAll('a', new Set(['a']))],
    ['b joins b', (adapter) => void adapter.addAll('b', new Set(['b']))],
    ['a joins r', (adapter) => void adapter.addAll('a', new Set(['r']))],
    ['b joins a', (adapter) => void adapter.addAll('b', new Set(['a']))],
    ['a leaves a', (adapter) => void adapter.del('a', 'a')],
    ['b leaves a', (adapter) => void adapter.del('b', 'a')],
    ['a leaves r', (adapter) => void adapter.del('a', 'r')],
    ['a leaves all', (adapter) => adapter.delAll('a')],
    ['b leaves all', (adapter) => adapter.delAll('b')],
  ];
  const show = ({ rooms, sids }: Rooms): string =>
    JSON.stringify([rooms, sids].map((map) => [...map].map(([name, members]) => [name, ...members])));

  it('has the members that it has in Socket.IO, whoever comes and goes, in whatever order', () => {
    const { hub } = createHub();
    const nsp = hub.sockets as unknown as ConstructorParameters<typeof OfficialAdapter>[0];
    const different: string[] = [];
    for (let i = 0; i < steps.length ** 4; i++) {
      const ours = new Adapter(hub.sockets as unknown as AnyNamespace);
      const theirs = new OfficialAdapter(nsp) as unknown as Rooms;
      const told: string[] = [];
      for (let rest = i, length = 0; length < 4; length++, rest = Math.floor(rest / steps.length)) {
        const [title, take] = steps[rest % steps.length]!;
        told.push(title);
        take(ours);
        take(theirs);
        if (show(ours) !== show(theirs))
          different.push(`${told.join(', ')}: ${show(ours)}, not ${show(theirs)}`);
      }
    }
    expect(different).toEqual([]);
  });

  it('can be left by all who are told of it', () => {
    const { hub } = createHub();
    const { adapter } = hub.sockets;
    adapter.on('create-room', (room) => void adapter.addAll('s', new Set([`${room}!`.slice(0, 3)])));
    adapter.addAll('s', new Set(['s']));
    expect(adapter.sids).toEqual(new Map([['s', new Set(['s', 's!', 's!!'])]]));
    for (const room of adapter.socketRooms('s') ?? []) adapter.del('s', room);
    expect(adapter.rooms.size).toBe(0);
  });
});

describe('the adapter option', () => {
  const created: string[] = [];
  class Custom extends Adapter {
    constructor(nsp: AnyNamespace) {
      super(nsp);
      created.push(nsp.name);
    }
  }
  beforeEach(() => void created.splice(0));

  const kinds: [string, AdapterConstructor][] = [
    ['a class', Custom],
    ['a function', (nsp: AnyNamespace) => new Custom(nsp)],
    ['an arrow function', (nsp) => new Custom(nsp)],
  ];
  it.each(kinds)('takes %s, for every namespace', (_title, adapter) => {
    const { hub, enter } = createHub({ adapter });
    hub.of('/a');
    expect(created).toEqual(['/', '/a']);
    expect(hub.sockets.adapter).toBeInstanceOf(Custom);
    expect(hub.adapter()).toBe(adapter);
    const { peer } = enter();
    hub.emit('e');
    expect(peer.take()).toEqual(['2["e"]']);
  });

  it('can be set later, for the namespaces that are there', () => {
    const { hub } = createHub();
    hub.of('/a');
    expect(hub.adapter(Custom)).toBe(hub);
    expect(created).toEqual(['/', '/a']);
  });

  it('takes an adapter that was written for Socket.IO', async () => {
    const { hub, enter } = createHub({ adapter: OfficialAdapter as unknown as AdapterConstructor });
    const { peer, socket } = enter();
    const outgoing = vi.fn();
    socket.onAnyOutgoing(outgoing);
    socket.join('r');
    hub.to('r').emit('file', Buffer.from([1]));
    expect(peer.take()).toEqual(['51-["file",{"_placeholder":true,"num":0}]', Buffer.from([1])]);
    const answers = hub.timeout(1000).emitWithAck('ask');
    peer.say('30["yes"]');
    expect(await answers).toEqual(['yes']);
    peer.isWritable = false;
    hub.volatile.emit('lost');
    expect(peer.take()).toEqual(['20["ask"]']);
    expect(outgoing).toHaveBeenCalledTimes(3);
    expect(await hub.in('r').fetchSockets()).toEqual([socket]);
    peer.break();
    expect(hub.sockets.adapter.rooms.size).toBe(0);
  });

  it('is initialised and closed, and asked for no session when recovery is off', async () => {
    const calls: string[] = [];
    class Recording extends Adapter {
      override init(): void {
        calls.push('init');
      }
      override close(): void {
        calls.push('close');
      }
      override persistSession(): void {
        calls.push('persistSession');
      }
      override restoreSession(): Promise<null> {
        calls.push('restoreSession');
        return Promise.resolve(null);
      }
    }
    const { hub, enter } = createHub({ adapter: Recording });
    enter('/', { pid: 'p', offset: 'o' }).peer.break();
    await hub.closeNamespaces();
    expect(calls).toEqual(['init', 'close']);
  });
});

describe('connection state recovery', () => {
  const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 5000 } };
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A client that has entered and seen one event: what it needs to come back. */
  function createKnown(options: Parameters<typeof createHub>[0] = recovery) {
    const harness = createHub(options);
    const peer = harness.connect().say('0');
    const { sid, pid } = JSON.parse((peer.take()[0] as string).slice(1)) as { sid: string; pid: string };
    const socket = [...harness.hub.sockets.sockets.values()].find(({ id }) => id === sid);
    if (socket === undefined) throw new Error('was not let in');
    socket.emit('first', 1);
    const [, , offset] = JSON.parse((peer.take()[0] as string).slice(1)) as [string, number, string];
    const comeBack = async (as: object = { pid, offset }) => {
      const next = harness.connect().say(`0${JSON.stringify(as)}`);
      await vi.advanceTimersByTimeAsync(0);
      return next;
    };
    return { ...harness, peer, socket, sid, pid, offset, comeBack };
  }

  it('gives id, rooms, data and what was missed back, before the answer to CONNECT', async () => {
    const { hub, peer, socket, sid, pid, comeBack } = createKnown();
    expect(hub.sockets.adapter).toBeInstanceOf(SessionAwareAdapter);
    socket.join('room');
    socket.data.name = 'n';
    peer.break();
    socket.emit('to the one who is away');
    hub.to('room').emit('to the room', Buffer.from([1]));
    hub.except('room').emit('not for it');
    hub.to('elsewhere').emit('not for it');
    hub.volatile.emit('not kept');
    hub.emit('to all');
    const again = await comeBack();
    const messages = again.take();
    expect(messages).toEqual([
      expect.stringMatching(/^2\["to the one who is away","/),
      expect.stringMatching(/^51-\["to the room",\{"_placeholder":true,"num":0\},"/),
      Buffer.from([1]),
      expect.stringMatching(/^2\["to all","/),
      `0{"sid":"${sid}","pid":"${pid}"}`,
    ]);
    const restored = hub.sockets.sockets.get(sid);
    expect(restored).toMatchObject({ recovered: true, data: { name: 'n' }, connected: true });
    expect(restored).not.toBe(socket);
    expect(restored?.rooms).toEqual(new Set([sid, 'room']));
    expect(socket.recovered).toBe(false);
  });

  it('keeps no more sessions than it may: of clients that come and go, the first start afresh', async () => {
    const { hub, connect, comeBack, peer } = createKnown({ connectionStateRecovery: { sessions: 3 } });
    peer.break();
    for (let i = 0; i < 3; i++) connect().say('0').break();
    await comeBack();
    expect([...hub.sockets.sockets.values()].map(({ recovered }) => recovered)).toEqual([false]);
  });

  it('keeps no more bytes than it may: who has missed more starts afresh, who has missed less does not', async () => {
    const { hub, peer, comeBack, sid, connect } = createKnown({
      connectionStateRecovery: { bufferBytes: 10_000 },
    });
    peer.break();
    const late = connect().say('0');
    const { sid: lateSid, pid } = JSON.parse(String(late.take()[0]).slice(1)) as { sid: string; pid: string };
    for (let i = 0; i < 100; i++) hub.emit('large', 'x'.repeat(1000));
    const offset = JSON.parse(String(late.take().at(-1)).slice(1)).at(-1) as string;
    late.break();
    hub.emit('missed');
    await comeBack();
    const again = await comeBack({ pid, offset });
    expect(hub.sockets.sockets.get(sid)).toBeUndefined();
    expect(hub.sockets.sockets.get(lateSid)).toMatchObject({ recovered: true });
    expect(again.take()[0]).toMatch(/^2\["missed"/);
  });

  it('loses nothing that is sent while the session is looked up or a middleware thinks', async () => {
    const { hub, peer, offset, pid, connect } = createKnown({
      connectionStateRecovery: { skipMiddlewares: false },
    });
    peer.break();
    let proceed = (): void => {};
    hub.use((_socket, next) => {
      proceed = next;
    });
    const again = connect().say(`0${JSON.stringify({ pid, offset })}`);
    hub.emit('during the look-up');
    await vi.advanceTimersByTimeAsync(0);
    hub.emit('during the middleware');
    proceed();
    hub.emit('after');
    expect(again.take().map((message) => /"([^"]*)"/.exec(message as string)?.[1])).toEqual([
      'during the look-up',
      'during the middleware',
      'sid',
      'after',
    ]);
  });

  it('skips the middlewares, unless told not to', async () => {
    const { hub, peer, comeBack } = createKnown();
    peer.break();
    const middleware = vi.fn((_socket: unknown, next: () => void) => next());
    hub.use(middleware);
    await comeBack();
    expect(middleware).not.toHaveBeenCalled();
  });

  const strangers: [string, (known: { pid: string; offset: string }) => object][] = [
    ['an unknown secret', ({ offset }) => ({ pid: 'unknown', offset })],
    ['no secret', ({ offset }) => ({ offset })],
    ['a secret that is no text', ({ offset }) => ({ pid: { toString: 1 }, offset })],
    ['no offset', ({ pid }) => ({ pid })],
    ['an unknown offset', ({ pid }) => ({ pid, offset: 'x' })],
    ['an offset to come', ({ pid, offset }) => ({ pid, offset: `${offset}99` })],
    ['an offset that is no number', ({ pid, offset }) => ({ pid, offset: `${offset.split('.')[0]}.0x0` })],
    ['the offset of another process', ({ pid }) => ({ pid, offset: 'abc.0' })],
  ];
  it.each(strangers)('starts afresh for %s', async (_title, auth) => {
    const { hub, peer, sid, pid, offset, comeBack } = createKnown();
    peer.break();
    const again = await comeBack(auth({ pid, offset }));
    expect(again.take()).toEqual([expect.not.stringContaining(sid)]);
    expect([...hub.sockets.sockets.values()].map(({ recovered }) => recovered)).toEqual([false]);
  });

  it('is for once: a second taker of the same session starts afresh', async () => {
    const { hub, peer, sid, comeBack } = createKnown();
    peer.break();
    await comeBack();
    await comeBack();
    expect(hub.sockets.sockets.size).toBe(2);
    expect([...hub.sockets.sockets.values()].map(({ id }) => id === sid)).toEqual([true, false]);
  });

  it('is kept for a client whose connection breaks while a middleware thinks, also if it comes back before', async () => {
    const { hub, peer, socket, sid, pid, offset, connect, comeBack } = createKnown({
      connectionStateRecovery: { skipMiddlewares: false },
    });
    socket.join('room');
    peer.break();
    const thinking: (() => void)[] = [];
    hub.use((_socket, next) => void thinking.push(next));
    const first = connect().say(`0${JSON.stringify({ pid, offset })}`);
    await vi.advanceTimersByTimeAsync(0);
    first.break();
    hub.to('room').emit('missed');
    const second = await comeBack();
    thinking[1]!();
    // The first attempt ends after the second has succeeded, and must take nothing from it.
    thinking[0]!();
    expect(second.take()).toEqual([
      expect.stringMatching(/^2\["missed","/),
      `0{"sid":"${sid}","pid":"${pid}"}`,
    ]);
    expect(hub.sockets.sockets.size).toBe(1);
    expect(hub.sockets.sockets.get(sid)).toMatchObject({ recovered: true });
    expect(hub.sockets.sockets.get(sid)?.rooms).toEqual(new Set([sid, 'room']));
  });

  it('is kept for a client that a middleware has refused', async () => {
    const { hub, peer, sid, comeBack } = createKnown({ connectionStateRecovery: { skipMiddlewares: false } });
    peer.break();
    const answers = [new Error('token expired'), undefined];
    hub.use((_socket, next) => next(answers.shift()));
    expect((await comeBack()).take()).toEqual(['4{"message":"token expired"}']);
    await comeBack();
    expect(hub.sockets.sockets.get(sid)).toMatchObject({ recovered: true });
  });

  it('is not for those who left on purpose', async () => {
    const { hub, peer, comeBack } = createKnown();
    peer.say('1');
    await comeBack();
    expect([...hub.sockets.sockets.values()].map(({ recovered }) => recovered)).toEqual([false]);
  });

  it('forgets sessions and packets after their time, and keeps no timer then', async () => {
    const { hub, peer, comeBack } = createKnown();
    peer.break();
    await vi.advanceTimersByTimeAsync(5001);
    const again = await comeBack();
    expect([...hub.sockets.sockets.values()].map(({ recovered }) => recovered)).toEqual([false]);
    again.break();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('starts afresh when the adapter fails', async () => {
    class Failing extends Adapter {
      override restoreSession(): Promise<null> {
        return Promise.reject(new Error('no store'));
      }
    }
    const { hub, comeBack } = createKnownWithoutOffset(Failing);
    await comeBack();
    expect(hub.sockets.sockets.size).toBe(1);
  });

  function createKnownWithoutOffset(adapter: AdapterConstructor) {
    const harness = createHub({ adapter, ...recovery });
    const comeBack = async () => {
      harness.connect().say('0{"pid":"p","offset":"o"}');
      await vi.advanceTimersByTimeAsync(0);
    };
    return { ...harness, comeBack };
  }
});
