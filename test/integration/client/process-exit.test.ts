/**
 * What: with autoUnref a process ends although its client is connected, connecting or waiting to connect; with the
 * official client as with ours.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Server } from '../../../src/entry/index.ts';

let folder: string;
let port: number;
const http = createServer();
const server = new Server(http);
// Late enough for a process that nothing keeps to have ended.
server.on('connection', (socket) => setTimeout(() => socket.emit('later'), 300).unref());

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-exit-'));
  const from = { ours: './src/entry/client-node.ts', official: 'socket.io-client' };
  for (const [name, path] of Object.entries(from)) {
    await build({
      stdin: { contents: `export { io } from '${path}'`, resolveDir: join(import.meta.dirname, '../../..') },
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      outfile: join(folder, `${name}.mjs`),
    });
  }
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  port = (http.address() as AddressInfo).port;
});

afterAll(async () => {
  http.closeAllConnections();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a program to its end; 'killed' when it has none. */
async function run(client: string, program: string): Promise<string> {
  const code = `import { io } from './${client}.mjs'; ${program}`;
  const options = { cwd: folder, timeout: 10_000 };
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', code],
      options,
    );
    return stdout.trim();
  } catch (error) {
    const { killed, stdout } = error as { killed: boolean; stdout: string };
    return `${killed ? 'killed' : 'failed'} ${stdout.trim()}`;
  }
}

describe.each([
  ['ours', 'polling'],
  ['ours', 'websocket'],
  ['official', 'polling'],
  ['official', 'websocket'],
])('with the client that is %s over %s', (client, transport) => {
  const opts = (autoUnref: boolean) => JSON.stringify({ autoUnref, transports: [transport] });

  it('a connected client does not keep its process', async () => {
    const program = `
      const socket = io('http://127.0.0.1:${port}', ${opts(true)});
      const wait = setTimeout(() => {}, 60_000);
      socket.on('later', () => console.log('alive'));
      socket.on('connect', () => { console.log('connected'); clearTimeout(wait); });`;
    expect(await run(client, program)).toBe('connected');
  });

  it('a connected client keeps its process without autoUnref', async () => {
    const program = `
      const socket = io('http://127.0.0.1:${port}', ${opts(false)});
      socket.on('later', () => { console.log('alive'); socket.disconnect(); });`;
    expect(await run(client, program)).toBe('alive');
  });

  it('a client that is connecting does not keep its process', async () => {
    const program = `io('http://127.0.0.1:${port}', ${opts(true)}); console.log('end');`;
    expect(await run(client, program)).toBe('end');
  });

  it('a client that waits to reconnect does not keep its process', async () => {
    const program = `
      const socket = io('http://127.0.0.1:1', ${opts(true)});
      const wait = setTimeout(() => {}, 60_000);
      socket.on('connect_error', () => { console.log('refused'); clearTimeout(wait); });`;
    expect(await run(client, program)).toBe('refused');
  });
});

it.each(['ours', 'official'])('a client that was disconnected keeps no process (%s)', async (client) => {
  const program = `
    const socket = io('http://127.0.0.1:${port}');
    socket.on('connect', () => { console.log('connected'); socket.disconnect(); });`;
  expect(await run(client, program)).toBe('connected');
});
