/**
 * What: the official engine.io-client 6 against our server, over polling, over WebSocket, and from one to the other.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Socket as ClientSocket, type SocketOptions } from 'engine.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { Server } from '../../../src/engine/server/server.ts';
import type { Socket } from '../../../src/engine/server/session.ts';

type Data = string | Buffer;

interface Pair {
  readonly client: ClientSocket;
  readonly socket: Socket;
  readonly engine: Server;
}

async function startServer(options: ServerOptions): Promise<{ engine: Server; url: string }> {
  const http = createServer();
  const engine = new Server(options);
  engine.attach(http);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    engine.close();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  return { engine, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

async function connectPair(
  clientOptions: Partial<SocketOptions>,
  options: ServerOptions = {},
): Promise<Pair> {
  const { engine, url } = await startServer(options);
  const connection = once(engine, 'connection');
  const client = new ClientSocket(url, clientOptions);
  onTestFinished(() => {
    client.close();
  });
  client.on('error', () => {});
  const opened = new Promise<void>((resolve) => client.once('open', resolve));
  const [socket] = (await connection) as [Socket];
  await opened;
  return { client, socket, engine };
}

function collect(
  emitter: { on(event: 'message', listener: (data: Data) => void): unknown },
  count: number,
): Promise<Data[]> {
  return new Promise((resolve) => {
    const all: Data[] = [];
    emitter.on('message', (data) => {
      if (all.push(data) === count) resolve(all);
    });
  });
}

/** What comes before the message `end`. */
function collectUntilEnd(emitter: {
  on(event: 'message', listener: (data: Data) => void): unknown;
}): Promise<Data[]> {
  return new Promise((resolve) => {
    const all: Data[] = [];
    emitter.on('message', (data) => {
      if (data === 'end') resolve(all);
      else all.push(data);
    });
  });
}

const ways: [string, Partial<SocketOptions>][] = [
  ['polling', { transports: ['polling'] }],
  ['websocket', { transports: ['websocket'] }],
  ['polling, then websocket', {}],
];

describe.each(ways)('the official client over %s', (way, clientOptions) => {
  it('exchanges text and bytes in order', async () => {
    const { client, socket } = await connectPair(clientOptions);
    client.binaryType = 'nodebuffer';
    const sent: Data[] = ['a', '€ and 😀', Buffer.from([1, 2, 3]), '', Buffer.alloc(0), 'with \x1d and \n'];
    const there = collect(socket, sent.length);
    const back = collect(client as never, sent.length);
    for (const data of sent) {
      client.send(data);
      socket.send(data);
    }
    expect(await there).toEqual(sent);
    expect((await back).map((data) => data ?? '')).toEqual(sent);
  });

  it('exchanges messages of 900 kB', async () => {
    const { client, socket } = await connectPair(clientOptions);
    client.binaryType = 'nodebuffer';
    const text = 'é'.repeat(450_000 - 10);
    const bytes = Buffer.alloc(700_000, 0x5a);
    const there = collect(socket, 2);
    const back = collect(client as never, 2);
    client.send(text);
    client.send(bytes);
    socket.send(text);
    socket.send(bytes);
    const [thereText, thereBytes] = await there;
    expect(thereText === text).toBe(true);
    expect(bytes.equals(thereBytes as Buffer)).toBe(true);
    const [gotText, gotBytes] = await back;
    expect(gotText === text).toBe(true);
    expect(bytes.equals(gotBytes as Buffer)).toBe(true);
  });

  it('exchanges 2,000 messages in order, sent all at once and one by one', async () => {
    const { client, socket } = await connectPair(clientOptions);
    const count = 2000;
    const there = collect(socket, count);
    const back = collect(client as never, count);
    for (let i = 0; i < count; i++) {
      client.send(`c${i}`);
      socket.send(`s${i}`);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await there).toEqual(Array.from({ length: count }, (_, i) => `c${i}`));
    expect(await back).toEqual(Array.from({ length: count }, (_, i) => `s${i}`));
  });

  it('stays connected over several heartbeats', async () => {
    const { client, socket } = await connectPair(clientOptions, { pingInterval: 60, pingTimeout: 2000 });
    let beats = 0;
    await new Promise<void>((resolve) => {
      socket.on('heartbeat', () => {
        if (++beats === 4) resolve();
      });
    });
    expect(client.readyState).toBe('open');
  });

  it('ends from either side', async () => {
    const one = await connectPair(clientOptions);
    const serverSide = once(one.socket, 'close');
    one.client.close();
    expect((await serverSide)[0]).toBe('transport close');
    const two = await connectPair(clientOptions);
    const clientSide = new Promise<string>((resolve) => two.client.on('close', resolve));
    two.socket.close();
    expect(await clientSide).toBe('transport close');
    expect([one.engine.clientsCount, two.engine.clientsCount]).toEqual([0, 0]);
  });

  it('is refused with what allowRequest says', async () => {
    const { url } = await startServer({ allowRequest: (_req, callback) => callback('no', false) });
    const client = new ClientSocket(url, clientOptions);
    const error = await new Promise<{ message?: string; type?: string }>((resolve) =>
      client.on('error', resolve as never),
    );
    expect(error.type).toBe('TransportError');
    expect(error.message).toBe(way === 'websocket' ? 'websocket error' : 'xhr poll error');
  });
});

