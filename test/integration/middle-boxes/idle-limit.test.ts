/**
 * What: nginx and haproxy that cut what is silent for five seconds: sessions outlive that, and lose nothing.
 * Must not know: how a transport works.
 */
import { describe, expect, it, type TestContext } from 'vitest';
import { impatient } from './configuration.ts';
import { everything, Scene } from './scene.ts';

async function start(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  ...words: Parameters<typeof Scene.start>
): Promise<Scene> {
  const scene = await Scene.start(...words);
  onTestFinished(() => scene.end());
  return scene;
}

const times = (count: number, listen: (listener: () => void) => unknown) =>
  new Promise<void>((resolve) => {
    let heard = 0;
    listener();
    function listener() {
      if (heard++ === count) resolve();
      else listen(listener);
    }
  });

// They wait; so they wait together.
describe.concurrent.each(['nginx', 'haproxy'] as const)(
  '%s that cuts what is silent for five seconds',
  (kind) => {
    it('loses nothing of a session that is silent for longer, over any transport', async (test) => {
      const scene = await start(test, kind, [impatient[kind]]);
      /** Each client, and by what is known that it has met the limit. */
      const ours = [
        { visitor: scene.visit('chooser'), limit: 'interrupted' },
        { visitor: scene.visit('websocket', { transports: ['websocket'] }), limit: 'interrupted' },
        { visitor: scene.visit('sse', { transports: ['sse'] }), limit: 'GET sse', requests: 1 },
        { visitor: scene.visit('polling', { transports: ['polling'] }), limit: 'GET polling', requests: 1 },
        // It is never silent for so long: one request a second.
        {
          visitor: scene.visit('short', { transports: ['short-polling'] }),
          limit: 'GET short-polling',
          requests: 6,
        },
      ];
      const check = async ({ visitor, limit, requests }: (typeof ours)[number]) => {
        const { client } = visitor;
        visitor.talk(0.5);
        await visitor.settled();
        if (requests === undefined) await times(2, (listener) => client.once('resumed', listener));
        else await scene.requested(limit, requests);
        expect(client.connected).toBe(true);
        visitor.talk(1);
        await visitor.settled();
        expect(scene.exchanged(visitor)).toEqual(everything);
        // Over HTTP another request goes on; a WebSocket that is cut is an interruption.
        if (requests !== undefined) expect(visitor.told).toEqual([]);
        else expect(new Set(visitor.told)).toEqual(new Set(['interrupted', 'resumed']));
      };
      for (const { visitor } of ours) expect(await visitor.connected).toBeUndefined();
      await Promise.all(ours.map(check));
    });

    it('cuts nobody, of whatever kind, when the server asks more often than that', async (test) => {
      const scene = await start(test, kind, [impatient[kind]], { pingInterval: 2000 });
      const visitors = [
        ...['websocket', 'sse', 'polling'].map((name) => scene.visit(name, { transports: [name] })),
        ...['websocket', 'polling'].map((name) =>
          scene.visitAsStandard(`official ${name}`, { transports: [name] }),
        ),
      ];
      for (const visitor of visitors) expect(await visitor.connected).toBeUndefined();
      await Promise.all(
        visitors.map(async (visitor) => {
          visitor.talk(0.5);
          await visitor.settled();
          const { engine } = visitor.client.io;
          await times(3, (listener) =>
            (engine.once as (event: string, run: () => void) => void)('ping', listener),
          );
          visitor.talk(1);
          await visitor.settled();
          expect(scene.exchanged(visitor)).toEqual(everything);
          expect(visitor.told).toEqual([]);
        }),
      );
    });

    it('ends the official client’s connection, as it has no session that would outlive it', async (test) => {
      const scene = await start(test, kind, [impatient[kind]]);
      const visitor = scene.visitAsStandard('official', { transports: ['websocket'] });
      expect(await visitor.connected).toBeUndefined();
      const { id } = visitor.client;
      await new Promise((resolve) => visitor.client.once('disconnect', resolve));
      await new Promise<void>((resolve) => visitor.client.once('connect', resolve));
      expect([visitor.client.id !== id, visitor.told]).toEqual([true, ['disconnect: transport close']]);
    });
  },
);
