/**
 * What: our client's browser build in a real browser against the official socket.io 4.8 server.
 */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { Server, type ServerOptions } from 'socket.io';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { io as Io } from '../../src/entry/client.ts';
import { chromiumOptions } from './chromium.ts';

/** What the test pages have as globals. */
declare global {
  var io: typeof Io;
}

async function bundle(entry: string, format: 'esm' | 'iife'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../../src/entry', entry)],
    bundle: true,
    minify: true,
    write: false,
    format,
    target: 'es2022',
    globalName: format === 'iife' ? 'exported' : undefined,
  });
  return outputFiles[0]!.text;
}

let profile: string;
let context: BrowserContext;
const files = new Map<string, { type: string; body: string }>();
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  const html = (head: string) => ({ type: 'text/html', body: `<!doctype html><title>t</title>${head}` });
  files.set('/client.js', { type: 'text/javascript', body: await bundle('client.ts', 'esm') });
  files.set('/global.js', {
    type: 'text/javascript',
    body: `${await bundle('client-global.ts', 'iife')}\nvar io = exported.default;`,
  });
  files.set('/', html('<script type="module">import { io } from "/client.js"; globalThis.io = io;</script>'));
  files.set('/global', html('<script src="/global.js"></script>'));
  profile = await mkdtemp(join(tmpdir(), 'tautline-chromium-'));
  context = await chromium.launchPersistentContext(profile, { ...chromiumOptions, headless: true });
});

afterAll(async () => {
  await context?.close();
  await rm(profile, { recursive: true, force: true });
});

afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

