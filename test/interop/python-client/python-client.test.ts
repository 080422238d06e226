/**
 * What: the client of examples/python-client, written from docs/protocol alone, against our server and the official one.
 * Must not know: how either works within.
 */
import { Server as OfficialServer } from 'socket.io';
import { afterEach, describe, expect, test } from 'vitest';
import { Server, type ServerOptions, StreamError } from '../../../src/entry/index.ts';
import { seeded } from '../../integration/client/cutting-proxy.ts';
import { RestlessProxy } from '../../integration/middle-boxes/restless-proxy.ts';
import { afterwards, endScene, listen, openGate, startExample, startPeer } from './scene.ts';

const COUNT = 600;
const TRANSPORTS = ['websocket', 'sse', 'polling', 'short-polling'];
/** No connection lives longer; a request of short polling lives for some milliseconds anyway. */
const LONGEST_LIVES_MS = [250, 250, 250, 40];

/** Another one each time; a failure is repeated with the one that the title says. */
const seed = Number(process.env.TAUTLINE_SEED ?? Math.floor(Math.random() * 2 ** 31));

type Example = ReturnType<typeof startExample>;

afterEach(endScene);

/** The nth message, as peer.py has it. */
function body(n: number): string | Buffer {
  const size = (n * 37) % 1500;
  return n % 3 ? 'é'.repeat(size) : Buffer.alloc(size, n % 256);
}

function isBody(n: number, content: unknown): boolean {
  const expected = body(n);
  return typeof expected === 'string' ? expected === content : expected.equals(content as Buffer);
}

async function startServer(options: Partial<ServerOptions> = {}) {
  const { http, port } = await listen();
  const io = new Server(http, options);
  afterwards(() => void io.close());
  return { io, port };
}

/** Counts what comes as `up`, and says how much that was, or what came in place of what. */
function listenToUp(io: Server) {
  const heard = { count: 0, wrong: [] as number[] };
  io.on('connection', (socket) => {
    socket.on('up', (n: number, content: unknown, reply?: (n: number) => void) => {
      if (n !== heard.count || !isBody(n, content)) heard.wrong.push(n);
      heard.count++;
      reply?.(n);
    });
    socket.on('heard', (reply) => reply(heard.count));
  });
  return heard;
}

