/**
 * What: a connection that fails says over which transport, at which step, and why.
 */
import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcp,
  type Server as NetServer,
  type Socket as TcpSocket,
} from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { TransportError } from '../../../src/base/transport-error.ts';
import type { ManagerOptions } from '../../../src/client/options.ts';
import { io } from '../../../src/entry/client-node.ts';
import { Socket as EngineSocket } from '../../../src/entry/engine-client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { indexedDbOutbox } from '../../../src/entry/outbox.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { Authority } from '../websocket/certificate.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** Listens, and gives the port. */
async function listen(server: NetServer): Promise<number> {
  const sockets = new Set<TcpSocket>();
  server.on('connection', (socket: TcpSocket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener, onUpgrade?: (socket: TcpSocket) => void): Promise<number> => {
  const server = createHttp(listener);
  if (onUpgrade) server.on('upgrade', (_request, socket) => onUpgrade(socket as TcpSocket));
  return listen(server);
};

async function failure(url: string, transport: string, opts: Partial<ManagerOptions> = {}) {
  const socket = io(url, { transports: [transport], reconnection: false, forceNew: true, ...opts });
  undo.push(() => socket.disconnect());
  const error = await new Promise<TransportError>((resolve) =>
    socket.on('connect_error', (error) => resolve(error as TransportError)),
  );
  expect(socket.connected).toBe(false);
  return error;
}

const handshake = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';

describe.each([
  ['polling', 'xhr poll error'],
  ['websocket', 'websocket error'],
])('over %s', (transport, message) => {
  const common = { message, type: 'TransportError', transport, step: 'open' };

  it('a port at which nobody listens is TRANSPORT_ERR_REFUSED', async () => {
    const server = createTcp();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    undo.length = 0;
    expect(await failure(`http://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_REFUSED',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('a name that does not exist is TRANSPORT_ERR_DNS', async () => {
    expect(await failure('http://name.invalid', transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_DNS',
    });
  });

  it('a certificate that nobody vouches for is TRANSPORT_ERR_TLS', async () => {
    const server = createHttps(new Authority().issue({ ip: '127.0.0.1' }));
    const port = await listen(server);
    expect(await failure(`https://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_TLS',
    });
  });

  it('TLS spoken to a server without it is TRANSPORT_ERR_TLS', async () => {
    const port = await serve((_request, response) => response.end());
    expect(await failure(`https://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_TLS',
    });
  });

  it('an HTTP status other than the one that is due is TRANSPORT_ERR_STATUS, and told', async () => {
    const port = await serve((_request, response) => response.writeHead(503).end('overloaded'));
    expect(await failure(`http://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_STATUS',
      description: 503,
      cause: { message: expect.stringContaining('503') },
    });
  });

  it.each([
    ['proxy that wants credentials', 407, '', 'TRANSPORT_ERR_PROXY'],
    ['proxy that does not reach the server', 502, '<h1>Bad Gateway</h1>', 'TRANSPORT_ERR_PROXY'],
    ['proxy for which the server is too slow', 504, '', 'TRANSPORT_ERR_PROXY'],
    ['server that had too many requests', 429, '', 'TRANSPORT_ERR_LIMIT'],
    ['server that wants another protocol', 426, '', 'TRANSPORT_ERR_VERSION'],
  ])('a %s (%i) is told by its own code', async (_, status, body, code) => {
    const port = await serve((_request, response) => response.writeHead(status).end(body));
    expect(await failure(`http://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code,
      description: status,
      cause: { message: expect.stringContaining(body) },
    });
  });

  it.each<[string, Partial<ServerOptions>, object, string, string]>([
    ['limit', { limits: { sessions: 0 } }, {}, 'TRANSPORT_ERR_LIMIT', 'limits.sessions'],
    ['limit for one address', { limits: { sessionsPerAddress: 0 } }, {}, 'TRANSPORT_ERR_LIMIT', 'PerAddress'],
    ['version', {}, {}, 'TRANSPORT_ERR_VERSION', 'protocol version'],
    ['origin', {}, { extraHeaders: { origin: 'http://x' } }, 'TRANSPORT_ERR_STATUS', 'cors.origin'],
  ])(
    'a %s of our server is told by its own code and in its words',
    async (what, options, opts, code, words) => {
      const http = createHttp();
      const port = await listen(http);
      new Server(http, options);
      if (what === 'version') {
        // The revision that a client of another one would name.
        const [answer] = http.listeners('request') as RequestListener[];
        const [upgrade] = http.listeners('upgrade') as ((...args: unknown[]) => void)[];
        const change = (request: IncomingMessage) => {
          request.url = request.url!.replace('EIO=4', 'EIO=3');
        };
        http.removeAllListeners('request').on('request', (request, response) => {
          change(request);
          answer!(request, response);
        });
        http.removeAllListeners('upgrade').on('upgrade', (request, ...rest) => {
          change(request);
          upgrade!(request, ...rest);
        });
      }
      expect(await failure(`http://127.0.0.1:${port}`, transport, opts)).toMatchObject({
        ...common,
        code,
        cause: { message: expect.stringContaining(words) },
      });
    },
  );

  it('a connection that is cut before the answer is TRANSPORT_ERR_CLOSED', async () => {
    const port = await listen(createTcp((socket) => socket.once('data', () => socket.resetAndDestroy())));
    expect(await failure(`http://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_CLOSED',
    });
  });

  it('an answer that is not HTTP is TRANSPORT_ERR_PROTOCOL', async () => {
    const port = await listen(createTcp((socket) => socket.once('data', () => socket.end('SSH-2.0\r\n'))));
    expect(await failure(`http://127.0.0.1:${port}`, transport)).toMatchObject({
      ...common,
      code: 'TRANSPORT_ERR_PROTOCOL',
    });
  });

  it('an answer that does not come is a timeout of the attempt', async () => {
    const port = await listen(createTcp());
    expect(await failure(`http://127.0.0.1:${port}`, transport, { timeout: 30 })).toMatchObject({
      ...common,
      message: 'timeout',
      code: 'TRANSPORT_ERR_TIMEOUT',
    });
  });

  it('an address that is none is refused by io() itself', () => {
    expect(() => io('http://a b', { transports: [transport] })).toThrow(TypeError);
  });
});

describe('over polling', () => {
  it.each([
    ['nothing', ''],
    ['a page', '<html>'],
    ['a packet of unknown type', '9'],
    ['broken base64', 'b*'],
  ])('an answer that is %s is TRANSPORT_ERR_PROTOCOL', async (_, body) => {
    const port = await serve((_request, response) => response.end(body));
    expect(await failure(`http://127.0.0.1:${port}`, 'polling')).toMatchObject({
      message: 'xhr poll error',
      step: 'open',
      code: 'TRANSPORT_ERR_PROTOCOL',
      cause: { name: 'PeerError' },
    });
  });

  it('a request that takes longer than requestTimeout is TRANSPORT_ERR_TIMEOUT', async () => {
    const port = await serve(() => {});
    expect(await failure(`http://127.0.0.1:${port}`, 'polling', { requestTimeout: 20 })).toMatchObject({
      message: 'xhr poll error',
      code: 'TRANSPORT_ERR_TIMEOUT',
      description: 0,
    });
  });

  describe.each([
    ['that names its length', (response: ServerResponse, text: string) => response.end(text)],
    [
      'in many small pieces',
      (response: ServerResponse, text: string) => {
        for (let i = 0; i < text.length; i += 7) response.write(text.slice(i, i + 7));
        response.end();
      },
    ],
  ])('an answer %s', (_, answer) => {
    const padded = handshake.replace('}', `,"more":"${'ü'.repeat(1000)}"}`);
    const bytes = Buffer.byteLength(padded);

    it('above answerLimitBytes ends the connection with its name', async () => {
      const port = await serve((_request, response) => answer(response, padded));
      const opts = { answerLimitBytes: bytes - 1 };
      expect(await failure(`http://127.0.0.1:${port}`, 'polling', opts)).toMatchObject({
        message: 'xhr poll error',
        code: 'TRANSPORT_ERR_LIMIT',
        cause: {
          name: 'PeerError',
          code: 'POLLING_ERR_ANSWER_TOO_LARGE',
          limit: { name: 'answerLimitBytes', value: bytes - 1 },
        },
      });
    });

    it.each([bytes, 0, undefined])('of so many bytes is taken with answerLimitBytes %s', async (limit) => {
      const port = await serve((request, response) => {
        if (!request.url?.includes('sid=')) answer(response, padded);
      });
      const socket = new EngineSocket(`http://127.0.0.1:${port}`, {
        transports: ['polling'],
        answerLimitBytes: limit,
      });
      undo.push(() => socket.close());
      await new Promise<void>((resolve, reject) => socket.on('open', resolve).on('error', reject));
      expect(socket.id).toBe('x');
    });
  });

  it('a POST that is refused ends the connection with what the server has to say', async () => {
    const port = await serve((request, response) => {
      if (request.method === 'POST') response.writeHead(400).end('{"code":1,"message":"Session ID unknown"}');
      else if (!request.url?.includes('sid=')) response.end(handshake);
    });
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['polling'], reconnection: false });
    undo.push(() => socket.disconnect());
    const [reason, description] = await new Promise<unknown[]>((resolve) =>
      socket.io.on('close', (...args) => resolve(args)),
    );
    expect(reason).toBe('transport error');
    expect(description).toMatchObject({
      message: 'xhr post error',
      step: 'write',
      code: 'TRANSPORT_ERR_STATUS',
      description: 400,
      cause: { message: expect.stringContaining('Session ID unknown') },
    });
  });
});

