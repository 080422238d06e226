/** RFC 8441 on the client's side: WebSockets on a session that exists, against our server and against odd ones. */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import {
  connect,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createWebSocketStream, WebSocket } from '../../../src/entry/ws.ts';
import {
  type ClientOptions,
  closing,
  echo,
  kinds,
  type Listening,
  listen,
  makeHttp2Server,
  open,
  openSession,
  serve,
} from './scene.ts';

const CANCEL = 8;

/** What becomes of a WebSocket that does not open. */
function failure(socket: WebSocket): Promise<{ error: Error & { code?: string }; code: number }> {
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('It has opened')));
    socket.on('error', (error) => socket.on('close', (code) => resolve({ error, code })));
  });
}

/** The next message as text. */
async function message(socket: WebSocket): Promise<string> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data.toString();
}

/** A server that answers extended CONNECTs as the test says. */
async function answering(answer: (stream: ServerHttp2Stream) => void): Promise<Listening> {
  const http: Http2Server = createServer({ settings: { enableConnectProtocol: true } });
  http.on('stream', (stream) => {
    stream.on('error', () => {});
    answer(stream);
  });
  return listen(http);
}

describe.each(kinds)('WebSockets on one session to a %s server', (kind) => {
  it('share it: each has its own path, messages and end', async () => {
    const scene = await serve({}, kind);
    echo(scene.wss);
    const paths: unknown[] = [];
    scene.wss.on('connection', (_socket, request) => paths.push(request.url));
    const session = await scene.connect();
    const [first, second, third] = [
      await open(scene, session, { path: '/1' }),
      await open(scene, session, { path: '/2?x=y' }),
      await open(scene, session, { path: '/3' }),
    ];
    expect(paths).toEqual(['/1', '/2?x=y', '/3']);
    expect(scene.sessions).toHaveLength(1);
    const clients = [first, second, third].map(({ client }) => client);
    const answers = Promise.all(clients.map(message));
    for (const [index, client] of clients.entries()) client.send(`from ${index}`);
    expect(await answers).toEqual(['from 0', 'from 1', 'from 2']);
    const closed = closing(first.client);
    first.client.close();
    expect(await closed).toEqual([1005, '']);
    second.client.send('still here');
    expect(await message(second.client)).toBe('still here');
    expect(session.closed).toBe(false);
  });

  it.each([
    { by: 'client', code: 1000, reason: 'done' },
    { by: 'client', code: 4321, reason: '' },
    { by: 'server', code: 1001, reason: 'going away' },
    { by: 'server', code: undefined, reason: '' },
  ] as const)('are closed by the $by with $code', async ({ by, code, reason }) => {
    const scene = await serve({}, kind);
    const { client, peer } = await open(scene, await scene.connect());
    const both = Promise.all([closing(client), closing(peer)]);
    (by === 'client' ? client : peer).close(code, reason);
    const seen = [code ?? 1005, reason];
    expect(await both).toEqual([seen, seen]);
    expect((client._socket as unknown as ServerHttp2Stream).rstCode).toBe(0);
    expect(scene.wss.clients.size).toBe(0);
  });

  it('carry large messages, text and bytes, both ways, whatever the windows of HTTP/2 are', async () => {
    const scene = await serve({}, kind);
    echo(scene.wss);
    const { client } = await open(scene, await scene.connect());
    const bytes = Buffer.alloc(3_000_000, 'bytes and more bytes ');
    client.send(bytes);
    const [back, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
    expect(isBinary).toBe(true);
    expect(back.equals(bytes)).toBe(true);
    const text = 'ä'.repeat(400_000);
    client.send(text);
    expect((await message(client)) === text).toBe(true);
  });

  it('compress', async () => {
    const scene = await serve({ perMessageDeflate: true }, kind);
    echo(scene.wss);
    const { client, peer } = await open(scene, await scene.connect());
    expect([client.extensions, peer.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
    const text = 'compressible '.repeat(10_000);
    client.send(text);
    client.send(text);
    expect((await message(client)) === text).toBe(true);
    expect((await message(client)) === text).toBe(true);
  });

  it('keep the order of many messages, and write those of a turn at once', async () => {
    const scene = await serve({}, kind);
    const connected = once(scene.wss, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const { client, peer } = await open(scene, await scene.connect());
    const { stream } = (await connected)[1] as unknown as Http2ServerRequest;
    const write = vi.spyOn(stream, 'write');
    const got: string[] = [];
    const done = new Promise<void>((resolve) => {
      client.on('message', (data) => {
        got.push(data.toString());
        if (got.length === 2_000) resolve();
      });
    });
    for (let i = 0; i < 2_000; i++) peer.send(`${i}`);
    await done;
    expect(got).toEqual(Array.from({ length: 2_000 }, (_, i) => `${i}`));
    expect(write).toHaveBeenCalledTimes(1);
  });

  it('answer pings, both ways', async () => {
    const scene = await serve({}, kind);
    const { client, peer } = await open(scene, await scene.connect());
    client.ping('a');
    expect(((await once(client, 'pong')) as [Buffer])[0].toString()).toBe('a');
    peer.ping('b');
    expect(((await once(peer, 'pong')) as [Buffer])[0].toString()).toBe('b');
  });

  it('agree on a subprotocol', async () => {
    const scene = await serve({ handleProtocols: () => 'b' }, kind);
    const { client, peer } = await open(scene, await scene.connect(), { protocols: ['a', 'b'] });
    expect([client.protocol, peer.protocol]).toEqual(['b', 'b']);
  });

  it('are lost with the session', async () => {
    const scene = await serve({}, kind);
    const session = await scene.connect();
    const [a, b] = [await open(scene, session), await open(scene, session)];
    const all = Promise.all([a.client, a.peer, b.client, b.peer].map(closing));
    session.destroy();
    const lost = [1006, ''];
    expect(await all).toEqual([lost, lost, lost, lost]);
  });

  it('are lost when the server breaks the session off', async () => {
    const scene = await serve({}, kind);
    const { client, peer } = await open(scene, await scene.connect());
    const all = Promise.all([client, peer].map(closing));
    scene.sessions[0]?.destroy();
    expect(await all).toEqual([
      [1006, ''],
      [1006, ''],
    ]);
  });

  it('break off alone: terminate() resets one stream with CANCEL', async () => {
    const scene = await serve({}, kind);
    const session = await scene.connect();
    const [gone, stays] = [await open(scene, session), await open(scene, session)];
    const both = Promise.all([closing(gone.client), closing(gone.peer)]);
    gone.client.terminate();
    expect(await both).toEqual([
      [1006, ''],
      [1006, ''],
    ]);
    expect((gone.peer._socket as unknown as ServerHttp2Stream).rstCode).toBe(CANCEL);
    stays.peer.send('unharmed');
    expect(await message(stays.client)).toBe('unharmed');
  });
});

describe('a WebSocket on a session', () => {
  it('that does not read holds up nobody else on the session, and is told by bufferedAmount', async () => {
    const scene = await serve();
    const session = await scene.connect();
    const [slow, quick] = [await open(scene, session), await open(scene, session)];
    slow.client.pause();
    expect(slow.client.isPaused).toBe(true);
    const chunk = Buffer.alloc(1_000_000, 1);
    for (let i = 0; i < 5; i++) slow.peer.send(chunk);
    for (let i = 0; i < 20; i++) {
      quick.peer.send(`${i}`);
      expect(await message(quick.client)).toBe(`${i}`);
    }
    // More than a window of HTTP/2 cannot have left.
    expect(slow.peer.bufferedAmount).toBeGreaterThan(4_000_000);
    let count = 0;
    const all = new Promise<void>((resolve) => {
      slow.client.on('message', (data) => {
        count += (data as Buffer).length;
        if (count === 5_000_000) resolve();
      });
    });
    slow.client.resume();
    await all;
    expect(slow.peer.bufferedAmount).toBe(0);
  });

  it('tells by callbacks that its messages were written, and by send and drain when to wait', async () => {
    const scene = await serve();
    echo(scene.wss);
    const { client } = await open(scene, await scene.connect());
    const written = new Promise<unknown>((resolve) => client.send('x', resolve));
    expect(await written).toBeUndefined();
    const drained = once(client, 'drain');
    while (client.send(Buffer.alloc(100_000))) await new Promise((resolve) => setImmediate(resolve));
    await drained;
  });

  it('is a stream by createWebSocketStream', async () => {
    const scene = await serve();
    echo(scene.wss);
    const { client } = await open(scene, await scene.connect());
    const duplex = createWebSocketStream(client, { encoding: 'utf8' });
    duplex.write('through');
    expect(await once(duplex, 'data')).toEqual(['through']);
    const closed = once(client, 'close');
    duplex.end();
    duplex.resume();
    await closed;
  });

  it('waits for a session that is still connecting', async () => {
    const scene = await serve();
    const session = openSession(scene.origin);
    expect(session.connecting).toBe(true);
    const clients = Array.from({ length: 30 }, () => new WebSocket(scene.url, { http2Session: session }));
    await Promise.all(clients.map((client) => once(client, 'open')));
    expect(scene.wss.clients.size).toBe(30);
    expect(session.listenerCount('error')).toBe(1);
  });

  it('sends what the options and the address say', async () => {
    const scene = await serve();
    const requests: IncomingMessage[] = [];
    scene.wss.on('connection', (_socket, request) => requests.push(request));
    const session = await scene.connect();
    const url = new URL(scene.url);
    Object.assign(url, { username: 'user', password: 'päss', pathname: '/p', search: '?q=1' });
    const client = new WebSocket(url, {
      http2Session: session,
      origin: 'https://a.example',
      headers: { Cookie: 'a=b', Host: 'other.example', Connection: 'keep-alive', 'X-Many': ['1', '2'] },
    });
    await once(client, 'open');
    expect(client.url).toBe(url.href);
    const fields = Object.fromEntries(Object.entries(requests[0]?.headers ?? {}));
    expect(fields).toEqual({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':authority': 'other.example',
      ':path': '/p?q=1',
      authorization: `Basic ${Buffer.from('user:päss').toString('base64')}`,
      cookie: 'a=b',
      origin: 'https://a.example',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      'sec-websocket-version': '13',
      'x-many': '1, 2',
    });
  });

  it('tells of the answer by upgrade, before open', async () => {
    const scene = await serve();
    scene.wss.on('headers', (lines) => lines.push('X-Served-By: us', 'Set-Cookie: a=1'));
    const client = new WebSocket(scene.url, { http2Session: await scene.connect() });
    const events: unknown[] = [];
    client.on('upgrade', ({ statusCode, httpVersion, headers }) =>
      events.push([statusCode, httpVersion, headers['x-served-by'], headers['set-cookie']]),
    );
    client.on('open', () => events.push('open'));
    await once(client, 'open');
    expect(events).toEqual([[200, '2.0', 'us', ['a=1']], 'open']);
    expect(client._req).toBeNull();
  });

  it('may be given up in upgrade', async () => {
    const scene = await serve();
    const client = new WebSocket(scene.url, { http2Session: await scene.connect() });
    client.on('upgrade', () => client.close());
    expect(await failure(client)).toMatchObject({
      error: { message: 'WebSocket was closed before the connection was established' },
      code: 1006,
    });
  });

  it.each<ClientOptions>([{ headers: { 'bad name': 'x' } }, { headers: { good: 'line\nbreak' } }])(
    'is not made with a header that cannot be, and the session lives: %j',
    async (options) => {
      const scene = await serve();
      const session = await scene.connect();
      expect(() => new WebSocket(scene.url, { ...options, http2Session: session })).toThrow(TypeError);
      expect((await open(scene, session)).client.readyState).toBe(WebSocket.OPEN);
    },
  );

  it.each([
    ['ftp://a.example', undefined, SyntaxError],
    ['ws://a.example/#x', undefined, SyntaxError],
    ['ws://a.example', ['a', 'a'], SyntaxError],
  ] as const)('is not made for %s with %j', async (url, protocols, type) => {
    const scene = await serve();
    const http2Session = await scene.connect();
    expect(() => new WebSocket(url, protocols && [...protocols], { http2Session })).toThrow(type);
    expect(() => new WebSocket('ws://a.example', { http2Session, protocolVersion: 7 })).toThrow(RangeError);
  });
});

describe('a WebSocket on a session does not open', () => {
  it('when the server does not offer it', async () => {
    const http = makeHttp2Server('cleartext');
    const streams: unknown[] = [];
    http.on('stream', (stream) => streams.push(stream));
    const listening = await listen(http);
    const unsupported = {
      error: {
        message:
          'The server takes no WebSockets over HTTP/2 (it did not send SETTINGS_ENABLE_CONNECT_PROTOCOL)',
        code: 'WS_ERR_HTTP2_UNSUPPORTED',
      },
      code: 1006,
    };
    // While it connects, and when it has long been connected.
    const session = openSession(listening.origin);
    expect(await failure(new WebSocket(listening.url, { http2Session: session }))).toMatchObject(unsupported);
    expect(await failure(new WebSocket(listening.url, { http2Session: session }))).toMatchObject(unsupported);
    // RFC 8441 section 3: nothing was asked.
    expect(streams).toEqual([]);
  });

  it('when the session is closed, or is going to be', async () => {
    const scene = await serve();
    const error = { code: 'WS_HTTP2_SESSION_CLOSED' };
    const session = await scene.connect();
    const { client } = await open(scene, session);
    session.close();
    expect(await failure(new WebSocket(scene.url, { http2Session: session }))).toMatchObject({ error });
    const lost = closing(client);
    session.destroy();
    expect(await failure(new WebSocket(scene.url, { http2Session: session }))).toMatchObject({ error });
    expect(await lost).toEqual([1006, '']);
  });

  it('when nobody listens there, and says why', async () => {
    const tcp = createTcpServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as { port: number };
    tcp.close();
    await once(tcp, 'close');
    // No listener for the session's error: the WebSocket's tells it.
    const session = connect(`http://127.0.0.1:${port}`);
    expect(await failure(new WebSocket(`ws://127.0.0.1:${port}`, { http2Session: session }))).toMatchObject({
      error: { code: 'ECONNREFUSED' },
      code: 1006,
    });
  });

  it('when the server refuses, unless a listener of unexpected-response takes care', async () => {
    const scene = await serve({ verifyClient: () => false });
    const session = await scene.connect();
    expect(await failure(new WebSocket(scene.url, { http2Session: session }))).toMatchObject({
      error: { message: 'Unexpected server response: 401' },
      code: 1006,
    });
    const client = new WebSocket(scene.url, { http2Session: session });
    const [request, response] = (await once(client, 'unexpected-response')) as [
      ClientRequest,
      IncomingMessage,
    ];
    expect([response.statusCode, response.statusMessage, response.headers['content-type']]).toEqual([
      401,
      'Unauthorized',
      'text/html',
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('Unauthorized');
    expect(client.readyState).toBe(WebSocket.CONNECTING);
    const failed = failure(client);
    request.destroy();
    client.terminate();
    expect((await failed).code).toBe(1006);
    expect(session.destroyed).toBe(false);
  });

  it.each<{ what: string; answer: (stream: ServerHttp2Stream) => void; error: object }>([
    {
      what: 'is redirected',
      answer: (stream) => stream.respond({ ':status': 302, location: '/elsewhere' }),
      error: { message: 'Unexpected server response: 302' },
    },
    {
      what: 'gets a subprotocol that it did not ask for',
      answer: (stream) => stream.respond({ ':status': 200, 'sec-websocket-protocol': 'x' }),
      error: { code: 'WS_ERR_UNEXPECTED_SUBPROTOCOL' },
    },
    {
      what: 'gets an extension that it did not ask for',
      answer: (stream) => stream.respond({ ':status': 200, 'sec-websocket-extensions': 'x-unknown' }),
      error: { code: 'WS_ERR_UNEXPECTED_EXTENSION' },
    },
    {
      what: 'is reset with CANCEL',
      answer: (stream) => stream.close(CANCEL),
      error: {
        message: 'The HTTP/2 stream was reset by the peer (CANCEL)',
        code: 'WS_ERR_HTTP2_STREAM_RESET',
      },
    },
    {
      what: 'is refused as a stream',
      answer: (stream) => stream.close(7),
      error: { code: 'ERR_HTTP2_STREAM_ERROR' },
    },
    {
      what: 'loses its session',
      answer: (stream) => stream.session?.destroy(),
      error: { code: 'WS_ERR_HTTP2_SESSION_ENDED' },
    },
  ])('when it $what', async ({ answer, error }) => {
    const { url, connect } = await answering(answer);
    const client = new WebSocket(url, { http2Session: await connect(), followRedirects: true });
    expect(await failure(client)).toMatchObject({ error, code: 1006 });
  });

  it('when the server takes too long; the stream is cancelled', async () => {
    const streams: ServerHttp2Stream[] = [];
    const { url, connect } = await answering((stream) => streams.push(stream));
    const client = new WebSocket(url, { http2Session: await connect(), handshakeTimeout: 20 });
    expect(await failure(client)).toMatchObject({
      error: { message: 'Opening handshake has timed out' },
      code: 1006,
    });
    const [stream] = streams;
    if (stream?.destroyed === false) await once(stream, 'close');
    expect(stream?.rstCode).toBe(CANCEL);
  });

  it('when the session takes too long to connect', async () => {
    const tcp = createTcpServer((socket) => onTestFinished(() => void socket.destroy())).listen(
      0,
      '127.0.0.1',
    );
    onTestFinished(() => void tcp.close());
    await once(tcp, 'listening');
    const { port } = tcp.address() as { port: number };
    const session = openSession(`http://127.0.0.1:${port}`);
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { http2Session: session, handshakeTimeout: 20 });
    expect(await failure(client)).toMatchObject({ error: { message: 'Opening handshake has timed out' } });
  });

  it('when it is closed meanwhile', async () => {
    const { url, connect } = await answering(() => {});
    const session = await connect();
    const client = new WebSocket(url, { http2Session: session });
    const closed = failure(client);
    client.close();
    expect(await closed).toMatchObject({
      error: { message: 'WebSocket was closed before the connection was established' },
      code: 1006,
    });
    const waiting = new WebSocket(url, { http2Session: openSession(url.replace('ws', 'http')) });
    const alsoClosed = failure(waiting);
    waiting.terminate();
    expect((await alsoClosed).code).toBe(1006);
  });
});