async function serve(opts: Partial<ServerOptions> = {}, port = 0) {
  const http = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.body);
  });
  const server = new Server(http, { serveClient: false, ...opts });
  server.on('connection', (socket) => {
    socket.on('echo', (...args) => args.pop()(...args));
    socket.on('disconnect', (reason) => server.emit('left', reason));
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address() as AddressInfo;
  const close = async () => {
    http.closeAllConnections();
    await server.close();
  };
  undo.push(close);
  return { server, url: `http://127.0.0.1:${address.port}`, port: address.port, close };
}

async function load(url: string): Promise<Page> {
  const page = await context.newPage();
  undo.push(() => page.close());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  undo.push(() => expect(errors).toEqual([]));
  await page.goto(url);
  await page.waitForFunction(() => !!globalThis.io);
  return page;
}

describe.each([
  ['polling', ['polling']],
  ['websocket', ['websocket']],
  ['upgrade', ['polling', 'websocket']],
])('over %s', (way, transports) => {
  it('connects and talks, and binary comes as ArrayBuffer', async () => {
    const { url } = await serve();
    const page = await load(url);
    const result = await page.evaluate(
      async ([way, transports]) => {
        const socket = io({ transports });
        if (way === 'upgrade') await new Promise((resolve) => socket.io.engine.once('upgrade', resolve));
        const echo = (...args: unknown[]) =>
          new Promise<unknown[]>((resolve) =>
            socket.emit('echo', ...args, (...back: unknown[]) => resolve(back)),
          );
        const [text, nested] = (await echo('ünïcödé 😀', { deep: [Uint8Array.of(1, 2, 255)] })) as [
          string,
          { deep: ArrayBuffer[] },
        ];
        const [blob] = (await echo(new Blob(['from a blob']))) as [ArrayBuffer];
        const [big] = (await echo('x'.repeat(900_000))) as [string];
        const order: number[] = [];
        const all = Array.from({ length: 200 }, (_, n) =>
          echo(n).then(([back]) => order.push(back as number)),
        );
        await Promise.all(all);
        const name = socket.io.engine.transport.name;
        const reason = new Promise((resolve) => socket.on('disconnect', resolve));
        socket.disconnect();
        return {
          text,
          kind: Object.prototype.toString.call(nested.deep[0]),
          bytes: [...new Uint8Array(nested.deep[0]!)],
          blob: new TextDecoder().decode(blob),
          big: big.length,
          isInOrder: order.every((n, i) => n === i) && order.length === 200,
          name,
          reason: await reason,
        };
      },
      [way, transports] as const,
    );
    expect(result).toEqual({
      text: 'ünïcödé 😀',
      kind: '[object ArrayBuffer]',
      bytes: [1, 2, 255],
      blob: 'from a blob',
      big: 900_000,
      isInOrder: true,
      name: way === 'polling' ? 'polling' : 'websocket',
      reason: 'io client disconnect',
    });
  });

  it('comes back after a restart of the server', async () => {
    const first = await serve();
    const page = await load(first.url);
    await page.evaluate(async (transports) => {
      const socket = io({ transports, reconnectionDelay: 10, reconnectionDelayMax: 50 });
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      Object.assign(globalThis, {
        gone: new Promise((resolve) => socket.once('disconnect', resolve)),
        back: new Promise((resolve) => socket.io.once('reconnect', resolve)),
        socket,
      });
    }, transports);
    await first.close();
    const reason = await page.evaluate(() => (globalThis as unknown as { gone: Promise<string> }).gone);
    expect(['transport close', 'transport error']).toContain(reason);
    await serve({}, first.port);
    const answer = await page.evaluate(async () => {
      const { back, socket } = globalThis as unknown as {
        back: Promise<number>;
        socket: ReturnType<typeof io>;
      };
      await back;
      const answer = await socket.emitWithAck('echo', 'still here');
      socket.disconnect();
      return answer;
    });
    expect(answer).toBe('still here');
  });

  it('talks to another origin that allows it, with its cookies when told so', async () => {
    const { url: page } = await serve();
    const origin = page;
    const { server, port } = await serve({
      cookie: { name: 'sticky', path: '/' },
      cors: { origin, credentials: true },
    });
    const cookies: (string | undefined)[] = [];
    server.on('connection', (socket) =>
      socket.on('cookie', (reply) => {
        cookies.push(socket.request.headers.cookie);
        reply(socket.handshake.headers.origin);
      }),
    );
    const tab = await load(origin);
    const answer = await tab.evaluate(
      async ([url, transports]) => {
        const socket = io(url, { transports, withCredentials: true });
        await socket.emitWithAck('cookie');
        const answer = await socket.emitWithAck('cookie');
        socket.disconnect();
        return answer;
      },
      [`http://127.0.0.1:${port}`, transports] as const,
    );
    expect(answer).toBe(origin);
    expect(cookies).toHaveLength(2);
  });
});

it('works as a classic script, with everything on the global io', async () => {
  const { url } = await serve();
  const page = await load(`${url}/global`);
  const result = await page.evaluate(async () => {
    const manager = new io.Manager(location.origin);
    const socket = manager.socket('/');
    const answer = await socket.emitWithAck('echo', 1);
    socket.disconnect();
    return [answer, io.connect === io.io, socket instanceof io.Socket, io.protocol];
  });
  expect(result).toEqual([1, true, true, 5]);
});

it('says which transport could not connect', async () => {
  const { url, close } = await serve();
  const page = await load(url);
  await close();
  for (const transport of ['polling', 'websocket']) {
    const error = await page.evaluate(async (transport) => {
      const socket = io({ transports: [transport], reconnection: false, forceNew: true });
      const error = await new Promise<Error>((resolve) => socket.on('connect_error', resolve));
      return { ...error, message: error.message, cause: String(error.cause), context: 0, description: 0 };
    }, transport);
    expect(error).toMatchObject({
      message: transport === 'polling' ? 'xhr poll error' : 'websocket error',
      type: 'TransportError',
      code: 'TRANSPORT_ERR_NETWORK',
      step: 'open',
      transport,
    });
  }
});

it('closes silently when the page is left, with closeOnBeforeunload', async () => {
  const { server, url } = await serve();
  const page = await load(url);
  const left = new Promise((resolve) => {
    server.on('connection', (socket) => socket.on('disconnect', resolve));
  });
  await page.evaluate(async () => {
    const socket = io({ closeOnBeforeunload: true, transports: ['websocket'] });
    await new Promise<void>((resolve) => socket.on('connect', resolve));
  });
  await page.reload();
  expect(await left).toBe('transport close');
});
