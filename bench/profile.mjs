/**
 * What: prints a CPU profile's functions by the time spent in themselves: `node bench/profile.mjs <file.cpuprofile> [rows]`.
 * Must not know: who wrote the profile.
 */
import { readFileSync } from 'node:fs';

const [file, rows = '25'] = process.argv.slice(2);
if (!file) throw new Error('node bench/profile.mjs <file.cpuprofile> [rows]');

/** @typedef {{ functionName: string, url: string, lineNumber: number }} Frame */
/** @type {{ nodes: { id: number, callFrame: Frame }[], samples: number[], timeDeltas: number[] }} */
const profile = JSON.parse(readFileSync(file, 'utf8'));

const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
const times = /** @type {Map<string, number>} */ (new Map());
let total = 0;
for (const [i, id] of profile.samples.entries()) {
  const frame = frames.get(id);
  const time = profile.timeDeltas[i] ?? 0;
  if (!frame || frame.functionName === '(idle)') continue;
  const place = frame.url ? ` ${frame.url.split('/').slice(-3).join('/')}:${frame.lineNumber + 1}` : '';
  const name = `${frame.functionName || '(anonymous)'}${place}`;
  times.set(name, (times.get(name) ?? 0) + time);
  total += time;
}
for (const [name, time] of [...times].sort((a, b) => b[1] - a[1]).slice(0, Number(rows))) {
  console.log(`${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
}
