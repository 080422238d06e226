import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { HANDSHAKE, type Scene, startEngine } from './scene.ts';

/** The head of the answer to a WebSocket handshake, and what comes with it. */
function handshake(port: number, query: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const client = connect(port, '127.0.0.1');
    let text = '';
    client.on('error', reject);
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (/^HTTP\/1.1 101 [\s\S]*\r\n\r\n/.test(text)) client.destroy();
    });
    client.on('close', () => resolve(text));
    client.write(
      `GET /engine.io/?${query} HTTP/1.1\r\nHost: me.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n${lines.join('')}\r\n`,
    );
  });
}

/** The head of an answer; the rest is not waited for, since an event stream has no end. */
function head(port: number, method: string, path: string, headers: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, method, path, headers: { ...headers }, agent: false });
    asking.on('response', (response) => {
      response.on('error', () => {});
      response.destroy();
      resolve(response);
    });
    asking.on('error', reject);
    asking.end();
  });
}

const host = { Host: 'me.example' };
const byPolling = ({ ask }: Scene, headers: Record<string, string>) =>
  ask(HANDSHAKE, { headers: { ...host, ...headers } });
const byWebSocket = ({ port }: Scene, headers: Record<string, string>) =>
  handshake(port, 'EIO=4&transport=websocket', headers);

/** Options, headers, and whether they are let in. */
const cases: [string, ServerOptions, Record<string, string>, boolean][] = [
  ['no origin', {}, {}, true],
  ['the own origin', {}, { Origin: 'http://me.example' }, true],
  ['the own origin behind TLS', {}, { Origin: 'https://me.example' }, true],
  [
    'what the browser calls the same origin',
    {},
    { Origin: 'http://x', 'Sec-Fetch-Site': 'same-origin' },
    true,
  ],
  ['another origin', {}, { Origin: 'http://evil.example' }, false],
  ['another port', {}, { Origin: 'http://me.example:81' }, false],
  ['a sandboxed page', {}, { Origin: 'null' }, false],
  ['another origin of the same site', {}, { Origin: 'http://x', 'Sec-Fetch-Site': 'same-site' }, false],
  ['an origin that is named', { cors: { origin: 'http://a.example' } }, { Origin: 'http://a.example' }, true],
  ['one that is not named', { cors: { origin: 'http://a.example' } }, { Origin: 'http://b.example' }, false],
  [
    'the own origin beside named ones',
    { cors: { origin: 'http://a.example' } },
    { Origin: 'http://me.example' },
    true,
  ],
  [
    'an origin in a list',
    { cors: { origin: ['http://x', /\.a\.example$/] } },
    { Origin: 'http://b.a.example' },
    true,
  ],
  ['one that is not in the list', { cors: { origin: ['http://x'] } }, { Origin: 'http://y' }, false],
  ['any, by star', { cors: { origin: '*' } }, { Origin: 'http://y' }, true],
  ['a sandboxed page, by star', { cors: { origin: '*' } }, { Origin: 'null' }, true],
  ['any, by true', { cors: { origin: true } }, { Origin: 'http://y' }, true],
  ['any, by the option alone', { cors: {} }, { Origin: 'http://y' }, true],
  ['none, by false', { cors: { origin: false } }, { Origin: 'http://y' }, false],
  [
    'one that a function allows',
    { cors: { origin: (origin, cb) => cb(null, origin === 'http://y') } },
    { Origin: 'http://y' },
    true,
  ],
  [
    'one that a function refuses',
    { cors: { origin: (_origin, cb) => cb(null, false) } },
    { Origin: 'http://y' },
    false,
  ],
  [
    'one for which a delegate chooses',
    { cors: (_req, cb) => cb(null, { origin: 'http://y' }) },
    { Origin: 'http://y' },
    true,
  ],
];

