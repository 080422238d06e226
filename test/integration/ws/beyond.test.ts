/**
 * What: what `ws` does not have: heartbeat, waiting, slow readers, streams in both directions, broadcast, drain.
 * Must not know: how frames are made.
 */
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from '../../../src/entry/ws.ts';
import { addressOf, close, listen, Scene, tautline } from './peers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const both = { client: tautline, server: tautline };
const upgrade =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A client that shakes hands and then neither reads nor answers. */
async function connectSilently(
  server: InstanceType<typeof WebSocketServer>,
): Promise<{ raw: Socket; peer: WebSocket }> {
  const raw = connect((server.address() as AddressInfo).port, '127.0.0.1');
  raw.on('error', () => {});
  raw.write(upgrade);
  const [peer] = (await once(server, 'connection')) as [WebSocket];
  await once(raw, 'readable');
  cleanups.push(() => raw.destroy());
  return { raw, peer };
}

/** Sends until the socket takes no more at once. */
async function fill(peer: WebSocket): Promise<void> {
  const block = Buffer.alloc(256 * 1024);
  while ((peer._socket as Socket).writableLength === 0) {
    peer.send(block);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the heartbeat', () => {
  test('asks a silent peer and keeps one that answers', async () => {
    const scene = await Scene.open(both, { server: { heartbeat: { intervalMs: 20, timeoutMs: 20_000 } } });
    await once(scene.client, 'ping');
    await once(scene.peer, 'pong');
    await once(scene.client, 'ping');
    expect(scene.peer.readyState).toBe(1);
    scene.client.close(1000);
    const { server } = await scene.finish();
    expect(server.at(-1)).toBe('close 1000 Buffer() state 3');
    expect(scene.peer.failure).toBe(null);
  });

  test.each(['client', 'server'] as const)(
    'does not blame the peer of a %s that does not read itself',
    async (role) => {
      const settings = { heartbeat: { intervalMs: 20, timeoutMs: 20 } };
      const options = role === 'server' ? { server: settings } : { client: settings };
      const scene = await Scene.open(both, options);
      const [watcher, other] = role === 'server' ? [scene.peer, scene.client] : [scene.client, scene.peer];
      watcher.pause();
      other.send('read later');
      // One with the same times that reads, and whose peer does not answer, is given up meanwhile.
      const gone = await Scene.open(both, {
        server: { autoPong: false, ...(role === 'server' ? settings : {}) },
        client: { autoPong: false, ...(role === 'client' ? settings : {}) },
      });
      await gone.finish();
      expect(watcher.readyState).toBe(1);
      const message = once(watcher, 'message');
      watcher.resume();
      expect(String((await message)[0])).toBe('read later');
      other.close(1000);
      await scene.finish();
      expect(watcher.failure).toBe(null);
    },
  );

  test.each(['client', 'server'] as const)('finds a half-open connection on the %s', async (role) => {
    const settings = { heartbeat: { intervalMs: 20, timeoutMs: 40 } };
    const options = role === 'server' ? { server: settings } : { client: settings };
    const scene = await Scene.open(both, {
      server: { autoPong: false, ...options.server },
      client: { autoPong: false, ...options.client },
    });
    const watcher = role === 'server' ? scene.peer : scene.client;
    const other = role === 'server' ? scene.client : scene.peer;
    const pinged = once(other, 'ping');
    const [code] = await once(watcher, 'close');
    await pinged;
    expect(code).toBe(1006);
    expect(watcher.failure).toMatchObject({ code: 'WS_ERR_HEARTBEAT_TIMEOUT' });
    await scene.finish();
  });
});

describe('sending', () => {
  test('tells whether to wait, and ready() and drain say when to go on', async () => {
    const scene = await Scene.open(both);
    scene.client.pause();
    expect(scene.peer.send('small')).toBe(true);
    await expect(scene.peer.ready()).resolves.toBe(undefined);
    const block = Buffer.alloc(1024 * 1024);
    while (scene.peer.send(block)) {}
    let drained = false;
    scene.peer.on('drain', () => {
      drained = true;
    });
    const ready = scene.peer.ready();
    scene.client.resume();
    await ready;
    expect(scene.peer.send('again')).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(true);
    scene.client.close();
    await scene.finish();
  });

  test('ready() waits for open, and rejects when the connection is or gets closed', async () => {
    const server = await listen(tautline);
    const socket = new WebSocket(addressOf(server));
    await socket.ready();
    expect(socket.readyState).toBe(1);
    socket.pause();
    const { peer } = await connectSilently(server);
    await fill(peer);
    const ready = peer.ready();
    peer.terminate();
    await expect(ready).rejects.toThrow('WebSocket is not open: readyState 3 (CLOSED)');
    await expect(peer.ready()).rejects.toThrow('WebSocket is not open');
    const refused = new WebSocket('ws://127.0.0.1:1');
    refused.on('error', () => {});
    await expect(refused.ready()).rejects.toThrow('WebSocket is not open: readyState 3 (CLOSED)');
    socket.terminate();
    await close(server);
  });
});

