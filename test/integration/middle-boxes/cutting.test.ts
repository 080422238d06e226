/**
 * What: 2,000 messages each way over each transport, while a proxy cuts every connection for 20 seconds.
 * Must not know: how a transport works.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { seeded } from '../client/cutting-proxy.ts';
import { RestlessProxy } from './restless-proxy.ts';

const COUNT = 2000;
const DURATION_MS = 20_000;
const BATCH = 10;
const LONGEST_LIFE_MS = 700;

/** Another one each time; a failure is repeated with the one that the title says. */
const seed = Number(process.env.TAUTLINE_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Text and binary of many sizes. */
function messages(random: () => number): [number, string | Buffer][] {
  return Array.from({ length: COUNT }, (_, n) => {
    const length = Math.floor(random() ** 4 * 5000);
    return [n, n % 3 ? 'é'.repeat(length) : Buffer.alloc(length, n)];
  });
}

/** Says everything, in batches spread over the time. */
function sayAll(
  all: readonly [number, string | Buffer][],
  say: (message: [number, string | Buffer]) => void,
) {
  let said = 0;
  const timer = setInterval(
    () => {
      for (const message of all.slice(said, said + BATCH)) say(message);
      said += BATCH;
      if (said >= all.length) clearInterval(timer);
    },
    DURATION_MS / (COUNT / BATCH),
  );
}

/** Names what is wrong instead of printing 2,000 messages. */
function firstDifference(got: readonly [number, unknown][], expected: readonly [number, unknown][]): string {
  for (let i = 0; i < Math.max(got.length, expected.length); i++) {
    const [n, body] = got[i] ?? [];
    const [due, dueBody] = expected[i] ?? [];
    if (n !== due) return `message ${due} was due, ${n} came`;
    const isSame = Buffer.isBuffer(dueBody) ? dueBody.equals(body as Buffer) : dueBody === body;
    if (!isSame) return `the body of message ${n} is another one`;
  }
  return 'none';
}

describe.concurrent(`through a proxy that cuts for 20 seconds (TAUTLINE_SEED=${seed})`, () => {
  it.each([
    ['websocket', { transports: ['websocket'] }],
    ['sse', { transports: ['sse'] }],
    ['polling', { transports: ['polling'] }],
    ['short-polling', { transports: ['short-polling'], shortPollingIntervalMs: 50 }],
    ['the choice of the client', {}],
  ] as const)(
    '2,000 messages arrive each way, once and in order, over %s',
    async (name, options) => {
      const random = seeded(seed + name.length);
      const http = createServer();
      const server = new Server(http);
      http.listen(0, '127.0.0.1');
      await once(http, 'listening');
      const proxy = await RestlessProxy.start((http.address() as AddressInfo).port, random, LONGEST_LIFE_MS);
      const client = io(proxy.url, {
        ...options,
        forceNew: true,
        reconnectionDelay: 10,
        reconnectionDelayMax: 100,
      });
      try {
        const up = messages(random);
        const down = messages(random);
        const got = { up: [] as [number, unknown][], down: [] as [number, unknown][] };
        const ends: unknown[] = [];
        const finished = new Promise<void>((resolve) => {
          const take = (list: [number, unknown][], message: [number, unknown]) => {
            list.push(message);
            if (got.up.length >= COUNT && got.down.length >= COUNT) resolve();
          };
          server.on('connection', (peer) => {
            peer.on('up', (...message: [number, unknown]) => take(got.up, message));
            peer.on('over?', (reply) => reply());
            peer.on('disconnect', (...why) => ends.push(['server', ...why]));
            sayAll(down, (message) => peer.emit('down', ...message));
          });
          client.on('down', (...message: [number, unknown]) => take(got.down, message));
          // Whoever ends early would let us wait for ever.
          client.on('disconnect', (...why) => {
            ends.push(['client', ...why]);
            resolve();
          });
        });
        await new Promise<void>((resolve) => client.once('connect', resolve));
        proxy.begin();
        sayAll(up, (message) => client.emit('up', ...message));
        await finished;
        proxy.calm();
        expect(ends).toEqual([]);
        // What came twice, or late, would come before this answer.
        await client.emitWithAck('over?');
        expect(firstDifference(got.up, up)).toBe('none');
        expect(firstDifference(got.down, down)).toBe('none');
        expect(ends).toEqual([]);
        expect(proxy.cuts).toBeGreaterThan(20);
      } finally {
        client.disconnect();
        http.closeAllConnections();
        await server.close();
        await proxy.end();
      }
    },
    90_000,
  );
});
