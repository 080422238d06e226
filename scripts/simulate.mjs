/**
 * What: `npm run simulate -- --histories 100000 --seed 1`: the simulation of the session for longer than `npm test` has time.
 * Must not know: what is simulated; that stands in test/simulation/.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, root } from './setup.mjs';

installPackages();
const { build } = await import('esbuild');
// One file, since Node 20 does not read TypeScript, and to load many costs more than to play.
const outfile = join(root, '.tmp/simulate.mjs');
mkdirSync(join(root, '.tmp'), { recursive: true });
await build({
  entryPoints: [join(root, 'test/simulation/command.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile,
  logLevel: 'error',
});
const { status } = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