describe('over websocket', () => {
  it.each([
    ['no key', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['nonsense', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n'],
  ])('an upgrade that is answered with %s fails', async (_, answer) => {
    const port = await serve(
      () => {},
      (socket) => socket.end(answer),
    );
    expect(await failure(`http://127.0.0.1:${port}`, 'websocket')).toMatchObject({
      message: 'websocket error',
      step: 'open',
      code: 'TRANSPORT_ERR_PROTOCOL',
    });
  });

  it('a subprotocol that cannot be is told later, not thrown', async () => {
    expect(await failure('http://127.0.0.1:1', 'websocket', { protocols: ['a b'] })).toMatchObject({
      message: 'websocket error',
      cause: { name: 'SyntaxError' },
    });
  });
});

it.each([[['nope']], [[]]])('transports of which there is none (%j) are a UsageError', async (transports) => {
  const socket = io('http://127.0.0.1:1', { transports, reconnection: false, forceNew: true });
  const error = await new Promise((resolve) => socket.on('connect_error', resolve));
  expect(error).toMatchObject({
    name: 'UsageError',
    code: 'ENGINE_ERR_NO_TRANSPORTS',
    message: 'No transports available',
  });
});

it('an outbox in IndexedDB, which Node does not have, is a UsageError of io()', () => {
  const outbox = indexedDbOutbox('name');
  expect(() => io('http://127.0.0.1:1', { outbox, autoConnect: false, forceNew: true })).toThrow(
    expect.objectContaining({ name: 'UsageError', code: 'OUTBOX_ERR_NO_INDEXED_DB' }),
  );
});