describe('a slow reader', () => {
  const message = (i: number) => `${i}`.padEnd(1000, '.');

  /** Sends `count` messages to a reader that has stopped, then lets it read, and gives what arrived. */
  async function starve(options: object, count: number, key?: (i: number) => string) {
    const server = await listen(tautline, { slowReader: options } as never);
    const socket = new WebSocket(addressOf(server));
    const arrived: string[] = [];
    socket.on('message', (data, isBinary) => {
      if (!isBinary) arrived.push(data.toString());
    });
    const [peer] = (await once(server, 'connection')) as [WebSocket];
    await once(socket, 'open');
    socket.pause();
    await fill(peer);
    const errors: unknown[] = [];
    let sent = 0;
    for (let i = 0; i < count; i++) {
      peer.send(message(i), { key: key?.(i) }, (error) =>
        error ? errors.push((error as { code?: string }).code) : sent++,
      );
    }
    return { server, socket, peer, arrived, errors, sent: () => sent };
  }

  async function finish({ socket, peer, server }: Awaited<ReturnType<typeof starve>>) {
    socket.resume();
    if (peer.readyState === 1) {
      await peer.ready();
      peer.close(1000);
    }
    await once(socket, 'close');
    await close(server);
  }

  test('loses the newest messages, counted', async () => {
    const scene = await starve({ limitBytes: 3000, policy: 'drop-newest' }, 10);
    expect(scene.peer.bufferedAmount).toBeGreaterThan(3000);
    await finish(scene);
    expect(scene.arrived).toEqual([0, 1, 2].map(message));
    expect(scene.errors).toEqual(Array.from({ length: 7 }, () => 'WS_ERR_MESSAGE_DROPPED'));
    expect(scene.sent()).toBe(3);
    expect(scene.peer.sendStatistics).toEqual({ droppedMessages: 7, droppedBytes: 7000 });
    expect(scene.server.sendStatistics).toEqual({ droppedMessages: 7, droppedBytes: 7000 });
  });

  test('loses the oldest messages', async () => {
    const scene = await starve({ limitBytes: 3000, policy: 'drop-oldest' }, 10);
    await finish(scene);
    expect(scene.arrived).toEqual([7, 8, 9].map(message));
    expect(scene.peer.sendStatistics.droppedMessages).toBe(7);
  });

  test('keeps the latest message of each key', async () => {
    const scene = await starve({ limitBytes: 3000, policy: 'keep-latest' }, 10, (i) =>
      i % 2 ? 'odd' : 'even',
    );
    await finish(scene);
    expect(scene.arrived).toEqual([8, 9].map(message));
    expect(scene.peer.sendStatistics.droppedMessages).toBe(8);
  });

  test('is closed with 1013, and what waits is given up', async () => {
    const scene = await starve({ limitBytes: 3000, policy: 'close' }, 10);
    expect(scene.peer.readyState).toBe(2);
    const closed = once(scene.socket, 'close');
    scene.socket.resume();
    const [code, reason] = await closed;
    await close(scene.server);
    expect([code, String(reason)]).toEqual([1013, 'Reading too slowly']);
    expect(scene.arrived).toEqual([]);
    expect(scene.peer.failure).toMatchObject({
      code: 'WS_ERR_SLOW_READER',
      limit: { name: 'slowReader.limitBytes', value: 3000 },
    });
    expect(scene.peer.sendStatistics.droppedMessages).toBe(3);
  });

  test('still gets pings and pongs', async () => {
    const scene = await starve({ limitBytes: 1000, policy: 'drop-newest' }, 3);
    const pinged = once(scene.socket, 'ping');
    scene.peer.ping('exempt');
    scene.socket.resume();
    expect(String((await pinged)[0])).toBe('exempt');
    await finish(scene);
  });

  test('gets a broadcast as it gets its own messages', async () => {
    const scene = await starve({ limitBytes: 2000, policy: 'drop-oldest' }, 0);
    for (let i = 0; i < 5; i++) scene.server.broadcast(message(i));
    await finish(scene);
    expect(scene.arrived).toEqual([3, 4].map(message));
  });

  test('that pings without end and does not read gets the last answer only', async () => {
    const server = await listen(tautline);
    const { raw, peer } = await connectSilently(server);
    await fill(peer);
    const before = peer.bufferedAmount;
    const ping = (i: number) =>
      Buffer.concat([Buffer.from([0x89, 0x84, 0, 0, 0, 0]), Buffer.from(`${i}`.padStart(4, '0'))]);
    let seen = 0;
    const all = new Promise<void>((resolve) => peer.on('ping', () => ++seen === 5000 && resolve()));
    raw.write(Buffer.concat(Array.from({ length: 5000 }, (_, i) => ping(i))));
    await all;
    expect(peer.bufferedAmount).toBe(before);
    let tail = Buffer.alloc(0);
    const answered = new Promise<void>((resolve) => {
      raw.on('data', (data) => {
        tail = Buffer.concat([tail, data]).subarray(-6);
        if (tail.subarray(2).toString() === '4999') resolve();
      });
    });
    await answered;
    expect(tail[0]).toBe(0x8a);
    peer.terminate();
    await close(server);
  });
});

