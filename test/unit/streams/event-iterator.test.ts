import { describe, expect, it } from 'vitest';
import { EventIterator, type EventsOptions } from '../../../src/streams/event-iterator.ts';
import { PairedSocket } from './socket-pair.ts';

function start(options?: EventsOptions) {
  const socket = new PairedSocket();
  const turns: string[] = [];
  const valve = {
    isEnding: false,
    hold: () => void turns.push('hold'),
    release: () => void turns.push('release'),
    moved() {},
  };
  const events = new EventIterator<unknown[]>(socket, 'tick', options, valve);
  const say = (...numbers: number[]) => {
    for (const number of numbers) socket.receive('tick', number);
  };
  return { socket, turns, events, say, valve };
}

async function rest(events: AsyncIterable<unknown[]>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const [first] of events) all.push(first);
  return all;
}

describe('an iterator over events', () => {
  it('gives each event as its arguments, those before the first question included, in order', async () => {
    const { events, say, socket } = start();
    say(1, 2);
    socket.receive('other', 9);
    expect(await events.next()).toEqual({ done: false, value: [1] });
    expect(await events.next()).toEqual({ done: false, value: [2] });
    const both = Promise.all([events.next(), events.next()]);
    socket.receive('tick', 3, 'a');
    say(4);
    expect(await both).toEqual([
      { done: false, value: [3, 'a'] },
      { done: false, value: [4] },
    ]);
  });

  it('ends with the socket, after what had come before, and listens no more', async () => {
    const { events, say, socket } = start();
    say(1, 2);
    socket.receive('disconnect', 'transport close');
    say(3);
    expect(await rest(events)).toEqual([1, 2]);
    expect(await events.next()).toEqual({ done: true, value: undefined });
    expect(socket.emitter.listenerCount('tick')).toBe(0);
  });

  it('ends for one who waits when the socket ends', async () => {
    const { events, socket } = start();
    const next = Promise.all([events.next(), events.next()]);
    socket.receive('disconnect');
    expect((await next).map(({ done }) => done)).toEqual([true, true]);
  });

  it('stops listening when the loop is left', async () => {
    const { events, say, socket } = start();
    say(1, 2, 3);
    for await (const [n] of events) if (n === 2) break;
    expect(socket.emitter.listenerCount('tick')).toBe(0);
    expect(events.buffered).toBe(0);
    expect((await events.next()).done).toBe(true);
  });

  it.each([
    ['while somebody waits', false],
    ['with a buffer', true],
  ])('rejects with the reason of its signal %s', async (_title, hasBuffer) => {
    const controller = new AbortController();
    const { events, say, socket } = start({ signal: controller.signal });
    if (hasBuffer) say(1);
    const next = hasBuffer ? undefined : events.next();
    controller.abort(new Error('enough'));
    await expect(next ?? events.next()).rejects.toThrow('enough');
    expect((await events.next()).done).toBe(true);
    expect(socket.emitter.listenerCount('tick')).toBe(0);
  });

  it('rejects at once where its signal is aborted before', async () => {
    const { events } = start({ signal: AbortSignal.abort(new Error('before')) });
    await expect(events.next()).rejects.toThrow('before');
  });

  it('rejects with an overflow, after what is buffered', async () => {
    const { events, say } = start({ limit: 2 });
    say(1, 2, 3, 4);
    const seen: unknown[] = [];
    const loop = async () => {
      for await (const [n] of events) seen.push(n);
    };
    await expect(loop()).rejects.toMatchObject({
      code: 'EVENTS_ERR_OVERFLOW',
      limit: { name: 'limit', value: 2 },
    });
    expect(seen).toEqual([1, 2]);
  });

  it.each([
    ['drop newest', [1, 2]],
    ['drop oldest', [3, 4]],
  ] as const)('can %s, and counts what it drops', async (overflow, left) => {
    const { events, say, socket } = start({ limit: 2, overflow });
    say(1, 2, 3, 4);
    expect(events.dropped).toBe(2);
    socket.receive('disconnect');
    expect(await rest(events)).toEqual(left);
  });

  it('holds reading up at its mark, and lets go when half is read', async () => {
    const { events, say, turns } = start({ holdAt: 4 });
    say(1, 2, 3);
    expect(turns).toEqual([]);
    say(4, 5);
    expect(turns).toEqual(['hold']);
    await events.next();
    await events.next();
    expect(turns).toEqual(['hold']);
    await events.next();
    expect(turns).toEqual(['hold', 'release']);
  });

  it.each([
    ['error', 0],
    ['drop newest', 1],
    ['drop oldest', 1],
  ] as const)('says that an event was refused behind it: %s', async (overflow, dropped) => {
    const { events, say, socket } = start({ holdAt: 1, overflow });
    say(1);
    events.valveOverflowed();
    if (overflow !== 'error') socket.receive('disconnect');
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const [n] of events) seen.push(n);
      return 'ended';
    })();
    if (overflow === 'error') await expect(loop).rejects.toMatchObject({ code: 'EVENTS_ERR_OVERFLOW' });
    else expect(await loop).toBe('ended');
    expect([seen, events.dropped]).toEqual([[1], dropped]);
  });

  it('takes more than its limit of what was held up, when the socket ends', async () => {
    const { events, say, socket, valve } = start({ limit: 2 });
    say(1, 2);
    valve.isEnding = true;
    say(3, 4);
    socket.receive('disconnect');
    expect(await rest(events)).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['it is left', (events: EventIterator<unknown[]>) => events.return()],
    ['the socket ends', (_: EventIterator<unknown[]>, socket: PairedSocket) => socket.receive('disconnect')],
  ])('lets go when %s', (_title, end) => {
    const { events, say, turns, socket } = start({ holdAt: 1 });
    say(1);
    void end(events, socket);
    expect(turns).toEqual(['hold', 'release']);
  });

  it.each([{ limit: 0 }, { limit: 1.5 }, { holdAt: -1 }, { overflow: 'forget' as 'error' }])(
    'refuses %o',
    (options) => {
      expect(() => start(options)).toThrow(expect.objectContaining({ code: 'EVENTS_ERR_LIMIT' }));
    },
  );

  it('shares one listener for the end among all iterators of a socket', () => {
    const socket = new PairedSocket();
    for (let i = 0; i < 20; i++) new EventIterator(socket, `event ${i}`);
    expect(socket.emitter.listenerCount('disconnect')).toBe(1);
  });
});
