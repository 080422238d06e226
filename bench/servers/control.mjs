/**
 * What: how a server under test talks to the bench: one line when it listens, one per question about memory.
 * Must not know: the server.
 */
import { readFileSync } from 'node:fs';

/** The version in a package's manifest: ours one floor up, others' among the installed packages. A path has none. */
export function versionOf(/** @type {string} */ module) {
  if (module.startsWith('/')) return module;
  const name = String(module.split('/')[0]);
  const path = name === 'tautline' ? '../../package.json' : `../../node_modules/${name}/package.json`;
  return /** @type {string} */ (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version);
}

/** Node needs --expose-gc; Bun has its own. */
async function collectGarbage() {
  const bun = /** @type {{ gc(isSync: boolean): void } | undefined} */ (Reflect.get(globalThis, 'Bun'));
  for (let i = 0; i < 4; i++) {
    if (bun) bun.gc(true);
    else globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * @param {number} port that the server listens on
 * @param {string} version of what is measured
 */
export function reportListening(port, version) {
  process.stdout.write(`${JSON.stringify({ port, version })}\n`);
  process.stdin.on('data', async () => {
    await collectGarbage();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.stdout.write(`${JSON.stringify({ rss, heapUsed, external })}\n`);
  });
  process.stdin.on('end', () => process.exit(0));
}
