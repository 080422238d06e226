import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Socket } from '../../../src/engine/server/session.ts';
import { closing, next, type Scene, startEngine } from './scene.ts';

const QUERY = 'EIO=4&transport=websocket';

/** A WebSocket of the package `ws`, and what it has received. */
class Client {
  readonly ws: WebSocket;
  readonly received: (string | Buffer)[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(port: number, query = QUERY, options: object = {}) {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/engine.io/?${query}`, options);
    this.ws.on('message', (data: Buffer, isBinary: boolean) => {
      this.received.push(isBinary ? data : data.toString());
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.ws.on('error', () => {});
    onTestFinished(() => this.ws.terminate());
  }

  /** Resolves once `count` messages have come. */
  async until(count: number): Promise<(string | Buffer)[]> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.received;
  }
}

async function begin(scene: Scene, options?: object): Promise<{ client: Client; socket: Socket }> {
  const connected = next(scene.engine, 'connection');
  const client = new Client(scene.port, QUERY, options);
  const socket = (await connected)[0] as Socket;
  await client.until(1);
  return { client, socket };
}

const textFrame = (text: string): Buffer => {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
};

describe('a session over WebSocket', () => {
  it('begins with the open packet, and offers no upgrade', async () => {
    const scene = await startEngine();
    const { client, socket } = await begin(scene);
    const text = client.received[0] as string;
    expect(text.charAt(0)).toBe('0');
    expect(JSON.parse(text.slice(1))).toEqual({
      sid: socket.id,
      upgrades: [],
      pingInterval: 25000,
      pingTimeout: 20000,
      maxPayload: 1000000,
    });
    expect(socket).toMatchObject({ readyState: 'open', remoteAddress: '127.0.0.1', upgraded: false });
    expect(socket.transport).toMatchObject({ name: 'websocket', sid: socket.id, writable: true });
  });

  it('carries text and bytes both ways, in order', async () => {
    const { client, socket } = await begin(await startEngine());
    const messages: unknown[] = [];
    const last = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        messages.push(data);
        if (data === 'last') resolve();
      }),
    );
    const large = Buffer.alloc(100_000, 7);
    client.ws.send('4hello €');
    client.ws.send(Buffer.from([1, 2, 3]));
    client.ws.send(large);
    client.ws.send('bAQID');
    client.ws.send('4');
    client.ws.send('4last');
    await last;
    expect(messages).toEqual(['hello €', Buffer.from([1, 2, 3]), large, Buffer.from([1, 2, 3]), '', 'last']);
    socket.send('é');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(large);
    socket.send('last');
    expect((await client.until(5)).slice(1)).toEqual(['4é', Buffer.from([1, 2, 3]), large, '4last']);
  });

  it('keeps binary messages apart from each other, however they share a chunk', async () => {
    const { client, socket } = await begin(await startEngine());
    const kept: Buffer[] = [];
    const all = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        if (kept.push(data as Buffer) === 200) resolve();
      }),
    );
    for (let i = 0; i < 200; i++) client.ws.send(Buffer.alloc(20, i));
    await all;
    expect(kept.map((data) => data.equals(Buffer.alloc(20, kept.indexOf(data))))).toEqual(
      kept.map(() => true),
    );
  });

  it('takes what comes together with the handshake', async () => {
    const { engine, port } = await startEngine();
    const message = new Promise<unknown[]>((resolve) => {
      engine.on('connection', (socket) => resolve(next(socket, 'message')));
    });
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    const head =
      `GET /engine.io/?${QUERY} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n';
    client.write(Buffer.concat([Buffer.from(head), textFrame('4early'), textFrame('4bird')]));
    expect(await message).toEqual(['early']);
  });

  it('is pinged, and lives on while it answers', async () => {
    const scene = await startEngine({ pingInterval: 50, pingTimeout: 5000 });
    const { client, socket } = await begin(scene);
    for (let i = 2; i < 5; i++) {
      const heartbeat = next(socket, 'heartbeat');
      expect((await client.until(i)).at(-1)).toBe('2');
      client.ws.send('3');
      await heartbeat;
    }
    expect(socket.readyState).toBe('open');
  });

