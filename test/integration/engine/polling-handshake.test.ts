import { createServer } from 'node:http';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE, next, startEngine } from './scene.ts';

describe('the handshake over polling', () => {
  it('is answered with the open packet', async () => {
    const { ask, engine } = await startEngine();
    const { status, headers, body } = await ask(HANDSHAKE);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-length']).toBe(String(body.length));
    expect(body.charAt(0)).toBe('0');
    const handshake = JSON.parse(body.slice(1));
    expect(handshake).toEqual({
      sid: expect.stringMatching(/^[\w-]{20}$/),
      upgrades: ['websocket'],
      pingInterval: 25000,
      pingTimeout: 20000,
      maxPayload: 1000000,
    });
    expect(engine.clientsCount).toBe(1);
    expect(Object.keys(engine.clients)).toEqual([handshake.sid]);
  });

  it('tells the values of the options', async () => {
    const { ask } = await startEngine({
      pingInterval: 300,
      pingTimeout: 200,
      maxHttpBufferSize: 10,
      allowUpgrades: false,
    });
    const { body } = await ask(HANDSHAKE);
    expect(JSON.parse(body.slice(1))).toMatchObject({
      upgrades: [],
      pingInterval: 300,
      pingTimeout: 200,
      maxPayload: 10,
    });
  });

  it('offers no upgrade to a transport that is off', async () => {
    const { ask } = await startEngine({ transports: ['polling'] });
    expect(JSON.parse((await ask(HANDSHAKE)).body.slice(1)).upgrades).toEqual([]);
  });

  it('carries the initial packet along', async () => {
    const { ask } = await startEngine({ initialPacket: 'welcome' });
    expect((await ask(HANDSHAKE)).body.split('\x1e')[1]).toBe('4welcome');
  });

  it('gives the session that begins to the listeners of connection', async () => {
    const { ask, engine } = await startEngine();
    const connected = next(engine, 'connection');
    const { body } = await ask(`${HANDSHAKE}&name=a%20b&name=c`, { headers: { 'X-Mine': 'yes' } });
    const socket = (await connected)[0] as (typeof engine.clients)[string];
    expect(socket).toMatchObject({
      id: JSON.parse(body.slice(1)).sid,
      readyState: 'open',
      protocol: 4,
      upgraded: false,
      upgrading: false,
      remoteAddress: '127.0.0.1',
      server: engine,
    });
    expect(socket.transport).toMatchObject({ name: 'polling', sid: socket.id });
    expect(socket.request.headers['x-mine']).toBe('yes');
    expect((socket.request as { _query?: unknown })._query).toEqual({
      EIO: '4',
      transport: 'polling',
      name: 'c',
    });
  });

  it.each<[string, string, number, number, string, object]>([
    ['GET', '/engine.io/?EIO=4', 400, 0, 'Transport unknown', { transport: undefined }],
    ['GET', '/engine.io/', 400, 0, 'Transport unknown', { transport: undefined }],
    ['GET', '/engine.io/?EIO=4&transport=tobi', 400, 0, 'Transport unknown', { transport: 'tobi' }],
    ['GET', '/engine.io/?EIO=4&transport=__proto__', 400, 0, 'Transport unknown', { transport: '__proto__' }],
    [
      'GET',
      '/engine.io/?EIO=4&transport=constructor',
      400,
      0,
      'Transport unknown',
      { transport: 'constructor' },
    ],
    ['GET', `${HANDSHAKE}&sid=nope`, 400, 1, 'Session ID unknown', { sid: 'nope' }],
    ['GET', `${HANDSHAKE}&sid=__proto__`, 400, 1, 'Session ID unknown', { sid: '__proto__' }],
    ['GET', `${HANDSHAKE}&sid=`, 400, 1, 'Session ID unknown', { sid: '' }],
    ['POST', HANDSHAKE, 400, 2, 'Bad handshake method', { method: 'POST' }],
    ['OPTIONS', HANDSHAKE, 400, 2, 'Bad handshake method', { method: 'OPTIONS' }],
    [
      'GET',
      '/engine.io/?EIO=4&transport=websocket',
      400,
      3,
      'Bad request',
      { name: 'TRANSPORT_HANDSHAKE_ERROR' },
    ],
    ['GET', '/engine.io/?transport=polling', 400, 5, 'Unsupported protocol version', { protocol: 3 }],
    ['GET', '/engine.io/?EIO=3&transport=polling', 400, 5, 'Unsupported protocol version', { protocol: 3 }],
    ['GET', '/engine.io/?EIO=5&transport=polling', 400, 5, 'Unsupported protocol version', { protocol: 5 }],
  ])('%s %s is refused with %i and code %i', async (method, path, status, code, message, context) => {
    const { ask, engine, refusals } = await startEngine();
    const answer = await ask(path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body)).toEqual({ code, message });
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({ code, message, context });
    expect(refusals[0]!.req.url).toBe(path);
    expect(engine.clientsCount).toBe(0);
  });

  it.each([
    '/engine.io/%%%?EIO=4&transport=polling&x=%ff%zz%',
    '/engine.io/?EIO=4&transport=polling&&&=&a=b=c#x',
  ])('of an odd URL (%s) is no problem', async (path) => {
    const { ask } = await startEngine();
    expect((await ask(path)).status).toBe(200);
  });

  it('is refused by allowRequest with what it says', async () => {
    const { ask, refusals } = await startEngine({
      allowRequest: (req, callback) =>
        callback(req.headers['x-token'] === 'good' ? null : 'no token', req.headers['x-token'] === 'good'),
    });
    const refused = await ask(HANDSHAKE);
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toEqual({ code: 4, message: 'no token' });
    expect(refusals[0]).toMatchObject({ code: 4, message: 'Forbidden', context: { message: 'no token' } });
    expect((await ask(HANDSHAKE, { headers: { 'X-Token': 'good' } })).status).toBe(200);
  });

  it('asks allowRequest once per session, and may wait for it', async () => {
    let asked = 0;
    const { begin } = await startEngine({
      allowRequest: (_req, callback) => {
        asked++;
        setImmediate(() => callback(null, true));
      },
    });
    const { post } = await begin();
    expect((await post('4a')).body).toBe('ok');
    expect(asked).toBe(1);
  });

  it('takes ids from generateId, also when they come later', async () => {
    const { engine, ask } = await startEngine();
    engine.generateId = (req) => Promise.resolve(`id-${req.method}`);
    expect(JSON.parse((await ask(HANDSHAKE)).body.slice(1)).sid).toBe('id-GET');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('out of ids');
      },
    ],
    ['rejects', () => Promise.reject(new Error('out of ids'))],
  ])('is refused when generateId %s', async (_how, generateId) => {
    const { engine, ask, refusals } = await startEngine();
    engine.generateId = generateId;
    const { status, body } = await ask(HANDSHAKE);
    expect([status, JSON.parse(body)]).toEqual([400, { code: 3, message: 'Bad request' }]);
    expect(refusals[0]!.context).toMatchObject({ name: 'ID_GENERATION_ERROR' });
  });

  it('is refused when generateId gives the id of a session', async () => {
    const { engine, ask, refusals } = await startEngine();
    engine.generateId = () => 'same';
    expect((await ask(HANDSHAKE)).status).toBe(200);
    expect((await ask(HANDSHAKE)).status).toBe(400);
    expect(refusals[0]!.context).toMatchObject({ name: 'ID_GENERATION_ERROR' });
    expect(engine.clientsCount).toBe(1);
  });

  it('sets the cookie that the option describes, once', async () => {
    const { begin, ask } = await startEngine({ cookie: { name: 'node', maxAge: 60 } });
    const { headers, body } = await ask(HANDSHAKE);
    const { sid } = JSON.parse(body.slice(1));
    expect(headers['set-cookie']).toEqual([`node=${sid}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax`]);
    const { post } = await begin();
    expect((await post('4a')).headers['set-cookie']).toBeUndefined();
  });

  it('lets listeners add headers: to the first answer, and to all', async () => {
    const { engine, begin, ask } = await startEngine({ cookie: true });
    engine.on('initial_headers', (headers) => {
      (headers['Set-Cookie'] as string[]).push('more=1');
      headers['X-First'] = '1';
    });
    engine.on('headers', (headers, req) => {
      headers['X-Every'] = req.method ?? '';
    });
    const first = await ask(HANDSHAKE);
    expect(first.headers['set-cookie']).toHaveLength(2);
    expect(first.headers).toMatchObject({ 'x-first': '1', 'x-every': 'GET' });
    const { post } = await begin();
    const later = await post('4a');
    expect(later.headers['x-every']).toBe('POST');
    expect(later.headers['x-first']).toBeUndefined();
  });
});

