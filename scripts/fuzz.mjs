/**
 * What: `npm run fuzz -- --seconds 60 --seed 1 [name]`: every parser's fuzz target for longer than `npm test` has time.
 * Must not know: the targets; they stand in test/fuzz/ and read the two variables.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages, root } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
});
if (!/^\d+$/.test(values.seconds) || !/^\d+$/.test(values.seed)) {
  process.stderr.write('--seconds and --seed take whole numbers.\n');
  process.exit(2);
}
installPackages();
process.stdout.write(`Each target runs for ${values.seconds} s with seed ${values.seed}.\n`);
const { status } = spawnSync(
  join(root, 'node_modules/.bin/vitest'),
  ['run', '--project', 'fuzz', '--testTimeout', String((Number(values.seconds) + 60) * 1000), ...positionals],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, FUZZ_SECONDS: values.seconds, FUZZ_SEED: values.seed },
  },
);
process.exit(status ?? 1);
