/**
 * What: the programs of docs/guides/websocket.md print what stands below them.
 * Must not know: what they do.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../websocket/certificate.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const guide = await readFile(join(root, 'docs/guides/websocket.md'), 'utf8');
const programs = [...guide.matchAll(/^```(js|ts) (\S+)\n(.*?)^```\n\n```text\n(.*?)^```$/gms)].map(
  ([, language = '', name = '', code = '', output = '']) => ({ language, name, code, output }),
);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-guide-'));
  const authority = new Authority();
  const { key, cert } = authority.issue({ dns: 'localhost', ip: '127.0.0.1' });
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'ca.pem'), authority.cert);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the guide to WebSocket', () => {
  it('has no program without its output', () => {
    expect(programs.map(({ name }) => name)).toEqual(
      [...guide.matchAll(/^```(?:js|ts) (\S+)$/gm)].map(([, name]) => name),
    );
    expect(programs.length).toBeGreaterThan(0);
  });

  it.each(programs)('$name prints what it says', async ({ language, name, code, output }) => {
    const file = join(folder, `${name}.mjs`);
    await build({
      stdin: { contents: code, resolveDir: root, loader: language as 'js' | 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile: file,
      // The sources in place of what `npm run build` makes of them.
      alias: {
        'tautline/ws': join(root, 'src/entry/ws.ts'),
        'tautline/websocket': join(root, 'src/entry/websocket.ts'),
      },
    });
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder });
    expect([stdout, stderr]).toEqual([output, '']);
  });
});
