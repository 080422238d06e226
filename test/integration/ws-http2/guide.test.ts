/** The code of docs/guides/http2.md, run as it stands. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from '../../../src/entry/ws.ts';
import { Authority } from '../websocket/certificate.ts';
import { openSession } from './scene.ts';

const root = join(import.meta.dirname, '../../..');
const running: ChildProcess[] = [];
const authority = new Authority();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-guide-'));
  const { key, cert } = authority.issue({ dns: 'localhost', ip: '127.0.0.1' });
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'ca.pem'), authority.cert);
  const guide = await readFile(join(root, 'docs/guides/http2.md'), 'utf8');
  for (const [, name = '', code = ''] of guide.matchAll(/^```js (\S+)\n(.*?)^```$/gms)) {
    await build({
      stdin: { contents: code, resolveDir: root },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile: join(folder, name),
      // The sources in place of what `npm run build` makes of them.
      alias: {
        'tautline/ws': join(root, 'src/entry/ws.ts'),
        tautline: join(root, 'src/entry/index.ts'),
      },
    });
  }
});

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function run(name: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [join(folder, name)], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  return child;
}

/** Starts a server of the guide and gives its address. */
async function start(name: string): Promise<string> {
  const [text] = (await once(run(name, { PORT: '0' }).stdout!, 'data')) as [Buffer];
  return `localhost:${/^port (\d+)$/m.exec(text.toString())?.[1]}`;
}

describe('the guide to HTTP/2', () => {
  it('has a server and a client that talk', async () => {
    const client = run('client.mjs', { ADDRESS: await start('server.mjs') });
    let output = '';
    client.stdout!.on('data', (text) => {
      output += String(text);
    });
    const [code] = await once(client, 'close');
    expect(code).toBe(0);
    expect(output.trim().split('\n').sort()).toEqual([
      'over HTTP/2.0: blue',
      'over HTTP/2.0: green',
      'over HTTP/2.0: red',
    ]);
  });

  it('has a server whose port takes HTTP/1.1 too', async () => {
    const client = new WebSocket(`wss://${await start('server.mjs')}`, { ca: authority.cert });
    await once(client, 'open');
    client.send('x');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('over HTTP/1.1: x');
    client.terminate();
  });

  it('has a server with events', async () => {
    const address = await start('events.mjs');
    const session = openSession(`https://${address}`, authority.cert);
    const url = `wss://${address}/socket.io/?EIO=4&transport=websocket`;
    const client = new WebSocket(url, { http2Session: session });
    const messages: string[] = [];
    const said = new Promise<void>((resolve) => {
      client.on('message', (data) => {
        messages.push(data.toString());
        if (messages.length === 2) client.send('42["say","hello"]');
        if (messages.length === 3) resolve();
      });
    });
    client.on('open', () => client.send('40'));
    await said;
    expect(messages[2]).toBe('42["said","hello"]');
    client.terminate();
  });
});
