/**
 * What: the client in Chromium when its connection dies without a word: what the page notices leads to another at once.
 * Must not know: how the client finds out.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createProxy, type Socket as NetSocket } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Server } from '../../src/server/server.ts';
import { bundle, launchChromium } from './chromium.ts';

let script: string;
let browser: Browser;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  script = await bundle("export * from './entry/client.ts';");
  browser = await launchChromium();
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** A page with a session over WebSocket, through a proxy that can make all connections so far silent. */
async function begin(sessions: boolean) {
  const http = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>t</title>');
  });
  const server = new Server(http, sessions ? {} : { session: false });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const sockets = new Set<NetSocket>();
  const proxy = createProxy((down) => {
    const up = connect(port, '127.0.0.1');
    for (const socket of [down, up]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    down.pipe(up);
    up.pipe(down);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  undo.push(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await server.close();
  });
  const silence = () => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const context: BrowserContext = await browser.newContext();
  undo.push(() => context.close());
  const page: Page = await context.newPage();
  await page.clock.install();
  await page.goto(url);
  await page.addScriptTag({ content: script });
  const ready = once(server, 'connection');
  // No attempt that waits for its turn is made within this test.
  await page.evaluate(`
    globalThis.log = [];
    globalThis.socket = t.io({ transports: ['websocket'], reconnectionDelay: 1e6, reconnectionDelayMax: 1e6 });
    for (const name of ['interrupted', 'resumed', 'disconnect']) socket.on(name, () => log.push(name));
    globalThis.connected = new Promise((resolve) => socket.on('connect', resolve));
    connected`);
  const [peer] = await ready;
  const heard: unknown[] = [];
  peer.on('word', (word: unknown, reply: () => void) => {
    heard.push(word);
    reply();
  });
  const say = (word: string) =>
    page.evaluate(`new Promise((resolve) => socket.emit('word', ${JSON.stringify(word)}, resolve))`);
  const log = () => page.evaluate('log') as Promise<string[]>;
  return { page, context, silence, say, heard, log, server };
}

describe('a connection that died without a word', () => {
  it.each([
    ['the machine wakes up', (page: Page) => page.clock.fastForward(20_000)],
    [
      'the page is seen again',
      async (page: Page) => {
        await page.clock.setSystemTime(new Date(Date.now() + 20_000));
        await page.evaluate(`document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`);
      },
    ],
  ])('is replaced when %s, long before the heartbeat finds it', async (_, happen) => {
    const { page, silence, say, heard, log } = await begin(true);
    await say('before');
    silence();
    await happen(page);
    await say('after');
    expect(heard).toEqual(['before', 'after']);
    // The old one was never missed.
    expect(await log()).toEqual([]);
  });

  it('is given up when the page is offline, and followed by another as soon as it is online', async () => {
    const { context, say, heard, log } = await begin(true);
    await say('before');
    await context.setOffline(true);
    const said = say('meanwhile');
    await expect.poll(log).toEqual(['interrupted']);
    await context.setOffline(false);
    await said;
    expect(heard).toEqual(['before', 'meanwhile']);
    expect(await log()).toEqual(['interrupted', 'resumed']);
  });

  it('is followed by another session as soon as the page is online, where the server has no sessions', async () => {
    const { page, context, say, log, server } = await begin(false);
    await say('before');
    await context.setOffline(true);
    await expect.poll(log).toEqual(['disconnect']);
    const again = once(server, 'connection');
    await context.setOffline(false);
    await again;
    await page.waitForFunction('socket.connected');
  });
});