describe('the upgrade of the official client', () => {
  it('happens, and both ends say so', async () => {
    const { client, socket } = await connectPair({});
    await Promise.all([
      once(socket, 'upgrade'),
      new Promise<void>((resolve) => client.once('upgrade', () => resolve())),
    ]);
    expect([socket.transport.name, client.transport.name]).toEqual(['websocket', 'websocket']);
    expect(socket.upgraded).toBe(true);
  });

  it('loses and reorders nothing of 2,000 messages each way that go on meanwhile', async () => {
    const { client, socket } = await connectPair({});
    const there = collectUntilEnd(socket);
    const back = collectUntilEnd(client as never);
    const names = new Set<string>();
    let count = 0;
    while (count < 2000 || names.size < 2) {
      client.send(`c${count}`);
      socket.send(`s${count}`);
      names.add(socket.transport.name);
      if (++count % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    client.send('end');
    socket.send('end');
    expect(await there).toEqual(Array.from({ length: count }, (_, i) => `c${i}`));
    expect(await back).toEqual(Array.from({ length: count }, (_, i) => `s${i}`));
    expect([...names]).toEqual(['polling', 'websocket']);
  });

  it('is not tried when the server does not offer it', async () => {
    const { client, socket } = await connectPair({}, { allowUpgrades: false });
    const echo = collect(client as never, 1);
    socket.on('message', (data) => socket.send(data));
    client.send('still polling');
    expect(await echo).toEqual(['still polling']);
    expect(socket.transport.name).toBe('polling');
  });

  it('of many clients at once leaves all of them connected', async () => {
    const { engine, url } = await startServer({});
    const clients = Array.from({ length: 30 }, () => new ClientSocket(url));
    onTestFinished(() => {
      for (const client of clients) client.close();
    });
    await Promise.all(
      clients.map((client) => new Promise<void>((resolve) => client.once('upgrade', () => resolve()))),
    );
    expect(engine.clientsCount).toBe(30);
    expect(Object.values(engine.clients).map(({ readyState }) => readyState)).toEqual(
      clients.map(() => 'open'),
    );
  });
});

describe('options of the official client', () => {
  it('forceBase64 sends bytes as text over WebSocket', async () => {
    const { client, socket } = await connectPair({ transports: ['websocket'], forceBase64: true });
    const message = collect(socket, 1);
    client.send(Buffer.from([1, 2, 3]));
    expect(await message).toEqual([Buffer.from([1, 2, 3])]);
  });

  it('perMessageDeflate works on both ends', async () => {
    const { client, socket } = await connectPair(
      { transports: ['websocket'], perMessageDeflate: { threshold: 10 } },
      { perMessageDeflate: { threshold: 10 } },
    );
    const text = 'compress me '.repeat(1000);
    const there = collect(socket, 1);
    const back = collect(client as never, 1);
    client.send(text);
    socket.send(text);
    expect(await there).toEqual([text]);
    expect(await back).toEqual([text]);
  });

  it('query and headers reach the server', async () => {
    const { socket } = await connectPair({ query: { room: 'a b' }, extraHeaders: { 'X-Mine': '1' } });
    expect((socket.request as { _query?: Record<string, string> })._query).toMatchObject({ room: 'a b' });
    expect(socket.request.headers['x-mine']).toBe('1');
  });

  it('a message above maxPayload ends the session with an error that names the limit', async () => {
    for (const transports of [['polling'], ['websocket']]) {
      const { client, socket } = await connectPair({ transports }, { maxHttpBufferSize: 1000 });
      const closed = once(socket, 'close');
      client.send('x'.repeat(2000));
      const [reason, description] = await closed;
      expect(reason).toBe('transport error');
      expect((description as { limit?: { value: number } }).limit?.value).toBe(1000);
    }
  });
});
