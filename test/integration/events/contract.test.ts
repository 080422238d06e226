/**
 * What: shows a contract between real ends: what clients of both kinds send that breaks it, and what a server does.
 * Must not know: how it is kept.
 */
import { once } from 'node:events';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Socket as OurSocket } from '../../../src/entry/client-node.ts';
import { withStreams } from '../../../src/entry/client-stream.ts';
import { defineContract, withContract } from '../../../src/entry/contract.ts';
import type { Server } from '../../../src/entry/index.ts';
import { next, type Scene, scene } from './scene.ts';

const slowText = z.string().refine(async (text) => {
  await new Promise((resolve) => setImmediate(resolve));
  return text !== 'bad';
}, 'is bad');

const chat = defineContract({
  clientToServer: {
    say: { args: [z.string().max(5)], ack: [z.object({ id: z.number() })] },
    move: [v.number(), z.number().optional()],
    slow: [slowText],
    fast: [z.number()],
    done: { ack: [] },
    search: { args: [z.string()], part: z.number() },
  },
  serverToClient: {
    said: [z.string()],
    ask: { args: [z.string()], ack: [z.string().transform(Number).pipe(z.number())] },
    upload: { part: z.number() },
  },
});

type Kind = 'ours' | 'plain';
const kinds: [string, Kind][] = [
  ['our client', 'ours'],
  ['socket.io-client', 'plain'],
];

async function start(options = {}) {
  const violations: string[] = [];
  const s = await scene(options, (io: Server) => {
    io.contract(chat).on('violation', (_socket, { event, code }) => violations.push(`${event} ${code}`));
  });
  return { ...s, violations };
}

const enter = async (s: Scene, kind: Kind) =>
  (await (kind === 'ours' ? s.ours() : s.plain())) as Awaited<ReturnType<Scene['ours']>>;

