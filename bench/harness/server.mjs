/**
 * What: starts a peer's server alone on its core and asks it about its memory.
 * Must not know: scenarios, or what is measured.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';
import { cores, pinned } from './cores.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @typedef {object} Peer
 * @property {string} label as tables and pictures show it
 * @property {string} server file in bench/servers
 * @property {string[]} words its first arguments; the scenario's own follow
 * @property {string[]} [options] its last arguments
 * @property {'node' | 'bun'} [runtime] default `node`
 * @property {Record<string, string>} [environment]
 */

/**
 * @param {Peer} peer
 * @param {string[]} words what the scenario asks of the server
 * @param {{ profile?: boolean }} options `profile` writes a CPU profile of a Node server to .tmp/bench
 */
export async function startServer(peer, words, options) {
  const file = `${repository}bench/servers/${peer.server}`;
  const profiles = `${repository}.tmp/bench`;
  if (options.profile) mkdirSync(profiles, { recursive: true });
  const asked = [...peer.words, ...words, ...(peer.options ?? [])];
  const name = `${asked.join('-').replaceAll('/', '-')}-${Date.now()}.cpuprofile`;
  const flags = [
    '--expose-gc',
    ...(options.profile ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}`] : []),
  ];
  const runtime =
    peer.runtime === 'bun' ? [`${repository}node_modules/.bin/bun`, 'run'] : [process.execPath, ...flags];
  const child = new Child(pinned(cores.server, [...runtime, file, ...asked]), peer.environment);
  try {
    const { port, version } = await child.next();
    return {
      port: /** @type {number} */ (port),
      version: /** @type {string} */ (version),
      pid: child.pid,
      /** Resident bytes after a full collection. @returns {Promise<{ rss: number, heapUsed: number, external: number }>} */
      memory: () => {
        child.say('memory');
        return child.next();
      },
      /** What the server says to a word. @returns {Promise<any>} */
      ask: (/** @type {string} */ word) => {
        child.say(word);
        return child.next();
      },
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
