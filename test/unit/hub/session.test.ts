/**
 * What: shows what a program is told when a session loses its connection, gets another, and ends.
 * Must not know: transports, and how sessions count.
 */
import { describe, expect, it, vi } from 'vitest';
import { SessionOver } from '../../../src/engine/port.ts';
import type { SessionOutcome } from '../../../src/hub/session-outcome.ts';
import type { OutgoingPacket } from '../../../src/wire/engine/packet.ts';
import { jsonParser } from '../../../src/wire/events/parser.ts';
import { createHub } from './scripted-peer.ts';

describe('an interruption', () => {
  it('is told with its reason, and its end with the length of the gap; the socket stays connected', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const told: unknown[][] = [];
    for (const name of ['interrupted', 'resumed', 'disconnect'] as const) {
      socket.on(name, (...args: unknown[]) => told.push([name, ...args]));
    }
    socket.join('room');
    peer.listener?.peerInterrupted('ping timeout', 'why');
    expect(socket).toMatchObject({ connected: true });
    expect(socket.rooms).toContain('room');
    peer.listener?.peerResumed(1234);
    expect(told).toEqual([
      ['interrupted', 'ping timeout', 'why'],
      ['resumed', 1234],
    ]);
  });

  it('is told to the sockets of all namespaces, also when a listener throws', async () => {
    const { hub, enter } = createHub();
    const admins = hub.of('/admin');
    const { peer, socket } = enter();
    peer.say('0/admin,');
    const thrown = vi.fn();
    process.once('uncaughtException', thrown);
    socket.on('interrupted', () => {
      throw new Error('from a listener');
    });
    const [admin] = admins.sockets.values();
    const seen = vi.fn();
    admin?.on('interrupted', seen);
    peer.listener?.peerInterrupted('transport close', undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toHaveBeenCalledTimes(1);
    expect(thrown).toHaveBeenCalledTimes(1);
  });

  it('keeps volatile events back, and only these', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    peer.isWritable = false;
    peer.listener?.peerInterrupted('transport close', undefined);
    socket.volatile.emit('position', 1);
    socket.emit('move', 1);
    expect(peer.take()).toEqual(['2["move",1]']);
  });
});

describe('the end of a session', () => {
  /** Emits, and ends the session with the last `unconfirmed` messages not confirmed. */
  function end(emit: (io: ReturnType<typeof createHub>) => OutgoingPacket[]): SessionOutcome {
    const io = createHub();
    return endOf(io, emit(io));
  }

  function endOf(io: ReturnType<typeof createHub>, packets: OutgoingPacket[], name = '/'): SessionOutcome {
    const { peer, socket } = io.enter(name);
    let description: unknown;
    socket.on('disconnect', (_reason, told) => {
      description = told;
    });
    peer.break('transport close', new SessionOver('expired', packets, 'the cause'));
    return description as SessionOutcome;
  }

  function emitted({ enter }: ReturnType<typeof createHub>, name = '/'): OutgoingPacket[] {
    const { peer, socket } = enter(name);
    socket.emit('text', 'a', { b: 1 });
    socket.emit('bytes', Buffer.from([1, 2]));
    socket.emit('asks', () => {});
    peer.say(`2${name === '/' ? '' : `${name},`}7["question"]`);
    return peer.packets;
  }

  it('tells the events that are not confirmed, bytes and all', () => {
    const outcome = end((io) => emitted(io));
    expect(outcome).toMatchObject({ end: 'expired', cause: 'the cause' });
    expect(outcome.message).toContain('unconfirmed');
    expect(outcome.unconfirmed).toEqual([
      { type: 'event', data: ['text', 'a', { b: 1 }] },
      { type: 'event', data: ['bytes', Buffer.from([1, 2])] },
      { type: 'event', data: ['asks'], id: expect.any(Number) },
    ]);
    expect(outcome.unconfirmed).toBe(outcome.unconfirmed);
  });

  it('tells each namespace its own', () => {
    const io = createHub();
    io.hub.of('/admin');
    const packets = [...emitted(io), ...emitted(io, '/admin')];
    expect(endOf(io, packets).unconfirmed).toHaveLength(3);
    expect(endOf(io, packets, '/admin').unconfirmed).toHaveLength(3);
  });

  it('leaves out an attachment whose text was confirmed', () => {
    const outcome = end((io) => emitted(io).slice(2));
    expect(outcome.unconfirmed).toEqual([{ type: 'event', data: ['asks'], id: expect.any(Number) }]);
  });

  it('is told in the format of a custom parser too', () => {
    const io = createHub({ parser: { Encoder: jsonParser.Encoder, Decoder: jsonParser.Decoder } as never });
    expect(endOf(io, emitted(io)).unconfirmed).toHaveLength(3);
  });

  it('of a session of the standard is told as ever', () => {
    const { enter } = createHub();
    const { peer, socket } = enter();
    const told = vi.fn();
    socket.on('disconnect', told);
    peer.break('transport close', 'as it was');
    expect(told).toHaveBeenCalledWith('transport close', 'as it was');
  });
});
