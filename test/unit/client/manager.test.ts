import { describe, expect, it } from 'vitest';
import { createIo } from '../../../src/client/io.ts';
import { Manager } from '../../../src/client/manager.ts';
import { scriptedPlatform, turn } from '../engine/client/scripted.ts';
import { scene } from './scripted-server.ts';

describe('io()', () => {
  function fresh() {
    const platform = scriptedPlatform();
    const io = createIo((uri, opts) => new Manager(platform, uri, opts), undefined);
    return { io, platform };
  }

  it('shares a connection between namespaces of one server', () => {
    const { io, platform } = fresh();
    const a = io('http://h/a');
    const b = io('http://h:80/b');
    expect(a.io).toBe(b.io);
    expect([a.nsp, b.nsp]).toEqual(['/a', '/b']);
    expect(platform.transportsMade).toHaveLength(1);
    expect(platform.last.target.url()).toContain('http://h/socket.io/?EIO=4');
  });

  it.each([
    ['the same namespace is wanted twice', 'http://h/a', {}],
    ['the path is another one', 'http://h/b', { path: '/other' }],
    ['forceNew is set', 'http://h/b', { forceNew: true }],
    ['multiplex is off', 'http://h/b', { multiplex: false }],
    ['the port is another one', 'http://h:81/b', {}],
    ['the scheme is another one', 'https://h/b', {}],
  ])('makes a connection of its own when %s', (_, uri, opts) => {
    const { io } = fresh();
    const first = io('http://h/a');
    expect(io(uri, opts).io).not.toBe(first.io);
  });

  it('takes options alone', () => {
    const { io, platform } = fresh();
    const socket = io({ path: '/x' });
    expect(socket.nsp).toBe('/');
    expect(platform.last.target.url()).toContain('http://localhost/x/?');
  });

  it('takes the query out of the address', () => {
    const { io, platform } = fresh();
    io('http://h/nsp?token=abc');
    expect(platform.last.target.url()).toContain('/socket.io/?token=abc&EIO=4');
  });
});

