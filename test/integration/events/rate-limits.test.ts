/**
 * What: shows rate limits on real connections, with both kinds of client.
 * Must not know: how tokens are counted.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Socket as OurSocket } from '../../../src/entry/client-node.ts';
import { RateLimiter } from '../../../src/entry/index.ts';
import { next, scene } from './scene.ts';

describe.each(['ours', 'plain'] as const)('rate limits, with %s', (kind) => {
  async function start(rule: ConstructorParameters<typeof RateLimiter>[0]) {
    const limiter = new RateLimiter(rule);
    const s = await scene({}, (io) => void io.guard(limiter));
    const { client, socket } = await (kind === 'ours' ? s.ours() : s.plain());
    return { client: client as OurSocket, socket, limiter };
  }

  it('tell the sender by the answer that it waits for, or by an event', async () => {
    const { client, socket, limiter } = await start({ events: 'say', limit: 1, perMs: 3_600_000 });
    socket.on('say', (_text, ack) => ack?.('heard'));
    expect(await client.emitWithAck('say', 'one')).toBe('heard');
    const refusal = {
      code: 'RATE_ERR_LIMITED',
      event: 'say',
      message: expect.stringMatching(/^"say" comes too often; it may come again in \d+ ms\.$/),
      retryAfterMs: expect.any(Number),
    };
    expect(await client.emitWithAck('say', 'two')).toEqual({ error: refusal });
    const refused = next(client, 'tautline:refused');
    client.emit('say', 'three');
    expect(await refused).toEqual([refusal]);
    expect(limiter.counters).toMatchObject({ passed: 1, refused: 2 });
  });

  it('delay without losing or mixing anything', async () => {
    const { client, socket, limiter } = await start({ limit: 1000, burst: 1, policy: 'delay' });
    const seen: number[] = [];
    socket.on('n', (n) => seen.push(n));
    for (let i = 0; i < 100; i++) client.emit('n', i);
    client.emit('last');
    await once(socket, 'last');
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(limiter.counters.delayed).toBeGreaterThan(0);
  });

  it('disconnect one who does not stop', async () => {
    const { client } = await start({ limit: 5, perMs: 3_600_000, policy: 'disconnect' });
    const refused = next(client, 'tautline:refused');
    const ended = next(client, 'disconnect');
    for (let i = 0; i < 20; i++) client.emit('n', i);
    expect(await refused).toMatchObject([{ code: 'RATE_ERR_LIMITED' }]);
    expect((await ended)[0]).toBe('io server disconnect');
  });
});
