import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SocketOptions } from '../../../src/client/options.ts';
import { turn } from '../engine/client/scripted.ts';
import { type Scene, scene } from './scripted-server.ts';

/** A socket of the main namespace, not yet let in. */
function start(opts: SocketOptions = {}, s: Scene = scene()) {
  const socket = s.manager.socket('/', opts);
  const events: unknown[][] = [];
  for (const name of ['connect', 'connect_error', 'disconnect', 'send_error'] as const) {
    socket.on(name, (...args: unknown[]) => events.push([name, ...args]));
  }
  return Object.assign(s, { socket, events });
}

/** A socket that is connected, and what it sends from then on. */
async function connected(opts: SocketOptions = {}, data: object = {}) {
  const s = start(opts);
  await s.connect('socket-1', data);
  s.platform.last.sent.length = 0;
  s.events.length = 0;
  return s;
}

/** The connection breaks and comes back; the namespace is not yet entered again. */
async function reconnect(s: Scene) {
  await s.break();
  s.platform.clockUsed.advance(1000);
  await s.open();
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('connecting', () => {
  it('asks for the namespace, and is connected when the server has answered', async () => {
    const s = start();
    await s.open();
    expect(s.sent).toEqual(['0']);
    expect(s.socket).toMatchObject({ connected: false, disconnected: true, id: undefined, active: true });
    await s.say('0{"sid":"abc"}');
    expect(s.socket).toMatchObject({ connected: true, disconnected: false, id: 'abc', recovered: false });
    expect(s.events).toEqual([['connect']]);
    expect(s.socket.connect()).toBe(s.socket);
    expect(s.sent).toEqual(['0']);
  });

  it('sends what auth holds, or what it is given by it', async () => {
    const s = scene();
    s.manager.socket('/a', { auth: { token: 1 } });
    let calls = 0;
    s.manager.socket('/b', { auth: (callback) => callback({ call: ++calls }) });
    await s.open();
    expect(s.sent).toEqual(['0/a,{"token":1}', '0/b,{"call":1}']);
    await reconnect(s);
    expect(s.sent).toEqual(['0/a,{"token":1}', '0/b,{"call":2}']);
  });

  it('waits for an auth function that takes its time', async () => {
    const s = scene();
    let answer = (_data: object): void => {};
    s.manager.socket('/', {
      auth: (callback) => {
        answer = callback;
      },
    });
    await s.open();
    expect(s.sent).toEqual([]);
    answer({ late: true });
    await turn();
    expect(s.sent).toEqual(['0{"late":true}']);
  });

  it('reads auth again at each connection', async () => {
    const s = await connected({ auth: { n: 1 } });
    s.socket.auth = { n: 2 };
    await reconnect(s);
    expect(s.sent).toEqual(['0{"n":2}']);
  });

  it('tells what the server has against it, and does not try again', async () => {
    const s = start();
    await s.open();
    await s.say('4{"message":"not you","data":{"code":7}}');
    expect(s.events).toMatchObject([['connect_error', { message: 'not you', data: { code: 7 } }]]);
    expect(s.socket.active).toBe(false);
    expect(s.platform.clockUsed.delays).toEqual([]);
  });

  it.each([
    '4"a text, as of version 2"',
    '4{}',
    '4[]',
    '4{"message":{"toString":1}}',
    '4{"message":{"toString":null,"valueOf":null}}',
    '4{"message":["x"]}',
  ])('makes an error also of %s, which no server should say', async (packet) => {
    const s = start();
    await s.open();
    await s.say(packet);
    expect(s.events).toMatchObject([['connect_error', { message: '' }]]);
  });

  it('can connect again from within connect_error, once for each refusal', async () => {
    const s = start({ auth: (give) => give({ token: s.events.length }) });
    let refusals = 0;
    s.socket.on('connect_error', () => {
      if (++refusals < 5) s.socket.connect();
    });
    await s.open();
    await s.say('4{"message":"not you"}');
    expect(refusals).toBe(1);
    await s.open();
    expect(s.sent).toEqual(['0{"token":1}']);
    s.platform.last.fail();
    expect(refusals).toBe(2);
  });

  it('tells that it cannot reach the server, and tries again', async () => {
    const s = start();
    const error = s.platform.last.fail();
    expect(s.events).toEqual([['connect_error', error]]);
    expect(s.socket.active).toBe(true);
    s.platform.clockUsed.advance(1000);
    await s.connect();
    expect(s.events.at(-1)).toEqual(['connect']);
  });

  it('says that a server of version 2 cannot be talked to', async () => {
    const s = start();
    await s.open();
    await s.say('0');
    expect(s.events).toMatchObject([['connect_error', { message: expect.stringContaining('v2.x') }]]);
  });

  it('waits for connect() without autoConnect', async () => {
    const s = scene({ autoConnect: false });
    const socket = s.manager.socket('/');
    expect([socket.active, s.platform.transportsMade.length]).toEqual([false, 0]);
    socket.open();
    await s.connect();
    expect(socket.connected).toBe(true);
  });
});

describe('disconnecting', () => {
  it.each(['disconnect', 'close'] as const)(
    '%s tells the server, and nothing brings the socket back',
    async (name) => {
      const s = await connected();
      expect(s.socket[name]()).toBe(s.socket);
      expect(s.socket).toMatchObject({ connected: false, id: undefined, active: false });
      expect(s.events).toEqual([['disconnect', 'io client disconnect', undefined]]);
      await turn();
      expect(s.sent).toEqual(['1']);
      expect(s.platform.last.state).toBe('closed');
      expect(s.platform.clockUsed.delays).toEqual([]);
      s.socket.disconnect();
      expect(s.events).toHaveLength(1);
    },
  );

  it('says nothing when it was never connected', () => {
    const s = start();
    s.socket.disconnect();
    expect(s.events).toEqual([]);
    expect(s.platform.last.state).toBe('closed');
  });

  it('by the server is for good', async () => {
    const s = await connected();
    await s.say('1');
    expect(s.events).toEqual([['disconnect', 'io server disconnect', undefined]]);
    expect(s.socket.active).toBe(false);
    expect(s.platform.clockUsed.delays).toEqual([]);
  });

  it('by the network is followed by a new connection with a new id', async () => {
    const s = await connected();
    await s.break();
    expect(s.events).toEqual([
      ['disconnect', 'transport close', { description: 'websocket connection closed', context: undefined }],
    ]);
    s.platform.clockUsed.advance(1000);
    await s.connect('socket-2');
    expect(s.socket.id).toBe('socket-2');
    expect(s.events.at(-1)).toEqual(['connect']);
  });

  it('of one socket by the listener of another happens once', async () => {
    const s = scene();
    const a = s.manager.socket('/a');
    const b = s.manager.socket('/b');
    const reasons: string[] = [];
    a.on('disconnect', () => b.disconnect());
    b.on('disconnect', (reason) => reasons.push(reason));
    await s.open();
    await s.say('0/a,{"sid":"1"}', '0/b,{"sid":"2"}');
    await s.break();
    expect(reasons).toEqual(['io client disconnect']);
  });
});

describe('events', () => {
  it('go out with any number of arguments of any kind', async () => {
    const s = await connected();
    expect(s.socket.emit('many', 1, 'two', { three: [4] }, null)).toBe(s.socket);
    s.socket.send('a', 'b');
    s.socket.emit('bytes', Uint8Array.of(1));
    await turn();
    expect(s.sent).toEqual([
      '2["many",1,"two",{"three":[4]},null]',
      '2["message","a","b"]',
      '51-["bytes",{"_placeholder":true,"num":0}]',
      Uint8Array.of(1),
    ]);
  });

  it('come in to their listeners, in order', async () => {
    const s = await connected();
    const seen: unknown[] = [];
    s.socket.on('x', (...args) => seen.push(args));
    await s.say('2["x",1]', '2["x",2,{"a":3}]', '2["y"]');
    expect(seen).toEqual([[1], [2, { a: 3 }]]);
  });

  it('of other namespaces do not concern it', async () => {
    const s = await connected();
    const seen: unknown[] = [];
    s.socket.on('x', (...args) => seen.push(args));
    await s.say('2/other,["x",1]', '2["x",2]');
    expect(seen).toEqual([[2]]);
  });

  it('go on after a listener has thrown', async () => {
    const s = await connected();
    const seen: unknown[] = [];
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error));
    s.socket.on('x', (n) => {
      seen.push(n);
      if (n === 1) throw new Error('from a listener');
    });
    await s.say('2["x",1]', '2["x",2]');
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(seen).toEqual([1, 2]);
    expect(thrown).toMatchObject([{ message: 'from a listener' }]);
  });

  it.each(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])(
    'cannot be named %s',
    async (name) => {
      const s = await connected();
      expect(() => s.socket.emit(name)).toThrow(`"${name}" is a reserved event name`);
    },
  );

  it('wait in order until the socket is connected, and are seen in sendBuffer', async () => {
    const s = start();
    s.socket.emit('a');
    s.socket.emit('b', () => {});
    expect(s.socket.sendBuffer).toHaveLength(2);
    await s.open();
    expect(s.sent).toEqual(['0']);
    s.socket.emit('c');
    await s.say('0{"sid":"1"}');
    expect(s.sent).toEqual(['0', '2["a"]', '20["b"]', '2["c"]']);
    expect(s.socket.sendBuffer).toEqual([]);
  });

  it('beyond what may wait once the socket is connected are refused as well', async () => {
    const s = await connected({ sendBufferLimit: 2 });
    const told: unknown[] = [];
    s.socket.on('send_error', (error, args) => told.push([error.code, error.limit, args]));
    // The first one leaves at once.
    for (let n = 0; n <= 100_000; n++) s.socket.emit('a', n);
    s.socket.emit('one too many');
    await turn();
    expect(told).toEqual([
      ['EMIT_ERR_BUFFER_FULL', { name: 'sendBufferLimit', value: 100_000 }, ['one too many']],
    ]);
    expect(s.sent).toHaveLength(100_001);
  });

  it('beyond what may wait are refused, and told; what waits is not disturbed', async () => {
    const s = start({ sendBufferLimit: 2 });
    const told: unknown[] = [];
    s.socket.on('send_error', (error, args) => told.push([error.code, error.limit, args]));
    s.socket.emit('a');
    s.socket.emit('b');
    const answer = s.socket.timeout(1000).emitWithAck('c', 1);
    await expect(answer).rejects.toMatchObject({ code: 'EMIT_ERR_BUFFER_FULL' });
    expect(told).toEqual([['EMIT_ERR_BUFFER_FULL', { name: 'sendBufferLimit', value: 2 }, ['c', 1]]]);
    s.socket.volatile.emit('d');
    await s.open();
    await s.say('0{"sid":"1"}');
    expect(s.sent).toEqual(['0', '2["a"]', '2["b"]']);
  });

  it('that cannot be written are told of once it is tried, and do not stop what waits behind them', async () => {
    const s = start();
    const loop: unknown[] = [];
    loop.push(loop);
    s.socket.emit('a', loop);
    s.socket.emit('b');
    const refused = expect(s.socket.timeout(1000).emitWithAck('c', 1n)).rejects.toBeInstanceOf(TypeError);
    await s.open();
    await s.say('0{"sid":"1"}');
    await refused;
    expect(s.sent).toEqual(['0', '2["b"]']);
    expect(s.events).toEqual([
      ['connect'],
      ['send_error', expect.objectContaining({ code: 'EVENT_ERR_TOO_DEEP' }), ['a', loop]],
      ['send_error', expect.any(TypeError), ['c', 1n]],
    ]);
    expect(s.socket.sendBuffer).toEqual([]);
  });

  it('that come before the socket is connected wait too', async () => {
    const s = start();
    const seen: unknown[] = [];
    s.socket.on('x', (n) => seen.push([n, s.socket.connected]));
    await s.open();
    await s.say('2["x",1]');
    expect(seen).toEqual([]);
    expect(s.socket.receiveBuffer).toEqual([['x', 1]]);
    await s.say('0{"sid":"1"}');
    expect(seen).toEqual([[1, true]]);
  });

  it('marked volatile are dropped when they cannot leave at once', async () => {
    const s = start();
    s.socket.volatile.emit('not connected');
    await s.connect();
    s.socket.volatile.emit('one');
    s.socket.volatile.emit('busy');
    s.socket.emit('two');
    await turn();
    s.socket.volatile.emit('three');
    expect(s.sent).toEqual(['0', '2["one"]', '2["two"]', '2["three"]']);
  });

  it('say whether they may be compressed', async () => {
    const s = await connected();
    const options: unknown[] = [];
    s.manager.engine.on('packetCreate', (packet) => options.push(packet.options));
    s.socket.compress(false).emit('a');
    s.socket.emit('b');
    expect(options).toEqual([{ compress: false }, { compress: true }]);
  });

  it('wait when the heartbeat has expired unnoticed, and go out after the reconnection', async () => {
    const s = await connected();
    s.manager.engine._pingTimeoutTime = s.platform.clockUsed.nowMs() - 1;
    s.socket.emit('a');
    expect(s.socket.sendBuffer).toHaveLength(1);
    await turn();
    expect(s.events).toEqual([['disconnect', 'ping timeout', undefined]]);
    s.platform.clockUsed.advance(1000);
    await s.connect();
    expect(s.sent).toEqual(['0', '2["a"]']);
  });
});

