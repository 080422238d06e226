/**
 * What: the four transports beside each other on the same work: latency, what a message costs, and what silence costs.
 * Must not know: how results are shown.
 */
import { fileURLToPath } from 'node:url';
import { median, quantile } from 'simple-statistics';
import { Child } from '../harness/child.mjs';
import { cores, pinned } from '../harness/cores.mjs';
import { transportPeers } from '../harness/peers.mjs';
import { startServer } from '../harness/server.mjs';
import { defineScenario } from './scenario.mjs';

/** @typedef {import('./scenario.mjs').Peer} Peer */
/** @typedef {import('./scenario.mjs').Settings} Settings */

const fileOf = (/** @type {string} */ name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const CLIENTS = 50;
const NEWCOMERS = 7;
const IDLE_CLIENTS = 200;
/** The server's default pingInterval: in each window of this length all happens once that happens in silence. */
const IDLE_WINDOW_MS = 25_000;

/**
 * Starts a server, the network in front of it, and clients; gives what a window has cost.
 * @param {Peer} peer
 * @param {Settings} settings
 * @param {{ roundTripMs: number, newcomers: number, clients: number, speakMs: number, silentMs: number }} work
 */
async function observe(peer, settings, { roundTripMs, newcomers, clients, speakMs, silentMs }) {
  const transport = String(peer.words[0]);
  const server = await startServer(peer, [], settings);
  const start = (/** @type {string} */ file, /** @type {(string | number)[]} */ ...words) =>
    new Child(pinned(cores.load, [process.execPath, fileOf(file), ...words.map(String)]));
  const children = /** @type {Child[]} */ ([]);
  try {
    const network = start('servers/delay.mjs', server.port, roundTripMs);
    children.push(network);
    const { port } = await network.next();
    const visitors = start('load/visitors.mjs', port, transport, newcomers, clients);
    children.unshift(visitors);
    const { firstMs } = await visitors.next();
    const ask = async () => {
      network.say('bytes');
      const [cost, bytes] = await Promise.all([server.ask('cost'), network.next()]);
      return { ...cost, ...bytes };
    };
    // What follows upon the connecting is no part of the window.
    await new Promise((resolve) => setTimeout(resolve, 500 + 2 * roundTripMs));
    const before = await ask();
    if (silentMs > 0) await new Promise((resolve) => setTimeout(resolve, silentMs));
    visitors.say(String(speakMs));
    const { said, tookMs } = await visitors.next();
    const after = await ask();
    const spent = (/** @type {'requests' | 'cpuMicroseconds' | 'up' | 'down'} */ key) =>
      after[key] - before[key];
    return {
      version: server.version,
      firstMs,
      tookMs,
      /** A message and its answer are two. */
      messages: 2 * said,
      requests: spent('requests'),
      cpuMicroseconds: spent('cpuMicroseconds'),
      up: spent('up'),
      down: spent('down'),
    };
  } finally {
    for (const child of children) await child.stop();
    await server.stop();
  }
}

const common = {
  family: transportPeers,
  peers: ['websocket', 'sse', 'polling', 'short-polling'],
  reference: 'websocket',
  lowerIsBetter: true,
  targets: [],
  format: (/** @type {number} */ value) =>
    value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(2))),
};

export const transportsMessages = defineScenario({
  ...common,
  name: 'transports-messages',
  title: 'The four transports: messages',
  unit: 'ms',
  about: `${CLIENTS} clients of \`tautline/client\` each say 64 bytes at random moments, twice a second on average, and the server answers each. \
Latency is from \`emit\` to the answer, through a proxy that adds the stated round trip (a new TCP connection waits for one, too). Bytes are those \
of TCP's payload; requests, bytes and processor time are divided by all messages, the answers included. The first message is one that the server \
sends to a client as it connects, on connections of its own. Short polling asks once a second.`,
  mostRounds: 2,
  metrics: [
    { key: 'firstMs', label: 'first message, ms' },
    { key: 'p50Ms', label: 'latency p50, ms' },
    { key: 'p99Ms', label: 'p99, ms' },
    { key: 'requests', label: 'requests per message' },
    { key: 'bytesUp', label: 'bytes up per message' },
    { key: 'bytesDown', label: 'bytes down per message' },
    { key: 'cpuMicroseconds', label: 'server µs per message' },
  ],
  panels: [
    { case: '0', key: 'p50Ms', label: 'Latency p50, ms, no delay added' },
    { case: '100', key: 'p50Ms', label: 'Latency p50, ms, 100 ms of round trip added' },
    { case: '100', key: 'firstMs', label: 'Time to the first message, ms, 100 ms of round trip added' },
    { case: '0', key: 'bytes', label: 'Bytes per message, both ways together' },
    { case: '0', key: 'cpuMicroseconds', label: 'Processor time of the server per message, µs' },
  ],
  cases: [0, 20, 100].map((roundTripMs) => ({
    name: String(roundTripMs),
    label: `+ ${roundTripMs} ms`,
    roundTripMs,
  })),
  async run(peer, { roundTripMs }, settings) {
    const seen = await observe(peer, settings, {
      roundTripMs,
      newcomers: NEWCOMERS,
      clients: CLIENTS,
      speakMs: settings.seconds * 1000,
      silentMs: 0,
    });
    const { tookMs, messages } = seen;
    if (messages === 0) throw new Error('nothing was said within the window');
    const p50Ms = quantile(tookMs, 0.5);
    return {
      value: p50Ms,
      version: seen.version,
      details: {
        firstMs: median(seen.firstMs),
        p50Ms,
        p99Ms: quantile(tookMs, 0.99),
        requests: seen.requests / messages,
        bytesUp: seen.up / messages,
        bytesDown: seen.down / messages,
        bytes: (seen.up + seen.down) / messages,
        cpuMicroseconds: seen.cpuMicroseconds / messages,
        messages,
      },
    };
  },
});

export const transportsIdle = defineScenario({
  ...common,
  name: 'transports-idle',
  title: 'The four transports: silence',
  unit: 'bytes per client and minute',
  about: `${IDLE_CLIENTS} clients that say nothing, for ${IDLE_WINDOW_MS / 1000} s, the interval of the server's heartbeat, scaled to a minute.`,
  mostRounds: 1,
  metrics: [
    { key: 'bytes', label: 'bytes per client and minute' },
    { key: 'requests', label: 'requests per client and minute' },
    { key: 'cpuMicroseconds', label: 'server µs per client and minute' },
  ],
  panels: [
    { case: 'silent', key: 'bytes', label: 'Bytes per client and minute, both ways together' },
    {
      case: 'silent',
      key: 'cpuMicroseconds',
      label: 'Processor time of the server per client and minute, µs',
    },
  ],
  cases: [{ name: 'silent', label: 'silent' }],
  async run(peer, _, settings) {
    const seen = await observe(peer, settings, {
      roundTripMs: 0,
      newcomers: 0,
      clients: IDLE_CLIENTS,
      speakMs: 0,
      silentMs: IDLE_WINDOW_MS,
    });
    const share = 60_000 / IDLE_WINDOW_MS / IDLE_CLIENTS;
    const bytes = (seen.up + seen.down) * share;
    return {
      value: bytes,
      version: seen.version,
      details: {
        bytes,
        requests: seen.requests * share,
        cpuMicroseconds: seen.cpuMicroseconds * share,
      },
    };
  },
});
