/**
 * What: makes a fresh clone ready: npm packages, and with `system` the Debian packages that tests start.
 * Must not know: what the packages are used for.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** What the tests need from Debian: a path that shows that it is there, and the package that brings it. */
const systemPackages = [
  { path: '/usr/bin/chromium', name: 'chromium' },
  { path: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', name: 'fonts-dejavu-core' },
  { path: '/usr/lib/python3/dist-packages/websockets', name: 'python3-websockets' },
  { path: '/usr/bin/openssl', name: 'openssl' },
  { path: '/usr/sbin/nginx', name: 'nginx' },
  { path: '/usr/sbin/haproxy', name: 'haproxy' },
];

export function say(text) {
  process.stdout.write(`\u001b[2m· ${text}\u001b[0m\n`);
}

/** Installs the npm packages of the lock file unless that very lock file was installed before. */
export function installPackages() {
  // npm would empty the folder that a link points to, and somebody else works with it.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const stamp = join(root, 'node_modules/.installed-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing npm packages (once)');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  writeFileSync(stamp, lock);
}

/** Installs the Debian packages that are missing; needs root or sudo, and says so. */
export function installSystemPackages() {
  const missing = systemPackages.filter(({ path }) => !existsSync(path)).map(({ name }) => name);
  if (missing.length === 0) return;
  say(`installing Debian packages: ${missing.join(', ')}`);
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const run = (...words) => {
    const [command, ...args] = [...asRoot, ...words];
    execFileSync(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  };
  try {
    run('apt-get', 'update', '-qq');
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing);
  } catch (error) {
    throw new Error(
      `These Debian packages are needed by the tests and could not be installed: ${missing.join(', ')}`,
      {
        cause: error,
      },
    );
  }
}

function newestChange(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

/** Builds dist/ when a source is newer than what is there. */
export function buildIfStale() {
  const built = join(root, 'dist/.built');
  const changed = Math.max(
    newestChange(join(root, 'src')),
    ...['package.json', 'tsdown.config.ts', 'scripts/build.mjs'].map(
      (file) => statSync(join(root, file)).mtimeMs,
    ),
  );
  if (existsSync(built) && statSync(built).mtimeMs >= changed) return;
  say('building');
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
  writeFileSync(built, '');
}