describe('acknowledgements', () => {
  it('come back to the callback, once', async () => {
    const s = await connected();
    const answers: unknown[] = [];
    s.socket.emit('x', 1, (...args: unknown[]) => answers.push(args));
    expect(s.sent).toEqual(['20["x",1]']);
    expect(Object.keys(s.socket.acks)).toEqual(['0']);
    await s.say('30["a","b"]', '30["again"]', '399["nobody"]');
    expect(answers).toEqual([['a', 'b']]);
    expect(s.socket.acks).toEqual({});
  });

  it('are given to the server once', async () => {
    const s = await connected();
    s.socket.on('x', (value, reply) => {
      reply(value, 'b');
      reply('again');
    });
    await s.say('25["x","a"]');
    expect(s.sent).toEqual(['35["a","b"]']);
  });

  it('get an error when their time has passed, and a late answer is nobody’s', async () => {
    const s = await connected();
    const answers: unknown[] = [];
    s.socket.timeout(50).emit('x', (...args: unknown[]) => answers.push(args));
    s.platform.clockUsed.advance(50);
    expect(answers).toMatchObject([[{ message: 'operation has timed out' }]]);
    await s.say('30["late"]');
    expect(answers).toHaveLength(1);
  });

  it('get null before the answer when there was a time limit', async () => {
    const s = await connected({ ackTimeout: 50 });
    const answers: unknown[] = [];
    s.socket.emit('x', (...args: unknown[]) => answers.push(args));
    await s.say('30["a"]');
    s.platform.clockUsed.advance(50);
    expect(answers).toEqual([[null, 'a']]);
  });

  it('that time out before their event was sent take it out of the buffer', async () => {
    const s = start();
    const answers: unknown[] = [];
    s.socket.timeout(50).emit('x', (error: Error) => answers.push(error.message));
    s.socket.emit('y');
    s.platform.clockUsed.advance(50);
    expect(answers).toEqual(['operation has timed out']);
    await s.connect();
    expect(s.sent).toEqual(['0', '2["y"]']);
  });

  it('resolve emitWithAck(), or reject it in time', async () => {
    const s = await connected();
    const first = s.socket.emitWithAck('x', 1);
    const second = s.socket.timeout(50).emitWithAck('y');
    await s.say('30["a"]');
    s.platform.clockUsed.advance(50);
    await expect(first).resolves.toBe('a');
    await expect(second).rejects.toThrow('operation has timed out');
  });

  it('fail when the connection is lost after they were sent, if they can fail', async () => {
    const s = await connected();
    const answers: unknown[] = [];
    s.socket.emit('plain', () => answers.push('plain'));
    s.socket.timeout(5000).emit('timed', (error: Error) => answers.push(error.message));
    const promise = s.socket.emitWithAck('promised').catch((error: Error) => answers.push(error.message));
    await s.break();
    await promise;
    expect(answers).toEqual(['socket has been disconnected', 'socket has been disconnected']);
    expect(s.socket.acks).toEqual({});
    s.platform.clockUsed.advance(5000);
    expect(answers).toHaveLength(2);
  });

  it('still come when their event waits to be sent at the time of the loss', async () => {
    const s = await connected();
    await s.break();
    const answer = s.socket.emitWithAck('x');
    s.platform.clockUsed.advance(1000);
    await s.connect();
    expect(s.sent).toEqual(['0', '20["x"]']);
    await s.say('30["a"]');
    await expect(answer).resolves.toBe('a');
  });
});