describe.each(kinds)('a contract on the server, with %s', (_title, kind) => {
  it('lets through what keeps it, with its answer', async () => {
    const s = await start();
    const { client, socket } = await enter(s, kind);
    socket.on('say', (text, ack) => ack({ id: text.length }));
    expect(await client.emitWithAck('say', 'hello')).toEqual({ id: 5 });
    expect([s.violations, s.io.of('/').violations]).toEqual([[], 0]);
  });

  const wrong: [string, unknown[], object][] = [
    [
      'a wrong argument',
      ['say', 'too long'],
      { code: 'CONTRACT_ERR_INVALID_ARGUMENTS', issues: [{ path: [0] }] },
    ],
    ['one too many', ['say', 'a', 'b'], { code: 'CONTRACT_ERR_INVALID_ARGUMENTS', issues: [{ path: [1] }] }],
    ['none', ['say'], { code: 'CONTRACT_ERR_INVALID_ARGUMENTS', issues: [{ path: [0] }] }],
    ['an unknown event', ['shout', 'a'], { code: 'CONTRACT_ERR_UNKNOWN_EVENT', event: 'shout' }],
    ['a name of the language', ['__proto__', 'a'], { code: 'CONTRACT_ERR_UNKNOWN_EVENT' }],
    ['a question where none is answered', ['move', 1], { code: 'CONTRACT_ERR_UNEXPECTED_ACK' }],
    ['a stream as an event', ['search', 'a'], { code: 'CONTRACT_ERR_UNKNOWN_EVENT' }],
    ['what a slow schema refuses', ['slow', 'bad'], { code: 'CONTRACT_ERR_UNEXPECTED_ACK' }],
  ];
  it.each(wrong)(
    'answers %s with the reason, and nobody else sees it',
    async (_what, [name, ...args], refusal) => {
      const s = await start();
      const { client, socket } = await enter(s, kind);
      const seen: unknown[] = [];
      socket.onAny((...event) => seen.push(event));
      socket.use((event, go) => {
        seen.push(event);
        go();
      });
      const answer = await client.emitWithAck(name as string, ...args);
      expect(answer).toEqual({
        error: expect.objectContaining({ event: name, message: expect.any(String) }),
      });
      expect(answer.error).toMatchObject(refusal);
      expect(seen).toEqual([]);
      expect(s.io.of('/').violations).toBe(1);
      expect(s.violations).toEqual([`${name} ${answer.error.code}`]);
    },
  );

  it('tells of an event that wants no answer by an event', async () => {
    const s = await start();
    const { client } = await enter(s, kind);
    const refused = next(client, 'tautline:refused');
    client.emit('move', 'left');
    expect(await refused).toEqual([
      expect.objectContaining({
        code: 'CONTRACT_ERR_INVALID_ARGUMENTS',
        event: 'move',
        issues: [{ path: [0], message: expect.stringMatching(/./) }],
      }),
    ]);
  });

  it.each([
    ['anything', [{ hidden: true }]],
    ['nothing', []],
    ['a refusal with a callback', [{ code: 'CONTRACT_ERR_X', message: 'm', event: 'e' }, () => {}]],
  ])('lets nobody hide %s behind the name of our refusals', async (_what, args) => {
    const s = await start();
    const { client, socket } = await enter(s, kind);
    const seen: unknown[] = [];
    socket.onAny((...event) => seen.push(event[0]));
    socket.on('say', (_text, ack) => ack({ id: 1 }));
    client.emit('tautline:refused', ...args);
    client.emit('say', 'after', () => {});
    await client.emitWithAck('say', 'last');
    expect(seen).toEqual(['say', 'say']);
    expect(s.violations).toEqual(['tautline:refused CONTRACT_ERR_UNKNOWN_EVENT']);
  });

  it('keeps the order of events where schemas take their time', async () => {
    const s = await start();
    const { client, socket } = await enter(s, kind);
    const seen: unknown[] = [];
    for (const name of ['slow', 'fast']) socket.on(name, (value) => seen.push(value));
    const done = once(socket, 'done');
    for (let i = 0; i < 100; i++) {
      if (i % 3 === 0) client.emit('slow', i % 9 === 0 ? 'bad' : String(i));
      else client.emit('fast', i);
    }
    client.emit('done');
    const [ack] = await done;
    // The sender gave no callback; the contract promises one.
    ack();
    const right = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? String(i) : i));
    expect(seen).toEqual(right.filter((value) => typeof value === 'number' || +value % 9 !== 0));
    expect(s.io.of('/').violations).toBe(12);
  });

  it('validates the answers of clients, in whatever way they were asked for', async () => {
    const s = await start();
    const { client, socket } = await enter(s, kind);
    let answer: unknown = '42';
    client.on('ask', (_question, reply) => reply(answer));
    expect(await socket.emitWithAck('ask', 'why')).toBe(42);
    answer = {};
    const refused = next(client, 'tautline:refused');
    const error = { name: 'RefusedError', code: 'CONTRACT_ERR_INVALID_ANSWER' };
    await expect(socket.emitWithAck('ask', 'why')).rejects.toMatchObject(error);
    expect(await refused).toEqual([expect.objectContaining({ event: 'ask', code: error.code })]);
    await expect(socket.timeout(10_000).emitWithAck('ask', 'why')).rejects.toMatchObject(error);
    const told = await new Promise((resolve) => socket.timeout(10_000).emit('ask', 'why', resolve));
    expect(told).toMatchObject(error);
    answer = '1';
    expect(await s.io.timeout(10_000).emitWithAck('ask', 'all')).toEqual([1]);
    answer = {};
    await expect(s.io.timeout(50).emitWithAck('ask', 'all')).rejects.toMatchObject({ responses: [] });
    expect(s.io.of('/').violations).toBe(4);
  });

  it('validates what streams are asked with, and their parts', async () => {
    const s = await start();
    const entered = await enter(s, kind);
    const client = withStreams(entered.client as OurSocket);
    const { socket } = entered;
    socket.onStream('search', (text: string) => [text.length]);
    expect((await client.stream('search', 'abc').next()).value).toBe(3);
    await expect(client.stream('search', 5).next()).rejects.toMatchObject({
      name: 'StreamError',
      code: 'CONTRACT_ERR_INVALID_ARGUMENTS',
      data: { event: 'search', issues: [{ path: [0] }] },
    });
    await expect(client.stream('find', 'abc').next()).rejects.toMatchObject({
      code: 'CONTRACT_ERR_UNKNOWN_EVENT',
    });
    client.onStream('upload', () => [1, 'two', 3]);
    const upload = socket.stream('upload');
    expect((await upload.next()).value).toBe(1);
    await expect(upload.next()).rejects.toMatchObject({ code: 'CONTRACT_ERR_INVALID_PART' });
    expect(s.violations.map((each) => each.split(' ')[0])).toEqual(['search', 'find', 'upload']);
  });
});

describe('a contract on the server', () => {
  it('can let unknown events pass', async () => {
    const s = await scene({}, (io) => void io.contract(chat, { unknownEvents: 'pass' }));
    const { client, socket } = await s.plain();
    socket.on('old', (text, ack) => ack(text));
    expect(await client.emitWithAck('old', 'x')).toBe('x');
    expect(await client.emitWithAck('say', 5)).toMatchObject({ error: { event: 'say' } });
  });

  it('holds for the namespaces of a pattern, and for no other', async () => {
    const told: string[] = [];
    const s = await scene({}, (io) => {
      const rooms = io.of(/^\/room-\d$/).contract(chat);
      rooms.on('violation', (socket) => told.push(socket.nsp.name));
    });
    const room = await s.plain('/room-1');
    expect(await room.client.emitWithAck('shout')).toMatchObject({ error: { event: 'shout' } });
    const main = await s.plain();
    main.socket.on('shout', (ack) => ack('heard'));
    expect(await main.client.emitWithAck('shout')).toBe('heard');
    expect(told).toEqual(['/room-1']);
    expect(s.io.of('/room-1').violations).toBe(1);
  });

  it('keeps what comes while its schemas take their time, over polling too', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let checked = 0;
    const check = () => {
      checked++;
      return gate.then(() => true);
    };
    const stuck = defineContract({ clientToServer: { slow: [z.number().refine(check)] } });
    const s = await scene({}, (io) => void io.contract(stuck));
    const { client, socket } = await s.plain('/', { transports: ['polling'] });
    const seen: number[] = [];
    socket.on('slow', (n) => seen.push(n));
    for (let i = 0; i < 2000; i++) client.emit('slow', i);
    // The answer to it passes what waits.
    client.on('here?', (answer) => answer('yes'));
    expect(await socket.emitWithAck('here?')).toBe('yes');
    expect(checked).toBeLessThan(200);
    open();
    await expect.poll(() => seen.length).toBe(2000);
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });
});