describe('an engine on a server with other listeners', () => {
  it('leaves them their paths', async () => {
    const app = express();
    app.get('/hello', (_req, res) => {
      res.send('hi');
    });
    const { ask } = await startEngine({}, {}, createServer(app));
    expect((await ask('/hello')).body).toBe('hi');
    expect((await ask('/engine.io')).status).toBe(404);
    expect((await ask('/engine.iox/?EIO=4&transport=polling')).status).toBe(404);
    expect((await ask(HANDSHAKE)).status).toBe(200);
  });

  it.each([
    [{ path: '/a/b' }, '/a/b/?EIO=4&transport=polling'],
    [{ path: '/a/b/' }, '/a/b/?EIO=4&transport=polling'],
    [{ path: '/a/b', addTrailingSlash: false }, '/a/b?EIO=4&transport=polling'],
    [{ addTrailingSlash: false }, '/engine.io?EIO=4&transport=polling'],
  ])('answers at the path of %j', async (attach, path) => {
    const { ask } = await startEngine({}, attach);
    expect((await ask(path)).status).toBe(200);
    if ('path' in attach) expect((await ask(HANDSHAKE)).status).toBe(404);
  });

  it('takes requests that an application hands over by itself', async () => {
    const app = express();
    const { engine, port, ask } = await startEngine({}, { path: '/unused' }, createServer(app));
    app.use('/mine', (req, res) => engine.handleRequest(req, res));
    expect((await ask('/mine?EIO=4&transport=polling')).body).toContain('"sid"');
    expect(port).toBeGreaterThan(0);
  });

  it('two engines share it', async () => {
    const http = createServer();
    const one = await startEngine({ pingInterval: 1111 }, { path: '/one' }, http);
    const { Server } = await import('../../../src/engine/server/server.ts');
    const two = new Server({ pingInterval: 2222 });
    two.attach(http, { path: '/two' });
    expect((await one.ask('/one/?EIO=4&transport=polling')).body).toContain('1111');
    expect((await one.ask('/two/?EIO=4&transport=polling')).body).toContain('2222');
  });
});

