/**
 * What: which file of the sources is behind each import that the package has.
 * Must not know: what is done with them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** @returns {{ specifier: string, file: string }[]} `tautline/ws` and `src/entry/ws.ts`, say. */
export function doors() {
  const { exports, name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const config = readFileSync(join(root, 'tsdown.config.ts'), 'utf8');
  const files = new Map();
  for (const [, entry, file] of config.matchAll(/([\w-]+)'?: '(src\/entry\/[\w-]+\.ts)'/g)) {
    if (!files.has(entry)) files.set(entry, file);
  }
  return Object.entries(exports).flatMap(([path, conditions]) => {
    if (typeof conditions === 'string') return [];
    const entry = /\/([\w-]+)\.mjs$/.exec(conditions.import.default)[1];
    const file = files.get(entry);
    if (file === undefined) throw new Error(`tsdown.config.ts has no entry "${entry}" for "${path}"`);
    return [{ specifier: path.replace('.', name), file }];
  });
}
