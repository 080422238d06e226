/**
 * What: the standard's WebSocket over real sockets, against the server of `ws` and against ours.
 * Must not know: how either works.
 */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as peer from 'ws';
import {
  type CloseEvent,
  type ErrorEvent,
  type MessageEvent,
  WebSocket,
} from '../../../src/entry/websocket.ts';
import * as own from '../../../src/entry/ws.ts';
import { Authority } from './certificate.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function listen<S extends Server>(server: S): Promise<S> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

const kinds = {
  ws: (options: object) => new peer.WebSocketServer(options),
  'tautline/ws': (options: object) => new own.WebSocketServer(options) as unknown as peer.WebSocketServer,
};
type Kind = keyof typeof kinds;

async function serve(
  kind: Kind,
  onConnection: (ws: peer.WebSocket, request: IncomingMessage) => void,
  options: object = {},
): Promise<string> {
  const server = await listen(http.createServer());
  kinds[kind]({ server, ...options }).on('connection', (ws, request) => {
    ws.on('error', () => {});
    onConnection(ws, request);
  });
  return `ws://127.0.0.1:${portOf(server)}/`;
}

const echo = (ws: peer.WebSocket) => {
  ws.on('message', (data: Buffer, isBinary: boolean) => ws.send(data, { binary: isBinary }));
};

function next<E extends Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => {
    target.addEventListener(type, (event) => resolve(event as E), { once: true });
  });
}

/** The error event and the close event behind it. */
async function failure(ws: WebSocket): Promise<Error & { code?: string }> {
  const closed = next<CloseEvent>(ws, 'close');
  const { error } = await next<ErrorEvent>(ws, 'error');
  expect(await closed).toMatchObject({ code: 1006, reason: '', wasClean: false });
  return error as Error;
}

describe.each(Object.keys(kinds) as Kind[])('against the server of %s', (kind) => {
  it('echoes texts, bytes and Blobs in order, and closes with code and reason', async () => {
    const ws = new WebSocket(await serve(kind, echo));
    ws.binaryType = 'arraybuffer';
    const seen: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      ws.onmessage = ({ data }) => {
        seen.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString('hex'));
        if (seen.length === 4) resolve();
      };
    });
    await next(ws, 'open');
    ws.send('t\u00e9xt');
    ws.send(new Blob([new Uint8Array([1, 2])]));
    ws.send(new Uint8Array([3]));
    ws.send('');
    await all;
    expect(seen).toEqual(['t\u00e9xt', '0102', '03', '']);
    const closed = next<CloseEvent>(ws, 'close');
    ws.close(3000, 'd\u00f6ne');
    expect(await closed).toMatchObject({ code: 3000, reason: 'd\u00f6ne', wasClean: true });
  });

  it('passes 2,000 messages each way in order', async () => {
    const ws = new WebSocket(await serve(kind, echo));
    await next(ws, 'open');
    const seen: string[] = [];
    const all = new Promise<void>((resolve) => {
      ws.onmessage = ({ data }) => {
        if (seen.push(data as string) === 2000) resolve();
      };
    });
    for (let i = 0; i < 2000; i++) ws.send(`${i}`);
    await all;
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, i) => `${i}`));
    ws.close();
    await next(ws, 'close');
  });

  it('offers compression as browsers do, and uses it both ways', async () => {
    let offer: string | undefined;
    let received = 0;
    const url = await serve(
      kind,
      (ws, request) => {
        offer = request.headers['sec-websocket-extensions'];
        request.socket.on('data', (chunk) => {
          received += chunk.length;
        });
        echo(ws);
      },
      { perMessageDeflate: true },
    );
    const ws = new WebSocket(url);
    await next(ws, 'open');
    expect(offer).toBe('permessage-deflate; client_max_window_bits');
    expect(ws.extensions).toContain('permessage-deflate');
    const text = 'compressible '.repeat(10_000);
    const echoed = next<MessageEvent>(ws, 'message');
    ws.send(text);
    expect((await echoed).data).toBe(text);
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(text.length / 10);
    ws.close();
    await next(ws, 'close');
  });

  it('fails when a message is larger than allowed, with an error that names the limit; the server learns 1009', async () => {
    let closed: Promise<unknown[]> | undefined;
    const url = await serve(kind, (ws) => {
      closed = once(ws, 'close');
      ws.send('x'.repeat(1001));
    });
    const ws = new WebSocket(url, { payloadLimitBytes: 1000 });
    const error = await failure(ws);
    expect(error).toMatchObject({ limit: { value: 1000 } });
    expect((await closed!)[0]).toBe(1009);
  });

  it('sees the end of the server program as an unclean close', async () => {
    const ws = new WebSocket(
      await serve(kind, (server) => void server.on('message', () => server.terminate())),
    );
    await next(ws, 'open');
    const closed = next<CloseEvent>(ws, 'close');
    ws.send('end');
    expect(await closed).toMatchObject({ code: 1006, wasClean: false });
  });
});

