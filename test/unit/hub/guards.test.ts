/**
 * What: shows what becomes of events, answers and clients where a guard throws: they are refused, and nobody dies of it.
 * Must not know: transports, or what guards look for.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EventGuard } from '../../../src/hub/event-guard.ts';
import { RateLimiter } from '../../../src/hub/rate-limiter.ts';
import { createHub } from './scripted-peer.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

const refusal = (event: string) => ({
  code: 'EVENT_ERR_GUARD_FAILED',
  message: `"${event}" could not be checked.`,
  event,
});

const fails = (): never => {
  throw new Error('no such user');
};

const passing: EventGuard = { checkEvent: (_socket, event) => event };

afterEach(() => void vi.restoreAllMocks());

describe('a guard that throws', () => {
  it.each<[string, () => EventGuard]>([
    ['at once', () => ({ checkEvent: fails })],
    ['later', () => ({ checkEvent: async () => fails() })],
    ['behind one that takes its time', () => ({ checkEvent: () => turn().then(fails) })],
    ['as the key of a rate limit', () => new RateLimiter({ limit: 5, per: fails })],
  ])('refuses the event, is counted, and is told of once: %s', async (_title, make) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { hub, enter } = createHub();
    hub.guard(passing).guard(make());
    const { peer, socket, nsp } = enter();
    const seen: unknown[] = [];
    socket.onAny((...event) => seen.push(event));
    peer.say('2["a"]', '27["b",1]');
    await turn();
    await turn();
    expect(peer.take()).toEqual([
      `2${JSON.stringify(['tautline:refused', refusal('a')])}`,
      `37${JSON.stringify([{ error: refusal('b') }])}`,
    ]);
    expect(seen).toEqual([]);
    expect(nsp.guardFailures).toBe(2);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('no such user'), { code: 'GUARD_FAILED' });
  });

  it.each<[string, EventGuard['checkAnswer']]>([
    ['at once', fails],
    ['later', async () => fails()],
  ])('lets no answer through, and tells whoever waits: %s', async (_title, checkAnswer) => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { hub, enter } = createHub();
    hub.guard({ ...passing, checkAnswer });
    const { peer, socket, nsp } = enter();
    const answer = socket.emitWithAck('ask');
    peer.say('30["yes"]');
    await expect(answer).rejects.toMatchObject({ refusal: refusal('ask') });
    expect(nsp.guardFailures).toBe(1);
  });

  it.each<[string, EventGuard['checkAuth']]>([
    ['at once', fails],
    ['later', async () => fails()],
  ])('lets nobody in: %s', async (_title, checkAuth) => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { hub, connect } = createHub();
    hub.guard({ ...passing, checkAuth });
    const peer = connect().say('0');
    await turn();
    const data = { message: refusal('connect').message, data: refusal('connect') };
    expect(peer.take()).toEqual([`4${JSON.stringify(data)}`]);
    expect(hub.of('/').guardFailures).toBe(1);
    expect(hub.of('/').sockets.size).toBe(0);
  });

  it('is refused where it is added when it is no guard', () => {
    const { hub } = createHub();
    expect(() => hub.guard({} as EventGuard)).toThrow(expect.objectContaining({ code: 'GUARD_ERR_SHAPE' }));
  });
});
