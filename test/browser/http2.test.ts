/**
 * What: Chromium over HTTP/2: pages, WebSockets (RFC 8441) and Socket.IO on one session, beside HTTP/1.1 on one port.
 * Must not know: how either speaks HTTP/2.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { io as Io } from '../../src/entry/client.ts';
import { Server, type Socket } from '../../src/entry/index.ts';
import { WebSocket as NodeWebSocket, WebSocketServer } from '../../src/entry/ws.ts';
import { Authority } from '../integration/websocket/certificate.ts';
import { bundle, launchChromium } from './chromium.ts';

/** What the test pages have as globals. */
declare global {
  var io: typeof Io;
}

const authority = new Authority();
const identity = authority.issue({ dns: 'localhost', ip: '127.0.0.1' });
const undo: (() => unknown)[] = [];
let browser: Browser;
let clientScript: string;

beforeAll(async () => {
  clientScript = `${await bundle("export { default } from './entry/client-global.ts';")}\nvar io = t.default;`;
  browser = await launchChromium('--ignore-certificate-errors');
});

afterAll(async () => {
  await browser?.close();
});

afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

interface Site {
  readonly http: Http2SecureServer;
  readonly port: number;
  /** The session on which the page was asked for last. */
  pageSession(): Http2Session | undefined;
}

/** A server that gives a page and the client script, over HTTP/2 and HTTP/1.1. */
function makeSite(): { http: Http2SecureServer; pageSession(): Http2Session | undefined } {
  let session: Http2Session | undefined;
  const http = createSecureServer({ ...identity, allowHTTP1: true });
  http.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    if (request.url === '/client.js') {
      response.setHeader('Content-Type', 'text/javascript');
      response.end(clientScript);
      return;
    }
    if (request.url === '/') session = request.stream?.session;
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>t</title><script src="/client.js"></script>');
  });
  return { http, pageSession: () => session };
}

async function listen(site: ReturnType<typeof makeSite>): Promise<Site> {
  const { http } = site;
  const sessions = new Set<Http2Session>();
  http.on('session', (session) => sessions.add(session));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  undo.push(async () => {
    for (const session of sessions) session.destroy();
    if (!http.listening) return;
    http.close();
    await once(http, 'close');
  });
  return { ...site, port: (http.address() as AddressInfo).port };
}

async function load({ port }: Site): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  undo.push(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  undo.push(() => expect(errors).toEqual([]));
  await page.goto(`https://127.0.0.1:${port}/`);
  return page;
}

/** How a request has come; to be asked for at once, since a stream forgets its session when it closes. */
function wayOf(request: IncomingMessage): Record<string, unknown> {
  const { stream } = request as unknown as Partial<Http2ServerRequest>;
  const { httpVersion, method, headers } = request;
  return { httpVersion, method, protocol: headers[':protocol'], alpn: stream?.session?.alpnProtocol };
}

function sessionOf(request: IncomingMessage): Http2Session | undefined {
  return (request as unknown as Http2ServerRequest).stream.session;
}

const overHttp2 = { httpVersion: '2.0', method: 'CONNECT', protocol: 'websocket', alpn: 'h2' };

