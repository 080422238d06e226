/**
 * What: packs the package, checks its exports map and types, and uses it from an empty folder as a user would.
 * Must not know: the sources; only what the tarball holds.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, say } from './setup.mjs';

const work = join(root, '.tmp/package');
const bin = (name) => join(root, 'node_modules/.bin', name);
const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', work], { cwd: root });
const tarball = join(
  work,
  readdirSync(work).find((name) => name.endsWith('.tgz')),
);

say('package: exports map (publint)');
run(bin('publint'), [tarball, '--strict']);
say('package: types in every module resolution (are-the-types-wrong)');
// node10 knows no exports map; its users cannot reach subpaths of any package that has one.
run(bin('attw'), [tarball, '--profile', 'node16', '--format', 'ascii', '--quiet']);

say('package: installed elsewhere');
const user = join(work, 'user');
mkdirSync(user);
writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', '--offline', tarball], { cwd: user });
cpSync(join(root, 'test/package'), user, { recursive: true });
for (const file of readdirSync(user).filter((name) => /^run-.*\.(mjs|cjs)$/.test(name))) {
  run(process.execPath, [file], user);
}
say('package: no declaration hands out `any`');
const published = join(user, 'node_modules/tautline/dist');
for (const file of readdirSync(published, { recursive: true })) {
  if (!/\.d\.[cm]ts$/.test(file)) continue;
  const code = readFileSync(join(published, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .replace(/'[^']*'|"[^"]*"/g, '');
  const line = code.split('\n').find((each) => /\bany\b/.test(each));
  if (line !== undefined) throw new Error(`${file}: ${line.trim()}`);
}
// Our declarations are checked too (skipLibCheck off), as ES module, as CommonJS, and as a bundler sees them.
run(bin('tsc'), ['-p', 'tsconfig.node.json'], user);
run(bin('tsc'), ['-p', 'tsconfig.bundler.json'], user);
