/**
 * What: the access logs of nginx and haproxy, as the guide has them: requests are there, ids of sessions are not.
 * Must not know: what is said in sessions.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { io } from '../../../src/entry/client-node.ts';
import type { BoxKind } from './box.ts';
import { loggingTo } from './configuration.ts';
import { Scene } from './scene.ts';

/** The last line that is waited for. */
const LAST = '/socket.io/the-last-one';

/** Where a box logs to, and what has come there once the last line has. */
async function openLog(kind: BoxKind): Promise<{ target: string; read(): Promise<string> }> {
  if (kind === 'nginx') {
    const folder = await mkdtemp(join(tmpdir(), 'tautline-log-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const target = join(folder, 'access.log');
    return { target, read: () => readFile(target, 'utf8') };
  }
  const socket: Socket = createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => void socket.close());
  await once(socket, 'listening');
  let text = '';
  socket.on('message', (message) => {
    text += `${String(message)}\n`;
  });
  return { target: String(socket.address().port), read: async () => text };
}

test.each(['nginx', 'haproxy'] as const)('%s logs no id of a session', async (kind) => {
  const log = await openLog(kind);
  const scene = await Scene.start(kind, [loggingTo[kind](log.target)]);
  onTestFinished(() => scene.end());
  const sids = new Set<string>();
  for (const transport of ['polling', 'sse', 'websocket']) {
    const client = io(scene.url, { transports: [transport], forceNew: true });
    onTestFinished(() => void client.disconnect());
    await new Promise<void>((resolve) => client.once('connect', resolve));
    sids.add(client.io.engine.id!);
    await client.emitWithAck('all said');
    client.disconnect();
  }
  await fetch(scene.url + LAST);
  await expect.poll(log.read, { timeout: 10_000 }).toContain(LAST);
  const text = await log.read();
  expect(text).toMatch(/POST \/socket\.io\/ /);
  expect(sids.size).toBe(3);
  for (const sid of sids) expect(text).not.toContain(sid);
  expect(text).not.toContain('?');
});
