/**
 * What: progress and tables in the terminal.
 * Must not know: how anything is measured.
 */
import Table from 'cli-table3';
import { tabulate } from './metrics.mjs';
import {
  coresOf,
  doubtOf,
  figureOf,
  formatRatio,
  formatShare,
  formatValue,
  judge,
  peersOf,
  ratioOf,
} from './summary.mjs';

const isTerminal = process.stdout.isTTY === true;

/** One line that is overwritten in a terminal, a line each elsewhere. */
export function showProgress(/** @type {string} */ text) {
  if (isTerminal) process.stdout.write(`\r\u001b[K${text}`);
  else console.log(text);
}

export function endProgress() {
  if (isTerminal) process.stdout.write('\r\u001b[K');
}

/**
 * @param {import('../scenarios/scenario.mjs').Scenario<any>} scenario
 * @param {import('./results.mjs').Result} result
 */
export function showTable(scenario, result) {
  if (scenario.metrics) {
    const { head, rows } = tabulate(scenario, result);
    const table = new Table({ head, style: { head: [], border: [] } });
    table.push(...rows);
    console.log(`\n${scenario.title}\n${table.toString()}`);
    return;
  }
  const table = new Table({
    head: [
      scenario.unit,
      '',
      'median',
      'min … max',
      `÷ ${scenario.reference}`,
      'min … max',
      'server',
      'load',
      'µs each',
      '',
    ],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const one of result.cases) {
    for (const peer of peersOf(one)) {
      const value = figureOf(one, peer);
      const ratio = ratioOf(one, peer, scenario.reference);
      const cores = coresOf(one, peer);
      table.push([
        one.label,
        scenario.family[peer]?.label ?? peer,
        formatValue(value.median),
        `${formatValue(value.min)} … ${formatValue(value.max)}`,
        ratio ? formatRatio(ratio.median) : '',
        ratio ? `${formatRatio(ratio.min)} … ${formatRatio(ratio.max)}` : '',
        cores ? formatShare(cores.server) : '',
        cores ? formatShare(cores.load) : '',
        cores ? cores.microsecondsEach.toPrecision(3) : '',
        doubtOf(one, peer),
      ]);
    }
  }
  console.log(`\n${scenario.title}\n${table.toString()}`);
  for (const target of scenario.targets) {
    const one = result.cases.find((each) => each.name === target.case);
    const verdict = one && judge(one, target, String(scenario.peers[0]));
    if (verdict) console.log(`  ${verdict.verdict.padEnd(10)}${one.label}: ${verdict.text}`);
  }
}