  it('ends with ping timeout when the pong does not come', async () => {
    const scene = await startEngine({ pingInterval: 30, pingTimeout: 400 });
    const { client, socket } = await begin(scene);
    const closed = closing(socket);
    const [code] = await once(client.ws, 'close');
    expect(code).toBe(1005);
    expect(await closed).toEqual(['ping timeout', undefined]);
    expect(scene.engine.clientsCount).toBe(0);
  });

  it('calls back once a message has left', async () => {
    const { client, socket } = await begin(await startEngine());
    const log: string[] = [];
    socket.on('drain', () => log.push('drain'));
    socket.send('a', { compress: false }, ({ name }) => log.push(`sent a by ${name}`));
    await new Promise<void>((resolve) => socket.send('b', () => resolve()));
    expect(log).toEqual(['drain', 'sent a by websocket']);
    await client.until(3);
  });

  it('holds back when the client does not read, and delivers everything in order when it does', async () => {
    const { client, socket } = await begin(await startEngine());
    client.ws.pause();
    const text = 'x'.repeat(100_000);
    let sent = 0;
    while (socket.isWritable || sent < 60) socket.send(`${sent++} ${text}`);
    expect(socket.writeBuffer.length).toBeGreaterThan(0);
    const drained = next(socket, 'drain');
    client.ws.resume();
    const messages = (await client.until(sent + 1)).slice(1) as string[];
    expect(messages.map((message) => Number.parseInt(message.slice(1), 10))).toEqual([...Array(sent).keys()]);
    await drained;
    expect(socket.writeBuffer).toHaveLength(0);
  });

  it('compresses where both sides want it', async () => {
    const scene = await startEngine({ perMessageDeflate: { threshold: 100 } });
    const { client, socket } = await begin(scene);
    expect(client.ws.extensions).toContain('permessage-deflate');
    const text = 'a'.repeat(10_000);
    socket.send(text);
    socket.send(text, { compress: false });
    expect((await client.until(3)).slice(1)).toEqual([`4${text}`, `4${text}`]);
    const message = next(socket, 'message');
    client.ws.send(`4${text}`);
    expect(await message).toEqual([text]);
  });
});

describe('the end of a session over WebSocket', () => {
  it.each<[string, (ws: WebSocket) => void]>([
    ['a close frame', (ws) => ws.close()],
    ['a close frame with a code', (ws) => ws.close(4000, 'bye')],
    ['a close packet', (ws) => ws.send('1')],
    ['the end of the stream', (ws) => ws.terminate()],
  ])('by the client is %s: transport close', async (_how, end) => {
    const scene = await startEngine();
    const { client, socket } = await begin(scene);
    const closed = closing(socket);
    end(client.ws);
    expect((await closed)[0]).toBe('transport close');
    expect(socket.readyState).toBe('closed');
    expect(scene.engine.clientsCount).toBe(0);
  });

  it.each([false, true])(
    'by the server (discard: %s) is a close frame, after what was sent',
    async (discard) => {
      const { client, socket } = await begin(await startEngine());
      const closed = closing(socket);
      socket.send('last');
      socket.close(discard);
      socket.send('too late');
      expect((await closed)[0]).toBe('forced close');
      const [code] = await once(client.ws, 'close');
      expect(code).toBe(1005);
      expect(client.received.slice(1)).toEqual(['4last']);
    },
  );

  it('waits for a slow client to take what was sent', async () => {
    const { client, socket } = await begin(await startEngine());
    client.ws.pause();
    let sent = 0;
    while (socket.isWritable || sent < 60) socket.send(`${sent++} ${'x'.repeat(100_000)}`);
    const closed = closing(socket);
    socket.close();
    expect(socket.readyState).toBe('closing');
    client.ws.resume();
    await once(client.ws, 'close');
    expect(client.received).toHaveLength(sent + 1);
    expect((await closed)[0]).toBe('forced close');
  });

  it('comes to all when the engine is closed', async () => {
    const scene = await startEngine();
    const one = await begin(scene);
    const two = await begin(scene);
    const both = Promise.all([once(one.client.ws, 'close'), once(two.client.ws, 'close')]);
    scene.engine.close();
    await both;
    expect(scene.engine.clientsCount).toBe(0);
  });
});

