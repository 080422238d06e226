/**
 * What: shows what a socket on the server does with packets, events, acknowledgements and its end.
 * Must not know: transports.
 */
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHub } from './scripted-peer.ts';

describe('entering a namespace', () => {
  it('answers CONNECT with the id of the socket, which is not that of the session', () => {
    const { hub, connect } = createHub();
    const peer = connect().say('0');
    const [socket] = hub.sockets.sockets.values();
    expect(peer.take()).toEqual([`0{"sid":"${socket?.id}"}`]);
    expect(socket?.id).toMatch(/^[\w-]{20}$/);
    expect(socket?.id).not.toBe(peer.id);
    expect(socket?.rooms).toEqual(new Set([socket?.id]));
    expect(socket).toMatchObject({ connected: true, disconnected: false, recovered: false });
    expect(socket).toBeInstanceOf(EventEmitter);
  });

  it('reports connect, then connection, after the answer is on its way', () => {
    const { hub, connect } = createHub();
    const seen: string[] = [];
    hub.on('connect', () => void seen.push('connect'));
    hub.on('connection', (socket) => {
      seen.push('connection');
      socket.emit('hello');
    });
    const peer = connect().say('0');
    expect(seen).toEqual(['connect', 'connection']);
    expect(peer.take()).toEqual([expect.stringMatching(/^0\{"sid"/), '2["hello"]']);
  });

  it('refuses an unknown namespace and stays open for others', () => {
    const { connect } = createHub();
    const peer = connect().say('0/unknown,', '0');
    expect(peer.take()).toEqual(['4/unknown,{"message":"Invalid namespace"}', expect.stringMatching(/^0\{/)]);
    expect(peer.isOpen).toBe(true);
  });

  const violations: [string, string[]][] = [
    ['an event before CONNECT', ['2["a"]']],
    ['a second CONNECT', ['0', '0']],
    ['a CONNECT_ERROR', ['0', '4{"message":"no"}']],
    ['an event for a namespace that was not entered', ['0', '2/admin,["a"]']],
    ['a malformed packet', ['0', '2["a"']],
    ['a reserved event', ['0', '2["disconnect"]']],
    ['bytes without a packet', ['0', '51-["a",{"_placeholder":true,"num":0}]', '2["a"]']],
  ];
  it.each(violations)('closes the session after %s', (_title, messages) => {
    const { hub, connect } = createHub();
    const peer = connect().say(...messages);
    expect(peer.isOpen).toBe(false);
    expect(hub.sockets.sockets.size).toBe(0);
    expect(hub.sockets.adapter.rooms.size).toBe(0);
    expect(hub.sockets.adapter.sids.size).toBe(0);
  });

  it('closes a peer that enters one namespace twice while a middleware thinks', () => {
    const { hub, connect } = createHub();
    hub.use(() => {});
    expect(connect().say('0', '0').isOpen).toBe(false);
  });

  it('lets one connection into several namespaces', () => {
    const { hub, connect } = createHub();
    hub.of('/a');
    hub.of('/b');
    const peer = connect().say('0/a,', '0', '0/b,', '1/a,', '2/b,["x"]');
    expect(peer.isOpen).toBe(true);
    expect([...hub._nsps.values()].map(({ name, sockets }) => [name, sockets.size])).toEqual([
      ['/', 1],
      ['/a', 0],
      ['/b', 1],
    ]);
    peer.say('0/a,');
    expect(hub.of('/a').sockets.size).toBe(1);
  });
});

describe('the time to enter a namespace', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('closes who has not entered one in time, and nobody else', () => {
    const { connect } = createHub({ connectTimeout: 1000 });
    const idle = connect();
    const quick = connect().say('0');
    vi.advanceTimersByTime(999);
    expect(idle.isOpen).toBe(true);
    vi.advanceTimersByTime(1);
    expect(idle.isOpen).toBe(false);
    expect(quick.isOpen).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('events', () => {
  it('gives listeners every argument, bytes as Buffers', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[][] = [];
    socket.on('many', (...args) => void seen.push(args));
    peer.say('2["many",1,"2",[3],{"four":4},null,true]', '51-["many",{"_placeholder":true,"num":0}]');
    peer.say(new Uint8Array([1, 2]));
    expect(seen).toEqual([[1, '2', [3], { four: 4 }, null, true], [Buffer.from([1, 2])]]);
    expect(Buffer.isBuffer(seen[1]?.[0])).toBe(true);
  });

  it('can be awaited with node:events', async () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const args = once(socket, 'soon');
    peer.say('2["soon",1]');
    expect(await args).toEqual([1]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'error', ''])(
    'takes %j for a name like any other',
    (name) => {
      const { enter } = createHub();
      const { peer, socket } = enter();
      peer.say(`2[${JSON.stringify(name)},1]`);
      const seen: unknown[] = [];
      EventEmitter.prototype.on.call(socket, name, (value: unknown) => void seen.push(value));
      peer.say(`2[${JSON.stringify(name)},2]`);
      expect(seen).toEqual([2]);
      expect(peer.isOpen).toBe(true);
    },
  );

  it.each(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])(
    'does not emit the reserved name %s',
    (name) => {
      const { enter, hub } = createHub();
      const { socket } = enter();
      const text = `"${name}" is a reserved event name`;
      expect(() => socket.emit(name)).toThrow(text);
      expect(() => socket.broadcast.emit(name)).toThrow(text);
      expect(() => hub.emit(name)).toThrow(text);
    },
  );

  it('does not let a listener that throws stop what was on its way, nor hide the error', async () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[] = [];
    const boom = new Error('boom');
    socket.on('bad', () => {
      throw boom;
    });
    socket.on('good', (value) => void seen.push(value));
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = once(process, 'uncaughtException');
    peer.say('2["bad"]', '2["good",1]');
    const [error] = await uncaught;
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(error).toBe(boom);
    expect(seen).toEqual([1]);
    expect(peer.isOpen).toBe(true);
  });

  it('drops volatile events that could not leave at once, and no others', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    peer.isWritable = false;
    socket.volatile.emit('lost');
    socket.emit('kept');
    peer.isWritable = true;
    socket.volatile.emit('kept too');
    expect(peer.take()).toEqual(['2["kept"]', '2["kept too"]']);
  });

  it('marks what may not be compressed, once', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    socket.compress(false).emit('a');
    socket.emit('b');
    expect(peer.packets.map(({ compress }) => compress)).toEqual([false, true]);
  });

  it('sends bytes as attachments', () => {
    const { enter } = createHub();
    const { peer, socket } = enter('/a');
    socket.emit('file', { bytes: Buffer.from([1]) });
    expect(peer.take()).toEqual(['51-/a,["file",{"bytes":{"_placeholder":true,"num":0}}]', Buffer.from([1])]);
  });

  it('sends `message` events with send and write', () => {
    const { enter, hub } = createHub();
    const { peer, socket } = enter();
    socket.send('a').write('b', 1);
    hub.send('c').write('d');
    expect(peer.take()).toEqual([
      '2["message","a"]',
      '2["message","b",1]',
      '2["message","c"]',
      '2["message","d"]',
    ]);
  });

  it('ignores what comes and what is sent after the end', () => {
    const { enter } = createHub();
    const { peer, socket, nsp } = enter();
    const seen: unknown[] = [];
    socket.on('late', () => void seen.push('late'));
    const { listener } = peer;
    socket.disconnect(true);
    listener?.peerMessage('2["late"]');
    listener?.peerMessage(null as unknown as string);
    peer.take();
    socket.emit('late');
    socket.join('room');
    expect(peer.take()).toEqual([]);
    expect(seen).toEqual([]);
    expect(nsp.adapter.rooms.size).toBe(0);
    expect(nsp.adapter.sids.size).toBe(0);
  });

  it('closes the session of a peer whose message is not even text', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    socket.client.ondata(null);
    expect(peer.isOpen).toBe(false);
  });
});

