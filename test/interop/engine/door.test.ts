/**
 * What: `tautline/engine` beside engine.io 6: the same names, and the same events for the same program.
 * Must not know: how either of them works.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as official from 'engine.io';
import { Socket as ClientSocket } from 'engine.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as ours from '../../../src/entry/engine.ts';
import door from '../../../src/entry/engine-cjs.ts';

type Engine = ours.Server;
const theirs = official as unknown as typeof ours;

function urlOf(engine: Engine): string {
  const { address } = engine.httpServer as unknown as { address(): AddressInfo };
  return `http://127.0.0.1:${address.call(engine.httpServer).port}`;
}

/** Closed at the end of the test, with its HTTP server. */
async function started(engine: Engine): Promise<Engine> {
  const http = engine.httpServer as ReturnType<typeof createServer>;
  if (!http.listening) {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
  }
  onTestFinished(async () => {
    engine.close();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  return engine;
}

function connect(engine: Engine, transport: string): ClientSocket {
  const client = new ClientSocket(urlOf(engine), { transports: [transport] });
  client.on('error', () => {});
  onTestFinished(() => void client.close());
  return client;
}

describe('the exports', () => {
  it('have every name of engine.io, and a function where CommonJS asks for the module', () => {
    expect(Object.keys(ours)).toEqual(expect.arrayContaining(Object.keys(official)));
    expect(Object.keys(door)).toEqual(expect.arrayContaining(Object.keys(ours)));
    expect([ours.protocol, ours.parser.protocol]).toEqual([4, 4]);
    expect(Object.keys(ours.transports)).toEqual(expect.arrayContaining(['polling', 'websocket']));
    expect(ours.Server.errors).toEqual(theirs.Server.errors);
    expect(ours.Server.errorMessages).toEqual(theirs.Server.errorMessages);
    expect(() => new ours.uServer()).toThrow(expect.objectContaining({ code: 'SERVER_ERR_UNSUPPORTED_APP' }));
  });

  it('listen on a port of their own, and answer nothing else', async () => {
    const engine = ours.listen(0, {}, () => engine.emit('listening'));
    await once(engine, 'listening');
    await started(engine);
    expect((await fetch(urlOf(engine))).status).toBe(501);
    const other = ours.listen(0, () => other.emit('listening'));
    await once(other, 'listening');
    await started(other);
    expect((await fetch(`${urlOf(other)}/engine.io/?EIO=4&transport=polling`)).status).toBe(200);
  });

  it('are made on a server that is there, with a path', async () => {
    for (const make of [
      ours.attach,
      door,
      (http: ReturnType<typeof createServer>, options: object) => door(options).attach(http, options),
    ]) {
      const engine = await started(make(createServer(), { path: '/own' }));
      expect(engine).toBeInstanceOf(ours.Server);
      expect((await fetch(`${urlOf(engine)}/own/?EIO=4&transport=polling`)).status).toBe(200);
    }
  });

  it.each(['polling', 'websocket'])('name the kinds of objects (%s)', async (transport) => {
    const engine = await started(ours.attach(createServer()));
    connect(engine, transport);
    const [socket] = (await once(engine, 'connection')) as [ours.Socket];
    expect(socket).toBeInstanceOf(ours.Socket);
    expect(socket.transport instanceof ours.Transport).toBe(true);
    expect(socket instanceof ours.Transport).toBe(false);
  });
});

describe('the parser', () => {
  const packets: ours.parser.Packet[] = [
    { type: 'open', data: '{"sid":"x"}' },
    { type: 'close' },
    { type: 'ping', data: 'probe' },
    { type: 'message', data: '' },
    { type: 'message', data: 'é😀\u2028' },
    { type: 'message', data: Buffer.from([0, 1, 255]) },
    { type: 'message', data: new Uint8Array([1, 2, 3]).buffer },
    { type: 'message', data: new Uint16Array([258]) },
    { type: 'noop' },
  ];

  it.each(packets)('writes $type as the official one does', (packet) => {
    for (const supportsBinary of [true, false]) {
      const written: unknown[] = [];
      for (const { parser } of [theirs, ours]) {
        parser.encodePacket({ ...packet }, supportsBinary, (encoded) =>
          written.push(typeof encoded === 'string' ? encoded : Buffer.from(encoded)),
        );
      }
      // Theirs hands an ArrayBuffer or a view on as it is; the bytes are the same.
      const [expected, got] = written;
      if (typeof expected === 'string') expect(got).toBe(expected);
      else if (packet.data instanceof Uint16Array) expect(got).toEqual(Buffer.from([2, 1]));
      else expect(got).toEqual(expected);
    }
  });

  it.each(['0{"a":1}', '1', '2probe', '4', '4text', 'bAAH/', '', 'x', '9', '/'])(
    'reads %j as the official one does',
    (text) => {
      for (const type of ['nodebuffer', 'arraybuffer'] as const) {
        expect(ours.parser.decodePacket(text, type)).toEqual(theirs.parser.decodePacket(text, type));
      }
    },
  );

  it('reads and writes payloads, whole and up to what is wrong in them', () => {
    const texts = packets.filter(({ data }) => data === undefined || typeof data === 'string');
    const [expected, got] = [theirs, ours].map(({ parser }) => {
      let payload = '';
      parser.encodePayload([...texts, { type: 'message', data: Buffer.from([7]) }], (encoded) => {
        payload = encoded;
      });
      return [payload, parser.decodePayload(payload), parser.decodePayload(`4a\x1ex\x1e4b`)];
    });
    expect(got).toEqual(expected);
  });
});

/** The same program on both, with what it has seen. */
async function play(engineOf: typeof ours, transport: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const http = createServer();
  const engine = engineOf.attach(http, {
    cookie: { name: 'io' },
    initialPacket: 'first',
    pingInterval: 30,
    allowRequest: ({ url }, callback) => callback('not now', !url?.includes('refused')),
  });
  // engine.io sets it in `listen` only.
  engine.httpServer = http;
  await started(engine);
  let uses = 0;
  engine.use((_request, response, next) => {
    uses++;
    response.setHeader('x-used', 'yes');
    next();
  });
  engine.on('initial_headers', (headers, request: IncomingMessage) => {
    headers['x-initial'] = '1';
    seen.push(['initial_headers', request.url?.includes('sid=')]);
  });
  let headerEvents = 0;
  engine.on('headers', (headers) => {
    headers['x-each'] = '1';
    headerEvents++;
  });
  const refusal = once(engine, 'connection_error');
  const answer = await fetch(`${urlOf(engine)}/engine.io/?EIO=4&transport=polling&refused`);
  const [{ req, code, message, context }] = await refusal;
  seen.push([answer.status, await answer.json(), typeof req.url, code, message, context]);

  const connection = once(engine, 'connection');
  const client = connect(engine, transport);
  const got: unknown[] = [];
  client.on('message', (data: unknown) => got.push(data));
  const [socket] = (await connection) as [ours.Socket];
  seen.push([engine.clientsCount, Object.keys(engine.clients).length, engine.clients[socket.id] === socket]);
  const { readyState, upgraded, upgrading, protocol, remoteAddress } = socket;
  seen.push([readyState, upgraded, upgrading, protocol, typeof remoteAddress, socket.server === engine]);
  seen.push([socket.transport.name, (socket.transport as { sid?: string }).sid === socket.id]);
  const packets: unknown[] = [];
  socket.on('packet', ({ type, data }) => {
    if (type !== 'pong') packets.push(['packet', type, data]);
  });
  socket.on('packetCreate', ({ type, data }) => {
    if (type !== 'ping') packets.push(['packetCreate', type, data]);
  });
  let drains = 0;
  socket.on('drain', () => drains++);
  const received = Promise.all([once(socket, 'message'), once(socket, 'data')]);
  client.send('hello');
  seen.push(await received);
  const answered = once(client as never, 'message');
  await new Promise<void>((resolve) => socket.send('text', { compress: false }, () => resolve()));
  await answered;
  socket.write(Buffer.from([1, 2]));
  await once(socket, 'heartbeat');
  const bytes = once(socket, 'message');
  client.send(Buffer.from([3]));
  await bytes;
  seen.push(packets, got, drains > 0, headerEvents > 0, uses > 0);
  const closed = once(socket, 'close');
  socket.close();
  const clientClosed = new Promise((resolve) => client.on('close', (reason) => resolve(reason)));
  const [reason] = await closed;
  seen.push([reason, await clientClosed, socket.readyState, engine.clientsCount]);
  return seen;
}

describe.each(['polling', 'websocket'])('a program on the engine over %s', (transport) => {
  it('sees the same as on engine.io', async () => {
    expect(await play(ours, transport)).toEqual(await play(theirs, transport));
  });
});

describe('clients of protocol 3', () => {
  it('are refused with the error of the protocol', async () => {
    const engine = await started(ours.attach(createServer()));
    const answer = await fetch(`${urlOf(engine)}/engine.io/?EIO=3&transport=polling`);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { code: 5, message: 'Unsupported protocol version' },
    ]);
  });

  it('cannot be let in: the option says so instead of being passed over', () => {
    expect(() => new ours.Server({ allowEIO3: true })).toThrow(
      expect.objectContaining({ code: 'ENGINE_ERR_UNSUPPORTED_PROTOCOL' }),
    );
    expect(new ours.Server({ allowEIO3: false })).toBeInstanceOf(ours.Server);
  });
});
