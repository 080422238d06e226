/**
 * What: shows that whatever a peer says, its own session ends at worst, and nothing of it stays behind.
 * Must not know: transports.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHub } from './scripted-peer.ts';

/** Errors of the application end outside of the hub; here none may. */
const uncaught = vi.fn();
beforeEach(() => {
  uncaught.mockReset();
  process.on('uncaughtException', uncaught);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('uncaughtException', uncaught);
  expect(uncaught).not.toHaveBeenCalled();
});

describe('what has brought down others', () => {
  it('CVE-2020-36049: a giant number of attachments is refused before anything is kept for it', () => {
    const { enter } = createHub();
    const { peer } = enter();
    peer.say(`5${'9'.repeat(1_000_000)}-["a"]`);
    expect(peer.isOpen).toBe(false);
  });

  it('CVE-2022-2421: a placeholder whose number is no number reaches no handler', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const handler = vi.fn();
    socket.on('a', handler);
    peer.say('51-["a",{"_placeholder":true,"num":"splice"}]', new Uint8Array([1]));
    expect(handler).not.toHaveBeenCalled();
    expect(peer.isOpen).toBe(false);
  });

  it.each(['{"toString":""}', '[{"toString":"foo"}]', 'null', '{"length":1}', '[]', '[[]]', '[true]', '""'])(
    'CVE-2023-32695: an event whose name is no name is refused: %s',
    (data) => {
      const { enter } = createHub();
      const { peer } = enter();
      peer.say(`2${data}`);
      expect(peer.isOpen).toBe(false);
    },
  );

  it('CVE-2024-38355: an event called error needs no listener', () => {
    const { enter } = createHub();
    const { peer } = enter();
    peer.say('2["error"]', '2["error","x"]');
    expect(peer.isOpen).toBe(true);
  });

  it('CVE-2026-33151: attachments without end are refused at the eleventh', () => {
    const { enter } = createHub();
    const { peer } = enter();
    peer.say(`511-["a",{"_placeholder":true,"num":0}]`);
    expect(peer.isOpen).toBe(false);
  });

  it('an event or an answer of half a million arguments calls no listener', () => {
    const { enter } = createHub();
    for (const say of [`2["a"${',1'.repeat(450_000)}]`, `30[${'1,'.repeat(450_000)}1]`]) {
      const { peer, socket } = enter();
      const errors: unknown[] = [];
      socket.onAny(() => errors.push('reached'));
      socket.emit('question', () => errors.push('answered'));
      socket.on('error', (error) => errors.push((error as Error & { code: string }).code));
      peer.say(say);
      expect([errors, peer.isOpen]).toEqual([['EVENT_ERR_TOO_MANY_ARGUMENTS'], false]);
    }
  });

  it('an attachment is in one place only, so that nobody who sends the event on sends it ten thousand times', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const errors: unknown[] = [];
    socket.on('error', (error) => errors.push((error as Error & { code: string }).code));
    socket.on('echo', (value) => socket.emit('echo', value));
    const places = Array.from({ length: 10_000 }, () => '{"_placeholder":true,"num":0}').join();
    peer.say(`51-["echo",[${places}]]`, Buffer.alloc(100_000));
    expect([errors, peer.take(), peer.isOpen]).toEqual([['EVENT_ERR_ATTACHMENT'], [], false]);
  });

  it.each(['-1', '1', '1e9', '0.5', '"0"', '"length"', '"__proto__"', 'null', '{}', '[0]'])(
    'a placeholder with the number %s names nothing',
    (num) => {
      const { enter } = createHub();
      const { peer, socket } = enter();
      const handler = vi.fn();
      socket.on('a', handler);
      peer.say(`51-["a",{"b":[{"_placeholder":true,"num":${num}}]}]`, Buffer.from([1]));
      expect([handler.mock.calls, peer.isOpen]).toEqual([[], false]);
    },
  );

  it('deep nesting does not reach the application, whose own recursion it would break', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    socket.on('echo', (value) => socket.emit('echo', value));
    peer.say(`2["echo",${'['.repeat(400_000)}${']'.repeat(400_000)}]`);
    expect(peer.isOpen).toBe(false);
  });

  it('credentials are data, whatever they are called', () => {
    const { hub, connect } = createHub();
    const seen: unknown[] = [];
    hub.use((socket, next) => {
      seen.push(socket.handshake.auth.isAdmin, Object.getPrototypeOf(socket.handshake.auth));
      next();
    });
    connect().say('0{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}');
    expect(seen).toEqual([undefined, Object.prototype]);
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined();
  });

  it('a polluted Object.prototype changes nothing', () => {
    const { enter } = createHub();
    const value = new Uint8Array(1);
    Object.defineProperty(Object.prototype, 'polluted', { value, enumerable: true, configurable: true });
    let sent: unknown[];
    try {
      const { peer, socket } = enter();
      socket.emit('a', { b: 1 });
      sent = peer.take();
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
    expect(sent).toEqual(['2["a",{"b":1}]']);
  });
});

describe('answers', () => {
  it('to nothing, to what others were asked, and a second time are passed over', () => {
    const { enter } = createHub();
    const one = enter();
    const other = enter();
    const answers: unknown[] = [];
    one.socket.emit('question', (...answer: unknown[]) => answers.push(answer));
    other.peer.say('30["foreign"]', '39007199254740991["unknown"]', '3007["leading zeros"]');
    one.peer.say('30["first"]', '30["second"]');
    expect([answers, one.peer.isOpen, other.peer.isOpen]).toEqual([[['first']], true, true]);
  });
});

