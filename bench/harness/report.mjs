/**
 * What: writes docs/benchmarks.md and its pictures from what bench/results holds.
 * Must not know: how anything was measured.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tabulate } from './metrics.mjs';
import { loadResults } from './results.mjs';
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

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));

/**
 * @typedef {import('../scenarios/scenario.mjs').Scenario<any>} Scenario
 * @typedef {import('./results.mjs').Result} Result
 */

/** @param {Scenario[]} scenarios */
export async function writeReport(scenarios) {
  // Only here: drawing takes a second to load.
  const { drawPicture } = await import('./picture.mjs');
  const results = loadResults();
  mkdirSync(`${docs}images`, { recursive: true });
  const sections = [];
  for (const scenario of scenarios) {
    const result = results.find((one) => one.scenario === scenario.name);
    if (!result) continue;
    writeFileSync(`${docs}images/bench-${scenario.name}.svg`, drawPicture(scenario, result));
    sections.push(describeScenario(scenario, result));
    if (scenario.metrics) updateGuides(scenario.name, formatMetrics(scenario, result));
  }
  writeFileSync(
    `${docs}benchmarks.md`,
    `${[describeMethod(scenarios, results), ...sections].join('\n\n')}\n`,
  );
  console.log(`Wrote docs/benchmarks.md with ${sections.length} scenarios`);
}

/**
 * @param {Scenario} scenario
 * @param {Result} result
 */