describe('a manager', () => {
  it('has the defaults of socket.io-client, and changes them', () => {
    const manager = new Manager(scriptedPlatform(), 'http://h', { autoConnect: false });
    expect(manager.engine).toBeUndefined();
    expect([
      manager.reconnection(),
      manager.reconnectionAttempts(),
      manager.reconnectionDelay(),
      manager.reconnectionDelayMax(),
      manager.randomizationFactor(),
      manager.timeout(),
    ]).toEqual([true, Infinity, 1000, 5000, 0.5, 20_000]);
    manager.reconnection(false).reconnectionAttempts(1).reconnectionDelay(2).reconnectionDelayMax(3);
    manager.randomizationFactor(0.4).timeout(false);
    expect([
      manager.reconnection(),
      manager.reconnectionAttempts(),
      manager.reconnectionDelay(),
      manager.reconnectionDelayMax(),
      manager.randomizationFactor(),
      manager.timeout(),
    ]).toEqual([false, 1, 2, 3, 0.4, false]);
    expect(manager.opts.path).toBe('/socket.io');
  });

  it('opens when it is made, or when told to, and tells the caller', async () => {
    const { manager, platform, open } = scene({ autoConnect: false });
    expect(platform.transportsMade).toEqual([]);
    const answers: unknown[] = [];
    manager.open((error) => answers.push(error));
    manager.connect();
    expect(platform.transportsMade).toHaveLength(1);
    await open();
    expect(answers).toEqual([undefined]);
  });

  it('tells the caller of open() why it failed, and does not reconnect by itself then', async () => {
    const { manager, platform } = scene({ autoConnect: false });
    const answers: unknown[] = [];
    manager.open((error) => answers.push(error));
    const error = platform.last.fail();
    expect(answers).toEqual([error]);
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it('reconnects later and later, and says so', async () => {
    const s = scene();
    await s.open();
    await s.break();
    expect(s.events).toEqual([['open'], ['close', 'transport close', expect.anything()]]);
    s.events.length = 0;
    const error = new Error('refused');
    for (const delay of [1000, 2000, 4000, 5000, 5000]) {
      expect(s.platform.clockUsed.delays).toEqual([delay]);
      s.platform.clockUsed.advance(delay);
      s.platform.last.end({ by: 'failed', error });
    }
    expect(s.events.slice(0, 6)).toEqual([
      ['reconnect_attempt', 1],
      ['error', error],
      ['reconnect_error', error],
      ['reconnect_attempt', 2],
      ['error', error],
      ['reconnect_error', error],
    ]);
    s.events.length = 0;
    s.platform.clockUsed.advance(5000);
    await s.open();
    expect(s.events).toEqual([['reconnect_attempt', 6], ['open'], ['reconnect', 6]]);
    await s.break();
    expect(s.platform.clockUsed.delays).toEqual([1000]);
  });

  it('tries again when the first attempt fails', () => {
    const { platform, events } = scene();
    platform.last.fail();
    expect(platform.clockUsed.delays).toEqual([1000]);
    platform.clockUsed.advance(1000);
    expect(platform.transportsMade).toHaveLength(2);
    expect(events.map(([name]) => name)).toEqual(['error', 'reconnect_attempt']);
  });

  it.each(['online', 'visible'] as const)(
    'does not wait for the next attempt when the page is %s',
    async (event) => {
      const s = scene({ reconnectionDelay: 1e6, reconnectionDelayMax: 1e6 });
      await s.open();
      s.platform.firePage('offline');
      s.events.length = 0;
      s.platform.firePage(event);
      expect(s.platform.transportsMade).toHaveLength(2);
      // Once: the wait is over, and a second word of the page finds an attempt under way.
      s.platform.firePage(event);
      await s.open();
      expect(s.platform.transportsMade).toHaveLength(2);
      expect(s.events).toEqual([['reconnect_attempt', 1], ['open'], ['reconnect', 1]]);
      expect(s.platform.clockUsed.delays.filter((delay) => delay > 45_000)).toEqual([]);
    },
  );

  it('finds at once that the server was silent for too long, when the page is seen again', async () => {
    const s = scene();
    await s.open();
    s.platform.clockUsed.sleep(50_000);
    s.platform.firePage('visible');
    expect(s.events.at(-1)).toEqual(['close', 'ping timeout', undefined]);
  });

  it('gives up after as many attempts as it was told', () => {
    const { platform, events } = scene({ reconnectionAttempts: 2 });
    platform.last.fail();
    platform.clockUsed.advance(1000);
    platform.last.fail();
    platform.clockUsed.advance(2000);
    platform.last.fail();
    expect(events.slice(-2)).toMatchObject([['reconnect_failed'], ['reconnect_error', {}]]);
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it.each([
    ['from the start', (manager: Manager) => manager.reconnection(false), 0],
    ['while it waits', (manager: Manager) => manager.reconnection(false), 1],
  ])('does not reconnect when it is told so %s', (_, stop, waiting) => {
    const { manager, platform, events } = scene();
    if (!waiting) stop(manager);
    platform.last.fail();
    expect(platform.clockUsed.delays).toHaveLength(waiting);
    if (waiting) stop(manager);
    platform.clockUsed.advance(10_000);
    expect(platform.transportsMade).toHaveLength(1);
    expect(events.map(([name]) => name)).toEqual(['error']);
  });

  it('can be stopped by a listener of reconnect_attempt', () => {
    const { manager, platform } = scene();
    platform.last.fail();
    manager.on('reconnect_attempt', () => manager._close());
    platform.clockUsed.advance(1000);
    expect(platform.transportsMade).toHaveLength(1);
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it('limits the time of an attempt', () => {
    const { platform, events } = scene({ timeout: 300 });
    platform.clockUsed.advance(300);
    expect(events).toMatchObject([
      ['error', { message: 'timeout', code: 'TRANSPORT_ERR_TIMEOUT', transport: 'websocket', step: 'open' }],
    ]);
    expect(platform.last.state).toBe('closed');
  });

  it('does not limit it when told so', () => {
    const { platform } = scene({ timeout: false });
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it('reads its options at each attempt', () => {
    const { manager, platform } = scene();
    platform.last.fail();
    manager.opts.query = { attempt: 2 };
    platform.clockUsed.advance(1000);
    expect(platform.last.target.url()).toContain('attempt=2');
  });

  it('tells of pings', async () => {
    const { platform, events, open } = scene();
    await open();
    platform.last.receive('2');
    expect(events).toEqual([['open'], ['ping']]);
  });

  it('ends the connection on a packet that it cannot read, and reconnects', async () => {
    const s = scene();
    const socket = s.manager.socket('/');
    const reasons: unknown[] = [];
    socket.on('disconnect', (reason) => reasons.push(reason));
    await s.connect();
    await s.say('nonsense');
    expect(reasons).toEqual(['parse error']);
    expect(s.events.at(-1)).toMatchObject(['close', 'parse error', { name: 'PeerError' }]);
    expect(s.platform.last.state).toBe('closed');
    expect(s.platform.clockUsed.delays).toEqual([1000]);
  });

  it('fails an attempt at once when the server closes before it has opened', () => {
    const { platform, events } = scene();
    platform.last.accept();
    platform.last.end({ by: 'byPeer' });
    expect(events).toMatchObject([['error', { message: 'transport close' }]]);
    expect(platform.clockUsed.delays).toEqual([1000]);
  });

  it('closes the connection when no socket needs it any more, and opens it for the next one', async () => {
    const s = scene();
    const a = s.manager.socket('/a');
    const b = s.manager.socket('/b');
    await s.open();
    a.disconnect();
    expect(s.platform.last.state).toBe('open');
    b.disconnect();
    await turn();
    expect(s.platform.last.state).toBe('closed');
    expect(s.events.at(-1)).toEqual(['close', 'forced close', undefined]);
    expect(s.platform.clockUsed.delays).toEqual([]);
    expect(s.manager.socket('/a')).toBe(a);
    expect(a.active).toBe(true);
    expect(s.platform.transportsMade).toHaveLength(2);
  });

  it('uses the parser that it is given', async () => {
    const log: unknown[] = [];
    class Encoder {
      encode(packet: object) {
        log.push(packet);
        return [Uint8Array.of(1), 'text'];
      }
    }
    class Decoder {
      on() {}
      off() {}
      destroy() {}
      add(message: unknown) {
        log.push(message);
      }
    }
    const s = scene({ parser: { Encoder, Decoder } });
    s.manager.socket('/');
    await s.open();
    expect(log).toEqual([expect.objectContaining({ type: 0, nsp: '/' })]);
    expect(s.platform.last.sent).toEqual([Uint8Array.of(1), '4text']);
    s.platform.last.receive('4answer');
    expect(log.at(-1)).toBe('answer');
  });
});

describe('what is not confirmed when a session ends', () => {
  const session = { version: 1, windowMs: 60_000, transports: ['websocket'] };

  /** An event with an attachment, sent before the connection breaks; the server tells what it had received. */
  async function end(count: number, isHeld: boolean) {
    const s = scene({ reconnection: false });
    const socket = s.manager.socket('/');
    await s.open({ session });
    await s.say('0{"sid":"a"}');
    const gone: Record<'unconfirmed' | 'unsent', readonly { data?: unknown }[]>[] = [];
    socket.on('disconnect', (_, description) => gone.push(description as never));
    const bytes = Uint8Array.of(1);
    if (isHeld) s.platform.last.isWritable = false;
    socket.emit('other', bytes);
    socket.emit('bytes', bytes, bytes);
    await turn();
    s.platform.last.receive(`7${count}`);
    await s.break();
    const [unconfirmed, unsent] = [gone[0]!.unconfirmed, gone[0]!.unsent].map((packets) =>
      packets.map(({ data }) => data),
    );
    return { unconfirmed, unsent, waiting: socket.sendBuffer };
  }
  const bytes = Uint8Array.of(1);

  it.each([
    ['an event before its text', 3, [['bytes', bytes, bytes]]],
    ['an event before its attachments', 4, [['bytes', bytes, bytes]]],
    ['an event before its last attachment', 5, [['bytes', bytes, bytes]]],
    ['nothing', 6, []],
  ])('is told: %s was confirmed', async (_, count, expected) => {
    expect(await end(count, false)).toEqual({ unconfirmed: expected, unsent: [], waiting: [] });
  });

  it('and has never left waits for the next session', async () => {
    const { unconfirmed, unsent, waiting } = await end(1, true);
    const events = [
      ['other', bytes],
      ['bytes', bytes, bytes],
    ];
    expect([unconfirmed, unsent]).toEqual([[], events]);
    expect(waiting.map(({ data }) => data)).toEqual(events);
  });
});
