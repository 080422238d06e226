/**
 * What: shows what a rate limiter does with events, on a clock of the test's.
 * Must not know: how tokens are counted.
 */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/port.ts';
import { RateLimiter, type RateLimiterOptions, type RateLimitRule } from '../../../src/hub/rate-limiter.ts';
import type { RateLimitStore } from '../../../src/limits/store.ts';
import { createHub } from './scripted-peer.ts';

/** Time that stands until it is moved. */
class StandingClock implements Clock {
  #nowMs = 0;
  #timers: { dueMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void) {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return { cancel: () => void this.#timers.splice(this.#timers.indexOf(timer), 1) };
  }

  async move(byMs: number): Promise<void> {
    this.#nowMs += byMs;
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > this.#nowMs);
    for (const { callback } of due) callback();
    await turn();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function start(rules: RateLimitRule | RateLimitRule[], options: RateLimiterOptions = {}) {
  const clock = new StandingClock();
  const limiter = new RateLimiter(rules, { clock, ...options });
  const { hub, enter } = createHub();
  hub.guard(limiter);
  const client = () => {
    const entered = enter();
    const seen: unknown[] = [];
    entered.socket.onAny((...event) =>
      seen.push(event.filter((each) => typeof each !== 'function').join(' ')),
    );
    return { ...entered, seen };
  };
  return { clock, limiter, client };
}

const refused = (event: string, retryAfterMs: number) => ({
  code: 'RATE_ERR_LIMITED',
  message: `"${event}" comes too often; it may come again in ${retryAfterMs} ms.`,
  event,
  retryAfterMs,
});

describe('a rate limiter', () => {
  it('refuses what is above the limit, by an answer or an event, until time has passed', async () => {
    const { clock, client, limiter } = start({ limit: 2 });
    const { peer, seen } = client();
    peer.say('2["a",1]', '2["a",2]', '2["b",3]', '27["a",4]');
    expect(seen).toEqual(['a 1', 'a 2']);
    expect(peer.take()).toEqual([
      `2${JSON.stringify(['tautline:refused', refused('b', 500)])}`,
      `37${JSON.stringify([{ error: refused('a', 500) }])}`,
    ]);
    await clock.move(500);
    peer.say('2["a",5]', '2["a",6]');
    expect(seen).toEqual(['a 1', 'a 2', 'a 5']);
    expect(limiter.counters).toMatchObject({ passed: 3, refused: 3 });
  });

  it('counts the events of a rule together, and others not at all', () => {
    const { client } = start({ events: ['a', 'b'], limit: 1, policy: 'drop' });
    const { peer, seen } = client();
    peer.say('2["a",1]', '2["b",2]', '2["c",3]', '2["c",4]');
    expect(seen).toEqual(['a 1', 'c 3', 'c 4']);
  });

  it('asks every rule that counts an event', () => {
    const { client } = start([
      { events: 'a', limit: 1, policy: 'drop' },
      { limit: 3, policy: 'drop' },
    ]);
    const { peer, seen } = client();
    peer.say('2["a",1]', '2["a",2]', '2["b",3]', '2["b",4]', '2["b",5]');
    expect(seen).toEqual(['a 1', 'b 3', 'b 4']);
  });

  it('counts what tells of refusals too, and does not answer it, or two ends would refuse each other for ever', () => {
    const { client, limiter } = start({ limit: 1 });
    const { peer, seen } = client();
    const told = '2["tautline:refused",{"code":"CONTRACT_ERR_UNKNOWN_EVENT","message":"m","event":"e"}]';
    peer.say(told, told, told);
    expect([seen.length, peer.take(), limiter.counters.refused]).toEqual([1, [], 2]);
  });

  it('drops without a word', () => {
    const { client, limiter } = start({ limit: 1, policy: 'drop' });
    const { peer, seen } = client();
    peer.say('2["a",1]', '21["a",2]');
    expect([seen, peer.take(), limiter.counters.dropped]).toEqual([['a 1'], [], 1]);
  });

  it('disconnects, after saying why', () => {
    const { client, limiter } = start({ limit: 1, policy: 'disconnect' });
    const { peer, seen, socket } = client();
    peer.say('2["a",1]', '2["a",2]', '2["a",3]');
    expect(seen).toEqual(['a 1']);
    expect(peer.take()).toEqual([`2${JSON.stringify(['tautline:refused', refused('a', 1000)])}`, '1']);
    expect([peer.isOpen, socket.connected, limiter.counters.disconnected]).toEqual([false, false, 1]);
  });

  it('delays in order, lets events pass that do not share the limit, and refuses at once what would wait too long', async () => {
    const { client, clock, limiter } = start({
      events: 'slow',
      limit: 10,
      burst: 1,
      policy: 'delay',
      maxDelayMs: 200,
    });
    const { peer, seen } = client();
    peer.say('2["slow",1]', '2["slow",2]', '2["other",3]', '2["slow",4]', '2["slow",5]', '2["other",6]');
    await turn();
    expect(seen).toEqual(['slow 1', 'other 3', 'other 6']);
    expect(peer.take()).toEqual([`2${JSON.stringify(['tautline:refused', refused('slow', 100)])}`]);
    await clock.move(100);
    expect(seen).toEqual(['slow 1', 'other 3', 'other 6', 'slow 2']);
    await clock.move(100);
    expect(seen).toEqual(['slow 1', 'other 3', 'other 6', 'slow 2', 'slow 4']);
    expect(limiter.counters).toEqual({
      passed: 5,
      refused: 1,
      dropped: 0,
      delayed: 2,
      disconnected: 0,
      storeErrors: 0,
    });
  });

  it('lets no more than 16 MiB of a socket wait for a limit', async () => {
    const { client } = start({ limit: 1, policy: 'delay', maxDelayMs: 1e9 });
    const { peer } = client();
    const megabytes = 'x'.repeat(1_000_000);
    for (let i = 0; i < 20; i++) peer.say(`2["a","${megabytes}"]`);
    await turn();
    const refusals = peer.take().map((text) => JSON.parse(String(text).slice(1))[1].code);
    // One has passed, sixteen wait.
    expect(refusals).toEqual(['EVENT_ERR_BACKLOG', 'EVENT_ERR_BACKLOG', 'EVENT_ERR_BACKLOG']);
  });

  it('hands nothing to a socket that has gone while its event was delayed', async () => {
    const { client, clock } = start({ limit: 10, burst: 1, policy: 'delay' });
    const { peer, seen } = client();
    peer.say('2["a",1]', '2["a",2]').break();
    await clock.move(1000);
    expect(seen).toEqual(['a 1']);
  });

  it.each([
    ['a socket', 'socket' as const, ['a 1'], ['a 1'], ['a 1']],
    ['an address', 'address' as const, ['a 1'], [], ['a 1']],
    ['a user', (socket: { data: { user?: string } }) => socket.data.user, ['a 1'], ['a 1', 'a 2'], []],
  ])('counts what %s sends', (_title, per, ...expected) => {
    const { client } = start({ limit: 1, policy: 'drop', per });
    const clients = [client(), client(), client()];
    const places = [
      { remoteAddress: '2001:db8::1', user: 'Ada' },
      { remoteAddress: '2001:db8::2', user: undefined },
      { remoteAddress: '192.0.2.1', user: 'Ada' },
    ];
    for (const [i, { peer, socket }] of clients.entries()) {
      Object.assign(peer, { remoteAddress: places[i]?.remoteAddress });
      socket.data.user = places[i]?.user;
      peer.say('2["a",1]', '2["a",2]');
    }
    expect(clients.map(({ seen }) => seen)).toEqual(expected);
  });

  it('counts a stream under its own name when it is asked for, and ends it with the reason', () => {
    const { client } = start({ events: 'search', limit: 1 });
    const { peer, socket, seen } = client();
    socket.onStream('search', () => []);
    for (const id of [1, 2]) peer.say(`2["tautline:stream","open",${id},"search",4,["x"]]`);
    peer.say('2["tautline:stream","more",1,1]');
    // Catch-all listeners see it under its name, too.
    expect(seen).toEqual(['search x']);
    const { code, message, ...data } = refused('search', 1000);
    expect(peer.take()).toEqual([
      `2${JSON.stringify(['tautline:stream', 'end', 2, { message, code, data }])}`,
    ]);
  });

  it('does not let a stream open that was cancelled while it was delayed', async () => {
    const { client, clock } = start({ events: 'search', limit: 10, burst: 1, policy: 'delay' });
    const { peer, socket } = client();
    const opened: unknown[] = [];
    socket.onStream('search', (what: unknown) => {
      opened.push(what);
      return [];
    });
    for (const id of [1, 2, 3]) peer.say(`2["tautline:stream","open",${id},"search",4,["${id}"]]`);
    peer.say('2["tautline:stream","cancel",2]');
    await clock.move(1000);
    expect(opened).toEqual(['1', '3']);
  });

  it('tells the operator', () => {
    const { client, limiter } = start([{ name: 'chat', events: 'a', limit: 1 }]);
    const told: unknown[] = [];
    limiter.on('limited', ({ socket, ...rest }) => told.push({ id: socket.id, ...rest }));
    const { peer, socket } = client();
    peer.say('2["a",1]', '2["a",2]');
    expect(told).toEqual([{ id: socket.id, event: 'a', rule: 'chat', policy: 'refuse', waitMs: 1000 }]);
  });

  it.each([
    ['passes', undefined, ['a 1']],
    ['refuses', 'refuse' as const, []],
  ])('%s when its store fails, as it was told, and counts it', async (_title, whenStoreFails, expected) => {
    for (const take of [
      () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down');
      },
    ]) {
      const store: RateLimitStore = { take };
      const { client, limiter } = start({ limit: 1 }, { store, whenStoreFails });
      const errors: unknown[] = [];
      limiter.on('storeError', (error) => errors.push((error as Error).message));
      const { peer, seen } = client();
      peer.say('2["a",1]');
      await turn();
      expect([seen, limiter.counters.storeErrors, errors]).toEqual([expected, 1, ['down']]);
    }
  });

  it('keeps the order where the store takes its time', async () => {
    let calls = 0;
    const store: RateLimitStore = {
      async take() {
        // The first one takes longest.
        for (let i = calls++; i < 5; i++) await turn();
        return { isGranted: true, waitMs: 0, fullAtMs: 0 };
      },
    };
    const { client } = start({ limit: 1 }, { store });
    const { peer, seen } = client();
    peer.say('2["a",1]', '2["a",2]', '2["a",3]');
    await expect.poll(() => seen).toEqual(['a 1', 'a 2', 'a 3']);
  });

  it.each<[string, RateLimitRule | RateLimitRule[]]>([
    ['no rule', []],
    ['no tokens', { limit: 0 }],
    ['no number', { limit: Number.NaN }],
    ['no time', { limit: 1, perMs: 0 }],
    ['a burst below one', { limit: 1, burst: 0.5 }],
    ['a policy without a name', { limit: 1, policy: 'beg' as 'drop' }],
    ['a negative delay', { limit: 1, maxDelayMs: -1 }],
    ['a key that is none', { limit: 1, per: 'adress' as 'address' }],
    ['an empty list of events, which would count nothing', { limit: 1, events: [] }],
    ['an empty name of an event', { limit: 1, events: '' }],
    ['an event that is no text', { limit: 1, events: [5 as unknown as string] }],
    ['a name that is no text', { limit: 1, name: 5 as unknown as string }],
  ])('cannot be made with %s', (_title, rules) => {
    expect(() => new RateLimiter(rules)).toThrow(expect.objectContaining({ code: 'RATE_ERR_LIMIT' }));
  });

  it.each<[string, object]>([
    ['a store that cannot take', { store: {} }],
    ['a word that it does not know for a store that fails', { whenStoreFails: 'ignore' }],
  ])('cannot be made with %s', (_title, options) => {
    expect(() => new RateLimiter({ limit: 1 }, options)).toThrow(
      expect.objectContaining({ code: 'RATE_ERR_LIMIT' }),
    );
  });
});