describe('a contract on the client', () => {
  it('validates what the server sends, and tells both', async () => {
    const s = await scene();
    const { client: untyped, socket } = await s.ours();
    const client = withContract(untyped, chat);
    const said: string[] = [];
    const told: string[] = [];
    client.on('said', (text) => said.push(text));
    client.on('violation', ({ refusal }) => told.push(`${refusal.event} ${refusal.code}`));
    socket.emit('said', 5);
    socket.emit('said', 'right');
    expect(await once(socket, 'tautline:refused')).toEqual([
      expect.objectContaining({ event: 'said', code: 'CONTRACT_ERR_INVALID_ARGUMENTS' }),
    ]);
    expect(await socket.emitWithAck('ask', 5)).toMatchObject({ error: { event: 'ask' } });
    expect(await socket.emitWithAck('unheard')).toMatchObject({
      error: { event: 'unheard', code: 'CONTRACT_ERR_UNKNOWN_EVENT' },
    });
    expect(said).toEqual(['right']);
    expect(told).toEqual([
      'said CONTRACT_ERR_INVALID_ARGUMENTS',
      'ask CONTRACT_ERR_INVALID_ARGUMENTS',
      'unheard CONTRACT_ERR_UNKNOWN_EVENT',
    ]);
  });

  it('is not asked for what the server says by itself: history and presence go with any contract', async () => {
    const talk = defineContract({
      clientToServer: { enter: { ack: [] } },
      serverToClient: { said: [z.string()] },
    });
    const s = await scene({}, (untyped) => {
      const io = untyped.contract(talk);
      io.on('connection', (socket) => {
        socket.on('enter', async (done) => {
          await io.history('tea').emit('said', 'hello');
          await io.history('tea').join(socket);
          await io.presence('tea').join(socket, null, { key: 'ada' });
          done();
        });
      });
    });
    const { client: untyped } = await s.ours();
    const client = withContract(untyped, talk);
    const told: unknown[] = [];
    client.on('violation', ({ refusal }) => told.push(refusal));
    client.on('history', ({ isReset, count }) => told.push(['history', isReset, count]));
    client.on('presence:state', ({ members }) => told.push(['presence', members.map(({ key }) => key)]));
    client.on('said', (text) => told.push(['said', text]));
    await client.emitWithAck('enter');
    expect(told).toEqual([
      ['history', true, 1],
      ['said', 'hello'],
      ['presence', ['ada']],
    ]);
  });

  it('validates answers, and makes errors of those that refuse', async () => {
    const s = await start();
    const { client: untyped, socket } = await s.ours();
    const client = withContract(untyped, chat);
    socket.on('say', (text, ack) => ack(text === 'wrong' ? { id: 'none' } : { id: 7 }));
    expect(await client.emitWithAck('say', 'hello')).toEqual({ id: 7 });
    expect(await new Promise((resolve) => client.emit('say', 'hello', resolve))).toEqual({ id: 7 });
    await expect(client.emitWithAck('say', 'wrong')).rejects.toMatchObject({
      code: 'CONTRACT_ERR_INVALID_ANSWER',
    });
    await expect(client.timeout(10_000).emitWithAck('say', 'too long')).rejects.toMatchObject({
      name: 'RefusedError',
      refusal: { event: 'say', issues: [{ path: [0] }] },
    });
    const error = await new Promise((resolve) => client.timeout(10_000).emit('say', 'too long', resolve));
    expect(error).toMatchObject({ code: 'CONTRACT_ERR_INVALID_ARGUMENTS' });
  });

  it('keeps the order where schemas take their time', async () => {
    const s = await scene();
    const { client: untyped, socket } = await s.ours();
    const client = withContract(
      untyped,
      defineContract({ serverToClient: { slow: [slowText], fast: [z.string()] } }),
    );
    const seen: string[] = [];
    client.on('slow', (text) => seen.push(text));
    const last = new Promise<void>((resolve) => {
      client.on('fast', (text) => {
        seen.push(text);
        if (text === '9') resolve();
      });
    });
    for (let i = 0; i < 10; i++) socket.emit(i % 2 ? 'fast' : 'slow', String(i));
    await last;
    expect(seen.join('')).toBe('0123456789');
  });

  it('validates the parts of streams', async () => {
    const s = await scene();
    const { client: untyped, socket } = await s.ours();
    const client = withStreams(withContract(untyped, chat));
    socket.onStream('search', () => [1, 'two']);
    const search = client.stream('search', 'x');
    expect((await search.next()).value).toBe(1);
    await expect(search.next()).rejects.toMatchObject({ code: 'CONTRACT_ERR_INVALID_PART' });
  });
});
