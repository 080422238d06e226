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