describe('a message sent as a stream', () => {
  async function* parts(...all: (string | Uint8Array)[]) {
    for (const part of all) {
      await new Promise((resolve) => setImmediate(resolve));
      yield part;
    }
  }

  test('arrives as one, and others wait for its end, but for pings', async () => {
    const scene = await Scene.open(both);
    const { client, peer } = scene;
    const sending = client.sendStream(parts('one ', '', 'two ', 'three'));
    client.ping('between');
    expect(client.send('after')).toBe(false);
    await sending;
    await client.ready();
    client.send('last');
    client.close(1000);
    const { server } = await scene.finish();
    expect(server).toEqual([
      'ping Buffer(between)',
      'message Buffer(one two three) false',
      'message Buffer(after) false',
      'message Buffer(last) false',
      'close 1000 Buffer() state 3',
    ]);
    expect(peer.failure).toBe(null);
  });

  test.each([
    ['bytes', () => parts(Buffer.from('a'), Buffer.from('b')), {}, 'message Buffer(ab) true'],
    [
      'bytes as text',
      () => parts(Buffer.from('a'), Buffer.from('b')),
      { binary: false },
      'message Buffer(ab) false',
    ],
    ['an array', () => ['a', 'b'], {}, 'message Buffer(ab) false'],
    ['a stream of the web', () => new Blob(['ab']).stream() as never, {}, 'message Buffer(ab) true'],
    ['nothing', () => [], {}, 'message Buffer() true'],
  ])('may be %s', async (_title, source, options, shown) => {
    const scene = await Scene.open(both, {
      client: { perMessageDeflate: { threshold: 0 } },
      server: { perMessageDeflate: true },
    });
    await scene.client.sendStream(source(), options);
    scene.client.close();
    expect((await scene.finish()).server[0]).toBe(shown);
  });

  test('may be a file larger than what can wait', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ws-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'large');
    const content = Buffer.alloc(8 * 1024 * 1024, 'tautline ');
    writeFileSync(file, content);
    const { client, peer, server } = await Scene.open(both);
    let most = 0;
    const sending = client.sendStream(
      (async function* () {
        for await (const part of createReadStream(file)) {
          most = Math.max(most, client.bufferedAmount);
          yield part as Buffer;
        }
      })(),
    );
    const [data] = (await once(peer, 'message')) as [Buffer];
    await sending;
    expect(content.equals(data)).toBe(true);
    expect(most).toBeLessThan(1024 * 1024);
    client.terminate();
    await close(server);
  });

  test('whose source fails closes the connection, since a part is no whole', async () => {
    const scene = await Scene.open(both);
    const failing = async function* () {
      yield 'part';
      throw new Error('the source failed');
    };
    await expect(scene.client.sendStream(failing())).rejects.toThrow('the source failed');
    const { server } = await scene.finish();
    expect(server).toEqual(['close 1011 Buffer(A message could not be completed) state 3']);
  });

  test('is given up when the connection ends, though the source be silent', async () => {
    const scene = await Scene.open(both);
    const silent = async function* () {
      yield 'part';
      await new Promise(() => {});
    };
    const sending = scene.client.sendStream(silent());
    const behind = scene.client.sendStream(['never']);
    behind.catch(() => {});
    scene.peer.terminate();
    await expect(sending).rejects.toThrow('WebSocket is not open: readyState 3 (CLOSED)');
    await scene.finish();
    await expect(scene.client.sendStream(['late'])).rejects.toThrow(
      'WebSocket is not open: readyState 3 (CLOSED)',
    );
  });
});