describe('the opening request', () => {
  async function headersOf(
    url: (port: number) => string,
    ...rest: unknown[]
  ): Promise<IncomingMessage['headers']> {
    const server = await listen(http.createServer());
    const asked = once(server, 'upgrade');
    const Loose = WebSocket as unknown as new (...args: unknown[]) => WebSocket;
    const ws = new Loose(url(portOf(server)), ...rest);
    const [request, socket] = (await asked) as [IncomingMessage, Socket];
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    expect((await failure(ws)).message).toBe('Unexpected server response: 403');
    return request.headers;
  }
  const plain = (port: number) => `ws://127.0.0.1:${port}/path?query`;

  it('has the fields of RFC 6455 and of the Fetch standard, and no Origin', async () => {
    const headers = await headersOf(plain, ['a', 'b']);
    expect(headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      pragma: 'no-cache',
      'cache-control': 'no-cache',
    });
    expect(headers['sec-websocket-protocol']?.replaceAll(' ', '')).toBe('a,b');
    expect(headers.origin).toBeUndefined();
  });

  it.each([
    ['an object', { Origin: 'https://example.com', 'X-Own': '1', 'cache-control': 'max-age=1' }],
    [
      'Headers',
      new Headers([
        ['Origin', 'https://example.com'],
        ['X-Own', '1'],
        ['cache-control', 'max-age=1'],
      ]),
    ],
  ])('takes more header fields from %s', async (_name, headers) => {
    expect(await headersOf(plain, { headers })).toMatchObject({
      origin: 'https://example.com',
      'x-own': '1',
      'cache-control': 'max-age=1',
      pragma: 'no-cache',
    });
  });

  it('joins fields that come twice', async () => {
    const headers = [
      ['X-Own', '1'],
      ['x-own', '2'],
    ];
    expect((await headersOf(plain, [], { headers }))['x-own']).toBe('1, 2');
  });

  it('offers no compression when told so', async () => {
    const headers = await headersOf(plain, undefined, { perMessageDeflate: false });
    expect(headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('has the credentials of the URL', async () => {
    const headers = await headersOf((port) => `ws://user:p%C3%A4ss@127.0.0.1:${port}/`);
    expect(headers.authorization).toBe(`Basic ${Buffer.from('user:p\u00e4ss').toString('base64')}`);
  });
});

describe('failures tell their cause', () => {
  it('when nobody listens', async () => {
    const server = await listen(net.createServer());
    const port = portOf(server);
    server.close();
    await once(servers.pop()!, 'close');
    expect(await failure(new WebSocket(`ws://127.0.0.1:${port}/`))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('when the handshake takes too long', async () => {
    const server = await listen(net.createServer());
    const ws = new WebSocket(`ws://127.0.0.1:${portOf(server)}/`, { handshakeTimeoutMs: 20 });
    expect((await failure(ws)).message).toBe('Opening handshake has timed out');
  });

  it('when a header field cannot be sent: at once', () => {
    expect(() => new WebSocket('ws://127.0.0.1:1234/', { headers: { 'X-Own': 'a\nb' } })).toThrow(TypeError);
  });

  it('when the server is silent: found by the heartbeat', async () => {
    const url = await serve('ws', () => {}, { autoPong: false });
    const ws = new WebSocket(url, { heartbeat: { intervalMs: 20, timeoutMs: 40 } });
    expect(await failure(ws)).toMatchObject({ code: 'WS_ERR_HEARTBEAT_TIMEOUT' });
  });

  it('and a server that answers is kept', async () => {
    let pings = 0;
    const url = await serve('ws', (server) => {
      server.on('ping', () => {
        // By the third, two have been answered in time.
        if (++pings === 3) server.close(1000);
      });
    });
    const ws = new WebSocket(url, { heartbeat: { intervalMs: 20, timeoutMs: 20_000 } });
    expect(await next<CloseEvent>(ws, 'close')).toMatchObject({ code: 1000, wasClean: true });
  });

  it('or gives up waiting for the closing handshake', async () => {
    const url = await serve('ws', (ws) => ws.pause());
    const ws = new WebSocket(url, { closeTimeoutMs: 20 });
    await next(ws, 'open');
    ws.close();
    expect(await next<CloseEvent>(ws, 'close')).toMatchObject({ code: 1006, wasClean: false });
  });
});

describe('wss', () => {
  const authority = new Authority();

  async function secure(names: { dns?: string; ip?: string }): Promise<string> {
    const server = await listen(https.createServer({ ...authority.issue(names) }));
    server.on('secureConnection', (socket) => socket.on('error', () => {}));
    server.on('tlsClientError', () => {});
    new peer.WebSocketServer({ server }).on('connection', echo);
    return `wss://127.0.0.1:${portOf(server)}/`;
  }

  it('opens with an authority that the program trusts', async () => {
    const ws = new WebSocket(await secure({ ip: '127.0.0.1' }), { request: { ca: authority.cert } });
    await next(ws, 'open');
    expect(ws.url).toMatch(/^wss:/);
    const echoed = next<MessageEvent>(ws, 'message');
    ws.send('secret');
    expect(await echoed).toMatchObject({ data: 'secret', origin: ws.url.slice(0, -1) });
    ws.close();
    await next(ws, 'close');
  });

  it.each([
    ['an authority that nobody trusts', { ip: '127.0.0.1' }, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another host', { dns: 'example.com' }, { ca: authority.cert }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('fails with a certificate of %s', async (_name, names, request, code) => {
    expect(await failure(new WebSocket(await secure(names), { request }))).toMatchObject({ code });
  });
});
