/**
 * What: clients of one transport: how long each takes to its first message, then messages at random moments and their answers.
 * Must not know: what lies between it and the server.
 *
 * node visitors.mjs <port> <transport> <newcomers> <clients>
 * Prints the newcomers' times; then, on each line read, says something for as many ms and prints the answers' times.
 */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createInterface } from 'node:readline';

const [port, transport, newcomers = '0', clients = '1'] = process.argv.slice(2);
const module = 'tautline/client';
const { io } = await import(module);

/** Each has connections of its own, as if it were alone in its browser. */
const open = () =>
  io(`http://127.0.0.1:${port}`, {
    transports: [transport],
    forceNew: true,
    agent: new Agent({ keepAlive: true }),
  });

/** On average each client says something so often. */
const INTERVAL_MS = 500;
const TEXT = 'x'.repeat(64);

const print = (/** @type {object} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const firstMs = [];
for (let i = 0; i < Number(newcomers); i++) {
  const startMs = performance.now();
  const client = open();
  await once(client, 'hello');
  firstMs.push(performance.now() - startMs);
  client.disconnect();
}

const all = Array.from({ length: Number(clients) }, open);
await Promise.all(all.map((client) => once(client, 'hello')));
/** Why connections were lost; none should be. @type {Set<string>} */
const losses = new Set();
/** @type {number[]} */
let tookMs = [];
for (const client of all) {
  client.on('say', (/** @type {number} */ sentAtMs) => tookMs.push(performance.now() - sentAtMs));
  for (const event of ['interrupted', 'disconnect']) {
    client.on(event, (/** @type {string} */ reason, /** @type {any} */ why) => {
      losses.add(`${reason} (${why?.message ?? why?.description}, ${why?.cause?.message})`);
    });
  }
}
print({ firstMs });

/** Everybody speaks at moments of its own; the last word is said before the end. */
async function converse(/** @type {number} */ forMs) {
  tookMs = [];
  let said = 0;
  const endMs = performance.now() + forMs;
  const done = all.map(
    (client) =>
      new Promise((resolve) => {
        const next = () => {
          const delayMs = Math.random() * 2 * INTERVAL_MS;
          if (performance.now() + delayMs >= endMs) {
            setTimeout(resolve, endMs - performance.now());
            return;
          }
          setTimeout(() => {
            said++;
            client.emit('say', performance.now(), TEXT);
            next();
          }, delayMs);
        };
        next();
      }),
  );
  await Promise.all(done);
  while (tookMs.length < said) await new Promise((resolve) => setTimeout(resolve, 5));
  return said;
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const said = line === '0' ? 0 : await converse(Number(line));
    if (losses.size > 0) print({ error: `connections were lost: ${[...losses].join(', ')}` });
    else print({ said, tookMs });
  })
  .on('close', () => process.exit(0));