describe('catch-all listeners', () => {
  it('see what comes, before the listeners of the event, in their order', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: string[] = [];
    const second = (event: string) => void seen.push(`second ${event}`);
    socket.on('a', () => void seen.push('own'));
    socket.onAny(second);
    socket.prependAny((event) => void seen.push(`first ${event}`));
    expect(socket.listenersAny()).toHaveLength(2);
    peer.say('2["a"]');
    socket.offAny(second);
    peer.say('2["b"]');
    socket.offAny();
    peer.say('2["c"]');
    expect(seen).toEqual(['first a', 'second a', 'own', 'first b']);
    expect(socket.listenersAny()).toEqual([]);
  });

  it('see what goes out, broadcasts among it, without the acknowledgement', () => {
    const { enter, hub } = createHub();
    const { socket } = enter();
    const seen: unknown[][] = [];
    const last = (...args: unknown[]) => void seen.push(['last', ...args]);
    socket.onAnyOutgoing(last);
    socket.prependAnyOutgoing((...args) => void seen.push(['first', ...args]));
    socket.emit('a', 1, () => {});
    hub.emit('b', 2);
    socket.offAnyOutgoing(last);
    hub.to(socket.id).emit('c', 3);
    expect(seen).toEqual([
      ['first', 'a', 1],
      ['last', 'a', 1],
      ['first', 'b', 2],
      ['last', 'b', 2],
      ['first', 'c', 3],
    ]);
    expect(socket.listenersAnyOutgoing()).toHaveLength(1);
    socket.offAnyOutgoing();
    expect(socket.listenersAnyOutgoing()).toEqual([]);
  });
});