describe('retries', () => {
  const opts = { retries: 2, ackTimeout: 50 };

  it('send one event at a time, in order, each attempt under a new id', async () => {
    const s = start(opts);
    const answers: unknown[] = [];
    s.socket.emit('a', (...args: unknown[]) => answers.push(args));
    s.socket.emit('b');
    expect(s.socket._queue).toHaveLength(2);
    await s.connect();
    expect(s.sent).toEqual(['0', '20["a"]']);
    s.platform.clockUsed.advance(50);
    await turn();
    expect(s.sent).toEqual(['0', '20["a"]', '21["a"]']);
    // The answer to the attempt that was given up.
    await s.say('30["late"]');
    expect(answers).toEqual([]);
    await s.say('31["answer"]');
    expect(answers).toEqual([[null, 'answer']]);
    expect(s.sent.slice(3)).toEqual(['22["b"]']);
    await s.say('32[]');
    expect(s.socket._queue).toEqual([]);
  });

  it('end after as many as were wanted', async () => {
    const s = await connected(opts);
    const answers: unknown[] = [];
    s.socket.emit('a', (error: Error) => answers.push(error.message));
    for (let i = 0; i < 3; i++) {
      expect(answers).toEqual([]);
      s.platform.clockUsed.advance(50);
      await turn();
    }
    expect(answers).toEqual(['operation has timed out']);
    expect(s.sent).toEqual(['20["a"]', '21["a"]', '22["a"]']);
    expect(s.socket._queue).toEqual([]);
  });

  it('go on after a reconnection', async () => {
    const s = await connected(opts);
    s.socket.emit('a');
    await s.break();
    s.platform.clockUsed.advance(1000);
    await s.connect();
    expect(s.sent).toEqual(['0', '21["a"]']);
  });

  it('do not concern volatile events', async () => {
    const s = await connected(opts);
    s.socket.volatile.emit('a');
    expect(s.sent).toEqual(['2["a"]']);
    expect(s.socket._queue).toEqual([]);
  });

  it('work without a time limit: an answer is an answer', async () => {
    const s = await connected({ retries: 2 });
    const answers: unknown[] = [];
    s.socket.emit('a', (...args: unknown[]) => answers.push(args));
    await s.say('30["x"]');
    expect(answers).toEqual([[null, 'x']]);
  });
});

