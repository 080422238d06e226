/**
 * What: shows iterators and streams over real connections, with both kinds of client.
 * Must not know: how they work.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { io, type Socket as OurSocket } from '../../../src/entry/client-node.ts';
import { StreamError, withStreams } from '../../../src/entry/client-stream.ts';
import { cuttingProxy } from '../client/cutting-proxy.ts';
import { next, type Scene, scene } from './scene.ts';

const kinds: [string, 'ours' | 'plain'][] = [
  ['our client', 'ours'],
  ['socket.io-client', 'plain'],
];

async function enter(s: Scene, kind: 'ours' | 'plain') {
  const { client, socket } = kind === 'ours' ? await s.ours() : await s.plain();
  return { client: withStreams(client as OurSocket), socket };
}

describe.each(kinds)('with %s', (_title, kind) => {
  it('the server iterates over what the client emits, acknowledgements included', async () => {
    const { client, socket } = await enter(await scene(), kind);
    const events = socket.events('add');
    const answers = Promise.all(
      [1, 2, 3].map((n) => new Promise((resolve) => client.emit('add', n, 10, resolve))),
    );
    let left = 3;
    for await (const [a, b, reply] of events) {
      reply(a + b);
      if (--left === 0) break;
    }
    expect(await answers).toEqual([11, 12, 13]);
    expect(socket.listenerCount('add')).toBe(0);
  });

  it('the client iterates over what the server emits, until it is disconnected', async () => {
    const { client, socket } = await enter(await scene(), kind);
    const events = client.events('tick');
    for (let i = 0; i < 5; i++) socket.emit('tick', i, Buffer.from([i]));
    socket.disconnect();
    const seen: number[] = [];
    for await (const [i, bytes] of events) seen.push(i + bytes[0]);
    expect(seen).toEqual([0, 2, 4, 6, 8]);
  });

  it('each side streams an answer to the other', async () => {
    const { client, socket } = await enter(await scene(), kind);
    async function* letters(word: string) {
      for (const letter of word) yield letter;
    }
    socket.onStream('letters', letters);
    client.onStream('letters', letters);
    for (const asking of [client, socket]) {
      let word = '';
      for await (const letter of asking.stream('letters', 'tautline')) word += letter;
      expect(word).toBe('tautline');
    }
  });

  it('a client that leaves aborts what is answered, and what it asked fails', async () => {
    const { client, socket } = await enter(await scene(), kind);
    const stopped = new Promise<string>((resolve) => {
      socket.onStream('endless', async function* ({ signal }) {
        yield 1;
        await once(signal, 'abort');
        resolve(signal.reason.code);
      });
    });
    const stream = client.stream('endless');
    expect((await stream.next()).value).toBe(1);
    const failed = expect(stream.next()).rejects.toMatchObject({ code: 'STREAM_ERR_DISCONNECTED' });
    client.disconnect();
    await failed;
    expect(await stopped).toBe('STREAM_ERR_CANCELLED');
  });
});

describe('streams', () => {
  it('can be asked for by a socket.io-client that knows only the names of the events', async () => {
    const { client, socket } = await (await scene()).plain();
    socket.onStream('count', function* (to: number) {
      for (let i = 1; i <= to; i++) yield i;
      throw new StreamError('That is all', { code: 'COUNT_OVER' });
    });
    const said: unknown[][] = [];
    const ended = new Promise<void>((resolve) => {
      client.on('tautline:stream', (...args) => {
        said.push(args);
        if (args[0] === 'end') resolve();
        if (args[2] === 2) client.emit('tautline:stream', 'more', 7, 2);
      });
    });
    client.emit('tautline:stream', 'open', 7, 'count', 2, [3]);
    await ended;
    expect(said).toEqual([
      ['part', 7, 1],
      ['part', 7, 2],
      ['part', 7, 3],
      ['end', 7, { message: 'That is all', code: 'COUNT_OVER' }],
    ]);
  });

  it('survive the loss of connections with the session', async () => {
    const s = await scene();
    const proxy = await cuttingProxy(s.port, 1, 3000);
    try {
      s.io.on('connection', (socket) => {
        socket.onStream('numbers', async function* () {
          for (let i = 0; i < 400; i++) {
            if (i % 20 === 0) await sleep(1);
            yield [i, 'x'.repeat(50)];
          }
        });
      });
      const client = withStreams(
        io(proxy.url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 10 }),
      );
      await next(client, 'connect');
      const numbers: number[] = [];
      for await (const [i] of client.stream('numbers')) numbers.push(i);
      proxy.calm();
      client.disconnect();
      expect(numbers).toEqual(Array.from({ length: 400 }, (_, i) => i));
      expect(proxy.cuts).toBeGreaterThan(2);
    } finally {
      await proxy.close();
    }
  });

  it('go over connection state recovery, which puts an offset behind each event', async () => {
    const { client, socket } = await (await scene({ connectionStateRecovery: {} })).plain();
    socket.onStream('count', () => [1, 2, 3]);
    const parts: unknown[] = [];
    for await (const part of withStreams(client).stream('count')) parts.push(part);
    expect(parts).toEqual([1, 2, 3]);
  });
});

describe.each(kinds)('streams of %s, before middlewares of the socket', (_title, kind) => {
  async function start() {
    const { client, socket } = await enter(await scene(), kind);
    const asked: unknown[] = [];
    socket.onStream('delete', function* (...args: unknown[]) {
      asked.push(args.slice(0, -1));
      yield 'deleted';
    });
    const errors: string[] = [];
    socket.on('error', (error) => errors.push(error.message));
    const all = async (...args: unknown[]) => {
      const parts: unknown[] = [];
      for await (const part of client.stream('delete', ...args)) parts.push(part);
      return parts;
    };
    return { client, socket, asked, errors, all };
  }

  it('are seen under their own names, with their arguments, once', async () => {
    const { socket, all } = await start();
    const seen: unknown[] = [];
    socket.onAny((...event) => seen.push(event));
    socket.use((event, pass) => {
      seen.push([...event]);
      pass();
    });
    expect(await all('a', 1)).toEqual(['deleted']);
    expect(seen).toEqual([
      ['delete', 'a', 1],
      ['delete', 'a', 1],
    ]);
  });

  it('are forbidden by who forbids the event, and fail at once', async () => {
    const { socket, all, asked, errors } = await start();
    socket.use(([name], pass) => pass(name === 'delete' ? new Error('not you') : undefined));
    await expect(all()).rejects.toMatchObject({
      code: 'STREAM_ERR_REFUSED',
      message: 'The stream "delete" was refused.',
    });
    expect([asked, errors]).toEqual([[], ['not you']]);
  });

  it('are told a reason that is meant for them', async () => {
    const { socket, all } = await start();
    const reason = new StreamError('Ask an admin', { code: 'NOT_YOU', data: { role: 'guest' } });
    socket.use((_event, pass) => pass(reason));
    await expect(all()).rejects.toMatchObject({
      code: 'NOT_YOU',
      message: 'Ask an admin',
      data: { role: 'guest' },
    });
  });

  it('get the arguments that middlewares have changed', async () => {
    const { socket, all, asked } = await start();
    socket.use((event, pass) => {
      event[1] = 'b';
      pass();
    });
    await all('a', 1);
    expect(asked).toEqual([['b', 1]]);
  });

  it('are not opened when they were cancelled meanwhile', async () => {
    const { client, socket, asked, all } = await start();
    const waiting = new Promise<() => void>((resolve) => {
      socket.use(([name], pass) => (name === 'delete' && asked.length === 0 ? resolve(pass) : pass()));
    });
    const controller = new AbortController();
    const failed = expect(all('a', { signal: controller.signal })).rejects.toThrow('enough');
    const pass = await waiting;
    controller.abort(new Error('enough'));
    await failed;
    socket.on('cancelled', (answer) => answer());
    await client.emitWithAck('cancelled');
    pass();
    expect(asked).toEqual([]);
  });
});

describe('an iterator that is read slowly', () => {
  const flood = 4000;
  const text = 'x'.repeat(1000);

  it.each(kinds)('makes %s wait, and hears its heartbeat', async (_title, kind) => {
    const s = await scene({ pingInterval: 1500, pingTimeout: 1500 });
    const { client, socket } = await enter(s, kind);
    const events = socket.events('part', { holdAt: 8, limit: 200 });
    let received = 0;
    socket.on('part', () => received++);
    for (let i = 0; i < flood; i++) client.emit('part', i, text);
    client.emit('last');
    // Longer than the heartbeat would wait for a pong that nobody reads.
    const ended: string[] = [];
    socket.on('disconnect', (reason) => ended.push(reason));
    for (let pings = 0; pings < 2; pings++) await next(client.io, 'ping');
    expect(ended).toEqual([]);
    expect(received).toBe(8);
    let expected = 0;
    for await (const [i] of events) {
      expect(i).toBe(expected++);
      if (expected === flood) break;
    }
    expect(ended).toEqual([]);
    expect(events.dropped).toBe(0);
    expect(received).toBe(flood);
  });

  it('fails with an overflow where nothing can be held up', async () => {
    const { client, socket } = await (await scene()).ours();
    const events = withStreams(client).events('part', { limit: 200 });
    for (let i = 0; i < 500; i++) socket.emit('part', i);
    socket.emit('last');
    await next(client, 'last');
    let seen = 0;
    const readAll = async () => {
      for await (const [i] of events) expect(i).toBe(seen++);
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'EVENTS_ERR_OVERFLOW' });
    expect(seen).toBe(200);
  });
});
