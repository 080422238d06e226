/**
 * What: the four transports of the browser's client in Chromium, against our engine.
 * Must not know: how they work.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { Server } from '../../src/engine/server/server.ts';
import type { Socket as Session } from '../../src/engine/server/session.ts';
import type { TransportName } from '../../src/transport/port.ts';
import { bundle, launchChromium } from './chromium.ts';

const SOURCE = `
  export { EngineSocket } from './engine/client/socket.ts';
  export { webPlatform } from './entry/web-platform.ts';
  export { webSse } from './transport/sse/web.ts';
  export { webPolling } from './transport/long-polling/web.ts';
  export { webShortPolling } from './transport/short-polling/web.ts';
  export { webWebSocket } from './transport/websocket/web.ts';
`;
const transports = ['sse', 'short-polling', 'polling', 'websocket'] as unknown as TransportName[];

/** By the name on the wire, what the page calls it. */
const factories: Readonly<Record<string, string>> = {
  websocket: 'webWebSocket',
  sse: 'webSse',
  polling: 'webPolling',
  'short-polling': 'webShortPolling',
};
const overHttp = ['sse', 'polling', 'short-polling'];

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

type Tamper = (request: IncomingMessage, response: ServerResponse) => boolean;

/** An engine that echoes, and the page. @param tamper answers requests in the engine's place. */
async function serve(options: Partial<ServerOptions> = {}, tamper: Tamper = () => false) {
  const engine = new Server({ transports, ...options });
  const seen: IncomingMessage[] = [];
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
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
  server.prependListener('upgrade', (request) => seen.push(request));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  undo.push(() => {
    engine.close();
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** All connections, those that were upgraded included. */
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return { engine, url, seen, server, cut };
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
    transports: [t.${factories[name]}],
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

describe.each(Object.keys(factories))('over %s in Chromium', (name) => {
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

  it('from another origin cookies go along if the program wants that', async () => {
    const { url } = await serve();
    const page = await load(url);
    // Cookies know no ports.
    await page.evaluate('document.cookie = "who=me"');
    for (const withCredentials of [true, false]) {
      const other = await serve({ cors: { origin: url, credentials: true } });
      await page.evaluate(`${begin(name, other.url, { withCredentials })} client.write('a');`);
      await until(page, 1);
      const cookies = other.seen.map(({ headers }) => headers.cookie);
      // Browsers send cookies with every WebSocket.
      const isSent = withCredentials || name === 'websocket';
      expect(new Set(cookies)).toEqual(new Set([isSent ? 'who=me' : undefined]));
      expect(await read(page, 'log')).toEqual(['open']);
    }
  });

  it('from another origin that is not allowed nothing begins, and the reason is told where browsers tell it', async () => {
    const { url } = await serve();
    const other = await serve({ cors: { origin: 'http://elsewhere.example' } });
    const page = await load(url);
    const fail = async () => {
      await page.evaluate(begin(name, other.url));
      await page.waitForFunction(() => Reflect.get(globalThis, 'log').length === 2);
      return (await read<string[]>(page, 'log'))[0];
    };
    const code = name === 'websocket' ? 'TRANSPORT_ERR_NETWORK' : 'TRANSPORT_ERR_CORS';
    expect(await fail()).toContain(` ${name} open ${code} `);
    expect(other.engine.clientsCount).toBe(0);
    // Where nobody answers at all, it is no matter of origins.
    other.server.close();
    other.server.closeAllConnections();
    expect(await fail()).toContain(` ${name} open TRANSPORT_ERR_NETWORK `);
  });

  it('a session goes on when all connections were cut', async () => {
    const { url, cut, engine } = await serve();
    const page = await load(url);
    const connected = once(engine, 'connection') as Promise<[Session]>;
    await page.evaluate(`${begin(name, url)} client.write('0');`);
    const [session] = await connected;
    await until(page, 1);
    for (let i = 1; i <= 60; i++) {
      session.send(`${i}`);
      if (i % 20 === 0) cut();
    }
    await until(page, 61);
    expect(await read(page, 'got')).toEqual(Array.from({ length: 61 }, (_, i) => `${i}`));
    expect(await read<string[]>(page, 'log')).not.toContain('close');
  });
});

describe.each(overHttp)('over %s in Chromium', (name) => {
  it('another origin is asked for leave to send the headers of the program', async () => {
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

  it('answers to polls are compressed; event streams are not, since what compresses holds back', async () => {
    const { url } = await serve();
    const page = await load(url);
    const encodings: (string | undefined)[] = [];
    page.on('response', (response) => encodings.push(response.headers()['content-encoding']));
    await page.evaluate(`${begin(name, url)} client.write('x'.repeat(100000));`);
    await until(page, 1);
    expect(encodings.includes('gzip')).toBe(name !== 'sse');
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
    const connected = once(engine, 'connection') as Promise<[Session]>;
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