describe('a message received as a stream', () => {
  test('is read while it arrives, as slowly as its reader wants', async () => {
    const { client, peer, server } = await Scene.open(both);
    peer.streamMessages = true;
    const content = Buffer.alloc(4 * 1024 * 1024, 'abcdefg');
    const begun = once(peer, 'stream') as Promise<[Readable, boolean]>;
    let isSent = false;
    client.send(content, () => {
      isSent = true;
    });
    const [message, isBinary] = await begun;
    expect(isBinary).toBe(true);
    expect(isSent).toBe(false);
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect(chunks.length).toBeGreaterThan(1);
    peer.streamMessages = false;
    client.send('whole again');
    expect(String((await once(peer, 'message'))[0])).toBe('whole again');
    client.terminate();
    await close(server);
  });

  test('may be passed over, and the next one comes', async () => {
    const { client, peer, server } = await Scene.open(both);
    peer.streamMessages = true;
    const seen: string[] = [];
    const third = new Promise<void>((resolve) => {
      peer.on('stream', async (message) => {
        if (seen.push('begun') === 1) {
          message.destroy();
          return;
        }
        let text = '';
        for await (const chunk of message) text += String(chunk);
        seen.push(text);
        resolve();
      });
    });
    client.send('x'.repeat(1_000_000));
    client.send('second');
    await third;
    expect(seen).toEqual(['begun', 'begun', 'second']);
    client.close();
    await once(client, 'close');
    await close(server);
  });

  test('is discarded when nobody listens', async () => {
    const scene = await Scene.open(both);
    scene.peer.streamMessages = true;
    scene.client.send('x'.repeat(1_000_000));
    scene.client.close(1000);
    expect((await scene.finish()).server).toEqual(['close 1000 Buffer() state 3']);
  });

  test('that is not completed ends with an error', async () => {
    const { client, peer, server } = await Scene.open(both);
    peer.streamMessages = true;
    const begun = once(peer, 'stream') as Promise<[Readable]>;
    client.send('only a part', { fin: false });
    const [message] = await begun;
    const failed = new Promise<Error>((resolve) => message.on('error', resolve));
    message.resume();
    client.terminate();
    expect((await failed).message).toBe('WebSocket is not open: readyState 3 (CLOSED)');
    await close(server);
  });
});

