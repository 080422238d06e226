/**
 * What: runs the load generator alone on its core: the one in C where it can be compiled, else the one in Node.
 * Must not know: peers and scenarios.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';
import { cores, pinned } from './cores.mjs';

const source = fileURLToPath(new URL('../load/load.c', import.meta.url));
const include = fileURLToPath(new URL('../load/plan.h', import.meta.url));
const inNode = fileURLToPath(new URL('../load/load.mjs', import.meta.url));
const folder = fileURLToPath(new URL('../../.tmp/bench/', import.meta.url));

/** @typedef {'c' | 'node'} Generator */

/** Compiles load.c once for each text of it and of plan.h. @returns {string | null} the program, where there is a compiler */
function compile() {
  const texts = [source, include].map((file) => readFileSync(file));
  const digest = createHash('sha1').update(Buffer.concat(texts)).digest('hex').slice(0, 12);
  const program = `${folder}load-${digest}`;
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const compiler = process.env.CC ?? 'cc';
  const done = spawnSync(compiler, ['-O2', '-o', program, source], { encoding: 'utf8' });
  return done.status === 0 ? program : null;
}

/**
 * @param {'auto' | Generator} wanted
 * @returns {{ kind: Generator, command: string[] }}
 */
export function chooseGenerator(wanted) {
  const program = wanted === 'node' || process.platform !== 'linux' ? null : compile();
  if (program) return { kind: 'c', command: [program] };
  if (wanted === 'c')
    throw new Error('load.c could not be compiled: is there a C compiler, and is this Linux?');
  return { kind: 'node', command: [process.execPath, inNode] };
}

/**
 * Every field becomes an argument; bytes travel as hexadecimal text.
 * @typedef {object} Plan
 * @property {'echo' | 'broadcast' | 'churn' | 'hold'} mode
 * @property {number} port
 * @property {number} pid of the server, whose processor time the generator reads at both ends of the window
 * @property {number} connections in `churn`: how many at a time
 * @property {number} [sources] loopback addresses to connect from
 * @property {Buffer} request
 * @property {string} accept
 * @property {string} [require] what else the head of the answer must contain
 * @property {Buffer} [greeting] sent after the handshake
 * @property {number} [greeted] frames that the server sends before a connection counts
 * @property {Buffer} [message] one frame, or several of equal length that take turns
 * @property {number} [frames] how many `message` holds, default 1
 * @property {Buffer} [reply] the frame that must come back, byte for byte; any data frame when left out
 * @property {Buffer} [closing]
 * @property {number} [inflight]
 * @property {number} [senders]
 * @property {number} [warmup] milliseconds
 * @property {number} [window] milliseconds
 */

/**
 * @typedef {object} Sample
 * @property {number} count echoes, deliveries or connections within the window
 * @property {number} seconds
 * @property {number} bytes
 * @property {number} serverRan share of its core, 0 to 1
 * @property {number} serverWaited share of the window in which the server could have run and another process did
 * @property {number} loadRan
 * @property {number} loadWaited
 * @property {string} sample the first data frame on the first connection, where the plan has no `reply`
 */

/**
 * @param {{ command: string[] }} generator
 * @param {Plan} plan
 */
export function startLoad(generator, plan) {
  const words = Object.entries(plan).flatMap(([key, value]) => [
    `--${key}`,
    Buffer.isBuffer(value) ? value.toString('hex') : String(value),
  ]);
  return new Child(pinned(cores.load, [...generator.command, ...words]));
}

/**
 * @param {{ command: string[] }} generator
 * @param {Plan} plan
 * @returns {Promise<Sample>}
 * @throws {Error} when a reply was altered, lost, doubled, or a connection failed
 */
export async function runLoad(generator, plan) {
  const child = startLoad(generator, plan);
  try {
    return await child.next();
  } finally {
    await child.stop();
  }
}
