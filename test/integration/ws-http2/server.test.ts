/** RFC 8441 on the server's side: raw HTTP/2 clients against WebSocketServer. */
import { once } from 'node:events';
import { request as http1Request, type IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from '../../../src/entry/ws.ts';
import {
  type AnswerHeaders,
  answerTo,
  ask,
  authority,
  closing,
  echo,
  fieldsOf,
  handshake,
  kinds,
  listen,
  makeHttp2Server,
  read,
  serve,
} from './scene.ts';

/** `Hello`, masked, as in RFC 6455 section 5.7, and the same unmasked. */
const maskedHello = Buffer.from('818537fa213d7f9f4d5158', 'hex');
const hello = Buffer.from('810548656c6c6f', 'hex');
const CANCEL = 8;

describe.each(kinds)('a WebSocketServer on a %s server of node:http2', (kind) => {
  it('RFC 8441 3: sends SETTINGS_ENABLE_CONNECT_PROTOCOL', async () => {
    const session = await (await serve({}, kind)).connect();
    expect(session.remoteSettings.enableConnectProtocol).toBe(true);
  });

  it('RFC 8441 5: answers an extended CONNECT with 200 and speaks WebSocket on the stream', async () => {
    const scene = await serve({}, kind);
    echo(scene.wss);
    const stream = ask(await scene.connect());
    const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
    expect(fieldsOf(headers)).toEqual({ ':status': 200, date: expect.any(String) });
    stream.write(maskedHello);
    expect(await read(stream, hello.length)).toEqual(hello);
    // RFC 6455 section 7.1.1 and RFC 8441 section 5: the server ends its side with END_STREAM, then the client does.
    stream.end(Buffer.from('888237fa213d3412', 'hex'));
    expect(await read(stream, 4)).toEqual(Buffer.from('880203e8', 'hex'));
    await once(stream, 'close');
    expect(stream.rstCode).toBe(0);
  });

  it('gives the request to those who want to know who connects', async () => {
    const scene = await serve({}, kind);
    const connected = once(scene.wss, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const session = await scene.connect();
    ask(session, { ':path': '/chat?room=1', cookie: 'a=b', origin: 'https://a.example' });
    const [socket, request] = await connected;
    expect([request.method, request.url, request.httpVersion]).toEqual(['CONNECT', '/chat?room=1', '2.0']);
    expect(request.headers).toMatchObject({
      ':protocol': 'websocket',
      ':authority': `127.0.0.1:${scene.port}`,
      cookie: 'a=b',
      origin: 'https://a.example',
    });
    expect(request.socket.remoteAddress).toBe('127.0.0.1');
    expect(request.socket.remotePort).toBe(session.socket.localPort);
    expect((request as unknown as Http2ServerRequest).stream.session).toBe(scene.sessions[0]);
    expect(scene.wss.clients.has(socket)).toBe(true);
  });

  it('shows a socket with the addresses of the session, and leaves the session as it is', async () => {
    const scene = await serve({}, kind);
    const connected = once(scene.wss, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const session = await scene.connect();
    ask(session);
    const [socket] = await connected;
    const raw = socket._socket as Socket;
    const facts = () => [raw.remoteAddress, raw.localPort, raw.destroyed];
    expect(raw === socket._socket).toBe(true);
    expect(facts()).toEqual(['127.0.0.1', scene.port, false]);
    expect((raw as TLSSocket).encrypted).toBe(kind === 'secure' ? true : undefined);
    expect(['remotePort' in raw, 'rstCode' in raw, 'nothing' in raw]).toEqual([true, true, false]);
    expect(raw.setNoDelay(true) === raw).toBe(true);
    expect(raw.setKeepAlive(true, 1000) === raw).toBe(true);
    const closed = once(socket, 'close');
    scene.sessions[0]?.destroy();
    await closed;
    expect(facts()).toEqual([undefined, undefined, true]);
  });

  it('reads the end of a stream as the end of a connection', async () => {
    const scene = await serve({}, kind);
    const connected = once(scene.wss, 'connection') as Promise<[WebSocket]>;
    const stream = ask(await scene.connect());
    const [socket] = await connected;
    const closed = closing(socket);
    stream.end();
    stream.resume();
    expect(await closed).toEqual([1006, '']);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(0);
  });

  it('reads a reset of the stream as the loss of a connection', async () => {
    const scene = await serve({}, kind);
    const connected = once(scene.wss, 'connection') as Promise<[WebSocket]>;
    const stream = ask(await scene.connect());
    const [socket] = await connected;
    const closed = closing(socket);
    stream.close(CANCEL);
    expect(await closed).toEqual([1006, '']);
  });

  it('RFC 8441 5: resets the stream with CANCEL when it breaks off', async () => {
    const scene = await serve({}, kind);
    scene.wss.on('connection', (socket) => socket.on('message', () => socket.terminate()));
    const stream = ask(await scene.connect());
    await once(stream, 'response');
    stream.resume().write(maskedHello);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(CANCEL);
  });

  it('resets the stream of who does not answer a close frame', async () => {
    const scene = await serve({ closeTimeout: 20 }, kind);
    scene.wss.on('connection', (socket) => socket.close(1001, 'bye'));
    const { body, rstCode } = await answerTo(ask(await scene.connect()));
    expect(Buffer.from(body, 'latin1').subarray(4).toString()).toBe('bye');
    expect(rstCode).toBe(CANCEL);
  });

  it('closes with 1002 and ends the stream of who breaks the protocol; others go on', async () => {
    const scene = await serve({}, kind);
    echo(scene.wss);
    const errors: unknown[] = [];
    scene.wss.on('connection', (socket) => socket.on('error', (error) => errors.push(error)));
    const session = await scene.connect();
    const other = ask(session);
    await once(other, 'response');
    const stream = ask(session);
    await once(stream, 'response');
    stream.write(hello);
    const frame = await read(stream, 4);
    expect(frame[0]).toBe(0x88);
    expect(frame.readUInt16BE(2)).toBe(1002);
    expect(errors).toMatchObject([{ code: 'WS_ERR_EXPECTED_MASK' }]);
    other.write(maskedHello);
    expect(await read(other, hello.length)).toEqual(hello);
  });

  it('leaves the other streams of the session to whom they belong', async () => {
    const scene = await serve({}, kind);
    echo(scene.wss);
    const session = await scene.connect();
    const socket = ask(session);
    const page = ask(session, {
      ':method': 'GET',
      ':protocol': undefined,
      ':path': '/page',
    });
    page.end();
    expect(await answerTo(page)).toMatchObject({ headers: { ':status': 200 }, body: 'the page /page' });
    socket.write(maskedHello);
    expect(await read(socket, hello.length)).toEqual(hello);
  });
});

describe('the answer of a WebSocketServer to an extended CONNECT', () => {
  it.each<{
    what: string;
    headers: Record<string, string | undefined>;
    options?: object;
    status: number;
    body: string;
    more?: Record<string, string>;
  }>([
    {
      what: 'no version',
      headers: { 'sec-websocket-version': undefined },
      status: 400,
      body: 'Missing or invalid Sec-WebSocket-Version header',
      more: { 'sec-websocket-version': '13, 8' },
    },
    {
      what: 'an unknown version',
      headers: { 'sec-websocket-version': '14' },
      status: 400,
      body: 'Missing or invalid Sec-WebSocket-Version header',
    },
    {
      what: 'a subprotocol that comes twice',
      headers: { 'sec-websocket-protocol': 'a, a' },
      status: 400,
      body: 'Invalid Sec-WebSocket-Protocol header',
    },
    {
      what: 'extensions that break the grammar',
      headers: { 'sec-websocket-extensions': 'permessage-deflate; =' },
      options: { perMessageDeflate: true },
      status: 400,
      body: 'Invalid or unacceptable Sec-WebSocket-Extensions header',
    },
    {
      what: 'another path',
      headers: { ':path': '/elsewhere?path=/here' },
      options: { path: '/here' },
      status: 400,
      body: 'Bad Request',
    },
    {
      what: 'a client that verifyClient does not want',
      headers: {},
      options: { verifyClient: () => false },
      status: 401,
      body: 'Unauthorized',
    },
    {
      what: 'a client that verifyClient refuses with a status, a text and headers',
      headers: {},
      options: {
        verifyClient: (_info: unknown, callback: (...values: unknown[]) => void) =>
          setImmediate(callback, false, 403, 'not you', { 'Retry-After': 120, Connection: 'close' }),
      },
      status: 403,
      body: 'not you',
      more: { 'retry-after': '120' },
    },
  ])('is $status for $what', async ({ headers, options, status, body, more = {} }) => {
    const { connect } = await serve(options);
    const session = await connect();
    const answer = await answerTo(ask(session, headers));
    expect(answer).toMatchObject({ headers: { ':status': status, ...more }, body, rstCode: 0 });
    expect(answer.headers.connection).toBeUndefined();
    // The session lives on.
    const page = ask(session, { ':method': 'GET', ':protocol': undefined });
    page.end();
    expect(await answerTo(page)).toMatchObject({ headers: { ':status': 200 } });
  });

  it('is 400 for a stream that ends with its request', async () => {
    const { connect, wss } = await serve();
    const connections: unknown[] = [];
    wss.on('connection', (socket) => connections.push(socket));
    expect(await answerTo(ask(await connect(), {}, true))).toMatchObject({ headers: { ':status': 400 } });
    expect(connections).toEqual([]);
  });

  it('is 503 when the server is closed and the request handed to it by hand', async () => {
    const http = makeHttp2Server('secure');
    http.updateSettings({ enableConnectProtocol: true });
    const wss = new WebSocketServer({ noServer: true });
    wss.close();
    http.on('request', () => {});
    http.on('connect', (request: Http2ServerRequest) =>
      wss.handleUpgrade(request as never, request.stream, Buffer.alloc(0), () => {}),
    );
    const { connect } = await listen(http);
    expect(await answerTo(ask(await connect()))).toMatchObject({ headers: { ':status': 503 } });
  });

  it('has the subprotocol that handleProtocols chooses, from the offer and the request', async () => {
    const { connect, wss } = await serve({
      handleProtocols: (offered: Set<string>, request: IncomingMessage) =>
        `${request.url}` === '/b' && offered.has('b') ? 'b' : false,
    });
    const connected = once(wss, 'connection') as Promise<[WebSocket]>;
    const stream = ask(await connect(), { ':path': '/b', 'sec-websocket-protocol': 'a, b' });
    const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
    expect(headers['sec-websocket-protocol']).toBe('b');
    expect((await connected)[0].protocol).toBe('b');
  });

  it('agrees on compression', async () => {
    const { connect, wss } = await serve({ perMessageDeflate: { clientMaxWindowBits: 9 } });
    const connected = once(wss, 'connection') as Promise<[WebSocket]>;
    const stream = ask(await connect(), {
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    });
    const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
    expect(headers['sec-websocket-extensions']).toBe('permessage-deflate; client_max_window_bits=9');
    expect((await connected)[0].extensions).toBe('permessage-deflate');
  });

  it('has what listeners of headers add, without what HTTP/2 forbids', async () => {
    const { connect, wss } = await serve();
    const seen: string[][] = [];
    wss.on('headers', (lines, request) => {
      seen.push([...lines, request.url ?? '']);
      lines.push('Set-Cookie: a=1', 'set-cookie: b=2', 'X-Served-By:  us ', 'Connection: Upgrade');
    });
    const stream = ask(await connect(), { ':path': '/x', 'sec-websocket-protocol': 'a' });
    const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
    expect(seen).toEqual([['HTTP/2 200 OK', 'Sec-WebSocket-Protocol: a', '/x']]);
    expect(fieldsOf(headers)).toEqual({
      ':status': 200,
      date: expect.any(String),
      'sec-websocket-protocol': 'a',
      'set-cookie': ['a=1', 'b=2'],
      'x-served-by': 'us',
    });
  });

  it('tells verifyClient the origin and that the connection is encrypted', async () => {
    const infos: unknown[] = [];
    const { connect } = await serve({
      verifyClient: ({ origin, secure, req }: { origin: string; secure: boolean; req: IncomingMessage }) => {
        infos.push([origin, secure, req.url]);
        return true;
      },
    });
    const stream = ask(await connect(), { origin: 'https://a.example', ':path': '/v' });
    await once(stream, 'response');
    expect(infos).toEqual([['https://a.example', true, '/v']]);
  });

  it('has the status of the refusal whatever a listener of wsClientError writes', async () => {
    const { connect, wss } = await serve();
    wss.on('wsClientError', (error, socket) =>
      socket.end(`HTTP/1.1 400 Bad Request\r\n\r\n${error.message}`),
    );
    const answer = await answerTo(ask(await connect(), { 'sec-websocket-version': '7' }));
    expect(answer.headers[':status']).toBe(400);
    expect(answer.headers['sec-websocket-version']).toBe('13, 8');
    expect(answer.body).toMatch(/Missing or invalid Sec-WebSocket-Version header$/);
  });

  it('is not given to a client that has gone while verifyClient thought', async () => {
    const decisions: ((result: boolean) => void)[] = [];
    const scene = await serve({
      verifyClient: (_info: unknown, callback: (result: boolean) => void) => {
        decisions.push(callback);
        scene.http.emit('asked');
      },
    });
    const connections: unknown[] = [];
    scene.wss.on('connection', (socket) => connections.push(socket));
    const session = await scene.connect();
    const first = once(scene.http, 'asked');
    const stream = ask(session);
    await first;
    stream.close(CANCEL);
    const second = once(scene.http, 'asked');
    const other = ask(session);
    await second;
    for (const decision of decisions) decision(true);
    await once(other, 'response');
    expect(connections).toHaveLength(1);
  });
});

describe('beside a WebSocketServer on a server of node:http2', () => {
  it('HTTP/1.1 goes on: pages and upgrades on the same port', async () => {
    const scene = await serve();
    echo(scene.wss);
    const session = await scene.connect();
    const overHttp2 = ask(session);
    await once(overHttp2, 'response');
    const connected = once(scene.wss, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const client = new WebSocket(scene.url, { ca: authority.cert });
    const [[, request]] = await Promise.all([connected, once(client, 'open')]);
    expect([request.method, request.httpVersion]).toEqual(['GET', '1.1']);
    expect(scene.wss.clients.size).toBe(2);
    client.send('over HTTP/1.1');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('over HTTP/1.1');
    overHttp2.write(maskedHello);
    expect(await read(overHttp2, hello.length)).toEqual(hello);
    const closed = once(client, 'close');
    client.close();
    await closed;
  });

  it.each([
    { what: 'a plain CONNECT', headers: { ':protocol': undefined, ':path': undefined, ':authority': 'a:1' } },
    { what: 'a CONNECT for another protocol', headers: { ':protocol': 'webtransport' } },
  ])('$what is answered with 405, as Node does', async ({ headers }) => {
    const { connect } = await serve();
    const session = await connect();
    const all: Record<string, unknown> = { ...handshake, ...headers };
    for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
    const stream = session.request(all as never, { endStream: false });
    expect(await answerTo(stream, 'both')).toMatchObject({ headers: { ':status': 405 } });
  });

  it('a CONNECT for another protocol goes to who listens for it', async () => {
    const { connect, http } = await serve();
    http.on('connect', (request: Http2ServerRequest) => {
      if (request.headers[':protocol'] !== 'connect-udp') return;
      request.stream.respond({ ':status': 200 });
      request.stream.end('theirs');
    });
    const answer = await answerTo(ask(await connect(), { ':protocol': 'connect-udp' }));
    expect(answer).toMatchObject({ headers: { ':status': 200 }, body: 'theirs' });
  });

  it('a CONNECT of HTTP/1.1 ends, as Node does it', async () => {
    const { port } = await serve();
    const request = http1Request({
      method: 'CONNECT',
      path: 'a.example:1',
      createConnection: () => connectTls({ port, host: '127.0.0.1', ca: authority.cert }),
    });
    request.end();
    const [error] = (await once(request, 'error')) as [Error & { code?: string }];
    expect(error.code).toBe('ECONNRESET');
  });

  it('another WebSocketServer may take what the first has not answered', async () => {
    const scene = await serve({ verifyClient: (_info: unknown, _callback: unknown) => {} });
    const second = new WebSocketServer({ server: scene.http, path: '/second' });
    second.on('connection', (socket) => socket.send('from the second'));
    const stream = ask(await scene.connect(), { ':path': '/second' });
    expect((await read(stream, 17)).subarray(2).toString()).toBe('from the second');
  });

  it('nothing is taken any more when it is closed', async () => {
    const { connect, wss } = await serve();
    const session = await connect();
    const closed = once(wss, 'close');
    wss.close();
    await closed;
    expect(await answerTo(ask(session), 'both')).toMatchObject({ headers: { ':status': 405 } });
  });

  it('programs that use streams only keep using them', async () => {
    const http = makeHttp2Server('cleartext');
    http.on('stream', (stream, headers) => {
      if (headers[':method'] === 'CONNECT') return;
      stream.respond({ ':status': 200 });
      stream.end('a stream');
    });
    const wss = new WebSocketServer({ server: http });
    echo(wss);
    const connected = once(wss, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const session = await (await listen(http)).connect();
    const page = ask(session, { ':method': 'GET', ':protocol': undefined });
    page.end();
    expect(await answerTo(page)).toMatchObject({ body: 'a stream' });
    const stream = ask(session, { ':path': '/x', cookie: 'a=b' });
    stream.write(maskedHello);
    expect(await read(stream, hello.length)).toEqual(hello);
    const [, request] = await connected;
    expect([request.method, request.url, request.httpVersion]).toEqual(['CONNECT', '/x', '2.0']);
    expect(request.headers.cookie).toBe('a=b');
    expect(request.socket.remoteAddress).toBe('127.0.0.1');
  });

  it('programs route by hand what they want, and are told when they pass the wrong socket', async () => {
    const http = makeHttp2Server('cleartext');
    http.updateSettings({ enableConnectProtocol: true });
    http.on('request', () => {});
    const wss = new WebSocketServer({ noServer: true });
    const thrown: unknown[] = [];
    http.on('connect', (request: Http2ServerRequest) => {
      const done = (socket: WebSocket): void => {
        socket.send('routed');
      };
      try {
        wss.handleUpgrade(request as never, request.socket as never, Buffer.alloc(0), done);
      } catch (error) {
        thrown.push(error);
      }
      wss.handleUpgrade(request as never, request.stream, Buffer.alloc(0), done);
    });
    const stream = ask(await (await listen(http)).connect());
    expect((await read(stream, 8)).subarray(2).toString()).toBe('routed');
    expect(thrown).toMatchObject([{ name: 'UsageError', code: 'WS_NOT_A_STREAM' }]);
  });
});