describe('acknowledgements', () => {
  it('go back once, with every argument', () => {
    const { enter } = createHub();
    const { peer, socket } = enter('/a');
    socket.on('ask', (...args) => {
      const answer = args.pop() as (...values: unknown[]) => void;
      answer(args, Buffer.from([1]));
      answer('again');
    });
    peer.say('2/a,7["ask",1,2]');
    expect(peer.take()).toEqual(['61-/a,7[[1,2],{"_placeholder":true,"num":0}]', Buffer.from([1])]);
  });

  it('come back to who asked, once, whatever the peer makes up', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[][] = [];
    socket.emit('ask', 'x', (...args: unknown[]) => void seen.push(args));
    expect(peer.take()).toEqual(['20["ask","x"]']);
    peer.say('39["stranger"]', '39007199254740991["giant"]', '30["yes",2]', '30["twice"]');
    expect(seen).toEqual([['yes', 2]]);
    expect(peer.isOpen).toBe(true);
  });

  it('are promised by emitWithAck', async () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const answer = socket.emitWithAck('ask', 1);
    const timely = socket.timeout(1000).emitWithAck('ask', 2);
    peer.say('30["one"]', '31["two"]');
    expect(await Promise.all([answer, timely])).toEqual(['one', 'two']);
  });

  describe('with a time limit', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('get an error when there is no answer, and nothing after it', async () => {
      const { enter } = createHub();
      const { peer, socket } = enter();
      const seen: unknown[][] = [];
      socket.timeout(50).emit('ask', (...args: unknown[]) => void seen.push(args));
      const promise = socket.timeout(50).emitWithAck('ask');
      const rejected = expect(promise).rejects.toThrow('operation has timed out');
      vi.advanceTimersByTime(50);
      peer.say('30["late"]');
      expect(seen).toEqual([[new Error('operation has timed out')]]);
      expect(socket.acks.size).toBe(0);
      await rejected;
    });

    it('get null and the answer when it is in time, and leave no timer', () => {
      const { enter } = createHub({ connectTimeout: 10 });
      const { peer, socket } = enter();
      const seen: unknown[][] = [];
      socket.timeout(50).emit('ask', (...args: unknown[]) => void seen.push(args));
      peer.say('30["in time"]');
      expect(seen).toEqual([[null, 'in time']]);
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

describe('middlewares of a socket', () => {
  it('see each event in turn, may wait, and may change it', async () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[] = [];
    socket.use((event, next) => {
      event.push('added');
      setImmediate(next);
    });
    socket.use(([name], next) => {
      seen.push(`saw ${name}`);
      next();
    });
    const arrived = once(socket, 'a');
    peer.say('2["a",1]');
    expect(await arrived).toEqual([1, 'added']);
    expect(seen).toEqual(['saw a']);
  });

  it('refuse with an error event, which needs no listener', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[] = [];
    socket.use((_event, next) => next(new Error('refused')));
    socket.on('a', () => void seen.push('a'));
    peer.say('2["a"]');
    socket.on('error', (error) => void seen.push(error.message));
    peer.say('2["a"]');
    expect(seen).toEqual(['refused']);
  });
});

describe('the end of a socket', () => {
  const ends: [string, string, (context: ReturnType<ReturnType<typeof createHub>['enter']>) => void][] = [
    ['the client leaves', 'client namespace disconnect', ({ peer }) => void peer.say('1')],
    ['the server sends it away', 'server namespace disconnect', ({ socket }) => void socket.disconnect()],
    ['the server closes it', 'server namespace disconnect', ({ socket }) => void socket.disconnect(true)],
    ['all are sent away', 'server namespace disconnect', ({ nsp }) => nsp.disconnectSockets(true)],
    ['the transport closes', 'transport close', ({ peer }) => peer.break()],
    ['the heartbeat stops', 'ping timeout', ({ peer }) => peer.break('ping timeout')],
    ['the session closes itself', 'forced close', ({ peer }) => peer.close()],
    ['the peer talks nonsense', 'forced close', ({ peer }) => void peer.say('x')],
    ['the peer connects twice', 'forced close', ({ peer }) => void peer.say('0')],
    [
      'the peer connects twice, and its session ends later',
      'forced server close',
      ({ peer }) => {
        peer.closesAtOnce = false;
        peer.say('0');
      },
    ],
    ['the server shuts down', 'server shutting down', ({ nsp }) => void nsp.server.closeNamespaces()],
  ];
  it.each(ends)('is told once when %s: %s', (_title, reason, act) => {
    const { enter } = createHub();
    const context = enter();
    const { socket, nsp } = context;
    socket.join('room');
    const seen: unknown[] = [];
    socket.on('disconnecting', (why) => {
      seen.push(['disconnecting', why, [...socket.rooms]]);
      socket.disconnect();
      socket.join('too late');
    });
    socket.on(
      'disconnect',
      (why) => void seen.push(['disconnect', why, [...socket.rooms], socket.connected]),
    );
    act(context);
    context.peer.break();
    expect(seen).toEqual([
      ['disconnecting', reason, [socket.id, 'room']],
      ['disconnect', reason, [], false],
    ]);
    expect(nsp.sockets.size).toBe(0);
    expect(nsp.adapter.rooms.size).toBe(0);
  });

  it('hands on what is known of the cause', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[] = [];
    socket.on('disconnect', (...args) => void seen.push(args));
    peer.break('transport error', 'cause');
    expect(seen).toEqual([['transport error', 'cause']]);
  });

  it('tells the client of a namespace only when it leaves that alone', () => {
    const { enter } = createHub();
    const { peer, socket } = enter('/a');
    socket.disconnect();
    expect(peer.take()).toEqual(['1/a,']);
    expect(peer.isOpen).toBe(true);
  });

  it('reports what the peer did wrong to a listener for errors', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const seen: unknown[] = [];
    socket.on('error', (error) => void seen.push(error));
    peer.say('2["a"');
    expect(seen).toEqual([expect.objectContaining({ code: 'EVENT_ERR_INVALID_PACKET' })]);
  });
});

