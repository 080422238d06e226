/**
 * What: `npm test`: installs what is missing, then runs every check in turn and stops at the first that fails.
 * Must not know: what a check does; each is a command of its own.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installPackages, installSystemPackages, root, say } from './setup.mjs';

installPackages();
installSystemPackages();

const bin = (name) => join(root, 'node_modules/.bin', name);
const checks = [
  ['build', process.execPath, ['scripts/build.mjs']],
  ['types', bin('tsc'), []],
  ['types of the benchmarks', bin('tsc'), ['-p', 'bench']],
  ['lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['floors', bin('depcruise'), ['--output-type', 'err-long', 'src']],
  ['weight', process.execPath, ['scripts/size-check.mjs']],
  ['docstrings', process.execPath, ['scripts/docs-check.mjs']],
  ['package', process.execPath, ['scripts/package-check.mjs']],
  ['tests', bin('vitest'), ['run']],
];

for (const [name, command, args] of checks) {
  const startedAt = Date.now();
  say(name);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(`\n✘ ${name} failed (${[command, ...args].join(' ')})\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`✔ ${name} (${((Date.now() - startedAt) / 1000).toFixed(0)} s)\n`);
}
