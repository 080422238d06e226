/**
 * What: a TCP proxy that is as far away as it is told, and counts the bytes that pass.
 * Must not know: what is said over the connections.
 *
 * node delay.mjs <port> <round trip in ms>
 */
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const [port, roundTripMs] = process.argv.slice(2).map(Number);
const passed = { up: 0, down: 0 };

/**
 * Passes bytes on after half a round trip, in order: timers of the same length fire in the order in which they were set.
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 * @param {'up' | 'down'} way
 * @param {number} openAtMs nothing leaves before
 */
function pass(from, to, way, openAtMs) {
  const later = (/** @type {() => void} */ act) => {
    if (roundTripMs === 0) {
      act();
      return;
    }
    setTimeout(act, Math.max(0, openAtMs - performance.now()) + roundTripMs / 2);
  };
  from.on('data', (chunk) => {
    passed[way] += chunk.length;
    later(() => to.write(chunk));
  });
  from.on('error', () => {});
  from.on('close', () => later(() => to.destroy()));
}

const server = createServer((down) => {
  const up = connect({ port, host: '127.0.0.1', noDelay: true });
  down.setNoDelay();
  // What the opening of a connection costs on such a network: its client could not have sent anything before.
  pass(down, up, 'up', performance.now() + roundTripMs);
  pass(up, down, 'down', 0);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const own = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ port: own })}\n`);
});
createInterface({ input: process.stdin })
  .on('line', () => process.stdout.write(`${JSON.stringify(passed)}\n`))
  .on('close', () => process.exit(0));