describe('namespaces that clients ask for', () => {
  const refusal = (peer: { take(): unknown[] }) =>
    JSON.parse((peer.take()[0] as string).replace(/^4[^{]*/, ''));

  it.each([
    [
      'more than a connection may be in',
      { perConnection: 2 },
      '0/c-3,',
      'NAMESPACE_ERR_TOO_MANY',
      'perConnection',
      2,
    ],
    [
      'long names',
      { nameCharacters: 10 },
      '0/c-34567890,',
      'NAMESPACE_ERR_NAME_TOO_LONG',
      'nameCharacters',
      10,
    ],
    [
      'more credentials than are kept',
      { authCharacters: 2000 },
      `0/c-3,{"token":"${'x'.repeat(2000)}"}`,
      'NAMESPACE_ERR_AUTH_TOO_LARGE',
      'authCharacters',
      2000,
    ],
  ])('%s are refused with a code; the others go on', (_title, namespaceLimits, ask, code, name, value) => {
    const { hub, connect } = createHub({ namespaceLimits });
    hub.of(/^\/c-/);
    const peer = connect().say('0/c-1,', '0/c-2,');
    peer.take();
    peer.say(ask);
    expect(refusal(peer)).toMatchObject({
      data: { code, limit: { name: `namespaceLimits.${name}`, value } },
    });
    expect([peer.isOpen, [...hub._nsps.keys()]]).toEqual([true, ['/', '/c-1', '/c-2']]);
  });

  it('are counted while a function thinks about them', () => {
    const { hub, connect } = createHub({ namespaceLimits: { perConnection: 100 } });
    const asked = vi.fn();
    hub.of(asked);
    const peer = connect();
    for (let i = 0; i < 150; i++) peer.say(`0/slow-${i},`);
    expect([asked.mock.calls.length, peer.sent.length]).toEqual([100, 50]);
  });

  it('may be left for others, with the credentials that were given for them', () => {
    const { hub, connect } = createHub({ namespaceLimits: { perConnection: 1, authCharacters: 2000 } });
    hub.of(/^\/c-/);
    const peer = connect();
    for (let i = 0; i < 10; i++) peer.say(`0/c-${i},{"token":"${'x'.repeat(1500)}"}`, `1/c-${i},`);
    expect(peer.take()).toEqual(Array.from({ length: 10 }, () => expect.stringMatching(/^0\/c-/)));
  });

  it('do not fill the memory under ever new names: those without sockets go, what the program made stays', () => {
    const { hub, connect } = createHub({ namespaceLimits: { dynamic: 10 } });
    hub.of(/^\/c-/);
    const own = hub.of('/c-own');
    const bystander = connect().say('0/c-stays,');
    const peer = connect();
    for (let i = 0; i < 1000; i++) peer.say(`0/c-${i},`, `1/c-${i},`);
    expect(hub._nsps.size).toBeLessThanOrEqual(12);
    expect([hub.of('/c-own'), hub.of('/c-stays').sockets.size]).toEqual([own, 1]);
    bystander.take();
    hub.of('/c-stays').emit('still');
    expect(bystander.take()).toEqual(['2/c-stays,["still"]']);
  });

  it('are refused where every one of them has sockets', () => {
    const { hub, connect } = createHub({ namespaceLimits: { dynamic: 3 } });
    hub.of(/^\/c-/);
    const peer = connect().say('0/c-1,', '0/c-2,', '0/c-3,');
    peer.take();
    peer.say('0/c-4,');
    expect(refusal(peer)).toMatchObject({ data: { code: 'NAMESPACE_ERR_TOO_MANY_DYNAMIC' } });
    peer.say('1/c-2,', '0/c-4,');
    expect(peer.take()).toEqual([expect.stringMatching(/^0\/c-4,/)]);
  });

  it('have limits that can be kept', () => {
    expect(() => createHub({ namespaceLimits: { dynamic: Number.NaN } })).toThrow(
      expect.objectContaining({ code: 'NAMESPACE_ERR_LIMIT' }),
    );
  });
});

describe('anything at all', () => {
  const text = fc.constantFrom(
    ...[
      '0',
      '0/a,',
      '0/b,{"x":1}',
      '0/dyn-1,',
      '1',
      '1/a,',
      '2["e"]',
      '2["e",1]',
      '25["ask"]',
      '2/a,["e",[]]',
    ],
    ...[
      '30["x"]',
      '3/a,1[]',
      '51-["e",{"_placeholder":true,"num":0}]',
      '61-0[{"_placeholder":true,"num":0}]',
    ],
    ...[
      '4{"message":"x"}',
      '2["error"]',
      '2["__proto__"]',
      '9',
      '',
      '2',
      '0[]',
      '52-["e",{"_placeholder":true}]',
    ],
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  );

  it('leaves nothing behind when it is over', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 3 }), (peers) => {
        const { hub, connect } = createHub({ cleanupEmptyChildNamespaces: true });
        const handle = (socket: Parameters<Parameters<typeof hub.of>[1] & object>[0]): void => {
          socket.join('room');
          socket.on('ask', (ack) => typeof ack === 'function' && ack(1));
          socket.emit('question', () => socket.broadcast.emit('answered'));
        };
        for (const name of ['/', '/a', '/b']) hub.of(name, handle);
        hub.of(/^\/dyn-/, handle);
        const connected = peers.map(() => connect());
        for (let i = 0; i < 12; i++) {
          for (const [index, steps] of peers.entries()) {
            const said = steps[i];
            if (said !== undefined) connected[index]?.say(said as string);
          }
        }
        for (const peer of connected) peer.break();
        for (const { name, sockets, adapter } of hub._nsps.values()) {
          expect([name, sockets.size, adapter.rooms.size, adapter.sids.size]).toEqual([name, 0, 0, 0]);
        }
        expect([...hub._nsps.keys()]).toEqual(['/', '/a', '/b']);
      }),
      { numRuns: 500 },
    );
  });
});
