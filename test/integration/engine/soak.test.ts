import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { beginPolling, beginWebSocket, startCounting, until } from './resumable-scene.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is alive after everything that can go has gone; callbacks of closed sockets take some turns. */
async function heapBytes(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  collect();
  return process.memoryUsage().heapUsed;
}

it('sessions that are abandoned with all that waits for them leave no memory behind', async () => {
  const scene = await startCounting({ session: { windowMs: 50 }, pingInterval: 100, pingTimeout: 100 });
  const { engine } = scene;
  let ended = 0;
  engine.on('connection', (socket) => {
    socket.on('message', () => {});
    socket.on('close', () => ended++);
  });
  /** Each says hello, is left without a word, and has 100 messages of 1 kB waiting for it. */
  const round = async (): Promise<void> => {
    const sockets = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        if (i % 2 === 0) {
          const { session, ws } = await beginWebSocket(scene);
          ws.send('4hello');
          await until(() => session.got.length === 1);
          ws.cut();
          return session.socket;
        }
        const session = await beginPolling(scene);
        await session.post(0, '4hello');
        return session.socket;
      }),
    );
    for (const socket of sockets) for (let n = 0; n < 100; n++) socket.send(`${n}${'x'.repeat(1000)}`);
    await until(() => engine.clientsCount === 0);
  };
  // What is made once (shapes, code, pools) is made in the first rounds.
  for (let i = 0; i < 4; i++) await round();
  const before = await heapBytes();
  for (let i = 0; i < 6; i++) await round();
  const after = await heapBytes();
  expect(ended).toBe(10 * 40);
  // 240 sessions with 100 kB each went by: 24 MB, of which nothing stays but notes of how they ended.
  expect(after - before).toBeLessThan(2_000_000);
});
