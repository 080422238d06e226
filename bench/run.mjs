/**
 * What: `npm run bench`: chooses scenarios and peers, runs them in turn, shows and keeps the results.
 * Must not know: how a scenario measures.
 */
import { parseArgs } from 'node:util';
import { chooseGenerator } from './harness/load.mjs';
import { writeReport } from './harness/report.mjs';
import { describeMachine, saveResult } from './harness/results.mjs';
import { formatValue } from './harness/summary.mjs';
import { endProgress, showProgress, showTable } from './harness/terminal.mjs';
import { scenarios, selectScenarios } from './scenarios/index.mjs';

const usage = `npm run bench                       all scenarios, then the report
npm run bench -- echo broadcast     only these; a prefix (events) selects a group
npm run bench -- report             writes docs/benchmarks.md and its pictures from bench/results

  --runs N          rounds; the peers take turns within a round (5)
  --seconds N       length of the measured window (4)
  --warmup N        seconds of load before it (2)
  --peers a,b       only these peers
  --generator G     c, node, or auto: c where a C compiler is found (auto)
  --profile         CPU profiles of the servers on Node, in .tmp/bench
  --no-save         leave bench/results as it is
  --help

scenarios:
${scenarios.map((scenario) => `  ${scenario.name.padEnd(22)}${scenario.title} (${scenario.peers.join(', ')})`).join('\n')}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    warmup: { type: 'string', default: '2' },
    peers: { type: 'string' },
    generator: { type: 'string', default: 'auto' },
    profile: { type: 'boolean', default: false },
    'no-save': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/**
 * @param {import('./scenarios/scenario.mjs').Scenario<any>} scenario
 * @param {import('./scenarios/scenario.mjs').Settings} settings
 * @param {number} rounds
 * @param {string[] | null} wanted
 * @returns {Promise<import('./harness/results.mjs').Result | null>} null when no wanted peer takes part
 */
async function runScenario(scenario, settings, rounds, wanted) {
  const peers = wanted ? wanted.filter((name) => name in scenario.family) : scenario.peers;
  if (peers.length === 0) return null;
  const versions = /** @type {Record<string, string>} */ ({});
  const cases = [];
  for (const one of scenario.cases) {
    const runs = [];
    for (let round = 1; round <= rounds; round++) {
      for (const name of peers) {
        const peer = /** @type {import('./harness/server.mjs').Peer} */ (scenario.family[name]);
        showProgress(`${scenario.name}, ${one.label}, round ${round} of ${rounds}: ${peer.label} …`);
        try {
          const run = await scenario.run(peer, one, settings);
          versions[name] = run.version;
          runs.push({ ...run, peer: name, round });
          showProgress(
            `${scenario.name}, ${one.label}, round ${round} of ${rounds}: ${peer.label} ${(scenario.format ?? formatValue)(run.value)}`,
          );
        } catch (error) {
          endProgress();
          const reason = error instanceof Error ? error.message : String(error);
          console.error(`${scenario.name}, ${one.label}, ${peer.label} failed: ${reason}`);
          process.exitCode = 1;
        }
      }
    }
    endProgress();
    if (runs.length > 0) cases.push({ name: one.name, label: one.label, runs });
  }
  const { seconds, warmup, generator } = settings;
  return {
    scenario: scenario.name,
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions,
    settings: { runs: rounds, seconds, warmup, generator: generator.kind },
    cases,
  };
}

async function main() {
  if (values.help) {
    console.log(usage);
    return;
  }
  if (positionals.includes('report')) {
    await writeReport(scenarios);
    return;
  }
  const chosen = selectScenarios(positionals);
  const generator = chooseGenerator(/** @type {'auto'} */ (values.generator));
  const settings = {
    seconds: Number(values.seconds),
    warmup: Number(values.warmup),
    profile: values.profile,
    generator,
  };
  const wanted = values.peers ? values.peers.split(',') : null;
  const known = new Set(chosen.flatMap((scenario) => Object.keys(scenario.family)));
  const stranger = wanted?.find((name) => !known.has(name));
  if (stranger) throw new Error(`No peer ${stranger}. There are: ${[...known].join(', ')}`);
  console.log(`Load generator: ${generator.kind === 'c' ? 'load.c' : 'load.mjs (no C compiler was used)'}`);
  for (const scenario of chosen) {
    const rounds = Math.min(Number(values.runs), scenario.mostRounds ?? Number.POSITIVE_INFINITY);
    const result = await runScenario(scenario, settings, rounds, wanted);
    if (!result || result.cases.length === 0) continue;
    showTable(scenario, result);
    if (!values['no-save']) saveResult(result);
  }
  if (positionals.length === 0 && !values['no-save']) await writeReport(scenarios);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
