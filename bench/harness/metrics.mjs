/**
 * What: scenarios that give several figures a run: the table of their medians, and the panels of their picture.
 * Must not know: terminals, files, how anything is drawn.
 */
import { median } from 'simple-statistics';
import { formatValue, peersOf } from './summary.mjs';

/**
 * @typedef {import('../scenarios/scenario.mjs').Scenario<any>} Scenario
 * @typedef {import('./results.mjs').Result} Result
 */

/**
 * @param {Scenario} scenario
 * @param {Result} result
 * @returns {{ head: string[], rows: string[][] }}
 */
export function tabulate(scenario, result) {
  const { metrics = [], format = formatValue } = scenario;
  const head = ['', '', ...metrics.map(({ label }) => label)];
  const rows = result.cases.flatMap((one) =>
    peersOf(one).map((peer) => [
      one.label,
      scenario.family[peer]?.label ?? peer,
      ...metrics.map(({ key }) => {
        const values = one.runs.flatMap((run) => (run.peer === peer ? [run.details?.[key] ?? 0] : []));
        return format(median(values));
      }),
    ]),
  );
  return { head, rows };
}

/**
 * A result in which each panel is a case, and what it shows the value of each run.
 * @param {Scenario} scenario
 * @param {Result} result
 * @returns {Result}
 */
export function panelsOf(scenario, result) {
  const { panels } = scenario;
  if (!panels) return result;
  const cases = panels.flatMap((panel) => {
    const one = result.cases.find(({ name }) => name === panel.case);
    if (!one) return [];
    const runs = one.runs.map((run) => ({ ...run, value: run.details?.[panel.key] ?? 0 }));
    return [{ name: `${panel.case} ${panel.key}`, label: panel.label, runs }];
  });
  return { ...result, cases };
}