describe('recovery', () => {
  it('presents who it was and what it has seen last, and says whether it worked', async () => {
    const s = await connected({ auth: { token: 1 } }, { pid: 'private' });
    const seen: unknown[] = [];
    s.socket.on('x', (...args) => seen.push(args));
    await s.say('2["x",1,"offset-1"]', '2["x",2]');
    expect(seen).toEqual([[1, 'offset-1'], [2]]);
    await reconnect(s);
    expect(s.sent).toEqual(['0{"pid":"private","offset":"offset-1","token":1}']);
    // What was missed comes before the answer.
    await s.say('2["x",3,"offset-2"]', '0{"sid":"socket-1","pid":"private"}');
    expect(seen.at(-1)).toEqual([3, 'offset-2']);
    expect(s.socket.recovered).toBe(true);
    await reconnect(s);
    expect(s.sent[0]).toContain('"offset":"offset-2"');
    await s.say('0{"sid":"socket-2","pid":"other"}');
    expect(s.socket.recovered).toBe(false);
  });

  it('takes no last argument for an offset when the server does not recover', async () => {
    const s = await connected();
    await s.say('2["x","text"]');
    await reconnect(s);
    expect(s.sent).toEqual(['0']);
  });
});

describe('catch-all listeners', () => {
  it('hear what comes in before others do, and can be removed', async () => {
    const s = await connected();
    const seen: unknown[] = [];
    const listener = (...args: unknown[]) => seen.push(['any', ...args]);
    s.socket.onAny(listener);
    s.socket.prependAny((...args) => seen.push(['first', ...args]));
    s.socket.on('x', (...args) => seen.push(['x', ...args]));
    expect(s.socket.listenersAny()).toHaveLength(2);
    await s.say('2["x",1]');
    expect(seen).toEqual([
      ['first', 'x', 1],
      ['any', 'x', 1],
      ['x', 1],
    ]);
    s.socket.offAny(listener);
    s.socket.offAny(() => {});
    expect(s.socket.listenersAny()).toHaveLength(1);
    s.socket.offAny();
    expect(s.socket.listenersAny()).toEqual([]);
  });

  it('hear what goes out, when it goes out', async () => {
    const s = start();
    const seen: unknown[] = [];
    const listener = (...args: unknown[]) => seen.push(args);
    s.socket.onAnyOutgoing(listener);
    s.socket.prependAnyOutgoing(() => seen.push('first'));
    s.socket.on('q', (reply) => reply('acknowledgements are not events'));
    s.socket.emit('x', 1, () => {});
    expect(seen).toEqual([]);
    await s.connect();
    s.socket.emit('y');
    await s.say('27["q"]');
    expect(seen).toEqual(['first', ['x', 1], 'first', ['y']]);
    expect(s.socket.listenersAnyOutgoing()).toHaveLength(2);
    s.socket.offAnyOutgoing(listener);
    s.socket.offAnyOutgoing();
    expect(s.socket.listenersAnyOutgoing()).toEqual([]);
  });
});

