/**
 * What: starts the examples for Express, Fastify, Hono, node:http and node:http2, and talks to them as their users do.
 * Must not know: what is in dist; the examples import the package by its name.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { io, type ManagerOptions, type SocketOptions } from '../../../src/entry/client-node.ts';
import { WebSocket } from '../../../src/entry/ws.ts';
import { Authority } from '../websocket/certificate.ts';
import { startProgram } from './program.ts';

async function enter(url: URL, options: Partial<ManagerOptions & SocketOptions> = {}) {
  const socket = io(url.origin, { forceNew: true, reconnection: false, ...options });
  onTestFinished(() => {
    socket.disconnect();
  });
  const notes: unknown[] = [];
  let wake = () => {};
  socket.on('note', (text: unknown) => {
    notes.push(text);
    wake();
  });
  const until = async (count: number) => {
    while (notes.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return notes;
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('connect_error', reject);
  });
  return { socket, until };
}

describe.each(['http', 'express', 'fastify', 'hono'])('the example for %s', (name) => {
  it('answers requests and carries events on one port', async () => {
    const url = await startProgram(`examples/${name}/server.mjs`);
    const [ada, bob] = [await enter(url), await enter(url, { transports: ['polling'] })];
    expect(await (await fetch(url)).text()).toBe('2 connected\n');
    expect(await ada.socket.emitWithAck('note', 'from Ada')).toBe('delivered');
    const headers = { 'content-type': 'text/plain' };
    const posted = await fetch(new URL('/notes', url), { method: 'POST', body: 'from a page', headers });
    expect(posted.status).toBe(204);
    expect(await bob.until(2)).toEqual(['from Ada', 'from a page']);
    expect(await ada.until(1)).toEqual(['from a page']);
    const large = await fetch(new URL('/notes', url), { method: 'POST', body: 'x'.repeat(600), headers });
    expect(large.status).toBe(413);
  });
});

describe('the example for http2', () => {
  it('answers requests and carries events over HTTP/2 and HTTP/1.1 on one port', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tautline-example-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const authority = new Authority();
    const { key, cert } = authority.issue({ dns: 'localhost', ip: '127.0.0.1' });
    const files = { KEY: join(folder, 'key.pem'), CERT: join(folder, 'cert.pem') };
    await writeFile(files.KEY, key);
    await writeFile(files.CERT, cert);
    const url = await startProgram('examples/http2/server.mjs', files);

    const ada = await enter(url, { ca: authority.cert } as object);
    const session = connect(url.origin, { ca: authority.cert });
    onTestFinished(() => session.destroy());
    const page = session.request({ ':path': '/' });
    page.setEncoding('utf8');
    expect(await page.toArray()).toEqual(['1 connected, you over HTTP/2.0\n']);

    const bob = new WebSocket(`wss://${url.host}/socket.io/?EIO=4&transport=websocket`, {
      http2Session: session,
    });
    const messages: string[] = [];
    const met = new Promise<void>((resolve) => {
      bob.on('message', (data) => {
        messages.push(data.toString());
        if (messages.length === 2) bob.send('420["note","over HTTP/2"]');
        if (messages.length === 3) resolve();
      });
    });
    bob.on('open', () => bob.send('40'));
    await met;
    expect(messages[2]).toBe('430["delivered"]');
    expect(await ada.until(1)).toEqual(['over HTTP/2']);
    const noted = once(bob, 'message');
    const post = session.request({ ':path': '/notes', ':method': 'POST' });
    post.end('from a page');
    expect(String((await noted)[0])).toBe('42["note","from a page"]');
    bob.terminate();
  });
});
