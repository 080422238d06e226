/**
 * What: shows how namespaces are made and found, who may enter them, and how their children come and go.
 * Must not know: transports.
 */
import { describe, expect, it, vi } from 'vitest';
import type { ParentNamespaceMatcher } from '../../../src/hub/hub.ts';
import { Namespace } from '../../../src/hub/namespace.ts';
import { Adapter, createHub } from './scripted-peer.ts';

describe('the name of a namespace', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['a', '/a'],
    ['/a', '/a'],
    ['/a/b', '/a/b'],
  ])('%j is %j', (given, expected) => {
    const { hub } = createHub();
    expect(hub.of(given).name).toBe(expected);
    expect(hub.of(given)).toBe(hub.of(expected));
    expect(hub.of(given)).toBeInstanceOf(Namespace);
  });

  it('is announced once, that of the main namespace never', () => {
    const { hub } = createHub();
    const seen: string[] = [];
    hub.on('new_namespace', ({ name }) => void seen.push(name));
    hub.of('/');
    hub.of('/a');
    hub.of('a');
    expect(seen).toEqual(['/a']);
  });

  it('may come with a listener', () => {
    const { hub, enter } = createHub();
    const listener = vi.fn();
    hub.of('/a', listener);
    const { socket } = enter('/a');
    expect(listener).toHaveBeenCalledExactlyOnceWith(socket);
  });
});