describe('middlewares', () => {
  it('run in order before the engine, and may set headers', async () => {
    const { engine, ask } = await startEngine();
    const order: number[] = [];
    engine.use((_req, res, next) => {
      order.push(1);
      res.setHeader('X-One', '1');
      next();
    });
    engine.use((_req, _res, next) => {
      order.push(2);
      setImmediate(next);
    });
    const { status, headers } = await ask(HANDSHAKE);
    expect([status, headers['x-one'], order]).toEqual([200, '1', [1, 2]]);
  });

  it('may answer by themselves', async () => {
    const { engine, ask } = await startEngine();
    engine.use((_req, res) => {
      res.writeHead(503).end('later');
    });
    expect(await ask(HANDSHAKE)).toMatchObject({ status: 503, body: 'later' });
    expect(engine.clientsCount).toBe(0);
  });

  it.each<[string, (next: (error?: unknown) => void) => void]>([
    ['passes an error on', (next) => next(new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
  ])('that %s refuses the request', async (_how, run) => {
    const { engine, ask, refusals } = await startEngine();
    engine.use((_req, _res, next) => run(next));
    const { status, body } = await ask(HANDSHAKE);
    expect([status, JSON.parse(body)]).toEqual([400, { code: 3, message: 'Bad request' }]);
    expect(refusals[0]!.context).toMatchObject({ name: 'MIDDLEWARE_FAILURE', error: new Error('broken') });
  });
});
