/**
 * What: the outbox in Chromium: emitted offline, the page loaded again, online: once and in order; several tabs; a lost answer.
 * Must not know: how it keeps what it keeps.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Server } from '../../src/entry/index.ts';
import { bundle, launchChromium } from './chromium.ts';

const SOURCE = `
  export { io } from './entry/client.ts';
  export { indexedDbOutbox } from './entry/outbox.ts';
`;

let script: string;
let browser: Browser;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  script = await bundle(SOURCE);
  browser = await launchChromium();
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** A server that notes what it is told, beside a page; `isDown`: it answers nothing but the page. */
async function serve(options: object = {}) {
  const http = createServer();
  const state = { isDown: false };
  const server = new Server(http, options as never);
  const listeners = http.listeners('request') as ((...args: unknown[]) => void)[];
  const upgrades = http.listeners('upgrade') as ((...args: unknown[]) => void)[];
  http.removeAllListeners('request').removeAllListeners('upgrade');
  http.on('request', (request, response) => {
    if (!request.url?.startsWith('/socket.io')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>t</title>');
    } else if (state.isDown) response.destroy();
    else for (const listener of listeners) listener(request, response);
  });
  http.on('upgrade', (request, socket, head) => {
    if (state.isDown) socket.destroy();
    else for (const listener of upgrades) listener(request, socket, head);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const got: unknown[] = [];
  let wake = () => {};
  server.on('connection', (socket) =>
    socket.on('word', (word, reply) => {
      got.push(word);
      reply?.();
      wake();
    }),
  );
  const until = async (count: number) => {
    while (got.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  undo.push(async () => {
    http.closeAllConnections();
    await server.close();
  });
  return {
    server,
    got,
    until,
    state,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
  };
}

/** One user's browser: its tabs share what they store. */
async function user(): Promise<BrowserContext> {
  const context = await browser.newContext();
  undo.push(() => context.close());
  return context;
}

async function begin(page: Page, url: string, options: object = {}): Promise<void> {
  if (!page.url().startsWith(url)) await page.goto(url);
  await page.addScriptTag({ content: script });
  await page.evaluate(`
    globalThis.outbox = t.indexedDbOutbox('user 1');
    globalThis.socket = t.io({ outbox, reconnectionDelay: 20, reconnectionDelayMax: 50, ...${JSON.stringify(options)} });
  `);
}

const emit = (page: Page, from: number, end: number) =>
  page.evaluate(`
    for (let i = ${from}; i < ${end}; i++) socket.emit('word', i % 5 ? i : new Uint8Array([i]));
    outbox.saved();
  `);

const expected = (end: number) => Array.from({ length: end }, (_, i) => (i % 5 ? i : Buffer.from([i])));

/** How many messages IndexedDB holds. */
const stored = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const opening = indexedDB.open('tautline-outbox user 1');
        opening.onsuccess = () => {
          const count = opening.result.transaction('messages').objectStore('messages').count();
          count.onsuccess = () => {
            opening.result.close();
            resolve(count.result);
          };
        };
      }),
  );

describe('what is emitted with an outbox in Chromium', () => {
  it('offline survives a reload, and arrives once and in order', async () => {
    const { url, got, until, state } = await serve();
    state.isDown = true;
    const context = await user();
    const page = await context.newPage();
    await begin(page, url);
    await emit(page, 0, 20);
    await page.reload();
    await begin(page, url);
    await emit(page, 20, 40);
    expect(await stored(page)).toBe(40);
    expect(got).toEqual([]);
    await page.reload();
    await begin(page, url);
    await emit(page, 40, 50);
    state.isDown = false;
    await until(50);
    expect(got).toEqual(expected(50));
    while ((await stored(page)) > 0);
  });

  it('while the browser itself is offline survives it, too', async () => {
    const { url, got, until } = await serve();
    const context = await user();
    const page = await context.newPage();
    await begin(page, url);
    await emit(page, 0, 3);
    await until(3);
    await context.setOffline(true);
    await emit(page, 3, 10);
    await context.setOffline(false);
    await page.reload();
    await begin(page, url);
    await until(10);
    expect(got).toEqual(expected(10));
  });

  it('survives the end of the browser’s tab', async () => {
    const { url, got, until, state } = await serve();
    state.isDown = true;
    const context = await user();
    const page = await context.newPage();
    await begin(page, url);
    await emit(page, 0, 10);
    await page.close();
    state.isDown = false;
    const another = await context.newPage();
    await begin(another, url);
    await until(10);
    expect(got).toEqual(expected(10));
  });

  it('is not repeated when the server had it, and the answer was lost', async () => {
    const { url, got, until, server } = await serve();
    const context = await user();
    const page = await context.newPage();
    // What the server says about its receipts never arrives, as if the connection had broken before.
    server.of('/').use((socket, proceed) => {
      if (socket.handshake.auth.isDeaf) {
        const { conn } = socket;
        const send = conn.sendPackets.bind(conn);
        const isAnswer = /^(43|\d+$)/;
        conn.sendPackets = (packets) => send(packets.filter(({ data }) => !isAnswer.test(String(data))));
      }
      proceed();
    });
    await begin(page, url, { auth: { isDeaf: true } });
    await emit(page, 0, 10);
    await until(10);
    expect(await stored(page)).toBe(10);
    await page.reload();
    await begin(page, url);
    await emit(page, 10, 12);
    await until(12);
    expect(got).toEqual(expected(12));
    while ((await stored(page)) > 0);
  });

  it('in a tab that is closed is sent by another that is open', async () => {
    const { url, got, until, state } = await serve();
    const context = await user();
    const [first, second] = [await context.newPage(), await context.newPage()];
    state.isDown = true;
    await begin(first, url);
    await emit(first, 0, 10);
    state.isDown = false;
    // The first tab does not reconnect by itself any more, but lives, and nobody may take its messages from it.
    await first.evaluate('socket.disconnect()');
    await begin(second, url);
    await second.evaluate(`new Promise((resolve) => socket.timeout(5000).emit('word', 'second', resolve))`);
    expect(got.filter((word) => word !== 'second')).toEqual([]);
    // Its own message is confirmed a little later; those of the first tab stay.
    while ((await stored(first)) > 10);
    expect(await stored(first)).toBe(10);
    await first.close();
    await until(11);
    expect(got).toEqual(['second', ...expected(10)]);
  });
});
