/**
 * What: one suite for the four transports: client and server in Node, a session of the engine over each alone.
 * Must not know: how any transport works.
 */
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Socket as NetSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeerError, UsageError } from '../../../src/base/errors.ts';
import type { CloseDetails } from '../../../src/engine/client/events.ts';
import type { EngineOptions } from '../../../src/engine/client/options.ts';
import { EngineSocket } from '../../../src/engine/client/socket.ts';
import type { SessionOver } from '../../../src/engine/port.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import type { ResumableSocket } from '../../../src/engine/server/resumable-session.ts';
import { Server } from '../../../src/engine/server/server.ts';
import { nodePlatform } from '../../../src/entry/node-platform.ts';
import { nodePolling } from '../../../src/transport/long-polling/node-client.ts';
import type { ClientTransportFactory, TransportName } from '../../../src/transport/port.ts';
import { nodeShortPolling } from '../../../src/transport/short-polling/node-client.ts';
import { nodeSse } from '../../../src/transport/sse/node-client.ts';
import { nodeWebSocket } from '../../../src/transport/websocket/node-client.ts';

const factories: ClientTransportFactory[] = [nodeWebSocket, nodeSse, nodePolling, nodeShortPolling];
const everyTransport = factories.map(({ transportName }) => transportName);

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server and a client that reaches it through a proxy which the test can cut. */
async function setUp(
  factory: ClientTransportFactory,
  serverOptions: ServerOptions = {},
  clientOptions: Partial<EngineOptions> = {},
) {
  const engine = new Server({ transports: everyTransport as TransportName[], ...serverOptions });
  const server = http.createServer();
  engine.attach(server, { path: '/engine' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<NetSocket>();
  let isFrozen = false;
  const proxy = createServer((down) => {
    const up = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [down, up],
      [up, down],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.on('data', (chunk) => {
        if (!other.write(chunk)) socket.pause();
      });
      other.on('drain', () => {
        if (!isFrozen) socket.resume();
      });
      if (isFrozen) socket.pause();
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const connection = once(engine, 'connection') as Promise<[ResumableSocket]>;
  const client = new EngineSocket(nodePlatform, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, {
    path: '/engine',
    transports: [factory],
    shortPollingIntervalMs: 5,
    reconnectionDelay: 10,
    ...clientOptions,
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  /** Nothing gets through in either direction, and nobody is told; or everything again. */
  const freeze = (isOn: boolean): void => {
    isFrozen = isOn;
    for (const socket of sockets) {
      if (isOn) socket.pause();
      else socket.resume();
    }
  };
  cleanUps.push(() => {
    client.close();
    engine.close();
    server.close();
    proxy.close();
    cut();
    server.closeAllConnections();
  });
  const got: { client: unknown[]; server: unknown[] } = { client: [], server: [] };
  client.on('data', (data) => got.client.push(data));
  const [session] = await connection;
  session.on('message', (data) => got.server.push(data));
  return { client, session, engine, got, cut, freeze, proxy };
}

type Scene = Awaited<ReturnType<typeof setUp>>;

/** Until both have as many messages as they should. */
async function until({ client, session, got }: Scene, atClient: number, atServer: number): Promise<void> {
  while (got.client.length < atClient || got.server.length < atServer) {
    await Promise.race([
      new Promise<void>((resolve) => client.once('data', () => resolve())),
      new Promise<void>((resolve) => session.once('message', () => resolve())),
    ]);
  }
}

const texts = [
  '',
  'a',
  'line\nline',
  'line\r\nline\r',
  '\0',
  '\x1e'.replace('\x1e', '\u2028'),
  '"\\',
  'é€😀',
  ' b ',
];
const bytes = [new Uint8Array(0), Uint8Array.of(0, 1, 255), new Uint8Array(70_000).fill(7)];

describe.each(factories.map((factory) => [factory.transportName, factory] as const))(
  'over %s',
  (name, factory) => {
    it('text and binary go both ways, in order', async () => {
      const scene = await setUp(factory);
      const { client, session, got } = scene;
      expect([client.transport.name, session.transport.name]).toEqual([name, name]);
      const messages = [...texts, ...bytes, ...texts];
      for (const message of messages) {
        client.write(message);
        session.send(message);
      }
      await until(scene, messages.length, messages.length);
      // As text, since comparing large buffers byte by byte takes the test runner seconds.
      const legible = (message: unknown) =>
        typeof message === 'string' ? message : Buffer.from(message as Uint8Array).toString('base64');
      const expected = messages.map(legible);
      expect(got.client.map(legible)).toEqual(expected);
      expect(got.server.map(legible)).toEqual(expected);
      const isBinary = messages.map((message) => typeof message !== 'string');
      expect(got.client.map(Buffer.isBuffer)).toEqual(isBinary);
      expect(got.server.map(Buffer.isBuffer)).toEqual(isBinary);
    });

    it('a message of 1 MB goes both ways', async () => {
      const scene = await setUp(factory, { maxHttpBufferSize: 2_000_000 });
      const text = 'é'.repeat(500_000);
      scene.client.write(text);
      scene.session.send(text);
      await until(scene, 1, 1);
      expect(scene.got.client[0] === text).toBe(true);
      expect(scene.got.server[0] === text).toBe(true);
    });

    it('5000 small messages go both ways, in order', async () => {
      const scene = await setUp(factory);
      const expected = Array.from({ length: 5000 }, (_, i) => `${i}`);
      for (const text of expected) {
        scene.client.write(text);
        scene.session.send(text);
      }
      await until(scene, expected.length, expected.length);
      expect(scene.got.client).toEqual(expected);
      expect(scene.got.server).toEqual(expected);
    });

    it('the client ends the session, after what it had sent', async () => {
      const { client, session, engine, got } = await setUp(factory);
      const closed = once(session, 'close');
      client.write('last');
      client.close();
      expect((await closed)[0]).toBe('transport close');
      expect(got.server).toEqual(['last']);
      expect(engine.clientsCount).toBe(0);
    });

    it('the server ends the session, after what it had sent', async () => {
      const { client, session, got } = await setUp(factory);
      const closed = new Promise<string>((resolve) => client.on('close', resolve));
      session.send('last');
      session.close();
      expect(await closed).toBe('transport close');
      expect(got.client).toEqual(['last']);
    });

    it('the heartbeat keeps a silent session, on one connection', async () => {
      const scene = await setUp(factory, { pingInterval: 30, pingTimeout: 2000 });
      const { client, session } = scene;
      const interruptions: unknown[] = [];
      client.on('interrupted', (reason) => interruptions.push(reason));
      const { transport } = client;
      // A client of short polling is heard with each of its requests, and is not pinged.
      if (name === 'short-polling')
        for (let i = 0; i < 5; i++) await new Promise((r) => client.once('heartbeat', () => r(0)));
      else for (let i = 0; i < 5; i++) await new Promise((r) => client.once('ping', () => r(0)));
      expect(client.transport).toBe(transport);
      expect([session.readyState, interruptions]).toEqual(['open', []]);
    });

    it('a session that is never silent is not taken for dead', async () => {
      const scene = await setUp(factory, { pingInterval: 100, pingTimeout: 100 });
      const { client, session, got } = scene;
      const interruptions: unknown[] = [];
      client.on('interrupted', (reason) => interruptions.push(reason));
      session.on('interrupted', (reason) => interruptions.push(reason));
      for (let i = 0; i < 40; i++) {
        session.send(`${i}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await until(scene, 40, 0);
      expect(interruptions).toEqual([]);
      expect(got.client).toHaveLength(40);
    });

    it('every message arrives once and in order while connections are cut', async () => {
      const scene = await setUp(factory);
      const { client, session, got, cut } = scene;
      const count = 300;
      for (let i = 0; i < count; i++) {
        client.write(`${i}`);
        session.send(i % 2 ? `${i}` : Buffer.from([i & 255]));
        if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (i % 60 === 30) cut();
      }
      await until(scene, count, count);
      expect(got.server).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
      expect(got.client).toEqual(
        Array.from({ length: count }, (_, i) => (i % 2 ? `${i}` : Buffer.from([i & 255]))),
      );
      expect(session.readyState).toBe('open');
    });

    it('a lost connection is told on both sides with the length of the gap, and what was sent meanwhile arrives', async () => {
      const scene = await setUp(factory, { pingInterval: 300, pingTimeout: 300 });
      const { client, session, got, cut } = scene;
      client.write('before');
      await until(scene, 0, 1);
      const told: unknown[] = [];
      const both = [client, session].map((end) => {
        const name = end === client ? 'client' : 'server';
        (end as typeof client).on('interrupted', () => told.push(`${name} interrupted`));
        return new Promise<void>((resolve) =>
          (end as typeof client).on('resumed', (gapMs) => {
            expect(gapMs).toBeGreaterThanOrEqual(0);
            told.push(`${name} resumed`);
            resolve();
          }),
        );
      });
      // Over short polling there may be no connection to cut; the next request finds the way closed then.
      cut();
      client.write('up');
      session.send('down');
      // Who polls is only missed when it does not come again for seconds; a client that does is not interrupted.
      if (name === 'websocket') await Promise.all(both);
      await until(scene, 1, 2);
      expect(got).toEqual({ client: ['down'], server: ['before', 'up'] });
      if (name === 'websocket') {
        expect(told.sort()).toEqual([
          'client interrupted',
          'client resumed',
          'server interrupted',
          'server resumed',
        ]);
      }
      expect([client.readyState, session.readyState]).toEqual(['open', 'open']);
    });

    it('a connection through which nothing comes any more is given up by both sides, and another one is found', async () => {
      const scene = await setUp(factory, { pingInterval: 200, pingTimeout: 200 });
      const { client, session, got, freeze, cut } = scene;
      client.write('before');
      await until(scene, 0, 1);
      const lost = [
        once(session, 'interrupted'),
        new Promise((resolve) => client.on('interrupted', resolve)),
      ];
      freeze(true);
      await Promise.all(lost);
      client.write('up');
      session.send('down');
      cut();
      freeze(false);
      await until(scene, 1, 2);
      expect(got).toEqual({ client: ['down'], server: ['before', 'up'] });
    });

    it('past the window each side is told exactly which of its messages are unconfirmed', async () => {
      const scene = await setUp(factory, {
        pingInterval: 200,
        pingTimeout: 200,
        session: { windowMs: 300 },
      });
      const { client, session, freeze } = scene;
      client.write('confirmed');
      session.send('confirmed');
      await until(scene, 1, 1);
      // Both counts have been told by the time at which each side has heard an answer to what it said then.
      while (session.machine.confirmed < 1) await new Promise((resolve) => setImmediate(resolve));
      const ends = Promise.all([
        once(session, 'close') as Promise<[string, SessionOver]>,
        new Promise<CloseDetails>((resolve) =>
          client.on('close', (_reason, description) => resolve(description as CloseDetails)),
        ),
      ]);
      freeze(true);
      for (const text of ['a', 'b']) {
        client.write(text);
        session.send(text);
      }
      const [[, over], description] = await ends;
      expect(over.end).toBe('expired');
      expect(over.unconfirmed.map(({ data }) => data)).toEqual(['a', 'b']);
      const { unconfirmed = [], unsent = [] } = description;
      expect([...unconfirmed, ...unsent].filter((text) => text !== 'confirmed')).toEqual(['a', 'b']);
    });

    it('a client that does not read ends its own session at the limit, and is told why', async () => {
      const bufferBytes = 1_000_000;
      const bufferedBytes = 2_000_000;
      const scene = await setUp(factory, { session: { bufferBytes }, limits: { bufferedBytes } });
      const { client, session, freeze } = scene;
      client.write('hello');
      await until(scene, 0, 1);
      const over = once(session, 'close') as Promise<[string, SessionOver]>;
      freeze(true);
      let most = 0;
      for (let i = 0; i < 200 && session.readyState === 'open'; i++) {
        session.send('x'.repeat(100_000));
        most = Math.max(most, session.machine.unconfirmedBytes + session.waitingBytes);
      }
      const [reason, description] = await over;
      expect([reason, description.end]).toEqual(['transport error', 'overflow']);
      expect((description.cause as PeerError).limit).toEqual({
        name: 'limits.bufferedBytes',
        value: bufferedBytes,
      });
      expect(most).toBeLessThan(bufferBytes + bufferedBytes + 101_000);
      const told = new Promise<CloseDetails>((resolve) =>
        client.on('close', (_reason, description) => resolve(description as CloseDetails)),
      );
      freeze(false);
      await told;
    });

    it('a message above the limit is refused where it is sent, and the session goes on', async () => {
      const scene = await setUp(factory, { maxHttpBufferSize: 1000 });
      const { client, session, got } = scene;
      const refused = new Promise<UsageError>((resolve) => client.on('sendError', resolve));
      client.write('x'.repeat(1001));
      client.write('x'.repeat(900));
      session.send('y'.repeat(5000));
      await until(scene, 1, 1);
      expect(await refused).toMatchObject({ code: 'ENGINE_ERR_PAYLOAD_LIMIT', limit: { value: 1000 } });
      expect(got.server).toEqual(['x'.repeat(900)]);
      expect(got.client).toEqual(['y'.repeat(5000)]);
    });

    it('cookies of the server come back with each request if the program wants that, and else with none', async () => {
      for (const withCredentials of [true, false]) {
        const scene = await setUp(factory, { cookie: { name: 'lb' } }, { withCredentials });
        const { client, engine, session, cut } = scene;
        const cookies: unknown[] = [];
        engine.on('headers', (_headers, { headers }) => cookies.push(headers.cookie));
        client.write('a');
        await until(scene, 0, 1);
        cut();
        session.send('b');
        client.write('c');
        await until(scene, 1, 2);
        expect(new Set(cookies)).toEqual(new Set([withCredentials ? `lb=${session.id}` : undefined]));
      }
    });
  },
);
