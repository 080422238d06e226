/**
 * What: shows how a Server is made, attached to every kind of HTTP server, set up and closed.
 * Must not know: what clients do with it, beyond that they get in.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type Server as HttpServer, type IncomingMessage } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  createSecureServer as createSecureHttp2Server,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Server as OfficialEngine } from 'engine.io';
import express from 'express';
import { io as connectTo } from 'socket.io-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { version } from '../../../package.json';
import { BroadcastOperator, Namespace, RemoteSocket, Server, Socket } from '../../../src/entry/index.ts';
import tautline from '../../../src/entry/index-cjs.ts';
import { ClientFiles } from '../../../src/server/client-files.ts';
import { Authority } from '../websocket/certificate.ts';

const authority = new Authority();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const listen = async <T extends { listen(port: number, host: string): unknown }>(
  httpServer: T,
): Promise<T> => {
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer as unknown as NodeJS.EventEmitter, 'listening');
  return httpServer;
};
const keep = (io: Server): Server => {
  cleanups.push(() => io.close());
  return io;
};
const urlOf = (io: Server): string => `http://127.0.0.1:${(io.httpServer.address() as AddressInfo).port}`;

const fetchText = (url: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>((resolve, reject) => {
    get(url, { headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    }).on('error', reject);
  });

/** Whether a client gets in there; it leaves again. */
const canConnect = async (url: string, path = '/socket.io'): Promise<boolean> => {
  const client = connectTo(url, { path, forceNew: true, reconnection: false, transports: ['polling'] });
  try {
    return await new Promise((resolve) => {
      client.once('connect', () => resolve(true));
      client.once('connect_error', () => resolve(false));
    });
  } finally {
    client.disconnect();
  }
};

