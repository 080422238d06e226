/** The code of docs/guides/server-sent-events.md, run as it stands. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EventSource, type MessageEvent } from '../../../src/entry/sse.ts';

const root = join(import.meta.dirname, '../../..');
const running: ChildProcess[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-guide-'));
  const guide = await readFile(join(root, 'docs/guides/server-sent-events.md'), 'utf8');
  for (const [, name = '', code = ''] of guide.matchAll(/^```js (\S+)\n(.*?)^```$/gms)) {
    await build({
      stdin: { contents: code, resolveDir: root },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile: join(folder, name),
      // The sources in place of what `npm run build` makes of them.
      alias: { 'tautline/sse': join(root, 'src/entry/sse.ts') },
    });
  }
});

afterEach(async () => {
  for (const child of running.splice(0)) {
    // Who was killed has no code, but a signal.
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function run(name: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [join(folder, name)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  return child;
}

/** Starts a server of the guide and gives its address. */
async function start(name: string): Promise<{ url: string; child: ChildProcess }> {
  const child = run(name, { PORT: '0' });
  const [text] = (await once(child.stdout!, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${/^port (\d+)$/m.exec(text.toString())?.[1]}`, child };
}

const next = (source: EventSource, type: string) =>
  new Promise<MessageEvent<string>>((resolve) => {
    source.addEventListener(type, resolve as (event: Event) => void, { once: true });
  });

describe('the guide to server-sent events', () => {
  it('has a stream', async () => {
    const { url, child } = await start('stream.mjs');
    const source = new EventSource(url);
    expect((await next(source, 'message')).data).toBe('hello');
    const { data, lastEventId } = await next(source, 'tick');
    expect([JSON.parse(data), lastEventId]).toEqual([{ n: 1 }, '1']);
    const over = once(child.stdout!, 'data');
    source.close();
    expect(String((await over)[0])).toBe('over: closedByPeer\n');
  });

  it('has a channel that gives who comes back what was missed, and a client', async () => {
    const { url } = await start('channel.mjs');
    const first = new EventSource(`${url}/prices`);
    const { data, lastEventId } = await next(first, 'message');
    first.close();
    const second = new EventSource(`${url}/prices`, { headers: { 'last-event-id': lastEventId } });
    expect((await next(second, 'message')).data).toBe(`${Number(data) + 1}`);
    second.close();
  });

  it('has a producer that waits', async () => {
    const { url } = await start('producer.mjs');
    const text = await (await fetch(url)).text();
    const lines = [...text.matchAll(/^data: line (\d+)$/gm)].map(([, n]) => Number(n));
    expect(lines).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
  });

  it('has a client', async () => {
    const { url } = await start('channel.mjs');
    const client = run('client.mjs', { URL: `${url}/prices` });
    let text = '';
    client.stdout!.on('data', (chunk) => {
      text += chunk;
      // It may have come after the fifth price, which ends it.
      if (text.split('\n').length > 3) client.kill();
    });
    await once(client, 'exit');
    expect(text).toMatch(/^\d+ \S+-\d+\n/);
  });
});