describe('what a WebSocket client must not do', () => {
  it.each([
    ['x', 'ENGINE_ERR_UNKNOWN_PACKET_TYPE'],
    ['', 'ENGINE_ERR_UNKNOWN_PACKET_TYPE'],
    ['7', 'ENGINE_ERR_UNKNOWN_PACKET_TYPE'],
    ['b!', 'ENGINE_ERR_INVALID_BASE64'],
  ])('the text %j ends the session with parse error, and 1007 says why', async (text, code) => {
    const scene = await startEngine();
    const other = await begin(scene);
    const { client, socket } = await begin(scene);
    const closed = closing(socket);
    client.ws.send(text);
    client.ws.send('4too late');
    const [closeCode, reason] = await once(client.ws, 'close');
    expect(closeCode).toBe(1007);
    expect(String(reason)).toMatch(/packet/);
    const [why, description] = await closed;
    expect(why).toBe('parse error');
    expect(description).toMatchObject({ code });
    expect(other.socket.readyState).toBe('open');
  });

  it('a ping ends the session', async () => {
    const { client, socket } = await begin(await startEngine());
    const closed = closing(socket);
    client.ws.send('2');
    expect((await closed)[0]).toBe('transport error');
  });

  it.each(['0{}', '5', '6', '3', '3probe'])(
    'the packet %j, which means nothing here, is passed over',
    async (text) => {
      const { client, socket } = await begin(await startEngine());
      const message = next(socket, 'message');
      client.ws.send(text);
      client.ws.send('4on');
      expect(await message).toEqual(['on']);
    },
  );

  it('a message above the limit ends the session, and the error names the limit', async () => {
    const scene = await startEngine({ maxHttpBufferSize: 1000 });
    const { client, socket } = await begin(scene);
    const messages: unknown[] = [];
    socket.on('message', (data) => messages.push(data));
    client.ws.send('4'.repeat(1000));
    const closed = closing(socket);
    client.ws.send('4'.repeat(1001));
    const [code] = await once(client.ws, 'close');
    expect(code).toBe(1009);
    const [why, description] = await closed;
    expect(why).toBe('transport error');
    expect((description as { limit?: { value: number } }).limit?.value).toBe(1000);
    expect(messages).toEqual(['4'.repeat(999)]);
  });

  it('a broken frame ends the session with transport error', async () => {
    const scene = await startEngine();
    const { client, socket } = await begin(scene);
    const closed = closing(socket);
    const raw = (client.ws as unknown as { _socket: NodeJS.WritableStream })._socket;
    raw.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
    const [why, description] = await closed;
    expect(why).toBe('transport error');
    expect(description).toBeInstanceOf(Error);
  });
});

/** The text of the answer to a request on a bare socket. */
async function answerTo(port: number, text: string): Promise<string> {
  const client = connect(port, '127.0.0.1');
  let answer = '';
  client.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  client.write(text);
  await once(client, 'close');
  return answer;
}

const W =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n';

