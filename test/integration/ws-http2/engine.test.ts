/** The event layer on a server of node:http2: polling, WebSocket and the upgrade as streams of one session. */
import { once } from 'node:events';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Server, type Socket } from '../../../src/entry/index.ts';
import { WebSocket } from '../../../src/entry/ws.ts';
import {
  type Answer,
  type AnswerHeaders,
  answerTo,
  ask,
  closing,
  type Kind,
  kinds,
  type Listening,
  listen,
  makeHttp2Server,
} from './scene.ts';

const PATH = '/socket.io/?EIO=4&transport=';
const CANCEL = 8;

interface Scene extends Listening {
  readonly io: Server;
}

async function serve(options: object = {}, kind: Kind = 'secure'): Promise<Scene> {
  const http = makeHttp2Server(kind);
  http.on('request', (_request, response) => response.end('the application'));
  const io = new Server(http, options);
  onTestFinished(() => void io.engine.close());
  return { ...(await listen(http)), io };
}

/** An ordinary request. */
function fetchBy(
  session: ClientHttp2Session,
  path: string,
  { body, ...headers }: OutgoingHttpHeaders & { body?: string } = {},
): Promise<Answer> {
  const method = body === undefined ? 'GET' : 'POST';
  const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false });
  stream.end(body);
  return answerTo(stream);
}

