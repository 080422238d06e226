/**
 * What: MessagePack between our ends and the official ones with socket.io-msgpack-parser, in every combination.
 * Must not know: how packets are written.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as OfficialServer } from 'socket.io';
import { io as officialIo } from 'socket.io-client';
import officialParser from 'socket.io-msgpack-parser';
import { describe, expect, it, onTestFinished } from 'vitest';
import { io as ourIo } from '../../src/entry/client-node.ts';
import { Server } from '../../src/entry/index.ts';
import ourParser from '../../src/entry/msgpack.ts';

type Client = ReturnType<typeof ourIo>;

const servers: [string, new (http: object, options: object) => Server, unknown][] = [
  ['our server', Server as never, ourParser],
  ['our server with the official parser', Server as never, officialParser],
  ['the official server', OfficialServer as never, officialParser],
  ['the official server with our parser', OfficialServer as never, ourParser],
];
const clients: [string, typeof ourIo, unknown][] = [
  ['our client', ourIo, ourParser],
  ['our client with the official parser', ourIo, officialParser],
  ['the official client', officialIo as never, officialParser],
  ['the official client with our parser', officialIo as never, ourParser],
];
const transports = [['polling'], ['websocket'], ['polling', 'websocket']];
/** Every server with every client; each pair by another way, so that all ways come with all of both. */
const pairs = servers.flatMap(([serverName, ServerClass, serverParser], i) =>
  clients.map(([clientName, connect, clientParser], j) => {
    const names = transports[(i + j) % transports.length] as string[];
    const title = `${clientName} and ${serverName}, over ${names.join(' and ')}`;
    return { title, ServerClass, serverParser, connect, clientParser, transports: names };
  }),
);

describe.each(pairs)('$title', ({ ServerClass, serverParser, connect, clientParser, transports }) => {
  async function start(): Promise<{ io: Server; open(nsp?: string, auth?: object): Client }> {
    const http = createServer();
    const io = new ServerClass(http, { parser: serverParser });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    onTestFinished(async () => {
      await io.close();
    });
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const open = (nsp = '/', auth: Record<string, unknown> = {}): Client => {
      const client = connect(url + nsp, {
        parser: clientParser as never,
        transports,
        forceNew: true,
        reconnection: false,
        auth,
      });
      onTestFinished(() => void client.disconnect());
      return client;
    };
    return { io, open };
  }

  it('exchange events, bytes and acknowledgements, enter namespaces, and are refused', async () => {
    const { io, open } = await start();
    const seen: unknown[] = [];
    io.on('connection', (socket) => {
      seen.push(socket.handshake.auth);
      socket.join('room');
      socket.on('echo', (...args) => args.pop()(...args));
    });
    io.of('/no').use((_socket, next) => next(Object.assign(new Error('closed'), { data: { until: 9 } })));
    const client = open('/', { token: 't' });
    const values = [
      1,
      -70_000,
      1.5,
      'é😀',
      true,
      null,
      [[], {}],
      { deep: [{ bytes: Buffer.from([0, 255]) }] },
    ];
    const echoed = await new Promise<unknown[]>((resolve) =>
      client.emit('echo', ...values, (...args: unknown[]) => resolve(args)),
    );
    expect(echoed).toEqual(values);
    const when = new Date(1_234_567_890_123);
    expect(await client.emitWithAck('echo', when)).toEqual(when);
    expect(seen).toEqual([{ token: 't' }]);

    const news = new Promise<unknown[]>((resolve) =>
      client.on('news', (...args: unknown[]) => resolve(args)),
    );
    client.on('ask', (question: string, reply: (...args: string[]) => void) => reply(question, 'answer'));
    io.to('room').emit('news', Buffer.from('bytes'), [undefined]);
    expect(await news).toEqual([Buffer.from('bytes'), [undefined]]);
    expect(await io.timeout(5000).emitWithAck('ask', 'who')).toEqual(['who']);

    const refused = open('/no');
    const error = await new Promise<Error & { data?: unknown }>((resolve) =>
      refused.once('connect_error', resolve),
    );
    expect([error.message, error.data]).toEqual(['closed', { until: 9 }]);

    const [socket] = await io.fetchSockets();
    const reason = new Promise((resolve) => client.once('disconnect', resolve));
    socket?.disconnect();
    expect(await reason).toBe('io server disconnect');
  });
});

it('ends a peer that sends texts where packets of MessagePack are due, and tells the program why', async () => {
  const http = createServer();
  const io = new Server(http, { parser: ourParser });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => io.close());
  const client = ourIo(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    parser: ourParser,
    forceNew: true,
    reconnection: false,
    transports: ['websocket'],
  });
  onTestFinished(() => void client.disconnect());
  const [socket] = await once(io, 'connection');
  const seen: unknown[] = [];
  socket.on('error', (error: Error & { code?: string }) => seen.push(error.code));
  const ended = new Promise((resolve) => socket.on('disconnect', resolve));
  client.io.engine.write('2["e"]');
  expect([await ended, ...seen]).toEqual(['forced close', 'EVENT_ERR_INVALID_PACKET']);
});
