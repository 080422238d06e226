/**
 * What: measures what `tautline/client` costs a browser, and fails when it is more than it may be. Needs the build.
 * Must not know: how the build makes it small.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';

/** What it is meant to cost, in bytes: 12 kB. */
const GOAL = 12 * 1024;
/** What it may cost. Not reached yet, the goal is approached: whoever makes the client lighter lowers this with it. */
const LIMIT = 13_250;
/** So many inputs are listed. */
const LISTED = 12;

const root = fileURLToPath(new URL('..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const door = exports['./client'].browser.default;

const gzipped = (text) => gzipSync(text, { level: 9 }).length;

/** Everything that the door exports, as a program's bundler would take it: minified, dead code removed. */
const bundle = await rolldown({ input: join(root, door), platform: 'browser' });
const { output } = await bundle.generate({ format: 'esm', minify: true });
const bytes = gzipped(output[0].code);
/** Bundlers differ by a few percent. */
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: [door],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  write: false,
});

// The build's regions name the sources; what each takes there tells where to look.
const sizes = new Map();
for (const input of output[0].moduleIds) {
  const parts = readFileSync(input, 'utf8').split(/^\/\/#region (.*)$/m);
  for (let i = 1; i < parts.length; i += 2) {
    const code = parts[i + 1].replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ');
    sizes.set(parts[i], (sizes.get(parts[i]) ?? 0) + code.length);
  }
}
const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, LISTED);
for (const [source, size] of largest) process.stdout.write(`${String(size).padStart(8)}  ${source}\n`);
process.stdout.write(
  `${door}: ${output[0].code.length} bytes minified, ${bytes} gzipped (by rolldown; ${gzipped(outputFiles[0].contents)} by esbuild); the goal is ${GOAL}, the limit ${LIMIT}\n`,
);
if (bytes > LIMIT) {
  process.stderr.write(`The browser client is ${bytes - LIMIT} bytes above its limit.\n`);
  process.exit(1);
}
