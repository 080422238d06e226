/**
 * What: the event stream and short polling transports of the browser's client in Chromium, against our engine.
 * Must not know: how they work.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { Server } from '../../src/engine/server/server.ts';
import type { Socket } from '../../src/engine/server/session.ts';
import type { TransportName } from '../../src/transport/port.ts';

const SOURCE = `
  export { EngineSocket } from './engine/client/socket.ts';
  export { webPlatform } from './entry/web-platform.ts';
  export { webSse } from './transport/sse/web.ts';
  export { webShortPolling } from './transport/short-polling/web.ts';
`;
const transports = ['sse', 'short-polling', 'polling', 'websocket'] as unknown as TransportName[];

let script: string;
let browser: Browser;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: SOURCE, resolveDir: join(import.meta.dirname, '../../src'), loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 't',
    target: 'es2022',
  });
  script = outputFiles[0]!.text;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  });
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

type Tamper = (request: IncomingMessage, response: ServerResponse) => boolean;

/** An engine that echoes, and the page. @param tamper answers requests in the engine's place. */
async function serve(options: Partial<ServerOptions> = {}, tamper: Tamper = () => false) {
  const engine = new Server({ transports, ...options });
  const seen: IncomingMessage[] = [];
  const server = createServer();
  engine.attach(server, { path: '/engine' });
  const listeners = server.listeners('request') as ((...args: unknown[]) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const isEngine = request.url?.startsWith('/engine') === true;
    if (isEngine) seen.push(request);
    if (isEngine && tamper(request, response)) return;
    if (isEngine) for (const listener of listeners) listener(request, response);
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>t</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  undo.push(() => {
    engine.close();
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { engine, url, seen, server };
}

async function load(url: string): Promise<Page> {
  const page = await browser.newPage();
  undo.push(() => page.close());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  undo.push(() => expect(errors).toEqual([]));
  await page.goto(url);
  await page.addScriptTag({ content: script });
  return page;
}

/** Begins a session in the page, as `client`, which notes what it is told in `log`. */
const begin = (name: string, url: string, options: object = {}) => `
  globalThis.log = [];
  globalThis.client = new t.EngineSocket(t.webPlatform, ${JSON.stringify(url)}, {
    path: '/engine', shortPollingIntervalMs: 10, reconnectionDelay: 10, ...${JSON.stringify(options)},
    transports: [${name === 'sse' ? 't.webSse' : 't.webShortPolling'}],
  });
  for (const event of ['open', 'interrupted', 'resumed', 'close']) client.on(event, () => log.push(event));
  client.on('error', (error) => log.push([error.message, error.transport, error.step, error.code, error.description].join(' ')));
  globalThis.got = [];
  client.on('data', (data) => got.push(typeof data === 'string' ? data : [...new Uint8Array(data)].join()));
`;
const until = (page: Page, count: number) =>
  page.waitForFunction((n) => Reflect.get(globalThis, 'got').length >= n, count);
const read = <T>(page: Page, name: string) =>
  page.evaluate((key) => Reflect.get(globalThis, key), name) as Promise<T>;

describe.each(['sse', 'short-polling'])('over %s in Chromium', (name) => {
  it('text and binary come back, in order', async () => {
    const { url } = await serve();
    const page = await load(url);
    await page.evaluate(`${begin(name, url)}
      for (let i = 0; i < 500; i++) client.write('m\\r\\n' + i + '\\u20ac\\n\\n');
      client.write(new Uint8Array([0, 1, 255]));
      client.write('x'.repeat(900000));`);
    await until(page, 502);
    const got = await read<string[]>(page, 'got');
    expect(got.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, i) => `m\r\n${i}€\n\n`));
    expect(got[500]).toBe('0,1,255');
    expect(got[501]).toHaveLength(900_000);
    expect(await page.evaluate('client.transport.name')).toBe(name);
    expect(await read(page, 'log')).toEqual(['open']);
  });

  it('from another origin, with what the program sends along', async () => {
    const { url } = await serve();
    const other = await serve({ cors: { origin: url, credentials: true, allowedHeaders: ['x-token'] } });
    const page = await load(url);
    const options = { withCredentials: true, extraHeaders: { 'x-token': 'secret' } };
    await page.evaluate(`${begin(name, other.url, options)} client.write('a');`);
    await until(page, 1);
    const requests = other.seen.filter(({ method }) => method !== 'OPTIONS');
    expect(requests.length).toBeGreaterThan(1);
    for (const { headers } of requests) expect(headers['x-token']).toBe('secret');
  });

  it('says why a connection failed', async () => {
    const { url } = await serve({}, (_request, response) => {
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"code":4,"message":"Forbidden"}');
      return true;
    });
    const page = await load(url);
    await page.evaluate(begin(name, url));
    await page.waitForFunction(() => Reflect.get(globalThis, 'log').length === 2);
    const message = name === 'sse' ? 'event stream error' : 'xhr poll error';
    expect(await read(page, 'log')).toEqual([`${message} ${name} open TRANSPORT_ERR_STATUS 403`, 'close']);
  });

  it('a session goes on when all connections were cut', async () => {
    const { url, server, engine } = await serve();
    const page = await load(url);
    const connected = once(engine, 'connection') as Promise<[Socket]>;
    await page.evaluate(`${begin(name, url)} client.write('0');`);
    const [session] = await connected;
    await until(page, 1);
    for (let i = 1; i <= 60; i++) {
      session.send(`${i}`);
      if (i % 20 === 0) server.closeAllConnections();
    }
    await until(page, 61);
    expect(await read(page, 'got')).toEqual(Array.from({ length: 61 }, (_, i) => `${i}`));
    expect(await read<string[]>(page, 'log')).not.toContain('close');
  });
});

describe('an event stream in Chromium', () => {
  it('fails at once where what answers is no event stream', async () => {
    const { url } = await serve({}, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in to the network</h1>');
      return true;
    });
    const page = await load(url);
    await page.evaluate(begin('sse', url));
    await page.waitForFunction(() => Reflect.get(globalThis, 'log').length === 2);
    expect(await read(page, 'log')).toEqual([
      'event stream error sse open TRANSPORT_ERR_PROTOCOL 200',
      'close',
    ]);
  });

  it('is one request for any number of messages', async () => {
    const { url, seen, engine } = await serve();
    const page = await load(url);
    const connected = once(engine, 'connection') as Promise<[Socket]>;
    await page.evaluate(begin('sse', url));
    const [session] = await connected;
    for (let i = 0; i < 100; i++) {
      session.send(`${i}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(page, 100);
    expect(seen.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });
});
