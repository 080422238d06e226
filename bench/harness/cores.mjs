/**
 * What: which core carries the server and which the load, and the command line that pins a process to it.
 * Must not know: what the processes do.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Two threads of one physical core would slow each other down. */
function isSibling(/** @type {number} */ a, /** @type {number} */ b) {
  try {
    const list = readFileSync(`/sys/devices/system/cpu/cpu${a}/topology/thread_siblings_list`, 'utf8').trim();
    return list.split(',').some((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return b >= from && b <= to;
    });
  } catch {
    return false;
  }
}

/** The last core for the server (the first ones get most interrupts), another for the load. */
function chooseCores() {
  const count = availableParallelism();
  const server = count - 1;
  const load = Array.from({ length: count }, (_, i) => i).find((core) => !isSibling(server, core)) ?? 0;
  return { server, load, canPin: canPin && count > 1 };
}

export const cores = chooseCores();

/**
 * @param {number} core
 * @param {string[]} command
 */
export function pinned(core, command) {
  return cores.canPin ? ['taskset', '-c', String(core), ...command] : command;
}