describe('a broadcast', () => {
  async function connectMany(server: InstanceType<typeof WebSocketServer>, offers: (boolean | object)[]) {
    const sockets: { socket: WebSocket; peer: WebSocket; messages: string[] }[] = [];
    for (const perMessageDeflate of offers) {
      const socket = new WebSocket(addressOf(server), { perMessageDeflate });
      const [peer] = (await once(server, 'connection')) as [WebSocket];
      const messages: string[] = [];
      socket.on('message', (data, isBinary) => messages.push(`${String(data)} ${isBinary}`));
      await once(socket, 'open');
      sockets.push({ socket, peer, messages });
    }
    return sockets;
  }

  test.each(['broadcast', 'loop'])(
    'by %s reaches clients with all kinds of compression, in order',
    async (way) => {
      const server = await listen(tautline, { perMessageDeflate: { threshold: 10 } });
      const clients = await connectMany(server, [
        false,
        true,
        true,
        { serverNoContextTakeover: true },
        { serverMaxWindowBits: 9 },
        { clientMaxWindowBits: 10 },
      ]);
      const send = (data: string | Buffer) => {
        if (way === 'broadcast') expect(server.broadcast(data)).toBe(clients.length);
        else for (const client of server.clients) client.send(data);
      };
      const texts = ['short', 'long and long and long and long '.repeat(50), 'again '.repeat(300)];
      const expected: string[] = [];
      for (let round = 0; round < 3; round++) {
        for (const text of texts) {
          send(text);
          send(Buffer.from(text));
          expected.push(`${text} false`, `${text} true`);
        }
        // Messages of their own in between use and move the contexts of the connections.
        for (const [i, { peer }] of clients.entries()) peer.send(`own ${i} ${texts[1]}`);
        expected.push('own');
      }
      for (const { socket, peer, messages } of clients) {
        const closed = once(socket, 'close');
        peer.close(1000);
        await closed;
        expect(messages.map((text) => (text.startsWith('own') ? 'own' : text))).toEqual(expected);
      }
      await close(server);
    },
  );

  test('in a loop follows the changes of a buffer that is used again', async () => {
    const server = await listen(tautline);
    const clients = await connectMany(server, [false, false, false]);
    const buffer = Buffer.from('first');
    for (const client of server.clients) client.send(buffer);
    buffer.write('again');
    for (const client of server.clients) client.send(buffer);
    for (const [i, client] of [...server.clients].entries()) {
      buffer.write(`to ${i}!`);
      client.send(buffer);
    }
    for (const [i, { socket, peer, messages }] of clients.entries()) {
      const closed = once(socket, 'close');
      peer.close();
      await closed;
      expect(messages).toEqual(['first true', 'again true', `to ${i}! true`]);
    }
    await close(server);
  });

  test('may leave some out, go to some only, and waits behind a stream', async () => {
    const server = await listen(tautline);
    const clients = await connectMany(server, [false, false, false]);
    const [first, second, third] = clients.map(({ peer }) => peer);
    expect(server.broadcast('but the first', { except: first })).toBe(2);
    expect(server.broadcast('second only', { to: [second!] })).toBe(1);
    expect(server.broadcast('third only', { except: new Set([first!, second!]) })).toBe(1);
    const streaming = third!.sendStream(['a ', 'stream']);
    server.broadcast('all', { binary: true });
    await streaming;
    for (const { socket, peer } of clients) {
      const closed = once(socket, 'close');
      peer.close();
      await closed;
    }
    expect(clients.map(({ messages }) => messages)).toEqual([
      ['all true'],
      ['but the first false', 'second only false', 'all true'],
      ['but the first false', 'third only false', 'a stream false', 'all true'],
    ]);
    expect(server.broadcast('nobody')).toBe(0);
    await close(server);
    const untracked = await listen(tautline, { clientTracking: false });
    expect(() => untracked.broadcast('x')).toThrow('Without client tracking');
    await close(untracked);
  });
});

test('drain closes clients batch by batch, accepts nobody, and ends when all have gone', async () => {
  const server = await listen(tautline);
  const address = addressOf(server);
  const sockets = Array.from({ length: 5 }, () => new WebSocket(address));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  const closes: unknown[] = [];
  for (const socket of sockets)
    socket.on('close', (code, reason) => closes.push([code, String(reason), server.clients.size]));
  const drained = server.drain({ batch: 2, intervalMs: 30, code: 1001, reason: 'deploy' });
  const late = new WebSocket(address);
  const [error] = await once(late, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  await drained;
  expect(closes.map((entry) => (entry as unknown[]).slice(0, 2))).toEqual(
    sockets.map(() => [1001, 'deploy']),
  );
  expect(server.clients.size).toBe(0);
  expect(server.address()).toBe(null);
  await expect(new WebSocketServer({ noServer: true, clientTracking: false }).drain()).rejects.toThrow(
    'client tracking',
  );
});

test.each([0, -1, Number.NaN])(
  'drain refuses batches of %d, which would never end, and closes nothing',
  async (batch) => {
    const server = await listen(tautline);
    const client = new WebSocket(addressOf(server));
    await once(client, 'open');
    await expect(server.drain({ batch })).rejects.toThrow(RangeError);
    expect(server.address()).not.toBe(null);
    expect(client.readyState).toBe(1);
    client.terminate();
    await close(server);
  },
);

test.each([
  ['heartbeat', { intervalMs: 100 }, 'WS_INVALID_HEARTBEAT'],
  ['heartbeat', { intervalMs: 0, timeoutMs: 100 }, 'WS_INVALID_HEARTBEAT'],
  ['slowReader', { limitBytes: 1000, policy: 'drop' }, 'WS_INVALID_SLOW_READER'],
  ['slowReader', { policy: 'close' }, 'WS_INVALID_SLOW_READER'],
])('%s: %j, which would not protect, is refused in both roles', (name, value, code) => {
  const options = { [name]: value };
  expect(() => new WebSocketServer({ noServer: true, ...options })).toThrow(
    expect.objectContaining({ code }),
  );
  expect(() => new WebSocket('ws://127.0.0.1:1', options)).toThrow(expect.objectContaining({ code }));
});
