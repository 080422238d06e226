/**
 * What: runs the code of the guides as it stands: each server with its client, whose output is what the guide shows.
 * Must not know: what the guides are about.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { attackEvents, attackFrames, attackRequests } from './attack.ts';

const root = join(import.meta.dirname, '../../..');
const guides = [
  'rooms',
  'presence',
  'history',
  'acknowledgements',
  'authentication',
  'migration',
  'delivery-guarantees',
  'transports',
  'deployment',
];

/** Below the package, so that its name leads to what `npm run build` has made, as for a user. */
mkdirSync(join(root, '.tmp'), { recursive: true });
const folder = mkdtempSync(join(root, '.tmp/guides-'));
const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(file: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [join(folder, file)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  return child;
}

describe.each(guides)('the guide to %s', (name) => {
  const text = readFileSync(join(root, `docs/guides/${name}.md`), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)(?: (\S[^\n]*))?\n(.*?)^```$/gms)].map(
    ([, language = '', label = '', body = '']) => ({ language, label, body }),
  );
  const files = new Set<string>();
  for (const { language, label, body } of blocks) {
    if (language !== 'js' || label === '') continue;
    files.add(label);
    writeFileSync(join(folder, label), body);
  }
  /** `text a b`: what the clients of the scenes a and b print. */
  const scenes = blocks.flatMap(({ language, label, body }) =>
    language === 'text' && label !== '' ? label.split(' ').map((scene) => ({ scene, output: body })) : [],
  );

  it.each(scenes)('has a server and a client that do what it says: $scene', async ({ scene, output }) => {
    const server = run(`${scene}-server.mjs`, { PORT: '0' });
    const [address] = (await once(server.stdout!, 'data')) as [Buffer];
    const client = run(`${scene}-client.mjs`, { URL: address.toString().trim() });
    let printed = '';
    client.stdout!.on('data', (chunk) => {
      printed += String(chunk);
    });
    const [code] = await once(client, 'close');
    expect(printed).toBe(output);
    expect(code).toBe(0);
  });

  const servers = blocks.filter(({ label }) => label.endsWith('-server.mjs'));
  it.each(servers)(
    'has a server that lives through whatever a client sends: $label',
    async ({ label, body }) => {
      const server = run(label, { PORT: '0' });
      const [address] = (await once(server.stdout!, 'data')) as [Buffer];
      const url = address.toString().trim();
      const attack = /'(tautline|socket\.io)'/.test(body)
        ? attackEvents
        : url.startsWith('ws')
          ? attackFrames
          : attackRequests;
      await attack(url, body);
      // Everything was handled by now; it takes another client as ever.
      await attack(url, body);
      expect([server.exitCode, server.signalCode]).toEqual([null, null]);
    },
  );

  it('has no code that is not run, but for lines that are at least JavaScript', async () => {
    const used = new Set(scenes.flatMap(({ scene }) => [`${scene}-server.mjs`, `${scene}-client.mjs`]));
    expect(files).toEqual(used);
    for (const { language, body } of blocks) if (language === 'js') await transform(body, { loader: 'js' });
  });

  it('links to what is there', () => {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect(() => readFileSync(join(root, 'docs/guides', target)), target).not.toThrow();
    }
  });
});