describe('an event above the server’s limit', () => {
  const big = 'x'.repeat(1000);
  async function limited(opts: SocketOptions = {}) {
    const s = start(opts);
    await s.open({ maxPayload: 200 });
    await s.say('0{"sid":"1"}');
    s.platform.last.sent.length = 0;
    s.events.length = 0;
    return s;
  }

  it('is told to the socket and to the acknowledgement, and the connection goes on', async () => {
    const s = await limited();
    const answers: unknown[] = [];
    s.socket.timeout(5000).emit('big', big, (error: Error) => answers.push(error));
    expect(answers).toEqual([]);
    await turn();
    expect(answers).toMatchObject([{ code: 'ENGINE_ERR_PAYLOAD_LIMIT', limit: { value: 200 } }]);
    expect(s.events).toEqual([['send_error', answers[0], ['big', big]]]);
    await expect(s.socket.emitWithAck('big', big)).rejects.toMatchObject({
      code: 'ENGINE_ERR_PAYLOAD_LIMIT',
    });
    s.socket.emit('small');
    expect(s.sent).toEqual(['2["small"]']);
    s.platform.clockUsed.advance(5000);
    expect(answers).toHaveLength(1);
  });

  it('is not sent in part when only one of its attachments is too large', async () => {
    const s = await limited();
    s.socket.emit('bytes', new Uint8Array(10), new Uint8Array(1000));
    await turn();
    expect(s.sent).toEqual([]);
    expect(s.events).toMatchObject([['send_error', { code: 'ENGINE_ERR_PAYLOAD_LIMIT' }, ['bytes', {}, {}]]]);
  });

  it('is not tried again', async () => {
    const s = await limited({ retries: 10, ackTimeout: 50 });
    const answers: unknown[] = [];
    s.socket.emit('big', big, (error: Error) => answers.push(error));
    s.socket.emit('small');
    await turn();
    expect(answers).toMatchObject([{ code: 'ENGINE_ERR_PAYLOAD_LIMIT' }]);
    expect(s.sent).toEqual([expect.stringContaining('["small"]')]);
  });

  it('is logged when nobody would hear of it', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const s = scene();
    const socket = s.manager.socket('/');
    await s.open({ maxPayload: 200 });
    await s.say('0{"sid":"1"}');
    socket.emit('big', big);
    socket.on('x', (reply) => reply(big));
    await s.say('21["x"]');
    expect(log.mock.calls).toMatchObject([[{ name: 'UsageError' }], [{ name: 'UsageError' }]]);
  });
});