describe(`a client in Python (TAUTLINE_SEED=${seed})`, () => {
  test.each(TRANSPORTS)(
    '600 messages arrive each way, once and in order, while a proxy cuts, over %s',
    async (transport) => {
      const { io, port } = await startServer();
      const heard = listenToUp(io);
      const answers: number[] = [];
      const outcomes: unknown[] = [];
      const ended = new Promise<void>((resolve) => {
        io.on('connection', (socket) => {
          const say = async (n: number) => {
            if (n % 10) socket.emit('down', n, body(n));
            else answers.push(await socket.emitWithAck('down', n, body(n)));
          };
          socket.once('up', () => {
            let n = 0;
            const timer = setInterval(() => {
              for (let i = 0; i < 10; i++) void say(n++);
              if (n >= COUNT) clearInterval(timer);
            }, 50);
          });
          socket.on('disconnect', (reason, outcome) => {
            outcomes.push([reason, outcome]);
            resolve();
          });
        });
      });
      const which = TRANSPORTS.indexOf(transport);
      const proxy = await RestlessProxy.start(port, seeded(seed + which), LONGEST_LIVES_MS[which]!);
      afterwards(() => proxy.end());
      const peer = startPeer('cut', proxy.url, transport, String(COUNT));
      expect(await peer.next()).toEqual({ event: 'open', extended: true });
      proxy.begin();
      peer.say();
      expect(await peer.next()).toEqual({ event: 'done', wrong: [], got: COUNT, acknowledged: true });
      proxy.calm();
      peer.say();
      expect(await peer.rest()).toEqual([
        { event: 'heard', heard: COUNT, got: COUNT },
        { event: 'end', end: 'closed', not_received: [], unknown: [] },
      ]);
      await ended;
      expect(heard).toEqual({ count: COUNT, wrong: [] });
      expect(answers).toEqual(Array.from({ length: COUNT / 10 }, (_, i) => i * 10));
      expect(outcomes).toEqual([['client namespace disconnect', undefined]]);
      expect(io.engine.clientsCount).toBe(0);
      expect(proxy.cuts).toBeGreaterThan(4);
    },
    90_000,
  );

  test.each(TRANSPORTS)('one session moves over all transports and back to %s', async (transport) => {
    const { io, port } = await startServer();
    const heard = listenToUp(io);
    const sockets: string[] = [];
    let said = 0;
    io.on('connection', (socket) => {
      sockets.push(socket.id);
      socket.on('want', (count: number) => {
        for (let i = 0; i < count; i++) socket.emit('down', said++, null);
      });
      socket.on('transport', (reply) => reply(socket.conn.transport.name));
    });
    const told = await startPeer('move', `http://127.0.0.1:${port}`, transport).rest();
    const over = ['sse', 'websocket', 'polling', 'short-polling', 'websocket', 'sse', transport];
    expect(told).toEqual([
      { event: 'moved', over, heard: 350, said: 350, got: true },
      { event: 'end', end: 'closed', not_received: [], unknown: [] },
    ]);
    expect(heard.wrong).toEqual([]);
    expect(sockets).toHaveLength(1);
  });

  test.each(TRANSPORTS)(
    'who comes back too late over %s is told so, and the outbox keeps what it said',
    async (transport) => {
      const { io, port } = await startServer({
        // A row of polls is given up after both times, if none was waiting when it was cut.
        pingInterval: 1000,
        pingTimeout: 1000,
        session: { windowMs: 1000 },
      });
      const kept: string[] = [];
      const gone: unknown[] = [];
      let expired = () => {};
      io.on('connection', (socket) => {
        socket.on('keep', (word: string, reply?: () => void) => {
          kept.push(word);
          reply?.();
        });
        socket.on('kept', (reply) => reply(kept.splice(0)));
        socket.on('disconnect', (reason, outcome) => {
          if ((outcome as { end?: string } | undefined)?.end !== 'expired') return;
          gone.push(reason);
          expired();
        });
      });
      const gate = await openGate(port);
      const peer = startPeer('expire', gate.url, transport);
      for (const [hasOutbox, expectedKept] of [
        [false, ['before', 'after']],
        [true, ['before', 'meanwhile', 'after']],
      ] as const) {
        expect(await peer.next()).toEqual({ event: 'open' });
        const isExpired = new Promise<void>((resolve) => {
          expired = resolve;
        });
        gate.shut();
        peer.say();
        expect(await peer.next(), String(hasOutbox)).toEqual({ event: 'emitted' });
        await isExpired;
        gate.open();
        peer.say();
        const end = await peer.next();
        expect(end).toMatchObject({ event: 'end', end: 'expired' });
        // The server's count tells what it has not received; a client whose own time was up first cannot know.
        expect([...(end.not_received as []), ...(end.unknown as [])]).toEqual([['keep', 'meanwhile']]);
        expect(await peer.next()).toEqual({ event: 'kept', kept: expectedKept });
        expect(await peer.next()).toMatchObject({ event: 'end', end: 'closed' });
      }
      expect(gone).toHaveLength(2);
      expect(await peer.rest()).toEqual([]);
    },
  );

  test.each(TRANSPORTS)('streams, presence, history and an end by the server, over %s', async (transport) => {
    const { io, port } = await startServer();
    let cancelled = () => {};
    const isCancelled = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    io.on('connection', (socket) => {
      socket.onStream('count', async function* (most: number) {
        for (let i = 0; i < most; i++) yield i;
      });
      socket.onStream('endless', async function* () {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          cancelled();
        }
      });
      // biome-ignore lint/correctness/useYield: it fails before its first part.
      socket.onStream('fails', async function* () {
        throw new StreamError('as asked', { code: 'AS_ASKED' });
      });
      socket.on('cancelled', (reply) => void isCancelled.then(() => reply()));
      socket.on('enter', async (reply) => {
        await io.history('tea').emit('chat', 'before');
        await io.presence('tea').join(socket, { status: 'here' }, { key: 'ada' });
        await io.history('tea').join(socket);
        await io.history('tea').emit('chat', Buffer.from('after'));
        reply();
      });
      socket.on('throw me out', () => socket.disconnect(true));
    });
    const told = await startPeer('rest', `http://127.0.0.1:${port}`, transport).rest();
    const member = { key: 'ada', meta: { status: 'here' }, isInterrupted: false };
    const [first, second] = [expect.any(String), expect.any(String)];
    const atMs = expect.any(Number);
    expect(told[0]).toEqual({
      event: 'streams',
      whole: true,
      few: [0, 1, 2],
      refusals: ['AS_ASKED', 'STREAM_ERR_UNKNOWN'],
    });
    expect(told.slice(1)).toEqual([
      {
        event: 'rooms',
        seen: [
          ['presence:state', { room: 'tea', members: [member] }],
          ['history', { room: 'tea', isReset: true, count: 1, id: first }],
          ['chat', 'before', { room: 'tea', id: first, atMs }],
          ['chat', { bytes: 'after' }, { room: 'tea', id: second, atMs }],
        ],
      },
      { event: 'refused', said: { message: 'Invalid namespace' } },
      { event: 'end', end: 'closed', not_received: [], unknown: [] },
    ]);
  });
});

test('the example shows to one what the other has typed', async () => {
  const { io, port } = await startServer();
  io.on('connection', (socket) => {
    socket.on('note', (note, done) => {
      socket.broadcast.emit('note', note);
      done('delivered');
    });
  });
  const [one, other] = [0, 1].map(() => startExample(`http://127.0.0.1:${port}`)) as [Example, Example];
  expect([await one.next(), await other.next()]).toEqual(['(connected)', '(connected)']);
  one.say('grüße');
  expect([await one.next(), await other.next()]).toEqual(['(delivered)', '> grüße']);
  for (const each of [one, other]) {
    each.endInput();
    expect(await each.rest()).toEqual(['(the session is over: closed; not received: [], unknown: [])']);
  }
});

test.each(['websocket', 'polling'])(
  'a server without the extension gives the Python client the standard, over %s',
  async (transport) => {
    const { http, port } = await listen();
    const io = new OfficialServer(http);
    afterwards(() => void io.close());
    io.on('connection', (socket) => {
      socket.on('echo', (value, reply) => reply(value));
      socket.on('ask', async (value, reply) => {
        const { back } = await socket.emitWithAck('question', value);
        reply(Buffer.isBuffer(back) ? 'bytes' : 'something else');
      });
      socket.on('cut me', () => socket.conn.close());
    });
    expect(await startPeer('standard', `http://127.0.0.1:${port}`, transport).rest()).toEqual([
      { event: 'open', extended: false },
      ...Array.from({ length: 4 }, () => ({ event: 'echo', same: true })),
      { event: 'asked', answer: 'bytes' },
      // Over polling the server can say that it closes.
      { event: 'end', end: transport === 'polling' ? 'closed' : 'lost', not_received: [], unknown: [] },
      { event: 'again', same: true },
      { event: 'end', end: 'closed', not_received: [], unknown: [] },
    ]);
  },
);
