/**
 * What: shows that events which wait for a guard keep their order, however much of them waits.
 * Must not know: contracts, rate limits, transports.
 */
import { describe, expect, it, vi } from 'vitest';
import type { GuardedEvent } from '../../../src/hub/event-guard.ts';
import { createHub } from './scripted-peer.ts';

const LARGE = 'x'.repeat(300_000);

/** A guard that lets events pass when it is told to. */
function start() {
  const { hub, connect } = createHub();
  const settle: (() => void)[] = [];
  hub.guard({
    checkEvent: (_socket, event) => new Promise<GuardedEvent>((resolve) => settle.push(() => resolve(event))),
  });
  const seen: unknown[] = [];
  hub.on('connection', (socket) => socket.onAny((_name, number) => seen.push(number)));
  const peer = connect().say('0');
  const held = vi.fn<(isHeld: boolean) => void>();
  Object.assign(peer, { holdReading: held });
  let number = 0;
  const say = () => void peer.say(`2["row",${number++},"${LARGE}"]`);
  /** Lets everything pass that comes to be looked at. */
  const settleAll = async (): Promise<void> => {
    for (let next = settle.shift(); next !== undefined; next = settle.shift()) {
      next();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { hub, peer, held, settle, seen, say, settleAll };
}

describe('events that wait for a guard', () => {
  it('are looked at a mebibyte at a time; behind another the connection is not read', () => {
    const { held, settle, say } = start();
    for (let i = 0; i < 10; i++) say();
    expect(settle.length).toBe(3);
    expect(held.mock.calls).toEqual([[true]]);
  });

  it('come before those that are read at once when there is room again', async () => {
    const { held, seen, say, settleAll } = start();
    for (let i = 0; i < 10; i++) say();
    held.mockImplementation((isHeld) => {
      if (!isHeld) say();
    });
    await settleAll();
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('leave nothing in the backlog when their socket has left the namespace', async () => {
    const { hub, held, say, settleAll } = start();
    for (let i = 0; i < 53; i++) say();
    const [socket] = hub.sockets.sockets.values();
    const { backlog } = socket!.client;
    expect([backlog.isFull, held.mock.calls]).toEqual([false, [[true]]]);
    socket!.disconnect();
    await settleAll();
    expect(held.mock.calls).toEqual([[true], [false]]);
  });
});