describe('Chromium over HTTP/2', () => {
  it('opens WebSockets on the very session that served the page, and talks', async () => {
    const made = makeSite();
    const wss = new WebSocketServer({
      server: made.http,
      perMessageDeflate: true,
      handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
    });
    const requests: unknown[] = [];
    const sessions: unknown[] = [];
    wss.on('connection', (socket, request) => {
      requests.push([request.url, request.headers.origin, wayOf(request)]);
      sessions.push(sessionOf(request));
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    });
    const site = await listen(made);
    const page = await load(site);
    const seen = await page.evaluate(async () => {
      const address = location.href.replace('https', 'wss');
      const talk = async (path: string): Promise<unknown> => {
        const socket = new WebSocket(address + path, ['other', 'chat']);
        socket.binaryType = 'arraybuffer';
        await new Promise((resolve, reject) => {
          socket.onopen = resolve;
          socket.onerror = reject;
        });
        const next = () =>
          new Promise<MessageEvent>((resolve) => {
            socket.onmessage = resolve;
          });
        const long = 'ä'.repeat(300_000);
        socket.send(long);
        const text = (await next()).data as string;
        socket.send(new Uint8Array([1, 2, 3]));
        const bytes = [...new Uint8Array((await next()).data as ArrayBuffer)];
        const closed = new Promise<CloseEvent>((resolve) => {
          socket.onclose = resolve;
        });
        socket.close(4000, 'thank you');
        const { code, reason, wasClean } = await closed;
        return [socket.protocol, socket.extensions, text === long, bytes, code, reason, wasClean];
      };
      const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      return { page: entry?.nextHopProtocol, talks: await Promise.all([talk('one'), talk('two?x=y')]) };
    });
    const talk = ['chat', 'permessage-deflate', true, [1, 2, 3], 4000, 'thank you', true];
    expect(seen).toEqual({ page: 'h2', talks: [talk, talk] });
    const origin = `https://127.0.0.1:${site.port}`;
    expect(requests.sort()).toEqual([
      ['/one', origin, overHttp2],
      ['/two?x=y', origin, overHttp2],
    ]);
    for (const session of sessions) expect(session === site.pageSession()).toBe(true);
  });

  it('is told of a refusal, and that the server closes or breaks off', async () => {
    const made = makeSite();
    const wss = new WebSocketServer({
      server: made.http,
      verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/refused',
    });
    wss.on('connection', (socket, request) => {
      if (request.url === '/closed') socket.close(1001, 'going away');
      else socket.on('message', () => socket.terminate());
    });
    const page = await load(await listen(made));
    const ends = await page.evaluate(() =>
      Promise.all(
        ['refused', 'closed', 'broken off'].map(
          (path) =>
            new Promise((resolve) => {
              const events: unknown[] = [];
              const socket = new WebSocket(location.href.replace('https', 'wss') + path);
              socket.onopen = () => {
                events.push('open');
                if (path === 'broken off') socket.send('now');
              };
              socket.onerror = () => events.push('error');
              socket.onclose = ({ code, reason, wasClean }) => resolve([...events, code, reason, wasClean]);
            }),
        ),
      ),
    );
    expect(ends).toEqual([
      ['error', 1006, '', false],
      ['open', 1001, 'going away', true],
      ['open', 1006, '', false],
    ]);
  });

  it('leaves the port to clients of HTTP/1.1 too', async () => {
    const made = makeSite();
    const wss = new WebSocketServer({ server: made.http });
    const ways: unknown[] = [];
    wss.on('connection', (socket, request) => {
      ways.push(wayOf(request));
      socket.on('message', (data) => {
        for (const client of wss.clients) client.send(data.toString());
      });
    });
    const site = await listen(made);
    const page = await load(site);
    await page.evaluate(async () => {
      const socket = new WebSocket(location.href.replace('https', 'wss'));
      Object.assign(globalThis, {
        got: new Promise((resolve) => {
          socket.onmessage = ({ data }) => resolve(data);
        }),
      });
      await new Promise((resolve) => {
        socket.onopen = resolve;
      });
    });
    const client = new NodeWebSocket(`wss://127.0.0.1:${site.port}`, { ca: authority.cert });
    undo.push(() => client.terminate());
    await once(client, 'open');
    client.send('to all');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('to all');
    expect(await page.evaluate('got')).toBe('to all');
    expect(ways).toEqual([
      overHttp2,
      { httpVersion: '1.1', method: 'GET', protocol: undefined, alpn: undefined },
    ]);
  });

  it.each([
    { way: 'polling', transports: ['polling'] },
    { way: 'websocket', transports: ['websocket'] },
    { way: 'the upgrade', transports: ['polling', 'websocket'] },
  ])('talks Socket.IO by $way, all on the session of the page', async ({ way, transports }) => {
    const made = makeSite();
    const ways = new Set<string>();
    const sessions = new Set<Http2Session | undefined>();
    const server = new Server(made.http);
    server.engine.use((request, _response, go) => {
      ways.add(JSON.stringify(wayOf(request)));
      sessions.add(sessionOf(request));
      go();
    });
    server.on('connection', (socket) =>
      socket.on('echo', (...values) => (values.pop() as (...back: unknown[]) => void)(...values)),
    );
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const site = await listen(made);
    const page = await load(site);
    const seen = await page.evaluate(
      async ([way, transports]) => {
        const socket = io({ transports: transports as string[], reconnection: false });
        await new Promise((resolve) => socket.on('connect', () => resolve(undefined)));
        const { engine } = socket.io;
        if (way === 'the upgrade' && engine.transport.name === 'polling') {
          await new Promise((resolve) => engine.once('upgrade', resolve));
        }
        const back = await new Promise<unknown[]>((resolve) =>
          socket.emit('echo', 'ä', new Uint8Array([1, 2]), { deep: [null] }, (...values: unknown[]) =>
            resolve(values),
          ),
        );
        const [text, bytes, object] = back as [string, ArrayBuffer, unknown];
        const reason = new Promise((resolve) => socket.on('disconnect', resolve));
        Object.assign(globalThis, { reason });
        return [text, [...new Uint8Array(bytes)], object, engine.transport.name];
      },
      [way, transports] as const,
    );
    expect(seen).toEqual(['ä', [1, 2], { deep: [null] }, transports.at(-1)]);
    const seenWays = [...ways].map((text) => JSON.parse(text) as { httpVersion: string; method: string });
    expect(new Set(seenWays.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2.0']));
    const methods = seenWays.map(({ method }) => method).sort();
    if (way === 'polling') expect(methods).toEqual(['GET', 'POST']);
    else expect(seenWays).toContainEqual(overHttp2);
    if (way === 'websocket') expect(methods).toEqual(['CONNECT']);
    expect([...sessions].map((session) => session === site.pageSession())).toEqual([true]);
    const [{ handshake, conn }] = await connected;
    expect(handshake).toMatchObject({ secure: true, address: '127.0.0.1' });
    expect(conn.transport.name).toBe(transports.at(-1));
    // The browser would keep the session; the server ends it.
    await server.close();
    expect(await page.evaluate('reason')).toMatch(/^transport (close|error)$/);
  });
});