describe('the origin of a page', () => {
  it.each(cases)('%s: over polling', async (_what, options, headers, isIn) => {
    const scene = await startEngine(options);
    const { status, body } = await byPolling(scene, headers);
    expect(status).toBe(isIn ? 200 : 403);
    expect(scene.engine.clientsCount).toBe(isIn ? 1 : 0);
    if (isIn) return;
    const { code, message } = JSON.parse(body);
    expect(code).toBe(4);
    expect(message).toContain(JSON.stringify(headers.Origin));
    expect(message).toContain('cors.origin');
    expect(scene.refusals[0]).toMatchObject({
      code: 4,
      message: 'Forbidden',
      context: { name: 'ORIGIN_NOT_ALLOWED', origin: headers.Origin, host: 'me.example' },
    });
  });

  it.each(cases)('%s: over WebSocket', async (_what, options, headers, isIn) => {
    const scene = await startEngine(options);
    const text = await byWebSocket(scene, headers);
    expect(text.split('\r\n', 1)[0]).toBe(
      isIn ? 'HTTP/1.1 101 Switching Protocols' : 'HTTP/1.1 403 Forbidden',
    );
    if (isIn) return;
    expect(text).toContain('cors.origin');
    expect(scene.refusals[0]).toMatchObject({ code: 4, context: { name: 'ORIGIN_NOT_ALLOWED' } });
  });

  it.each(cases)('%s: over event streams and short polling', async (_what, options, headers, isIn) => {
    const { engine, port, refusals } = await startEngine(options);
    for (const transport of ['sse', 'short-polling']) {
      const path = `/engine.io/?EIO=4&tautline=1&transport=${transport}`;
      expect((await head(port, 'GET', path, { ...host, ...headers })).statusCode).toBe(isIn ? 200 : 403);
    }
    expect(refusals.map(({ context }) => context.name)).toEqual(
      isIn ? [] : ['ORIGIN_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED'],
    );
    // Who was let in has gone again; who was not, never began.
    if (!isIn) expect(engine.clientsCount).toBe(0);
  });

  /** A browser asks before requests with headers of the program's, of foreign servers only. */
  const foreign = cases.filter(([what]) => !/^(no origin|the own|what the browser)/.test(what));
  it.each(foreign)('%s: in preflights of all transports over HTTP', async (_what, options, headers, isIn) => {
    const { port } = await startEngine(options);
    for (const transport of ['polling', 'sse', 'short-polling']) {
      const path = `/engine.io/?EIO=4&tautline=1&transport=${transport}`;
      const asks = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'x-token' };
      const answer = await head(port, 'OPTIONS', path, { ...host, ...headers, ...asks });
      const allowed = answer.headers['access-control-allow-origin'];
      expect(allowed === '*' || allowed === headers.Origin).toBe(isIn);
    }
  });

  it('is looked at in later requests of a session too', async () => {
    const { begin } = await startEngine();
    const { post, poll, socket } = await begin();
    const headers = { Origin: 'http://evil.example' };
    expect((await post('4x', { headers })).status).toBe(403);
    expect((await poll({ headers })).status).toBe(403);
    expect(socket.readyState).toBe('open');
  });

  it('for which the program fails is refused as a bad request', async () => {
    const scene = await startEngine({ cors: { origin: (_origin, cb) => cb(new Error('no database')) } });
    expect((await byPolling(scene, {})).status).toBe(400);
    expect(await byWebSocket(scene, {})).toMatch(/^HTTP\/1.1 400 /);
    expect(scene.refusals.map(({ context }) => context.name)).toEqual([
      'MIDDLEWARE_FAILURE',
      'MIDDLEWARE_FAILURE',
    ]);
  });
});

describe('CORS headers', () => {
  const full = {
    origin: [/a\.example$/],
    methods: ['GET', 'POST'],
    allowedHeaders: ['X-A', 'X-B'],
    exposedHeaders: 'X-C',
    credentials: true,
    maxAge: 5,
    optionsSuccessStatus: 200,
  };
  const a = 'http://a.example';

  it.each<[string, ServerOptions['cors'], Record<string, string | undefined>]>([
    ['star', { origin: '*' }, { 'access-control-allow-origin': '*', vary: undefined }],
    ['a name', { origin: a }, { 'access-control-allow-origin': a, vary: 'Origin' }],
    ['a list', { origin: [a] }, { 'access-control-allow-origin': a, vary: 'Origin' }],
    [
      'true',
      { origin: true, credentials: true },
      { 'access-control-allow-origin': a, 'access-control-allow-credentials': 'true' },
    ],
    [
      'everything',
      full,
      {
        'access-control-allow-origin': a,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'X-C',
      },
    ],
  ])('follow the option: %s', async (_what, cors, expected) => {
    const scene = await startEngine({ cors });
    const { headers } = await byPolling(scene, { Origin: a });
    for (const [name, value] of Object.entries(expected)) expect(headers[name]).toBe(value);
    const text = (await byWebSocket(scene, { Origin: a })).toLowerCase();
    for (const [name, value] of Object.entries(expected)) {
      if (value !== undefined) expect(text).toContain(`${name}: ${value.toLowerCase()}\r\n`);
    }
  });

  it('are on every answer of a session, refusals included', async () => {
    const { begin, ask } = await startEngine({ cors: { origin: a } });
    const { post } = await begin();
    const headers = { Origin: a };
    for (const answer of [
      await post('4x', { headers }),
      await post('bad', { headers }),
      await ask('/engine.io/', { headers }),
    ]) {
      expect(answer.headers['access-control-allow-origin']).toBe(a);
    }
  });

  it('answer a preflight', async () => {
    const { ask, engine, refusals } = await startEngine({ cors: { origin: a } });
    const { status, headers, body } = await ask(HANDSHAKE, {
      method: 'OPTIONS',
      headers: {
        Origin: a,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type, x-y',
      },
    });
    expect([status, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': a,
      'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE',
      'access-control-allow-headers': 'content-type, x-y',
      vary: 'Origin, Access-Control-Request-Headers',
    });
    expect(engine.clientsCount).toBe(0);
    expect(refusals).toEqual([]);
  });

  it('answer a preflight with what the option names', async () => {
    const { ask } = await startEngine({ cors: full });
    const { status, headers } = await ask(HANDSHAKE, { method: 'OPTIONS', headers: { Origin: a } });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'X-A,X-B',
      'access-control-max-age': '5',
      'access-control-allow-credentials': 'true',
    });
  });

  it('name no origin in the preflight of one that is not allowed', async () => {
    const { ask } = await startEngine({ cors: { origin: [a] } });
    const { status, headers } = await ask(HANDSHAKE, {
      method: 'OPTIONS',
      headers: { Origin: 'http://evil' },
    });
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('are absent without the option', async () => {
    const scene = await startEngine();
    const { headers } = await byPolling(scene, { Origin: 'http://me.example' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
