/**
 * What: keeps the results of each scenario as JSON in bench/results, with the machine they were measured on.
 * Must not know: how they are measured or shown.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../results/', import.meta.url));

/**
 * @typedef {object} Result
 * @property {string} scenario
 * @property {string} date ISO 8601
 * @property {{ cpu: string, cores: number, memoryGiB: number, system: string, node: string }} machine
 * @property {Record<string, string>} versions of the peers
 * @property {{ runs: number, seconds: number, warmup: number, generator: string }} settings
 * @property {import('./summary.mjs').CaseResult[]} cases
 */

export function describeMachine() {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-')[0]}`,
    node: process.version,
  };
}

/** @param {Result} result */
export function saveResult(result) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${result.scenario}.json`, `${JSON.stringify(result, roundNumbers, 2)}\n`);
}

/** Six digits are more than a measurement has. @type {(key: string, value: unknown) => unknown} */
function roundNumbers(_, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/** @returns {Result[]} */
export function loadResults() {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.endsWith('.raw.json'))
    .map((name) => JSON.parse(readFileSync(`${folder}${name}`, 'utf8')));
}