describe('middlewares of a namespace', () => {
  it('run in order, may wait, and see the socket before it is among the sockets', async () => {
    const { hub, connect } = createHub();
    const seen: unknown[] = [];
    hub.use((socket, next) => {
      seen.push([hub.sockets.sockets.size, socket.connected, socket.handshake.auth]);
      setImmediate(next);
    });
    hub.use((_socket, next) => {
      seen.push('second');
      next();
    });
    const entered = new Promise((resolve) => hub.on('connection', resolve));
    connect().say('0{"token":1}');
    await entered;
    expect(seen).toEqual([[0, false, { token: 1 }], 'second']);
    expect(hub.sockets.sockets.size).toBe(1);
  });

  it('refuse with a message and data, and leave no room behind', () => {
    const { hub, connect } = createHub();
    hub.use((socket, next) => {
      socket.join('room');
      next(Object.assign(new Error('no'), { data: { code: 7 } }));
    });
    hub.use(() => expect.unreachable());
    hub.on('connection', () => expect.unreachable());
    const peer = connect().say('0');
    expect(peer.take()).toEqual(['4{"message":"no","data":{"code":7}}']);
    expect(peer.isOpen).toBe(true);
    expect(hub.sockets.adapter.rooms.size).toBe(0);
  });

  it('let nobody in whose connection is gone meanwhile', () => {
    const { hub, connect } = createHub();
    let proceed = (): void => {};
    hub.use((socket, next) => {
      socket.join('room');
      proceed = next;
    });
    hub.on('connection', () => expect.unreachable());
    connect().say('0').break();
    proceed();
    expect(hub.sockets.sockets.size).toBe(0);
    expect(hub.sockets.adapter.rooms.size).toBe(0);
  });

  it('let a socket in once, though they call next twice', () => {
    const { hub, connect } = createHub();
    const listener = vi.fn();
    hub.use((_socket, next) => {
      next();
      next();
    });
    hub.on('connection', listener);
    connect().say('0');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('are those of the one namespace', () => {
    const { hub, enter } = createHub();
    hub.of('/a').use((_socket, next) => next(new Error('no')));
    expect(enter('/').socket.connected).toBe(true);
    expect(() => enter('/a')).toThrow('was not let in: 4/a,{"message":"no"}');
  });
});

describe('the server as an emitter', () => {
  it('is that of the main namespace, whichever method is used', () => {
    const { hub, enter } = createHub();
    const seen: string[] = [];
    const removed = () => void seen.push('removed');
    hub.once('connection', () => void seen.push('once'));
    hub.addListener('connection', () => void seen.push('added'));
    hub.prependListener('connection', () => void seen.push('first'));
    hub.on('connection', removed);
    expect(hub.off('connection', removed)).toBe(hub);
    expect(hub.sockets.listenerCount('connection')).toBe(3);
    expect(hub.listenerCount('connection')).toBe(3);
    enter();
    enter();
    expect(seen).toEqual(['first', 'once', 'added', 'first', 'added']);
  });
});

describe('events between servers', () => {
  it('need an adapter that knows the others', () => {
    class Cluster extends Adapter {
      override serverSideEmit(packet: unknown[]): void {
        const ack = packet.pop();
        if (typeof ack === 'function') ack(null, packet);
        else this.nsp._onServerSideEmit([...packet, ack] as [string]);
      }
    }
    const { hub } = createHub({ adapter: Cluster });
    const listener = vi.fn();
    hub.on('hello', listener);
    expect(hub.serverSideEmit('hello', 1, 2)).toBe(true);
    expect(listener).toHaveBeenCalledExactlyOnceWith(1, 2);
    return expect(hub.serverSideEmitWithAck('ask', 1)).resolves.toEqual(['ask', 1]);
  });

  it('reject with what has come', async () => {
    class Cluster extends Adapter {
      override serverSideEmit(packet: unknown[]): void {
        (packet.pop() as (err: Error, responses: unknown[]) => void)(new Error('late'), [1]);
      }
    }
    const { hub } = createHub({ adapter: Cluster });
    await expect(hub.serverSideEmitWithAck('ask')).rejects.toMatchObject({ message: 'late', responses: [1] });
  });

  it.each(['connect', 'connection', 'new_namespace'])('may not be called %s', (name) => {
    const { hub } = createHub();
    expect(() => hub.serverSideEmit(name)).toThrow(`"${name}" is a reserved event name`);
  });

  it('say so when there are no others to be told', () => {
    const { hub } = createHub();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    hub.serverSideEmit('hello');
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      'this adapter does not support the serverSideEmit() functionality',
    );
    warn.mockRestore();
  });
});

describe('namespaces by pattern', () => {
  it('are made for the first client, with what the parent has', () => {
    const { hub, connect } = createHub();
    const seen: string[] = [];
    const parent = hub.of(/^\/dynamic-\d+$/g);
    parent.use((socket, next) => {
      seen.push(`use ${socket.nsp.name}`);
      next();
    });
    parent.on('connection', (socket) => void seen.push(`connection ${socket.nsp.name}`));
    hub.on('new_namespace', ({ name }) => void seen.push(`new ${name}`));
    const first = connect().say('0/dynamic-1,');
    const second = connect().say('0/dynamic-1,', '0/dynamic-2,', '0/dynamic-x,');
    expect(seen).toEqual([
      'new /dynamic-1',
      'use /dynamic-1',
      'connection /dynamic-1',
      'use /dynamic-1',
      'connection /dynamic-1',
      'new /dynamic-2',
      'use /dynamic-2',
      'connection /dynamic-2',
    ]);
    first.take();
    expect(second.take()[2]).toBe('4/dynamic-x,{"message":"Invalid namespace"}');
    parent.emit('all', 1);
    parent.to('room').emit('nobody');
    expect([first.take(), second.take()]).toEqual([
      ['2/dynamic-1,["all",1]'],
      ['2/dynamic-1,["all",1]', '2/dynamic-2,["all",1]'],
    ]);
    expect(() => parent.fetchSockets()).toThrow('fetchSockets() is not supported on parent namespaces');
  });

  it('gather the answers of all children', async () => {
    const { hub, connect } = createHub();
    const parent = hub.of(/^\/d/);
    const first = connect().say('0/d1,');
    const second = connect().say('0/d2,');
    first.take();
    second.take();
    const answers = parent.timeout(1000).emitWithAck('ask');
    expect([...first.take(), ...second.take()]).toEqual(['2/d1,0["ask"]', '2/d2,0["ask"]']);
    first.say('3/d1,0["one"]');
    second.say('3/d2,0["two"]');
    expect(await answers).toEqual(['one', 'two']);
  });

  it('are decided by a function that sees the credentials', () => {
    const { hub, connect } = createHub();
    const matcher = vi.fn<ParentNamespaceMatcher>((name, auth, next) => {
      next(name === '/broken' ? new Error('broken') : null, auth.token === 'good');
    });
    hub.of(matcher);
    const peer = connect().say('0/a,{"token":"good"}', '0/b,{"token":"bad"}', '0/broken,{"token":"good"}');
    expect(peer.take()).toEqual([
      expect.stringMatching(/^0\/a,\{"sid"/),
      '4/b,{"message":"Invalid namespace"}',
      '4/broken,{"message":"Invalid namespace"}',
    ]);
    expect(matcher).toHaveBeenCalledTimes(3);
  });

  it('are made once for clients that come at the same time', () => {
    const { hub, connect } = createHub();
    const waiting: (() => void)[] = [];
    const created = vi.fn();
    hub.on('new_namespace', created);
    const parent = hub.of((_name, _auth, next) => void waiting.push(() => next(null, true)));
    const connected = vi.fn();
    parent.on('connection', connected);
    connect().say('0/a,');
    connect().say('0/a,');
    for (const proceed of waiting) proceed();
    expect(created).toHaveBeenCalledTimes(1);
    expect(connected).toHaveBeenCalledTimes(2);
  });

  it('belong to the parent also when they were made by hand', () => {
    const { hub, enter } = createHub();
    const connected = vi.fn();
    const parent = hub.of(/^\/d-/);
    parent.on('connection', connected);
    const child = hub.of('/d-1');
    const { peer } = enter('/d-1');
    parent.emit('all');
    expect(peer.take()).toEqual(['2/d-1,["all"]']);
    expect(connected).toHaveBeenCalledTimes(1);
    expect(hub.of('/d-1')).toBe(child);
  });

  it('stay when they are empty', () => {
    const { hub, connect } = createHub();
    hub.of(/^\/d/);
    connect().say('0/d,').break();
    expect(hub._nsps.has('/d')).toBe(true);
  });

  describe('with cleanupEmptyChildNamespaces', () => {
    const options = { cleanupEmptyChildNamespaces: true };

    it('go with their last socket, and come again', () => {
      const { hub, connect } = createHub(options);
      hub.of(/^\/d/);
      const first = connect().say('0/d,');
      const second = connect().say('0/d,');
      const close = vi.spyOn(hub.of('/d').adapter, 'close');
      first.break();
      expect(hub._nsps.has('/d')).toBe(true);
      second.say('1/d,');
      expect(hub._nsps.has('/d')).toBe(false);
      expect(close).toHaveBeenCalledTimes(1);
      second.say('0/d,');
      expect(hub.of('/d').sockets.size).toBe(1);
    });

    it('go also when a middleware has refused the only client', () => {
      const { hub, connect } = createHub(options);
      hub.of(/^\/d/).use((_socket, next) => next(new Error('no')));
      connect().say('0/d,');
      expect(hub._nsps.has('/d')).toBe(false);
    });

    it('stay while somebody is entering', () => {
      const { hub, connect } = createHub(options);
      const waiting: (() => void)[] = [];
      hub.of(/^\/d/).use((_socket, next) => void waiting.push(next));
      connect().say('0/d,');
      connect().say('0/d,').break();
      waiting[1]?.();
      expect(hub._nsps.has('/d')).toBe(true);
      waiting[0]?.();
      expect(hub.of('/d').sockets.size).toBe(1);
    });

    it('does not concern namespaces that were made by name', () => {
      const { hub, connect } = createHub(options);
      hub.of('/a');
      connect().say('0/a,').break();
      expect(hub._nsps.has('/a')).toBe(true);
    });
  });
});