/** Text messages of a WebSocket, one after the other. */
async function* texts(socket: WebSocket): AsyncGenerator<string> {
  const waiting: string[] = [];
  let wake = (): void => {};
  socket.on('message', (data) => {
    waiting.push(data.toString());
    wake();
  });
  for (;;) {
    while (waiting.length > 0) yield waiting.shift()!;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

async function next(messages: AsyncGenerator<string>): Promise<string> {
  return (await messages.next()).value as string;
}

const sidOf = (text: string): string => (JSON.parse(text.slice(1)) as { sid: string }).sid;

describe.each(kinds)('the event layer on a %s server of node:http2', (kind) => {
  it('talks over a WebSocket that is a stream', async () => {
    const { io, connect, url, port } = await serve({}, kind);
    const connected = once(io, 'connection') as Promise<[Socket]>;
    io.on('connection', (socket) =>
      socket.on('add', (a: number, b: number, reply: (sum: number) => void) => reply(a + b)),
    );
    const client = new WebSocket(`${url}${PATH}websocket`, { http2Session: await connect() });
    const messages = texts(client);
    expect(await next(messages)).toMatch(/^0\{"sid":/);
    client.send('40{"token":"x"}');
    expect(await next(messages)).toMatch(/^40\{"sid":/);
    client.send('421["add",1,2]');
    expect(await next(messages)).toBe('431[3]');
    const [socket] = await connected;
    expect(socket.conn.transport.name).toBe('websocket');
    expect(socket.handshake).toMatchObject({
      address: '127.0.0.1',
      secure: kind === 'secure',
      xdomain: false,
      url: `${PATH}websocket`,
      query: { EIO: '4', transport: 'websocket' },
      auth: { token: 'x' },
    });
    expect(socket.handshake.headers[':authority']).toBe(`127.0.0.1:${port}`);
  });

  it('talks by polls that are streams, and changes to a WebSocket of the same session', async () => {
    const { io, connect, url, sessions } = await serve({}, kind);
    io.on('connection', (socket) => socket.on('echo', (...values) => socket.emit('back', ...values)));
    const session = await connect();
    const polling = `${PATH}polling`;
    const opening = await fetchBy(session, polling);
    expect(opening.headers[':status']).toBe(200);
    const sid = sidOf(opening.body);
    const poll = () => fetchBy(session, `${polling}&sid=${sid}`);
    const post = (body: string) => fetchBy(session, `${polling}&sid=${sid}`, { body });
    expect((await post('40')).body).toBe('ok');
    expect((await poll()).body).toMatch(/^40/);
    expect((await post('42["echo","ä","😀"]')).body).toBe('ok');
    expect((await poll()).body).toBe('42["back","ä","😀"]');

    const client = new WebSocket(`${url}${PATH}websocket&sid=${sid}`, { http2Session: session });
    const messages = texts(client);
    await once(client, 'open');
    const held = poll();
    client.send('2probe');
    expect(await next(messages)).toBe('3probe');
    expect((await held).body).toBe('6');
    client.send('5');
    client.send('42["echo","over WebSocket"]');
    expect(await next(messages)).toBe('42["back","over WebSocket"]');
    expect(io.engine.clients[sid]?.transport.name).toBe('websocket');
    expect(sessions).toHaveLength(1);
  });

  it('knows its own pages by :authority, on every transport', async () => {
    const { connect, port, url } = await serve({}, kind);
    const session = await connect();
    const own = { origin: `https://127.0.0.1:${port}` };
    const foreign = { origin: 'https://elsewhere.example' };
    expect((await fetchBy(session, `${PATH}polling`, own)).headers[':status']).toBe(200);
    expect((await fetchBy(session, `${PATH}polling`, foreign)).headers[':status']).toBe(403);
    const refused = await answerTo(ask(session, { ':path': `${PATH}websocket`, ...foreign }));
    expect(refused.headers[':status']).toBe(403);
    expect(refused.body).toContain(`its host is "127.0.0.1:${port}"`);
    const client = new WebSocket(`${url}${PATH}websocket`, { http2Session: session, ...own });
    await once(client, 'open');
  });
});

describe('the event layer on a server of node:http2', () => {
  it.each<{ what: string; path: string; status: number; body: string }>([
    { what: 'an unknown transport', path: `${PATH}smoke`, status: 400, body: 'Transport unknown' },
    {
      what: 'a session that it does not know',
      path: `${PATH}websocket&sid=x`,
      status: 400,
      body: 'Session ID unknown',
    },
    {
      what: 'another protocol',
      path: '/socket.io/?EIO=5&transport=websocket',
      status: 400,
      body: 'Unsupported protocol version',
    },
  ])('refuses $what with $status', async ({ path, status, body }) => {
    const { io, connect } = await serve();
    const refusals: unknown[] = [];
    io.engine.on('connection_error', ({ code, message }) => refusals.push([code, message]));
    const answer = await answerTo(ask(await connect(), { ':path': path }));
    expect(answer).toMatchObject({ headers: { ':status': status }, body, rstCode: 0 });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(refusals).toEqual([[expect.any(Number), body]]);
  });

  it('refuses a handshake that is none', async () => {
    const { connect } = await serve();
    const headers = { ':path': `${PATH}websocket`, 'sec-websocket-version': '1' };
    expect(await answerTo(ask(await connect(), headers))).toMatchObject({ headers: { ':status': 400 } });
  });

  it('asks allowRequest, and tells it the request', async () => {
    const { connect } = await serve({
      allowRequest: (
        request: { headers: Record<string, unknown> },
        callback: (error: string | null, isAllowed: boolean) => void,
      ) => callback('no cookie, no entry', request.headers.cookie !== undefined),
    });
    const session = await connect();
    const answer = await answerTo(ask(session, { ':path': `${PATH}websocket` }));
    expect(answer).toMatchObject({ headers: { ':status': 403 }, body: 'no cookie, no entry' });
    const stream = ask(session, { ':path': `${PATH}websocket`, cookie: 'a=b' });
    const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
    expect(headers[':status']).toBe(200);
  });

  it('lets middlewares add headers to the answer, late ones too, or give the answer themselves', async () => {
    const { io, connect } = await serve();
    io.engine.use((request, response, go) => {
      if (request.headers.cookie === undefined) {
        response.writeHead(401, { 'Content-Type': 'text/plain' });
        response.end('who are you?');
        return;
      }
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      // As libraries for sessions do.
      const { writeHead } = response;
      response.writeHead = ((...values: Parameters<typeof writeHead>) => {
        response.setHeader('X-Late', 'yes');
        return writeHead.apply(response, values);
      }) as typeof writeHead;
      go();
    });
    io.engine.on('headers', (headers) => {
      headers['X-Event'] = 'headers';
    });
    const session = await connect();
    const refused = await answerTo(ask(session, { ':path': `${PATH}websocket` }), 'both');
    expect(refused).toMatchObject({ headers: { ':status': 401 }, body: 'who are you?' });
    const stream = ask(session, { ':path': `${PATH}websocket`, cookie: 'a=b' });
    const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
    expect(headers).toMatchObject({
      ':status': 200,
      'set-cookie': ['a=1', 'b=2'],
      'x-late': 'yes',
      'x-event': 'headers',
    });
  });

  it('leaves other paths to others, and refuses with 404 what nobody takes', async () => {
    const { connect } = await serve({ destroyUpgradeTimeout: 20 });
    const session = await connect();
    expect((await fetchBy(session, '/page')).body).toBe('the application');
    const answer = await answerTo(ask(session, { ':path': '/elsewhere' }));
    expect(answer).toMatchObject({ headers: { ':status': 404 }, body: 'Not Found' });
  });

  it.each([
    { how: 'resets the stream', end: 'reset', reason: 'transport error' },
    { how: 'ends the session', end: 'destroy', reason: 'transport error' },
    { how: 'ends the stream', end: 'end', reason: 'transport close' },
  ] as const)('says so when the client $how', async ({ end, reason }) => {
    const { io, connect } = await serve();
    const connected = once(io, 'connection') as Promise<[Socket]>;
    const session = await connect();
    const stream = ask(session, { ':path': `${PATH}websocket` });
    // `40`, masked with zeros.
    stream.resume().write(Buffer.from('8182000000003430', 'hex'));
    const [socket] = await connected;
    const disconnected = once(socket, 'disconnect');
    if (end === 'reset') stream.close(CANCEL);
    else if (end === 'destroy') session.destroy();
    else stream.end();
    expect((await disconnected)[0]).toBe(reason);
  });

  it('ends by close(): clients are told, sessions with them end, and others are asked to', async () => {
    const { io, connect, url } = await serve();
    const session = await connect();
    const client = new WebSocket(`${url}${PATH}websocket`, { http2Session: session });
    await once(client, 'open');
    const idle = await connect();
    const all = Promise.all([closing(client), once(session, 'close'), once(idle, 'close')]);
    await io.close();
    expect((await all)[0]).toEqual([1005, '']);
  });
});
