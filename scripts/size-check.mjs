/**
 * What: measures what `tautline/client` costs a browser, and fails when it is more than it may be. Needs the build.
 * Must not know: how the build makes it small.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What it is meant to cost, in bytes: 12 kB. */
const GOAL = 12 * 1024;
/** What it may cost. Not reached yet, the goal is approached: whoever makes the client lighter lowers this with it. */
const LIMIT = 14_300;
/** So many inputs are listed. */
const LISTED = 12;

const root = fileURLToPath(new URL('..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const door = exports['./client'].browser.default;

/** Everything that the door exports, as a program's bundler would take it: minified, dead code removed. */
const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: [door],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  metafile: true,
  write: false,
});
const [{ contents }] = outputFiles;
const bytes = gzipSync(contents, { level: 9 }).length;

// The build's regions name the sources; what each takes there tells where to look.
const sizes = new Map();
for (const input of Object.keys(metafile.inputs)) {
  const parts = readFileSync(join(root, input), 'utf8').split(/^\/\/#region (.*)$/m);
  for (let i = 1; i < parts.length; i += 2) {
    const code = parts[i + 1].replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ');
    sizes.set(parts[i], (sizes.get(parts[i]) ?? 0) + code.length);
  }
}
const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, LISTED);
for (const [source, size] of largest) process.stdout.write(`${String(size).padStart(8)}  ${source}\n`);
process.stdout.write(
  `${door}: ${contents.length} bytes minified, ${bytes} gzipped; the goal is ${GOAL}, the limit ${LIMIT}\n`,
);
if (bytes > LIMIT) {
  process.stderr.write(`The browser client is ${bytes - LIMIT} bytes above its limit.\n`);
  process.exit(1);
}