describe('the ways to make a server', () => {
  it('is a class, and a function that makes one, with and without new', async () => {
    const made = [new Server(), tautline(), Reflect.construct(tautline, []) as Server, new tautline.Server()];
    for (const io of made) expect(io).toBeInstanceOf(Server);
    const exported = { Server, Namespace, Socket, BroadcastOperator, RemoteSocket };
    for (const [name, value] of Object.entries(exported)) expect(Reflect.get(tautline, name)).toBe(value);
    const httpServer = await listen(createServer());
    const io = keep(tautline(httpServer));
    expect(io.httpServer).toBe(httpServer);
    expect(await canConnect(urlOf(io))).toBe(true);
  });

  it('listens on a free port', async () => {
    const io = keep(new Server(0));
    await once(io.httpServer, 'listening');
    expect(await canConnect(urlOf(io))).toBe(true);
    expect(await fetchText(urlOf(io))).toMatchObject({ status: 404 });
  });

  it('listens on a port later', async () => {
    const io = keep(new Server({ path: '/own/' }));
    expect(io.path()).toBe('/own');
    expect(io.listen(0, { pingInterval: 123 })).toBe(io);
    await once(io.httpServer, 'listening');
    expect(io.engine.opts.pingInterval).toBe(123);
    expect(await canConnect(urlOf(io), '/own')).toBe(true);
  });

  it('takes options with attach, over which those of the constructor win', async () => {
    const io = keep(new Server({ pingInterval: 1111 }));
    const httpServer = createServer((_request, response) => void response.writeHead(404).end());
    io.attach(await listen(httpServer), {
      pingInterval: 2222,
      pingTimeout: 3333,
      path: '/there',
      maxPayload: 444,
    });
    expect(io.engine.opts).toMatchObject({ pingInterval: 1111, pingTimeout: 3333, maxHttpBufferSize: 444 });
    expect(await canConnect(urlOf(io), '/there')).toBe(true);
    expect(await canConnect(urlOf(io))).toBe(false);
  });

  it('stands beside the routes of an Express app', async () => {
    const app = express();
    app.get('/', (_request, response) => void response.send('app'));
    const io = keep(new Server(createServer(app)));
    await listen(io.httpServer);
    expect(await fetchText(urlOf(io))).toMatchObject({ status: 200, text: 'app' });
    expect(await canConnect(urlOf(io))).toBe(true);
    expect(await fetchText(`${urlOf(io)}/other`)).toMatchObject({ status: 404 });
  });

  it('is not fooled by an Express app in the place of its server', () => {
    expect(() => new Server(express() as never)).toThrow(
      'You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.',
    );
  });

  it('says that it does not take apps of uWebSockets', () => {
    expect(() => new Server().attachApp({})).toThrow(
      expect.objectContaining({ code: 'SERVER_ERR_UNSUPPORTED_APP' }),
    );
  });

  it.each<[string, () => HttpServer, string]>([
    ['http', () => createServer(), 'http'],
    ['https', () => createHttpsServer(authority.issue({ ip: '127.0.0.1' })), 'https'],
    [
      'http2 with HTTP/1.1 beside it',
      () => createSecureHttp2Server({ ...authority.issue({ ip: '127.0.0.1' }), allowHTTP1: true }) as never,
      'https',
    ],
  ])('serves events on %s, over every transport', async (_kind, create, scheme) => {
    const io = keep(new Server(await listen(create())));
    io.on('connection', (socket) => {
      socket.on('secure', (value, reply) =>
        reply(socket.handshake.secure, value, socket.conn.transport.name),
      );
    });
    for (const transport of ['polling', 'websocket']) {
      const client = connectTo(urlOf(io).replace('http', scheme), {
        forceNew: true,
        transports: [transport],
        ca: authority.cert,
      });
      cleanups.push(() => client.disconnect());
      const answer = await new Promise<unknown[]>((resolve) =>
        client.emit('secure', Buffer.from([1]), (...args: unknown[]) => resolve(args)),
      );
      expect(answer).toEqual([scheme === 'https', Buffer.from([1]), transport]);
    }
  });

  it('serves events over HTTP/2 streams', async () => {
    const io = keep(new Server(await listen(createHttp2Server())));
    io.on('connection', (socket) => socket.on('echo', (value, reply) => reply(value)));
    const session = connectHttp2(urlOf(io));
    cleanups.push(() => new Promise<void>((resolve) => session.close(resolve)));
    const ask = async (query: string, body?: string): Promise<string> => {
      const stream = session.request({
        ':path': `/socket.io/?EIO=4&transport=polling${query}`,
        ':method': body === undefined ? 'GET' : 'POST',
      });
      stream.setEncoding('utf8').end(body);
      let text = '';
      for await (const part of stream) text += part;
      return text;
    };
    const { sid } = JSON.parse((await ask('')).slice(1));
    expect(await ask(`&sid=${sid}`, '40')).toBe('ok');
    expect(await ask(`&sid=${sid}`)).toMatch(/^40\{"sid":/);
    expect(await ask(`&sid=${sid}`, '4217["echo","é"]')).toBe('ok');
    expect(await ask(`&sid=${sid}`)).toBe('4317["é"]');
    expect(await ask(`&sid=${sid}`, '41\x1e1')).toBe('ok');
  });

  it('answers over HTTP/2', async () => {
    const httpServer = await listen(createHttp2Server());
    const io = keep(new Server(httpServer));
    const session = connectHttp2(urlOf(io));
    cleanups.push(() => new Promise<void>((resolve) => session.close(resolve)));
    const request = session.request({ ':path': '/socket.io/?EIO=4&transport=polling' });
    request.setEncoding('utf8');
    const [headers] = await once(request, 'response');
    const [text] = await once(request, 'data');
    expect(headers[':status']).toBe(200);
    expect(text).toMatch(/^0\{"sid":/);
  });

  it('takes the sessions of another engine', async () => {
    const engine = new OfficialEngine();
    const httpServer = await listen(createServer());
    engine.attach(httpServer, { path: '/socket.io/' });
    const io = new Server();
    cleanups.push(
      () => new Promise((resolve) => httpServer.close(resolve)),
      () => engine.close(),
    );
    expect(io.bind(engine as never)).toBe(io);
    const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
    const client = connectTo(url, { forceNew: true });
    cleanups.push(() => client.disconnect());
    const [socket] = (await once(io, 'connection')) as [Socket];
    socket.on('echo', (...args) => args.pop()(...args));
    expect(await client.emitWithAck('echo', Buffer.from([1]))).toEqual(Buffer.from([1]));
    expect(socket.handshake.query.EIO).toBe('4');
    expect(socket.conn.id).toBe(client.io.engine.id);
    client.disconnect();
    expect(await once(socket, 'disconnect')).toEqual(['client namespace disconnect', undefined]);
  });
});

describe('settings', () => {
  it('can be read and set', () => {
    const io = new Server({ connectTimeout: 5, serveClient: false });
    expect([io.connectTimeout(), io.serveClient(), io.path()]).toEqual([5, false, '/socket.io']);
    expect(io.connectTimeout(6).serveClient(true).path('/x/')).toBe(io);
    expect([io.connectTimeout(), io.serveClient(), io.path()]).toEqual([6, true, '/x']);
    expect(new Server().connectTimeout()).toBe(45_000);
  });
});

describe('close', () => {
  it('disconnects clients, closes the HTTP server, and tells a callback and a promise', async () => {
    const io = new Server(await listen(createServer()));
    const client = connectTo(urlOf(io), { forceNew: true, reconnection: false, transports: ['websocket'] });
    cleanups.push(() => client.disconnect());
    await once(io, 'connection');
    const disconnected = new Promise((resolve) => client.once('disconnect', resolve));
    const callback = vi.fn();
    await io.close(callback);
    expect(callback).toHaveBeenCalledExactlyOnceWith(undefined);
    expect(await disconnected).toBe('transport close');
    expect(io.httpServer.listening).toBe(false);
    expect([io.engine.clientsCount, io.sockets.sockets.size]).toEqual([0, 0]);
  });

  it('resolves also when the HTTP server was not listening, and tells the callback so', async () => {
    const io = new Server(createServer());
    const callback = vi.fn();
    await io.close(callback);
    expect(callback).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: 'ERR_SERVER_NOT_RUNNING' }),
    );
  });

  it('resolves when there is nothing to close', async () => {
    const callback = vi.fn();
    await new Server().close(callback);
    expect(callback).toHaveBeenCalledExactlyOnceWith();
  });
});