describe('a WebSocket handshake', () => {
  it.each<[string, string, string, string, number, string]>([
    ['of protocol 3', 'GET', 'EIO=3&transport=websocket', W, 5, 'Unsupported protocol version'],
    ['of an unknown transport', 'GET', 'EIO=4&transport=foo', W, 0, 'Transport unknown'],
    ['of a transport named __proto__', 'GET', 'EIO=4&transport=__proto__', W, 0, 'Transport unknown'],
    ['of an unknown session', 'GET', `${QUERY}&sid=abc`, W, 1, 'Session ID unknown'],
    ['by POST', 'POST', QUERY, W, 2, 'Bad handshake method'],
    ['for polling', 'GET', 'EIO=4&transport=polling', W, 3, 'transport=websocket'],
    ['without a key', 'GET', QUERY, W.replace(/Sec-WebSocket-Key.*\r\n/, ''), 3, 'Sec-WebSocket-Key'],
    ['of a wrong version', 'GET', QUERY, W.replace('13', '9'), 3, 'Sec-WebSocket-Version'],
    ['of another protocol', 'GET', QUERY, 'Connection: Upgrade\r\nUpgrade: foo\r\n', 3, 'Upgrade'],
  ])('%s is refused with 400', async (_what, method, query, headers, code, message) => {
    const { port, refusals, engine } = await startEngine();
    const answer = await answerTo(
      port,
      `${method} /engine.io/?${query} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toContain(message);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]!.code).toBe(code);
    expect(engine.clientsCount).toBe(0);
  });

  it('is refused by allowRequest with 403 and what it says', async () => {
    const { port, refusals } = await startEngine({
      allowRequest: (_req, callback) => callback('no way', false),
    });
    const answer = await answerTo(port, `GET /engine.io/?${QUERY} HTTP/1.1\r\nHost: a\r\n${W}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[\s\S]*no way$/);
    expect(refusals[0]).toMatchObject({ code: 4, context: { message: 'no way' } });
  });

  it('whose client goes away while the program decides harms nobody', async () => {
    let ask: (answer: () => void) => void = () => {};
    const asked = new Promise<() => void>((resolve) => {
      ask = resolve;
    });
    const scene = await startEngine({ allowRequest: (_req, callback) => ask(() => callback(null, true)) });
    const closed = new Promise<string>((resolve) => {
      scene.engine.on('connection', (socket) => socket.on('close', resolve));
    });
    const client = connect(scene.port, '127.0.0.1');
    client.write(`GET /engine.io/?${QUERY} HTTP/1.1\r\nHost: a\r\n${W}\r\n`);
    const answer = await asked;
    client.resetAndDestroy();
    await once(client, 'close');
    answer();
    expect(await closed).toMatch(/^transport (close|error)$/);
    expect(scene.engine.clientsCount).toBe(0);
  });

  it('for another path is ended after a while when nobody takes it', async () => {
    const { port } = await startEngine({}, { destroyUpgradeTimeout: 20 });
    expect(await answerTo(port, `GET /other HTTP/1.1\r\nHost: a\r\n${W}\r\n`)).toBe('');
  });

  it('for another path is left alone when somebody takes it', async () => {
    const { port, http } = await startEngine({}, { destroyUpgradeTimeout: 20 });
    http.on('upgrade', (_req, socket) => {
      socket.write('mine');
      setTimeout(() => socket.end(' still'), 60);
    });
    expect(await answerTo(port, `GET /other HTTP/1.1\r\nHost: a\r\n${W}\r\n`)).toBe('mine still');
  });

  it('runs through the middlewares, whose headers are on the 101', async () => {
    const scene = await startEngine();
    scene.engine.use((req, res, next) => {
      res.setHeader('X-Mine', String(req.url?.startsWith('/engine.io/')));
      next();
    });
    scene.engine.on('initial_headers', (headers) => {
      headers['X-First'] = ['1', '2'];
    });
    const client = new Client(scene.port);
    const [response] = await once(client.ws, 'upgrade');
    expect(response.headers).toMatchObject({ 'x-mine': 'true', 'x-first': '1, 2' });
    await client.until(1);
    const socket = Object.values(scene.engine.clients)[0]!;
    socket.send('works');
    expect((await client.until(2))[1]).toBe('4works');
  });

  it('may be answered by a middleware', async () => {
    const { port, engine } = await startEngine();
    engine.use((_req, res) => {
      res.writeHead(401, { 'X-Why': 'token' }).end('who are you');
    });
    const answer = await answerTo(port, `GET /engine.io/?${QUERY} HTTP/1.1\r\nHost: a\r\n${W}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 401 Unauthorized\r\nX-Why: token\r\n[\s\S]*who are you/);
    expect(engine.clientsCount).toBe(0);
  });

  it('is refused when a middleware fails', async () => {
    const { port, engine } = await startEngine();
    engine.use((_req, _res, next) => next(new Error('broken')));
    const answer = await answerTo(port, `GET /engine.io/?${QUERY} HTTP/1.1\r\nHost: a\r\n${W}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*Bad request$/);
  });
});