function formatMetrics(scenario, result) {
  const { head, rows } = tabulate(scenario, result);
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/**
 * Guides show tables between two comments with the scenario's name.
 * @param {string} name
 * @param {string} table
 */
function updateGuides(name, table) {
  for (const file of readdirSync(`${docs}guides`)) {
    const path = `${docs}guides/${file}`;
    const text = readFileSync(path, 'utf8');
    const [open, close] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`];
    const [start, end] = [text.indexOf(open), text.indexOf(close)];
    if (start < 0 || end < 0) continue;
    writeFileSync(path, `${text.slice(0, start + open.length)}\n${table}\n${text.slice(end)}`);
  }
}

/**
 * @param {Scenario} scenario
 * @param {Result} result
 */
function describeScenario(scenario, result) {
  if (scenario.metrics) {
    return [
      `## ${scenario.title}`,
      scenario.about,
      `![${scenario.title}](images/bench-${scenario.name}.svg)`,
      formatMetrics(scenario, result),
      `<sub>${result.date.slice(0, 10)}, medians of ${result.settings.runs} rounds; raw runs in [bench/results/${scenario.name}.json](../bench/results/${scenario.name}.json)</sub>`,
    ].join('\n\n');
  }
  const rows = result.cases.flatMap((one) =>
    peersOf(one).map((peer) => {
      const value = figureOf(one, peer);
      const ratio = ratioOf(one, peer, scenario.reference);
      const cores = coresOf(one, peer);
      const cells = [
        one.label,
        scenario.family[peer]?.label ?? peer,
        formatValue(value.median),
        `${formatValue(value.min)} … ${formatValue(value.max)}`,
        ratio ? formatRatio(ratio.median) : '',
        ratio ? `${formatRatio(ratio.min)} … ${formatRatio(ratio.max)}` : '',
        cores ? formatShare(cores.server) : '–',
        cores ? formatShare(cores.load) : '–',
        cores ? cores.microsecondsEach.toPrecision(3) : '–',
        doubtOf(one, peer),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  const targets = scenario.targets.flatMap((target) => {
    const one = result.cases.find((each) => each.name === target.case);
    const verdict = one && judge(one, target, String(scenario.peers[0]));
    return verdict
      ? [`- ${one.label}: ${verdict.text} – ${verdict.verdict === 'met' ? 'met' : `**${verdict.verdict}**`}`]
      : [];
  });
  return [
    `## ${scenario.title}`,
    scenario.about,
    `![${scenario.title}](images/bench-${scenario.name}.svg)`,
    [
      `| | ${scenario.unit} | median | min … max | ÷ ${scenario.reference} | min … max | server's core | load's core | µs each | |`,
      '|---|---|--:|--:|--:|--:|--:|--:|--:|---|',
      ...rows,
    ].join('\n'),
    ...(targets.length > 0 ? [targets.join('\n')] : []),
    `<sub>${result.date.slice(0, 10)}, ${result.settings.runs} rounds of ${result.settings.seconds} s after ${result.settings.warmup} s, load.${
      result.settings.generator === 'c' ? 'c' : 'mjs'
    }; raw runs in [bench/results/${scenario.name}.json](../bench/results/${scenario.name}.json)</sub>`,
  ].join('\n\n');
}

/**
 * @param {Scenario[]} scenarios
 * @param {Result[]} results
 */
function describeMethod(scenarios, results) {
  const machine = results[0]?.machine;
  const versions = Object.assign({}, ...results.map((one) => one.versions));
  const list = Object.entries(versions).map(
    ([name, version]) => `${name} ${String(version).replace(/^v/, '')}`,
  );
  return `<!-- Written by \`npm run bench -- report\`. Changes belong into bench/. -->
# Benchmarks

How fast Tautline is beside the libraries that it can replace, on the same machine, in the same minutes.
Absolute figures belong to one machine; the ratios travel better, and they are what our targets are about.

${machine ? `Measured on ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node.slice(1)}.` : ''}
Versions: ${list.join(', ')}.

## Method

- The server is alone in its process, pinned to one core with everything that it starts: helper threads, the
  collector, zlib's pool. The load generator is another process on another core.
- The peers take turns: A B C, A B C, and so on, a new server process for each run. A figure is the median over the
  rounds. A ratio is taken within each round, and its median is shown, with the least and the greatest.
- The generator (\`bench/load/load.c\`, epoll, compiled when the bench starts; \`bench/load/load.mjs\` where there is no C
  compiler) keeps exactly the stated number of messages under way. It compares every reply with what was due byte
  by byte; one that is altered, lost or doubled fails the run. In compressed broadcasts it counts frames, and one is inflated and compared.
- Both processes' time on their cores is read from the kernel at both ends of the window. Below 95 % of its core a
  server was waiting, and the figure is a lower bound: the row says \`generator-bound\`, or \`disturbed\` if
  another process had one of the two cores. \`µs each\` is the server's processor time for one unit of work. With one broadcast in flight a fast server waits for the slowest receiver by
  the nature of the thing.
- Resident memory is read after full collections, before and after the connections are opened. Sockets' buffers in the
  kernel are not in it.
- \`tautline/ws\` and \`ws\` run the same server file, and so do \`tautline\` and \`socket.io\`, with their default options. Where
  \`tautline/ws\` has \`server.broadcast(data)\`, it is used; \`--peers tautline-loop\` runs the loop over
  \`server.clients\` that users of \`ws\` write. \`bare node:net\` is no WebSocket server: it shows what Node's
  sockets cost with a frame loop and nothing else.

Where the time goes, and what was tried where a target is missed: [benchmarks-notes.md](benchmarks-notes.md).

What this does not show: latency under partial load, TLS, many cores, real networks. Loopback makes system calls the
greater part of the cost of a message, so differences are smaller with one message at a time than with several.

## How to repeat it

\`\`\`sh
npm run build
npm run bench                                    # everything, about half an hour
npm run bench -- echo broadcast --runs 3 --seconds 4 --peers ws,tautline
npm run bench -- report                          # this page from bench/results
npm run bench -- --help
\`\`\`

Linux with \`taskset\`, two free cores, and 20,000 open files per process (\`ulimit -n\`) are needed for figures like
these; elsewhere it runs without pinning. Scenarios: ${scenarios.map((scenario) => `\`${scenario.name}\``).join(', ')}.`;
}