describe('the client script', () => {
  const origin = 'https://app.example';

  it('is not served when it is switched off', async () => {
    const io = keep(new Server(await listen(createServer()), { serveClient: false }));
    expect((await fetchText(`${urlOf(io)}/socket.io/socket.io.js`)).status).toBe(400);
  });

  it('is served under the path of the server, nothing else is', async () => {
    const io = keep(new Server(await listen(createServer()), { path: '/own' }));
    expect((await fetchText(`${urlOf(io)}/own/socket.io.js`, { 'if-none-match': '*' })).status).toBe(304);
    expect((await fetchText(`${urlOf(io)}/own/package.json`)).status).toBe(400);
  });

  it('says what to do when it was not built, and serves it once it is', async () => {
    const folder = pathToFileURL(`${await mkdtemp(join(tmpdir(), 'tautline-'))}/`);
    cleanups.push(() => rm(folder, { recursive: true }));
    const files = new ClientFiles(undefined, folder);
    const httpServer = await listen(
      createServer((request, response) => files.serve('socket.io.js', request, response)),
    );
    cleanups.push(() => new Promise((resolve) => httpServer.close(resolve)));
    const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
    const missing = await fetchText(url);
    expect(missing).toMatchObject({ status: 404, text: expect.stringContaining('npm run build') });
    expect(missing.headers.etag).toBeUndefined();
    await writeFile(new URL('socket.io.js', folder), 'engine.io é');
    await writeFile(new URL('socket.io.js.map', folder), '{}');
    const plain = await fetchText(url);
    expect(plain).toMatchObject({ status: 200, text: 'engine.io é' });
    expect(plain.headers).toMatchObject({
      'content-type': 'application/javascript; charset=utf-8',
      'cache-control': 'public, max-age=0',
      'content-length': '12',
      etag: `"${version}"`,
      vary: 'Accept-Encoding',
    });
    for (const encoding of ['gzip', 'br']) {
      const answer = await fetch(url, { headers: { 'accept-encoding': encoding } });
      expect(answer.headers.get('content-encoding')).toBe(encoding);
      expect(await answer.text()).toBe('engine.io é');
    }
    for (const tag of [`"${version}"`, `W/"${version}"`]) {
      expect(await fetchText(url, { 'if-none-match': tag })).toMatchObject({ status: 304, text: '' });
    }
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('comes with maps as JSON', async () => {
    const folder = pathToFileURL(`${await mkdtemp(join(tmpdir(), 'tautline-'))}/`);
    cleanups.push(() => rm(folder, { recursive: true }));
    await writeFile(new URL('socket.io.js.map', folder), '{}');
    const files = new ClientFiles(undefined, folder);
    const httpServer = await listen(
      createServer((request, response) => files.serve('socket.io.js.map', request, response)),
    );
    cleanups.push(() => new Promise((resolve) => httpServer.close(resolve)));
    const { headers } = await fetchText(`http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('answers preflights and foreign origins by the cors option', async () => {
    const io = keep(new Server(await listen(createServer()), { cors: { origin, credentials: true } }));
    const url = `${urlOf(io)}/socket.io/socket.io.min.js`;
    const answer = await fetchText(url, { origin, 'if-none-match': '*' });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      vary: 'Origin, Accept-Encoding',
    });
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.status).toBe(204);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });
});