describe('the handshake', () => {
  it('is read from the request when somebody asks', () => {
    const { hub, connect } = createHub();
    const peer = connect();
    peer.request = {
      url: '/socket.io/?EIO=4&a=1&a=2&__proto__=x',
      headers: { origin: 'http://a.example', host: 'b.example' },
      socket: { encrypted: true },
    } as unknown as IncomingMessage;
    peer.say('0{"token":"t"}');
    const [socket] = hub.sockets.sockets.values();
    const handshake = socket?.handshake;
    expect(handshake).toMatchObject({
      headers: { host: 'b.example' },
      xdomain: true,
      secure: true,
      url: '/socket.io/?EIO=4&a=1&a=2&__proto__=x',
      auth: { token: 't' },
    });
    expect(Object.entries(handshake?.query ?? {})).toEqual(
      expect.arrayContaining([
        ['EIO', '4'],
        ['a', ['1', '2']],
      ]),
    );
    expect(new Date(handshake?.time as string).getTime()).toBe(
      Math.floor((handshake?.issued as number) / 1000) * 1000,
    );
    expect(socket?.handshake).toBe(handshake);
    expect(socket?.request).toBe(peer.request);
  });

  it('is secure and empty where there is no request', () => {
    const { enter } = createHub();
    expect(enter().socket.handshake).toMatchObject({
      headers: {},
      query: {},
      secure: true,
      xdomain: false,
      auth: {},
    });
  });
});

describe('data', () => {
  it('is an empty object at first, and whatever the application makes of it', () => {
    const { enter } = createHub();
    const { socket } = enter();
    expect(socket.data).toEqual({});
    socket.data.name = 'a';
    expect(socket.data).toEqual({ name: 'a' });
    socket.data = { other: 1 };
    expect(socket.data).toEqual({ other: 1 });
  });
});
