/**
 * What: a NestJS gateway on our server, by both ways that lead there: an adapter of a few lines, and the package in the
 * place of socket.io (`"overrides": { "socket.io": "npm:tautline@…" }`), which Nest's own adapter then imports.
 * Must not know: how Nest calls its gateways.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const packages = join(root, 'node_modules');
const work = join(root, '.tmp/nest');

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A folder with the packages of a Nest program, as an installation lays them out; needs `npm run build` before. */
function install(name: string, socketIo: 'official' | 'ours'): string {
  const folder = join(work, name);
  const modules = join(folder, 'node_modules');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(modules, '@nestjs'), { recursive: true });
  // Copied, so that what it imports is looked for in this folder first; without the packages that it brought along.
  const adapter = join(packages, '@nestjs/platform-socket.io');
  cpSync(adapter, join(modules, '@nestjs/platform-socket.io'), {
    recursive: true,
    filter: (path) => !path.startsWith(join(adapter, 'node_modules')),
  });
  const tautline = join(modules, 'tautline');
  mkdirSync(tautline);
  cpSync(join(root, 'package.json'), join(tautline, 'package.json'));
  cpSync(join(root, 'dist'), join(tautline, 'dist'), { recursive: true });
  const target = socketIo === 'ours' ? tautline : realpathSync(join(packages, 'socket.io'));
  symlinkSync(target, join(modules, 'socket.io'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  cpSync(join(root, 'test/interop/ecosystem/nest-program.mjs'), join(folder, 'program.mjs'));
  return folder;
}

function run(folder: string, way: string): { isOurs: boolean; seen: unknown[] } {
  const output = execFileSync(process.execPath, ['program.mjs', way], { cwd: folder, encoding: 'utf8' });
  return JSON.parse(output) as { isOurs: boolean; seen: unknown[] };
}

let official: unknown[] = [];
beforeAll(() => {
  const { isOurs, seen } = run(install('official', 'official'), 'as it is');
  expect(isOurs).toBe(false);
  expect(seen).toContain('you said hello');
  official = seen;
});

it('works by an adapter class that makes our server', () => {
  expect(run(install('class', 'official'), 'class')).toEqual({ isOurs: true, seen: official });
});

it('works by the package in the place of socket.io', () => {
  expect(run(install('alias', 'ours'), 'as it is')).toEqual({ isOurs: true, seen: official });
});
