/**
 * What: shows that contracts mean the same with zod, valibot and arktype, at once or later, from the first word of a
 *   client, its credentials, to broadcasts.
 * Must not know: how they are kept.
 */
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { io as ourIo } from '../../../src/entry/client-node.ts';
import { withStreams } from '../../../src/entry/client-stream.ts';
import { defineContract, type StandardSchema } from '../../../src/entry/contract.ts';
import type { Server } from '../../../src/entry/index.ts';
import { next, scene } from './scene.ts';

interface Credentials {
  token: string;
  level: number;
}

interface Library {
  /** Digits that become a number. */
  readonly digits: StandardSchema<string, number>;
  readonly text: StandardSchema<string>;
  /** A token of three characters, and a level as digits that becomes a number. */
  readonly auth: StandardSchema<{ token: string; level: string }, Credentials>;
}

const libraries: Record<string, Library> = {
  zod: {
    digits: z.string().regex(/^\d+$/).transform(Number),
    text: z.string(),
    auth: z.strictObject({ token: z.string().length(3), level: z.string().regex(/^\d+$/).transform(Number) }),
  },
  valibot: {
    digits: v.pipe(v.string(), v.digits(), v.transform(Number)),
    text: v.string(),
    auth: v.strictObject({
      token: v.pipe(v.string(), v.length(3)),
      level: v.pipe(v.string(), v.digits(), v.transform(Number)),
    }),
  },
  arktype: {
    digits: type('string.digits').pipe((text) => Number(text)),
    text: type('string'),
    auth: type({
      '+': 'reject',
      token: 'string == 3',
      level: type('string.digits').pipe((text) => Number(text)),
    }),
  },
};

/** The same schema, which takes its time. */
function later<Input, Output>(schema: StandardSchema<Input, Output>): StandardSchema<Input, Output> {
  const { validate, ...rest } = schema['~standard'];
  const validateLater = async (value: unknown) => {
    await new Promise((resolve) => setImmediate(resolve));
    return validate(value);
  };
  return { '~standard': { ...rest, version: 1, vendor: 'test', validate: validateLater } };
}

const cases = Object.entries(libraries).flatMap(([name, { digits, text, auth }]): [string, Library][] => [
  [name, { digits, text, auth }],
  [`${name}, later`, { digits: later(digits), text: later(text), auth: later(auth) }],
]);

describe.each(cases)('with %s', (_name, { digits, text, auth }) => {
  const contract = defineContract({
    clientToServer: {
      add: { args: [digits, digits], ack: [text] },
      say: text,
      count: { args: [digits], part: text },
    },
    serverToClient: {
      ask: { args: [text], ack: [digits] },
      said: [text],
    },
    auth,
  });
  const start = (options = {}, prepare?: (io: Server) => void) =>
    scene(options, (io) => {
      io.contract(contract);
      prepare?.(io);
    });
  const good = { auth: { token: 'abc', level: '7' } };

  it('credentials are validated before middlewares, which see what the schema makes of them', async () => {
    const seen: unknown[] = [];
    const s = await start({}, (io) =>
      io.use(({ handshake }, goOn) => {
        seen.push(handshake.auth);
        goOn();
      }),
    );
    const { socket } = await s.ours('/', good);
    expect(seen).toEqual([{ token: 'abc', level: 7 }]);
    expect(socket.handshake.auth).toEqual(seen[0]);
  });

  const wrong: [string, Record<string, unknown> | undefined, (string | number)[]][] = [
    ['of another shape', { token: 'abcd', level: '7' }, ['token']],
    ['of another kind', { token: 'abc', level: 7 }, ['level']],
    ['that hide something', JSON.parse('{"token":"abc","level":"7","__proto__":{"isAdmin":true}}'), []],
    ['that are not there', undefined, []],
  ];
  it.each(wrong)('credentials %s are refused with code, path and reason', async (_what, given, path) => {
    const middleware = vi.fn();
    const s = await start({}, (io) => void io.use(middleware));
    const client = ourIo(`http://127.0.0.1:${s.port}`, {
      transports: ['websocket'],
      forceNew: true,
      ...(given !== undefined && { auth: given }),
    });
    const [error] = (await next(client, 'connect_error')) as [Error & { data: unknown }];
    expect(error.data).toMatchObject({ code: 'CONTRACT_ERR_INVALID_AUTH', event: 'connect' });
    const { issues } = error.data as { issues: { path: unknown[]; message: string }[] };
    if (path.length > 0) {
      expect(issues).toEqual([{ path, message: expect.stringMatching(/./) }]);
      expect(error.message).toBe(
        `The credentials do not keep the contract at ${path}: ${issues[0]!.message}`,
      );
    }
    expect(issues.length).toBeGreaterThan(0);
    expect([middleware.mock.calls, s.io.sockets.violations]).toEqual([[], 1]);
    // The connection is still good for another try.
    client.auth = good.auth;
    middleware.mockImplementation((_socket, goOn) => goOn());
    const connected = next(client, 'connect');
    client.connect();
    await connected;
    client.disconnect();
  });

  it('who comes back to its session is validated too, without the words of the recovery', async () => {
    const s = await start({ connectionStateRecovery: {} });
    const { client, socket } = await s.plain('/', { ...good, reconnectionDelay: 1 });
    const said = next(client, 'said');
    socket.emit('said', 'so that there is an offset');
    await said;
    const again = next(client, 'connect');
    client.io.engine.close();
    await again;
    expect(client.recovered).toBe(true);
    expect([...s.io.sockets.sockets.values()].map(({ handshake }) => handshake.auth)).toEqual([
      { token: 'abc', level: 7 },
    ]);
  });

  it('handlers, catch-all listeners and middlewares get what schemas make; senders give what they take', async () => {
    const s = await start();
    const { client, socket } = await s.plain('/', good);
    const seen: unknown[] = [];
    const withoutAck = (args: unknown[]) => args.filter((arg) => typeof arg !== 'function');
    socket.onAny((...args) => seen.push(['any', ...withoutAck(args)]));
    socket.use((event, goOn) => {
      seen.push(['use', ...withoutAck(event)]);
      goOn();
    });
    socket.on('add', (a, b, answer) => answer(String(a + b)));
    expect(await client.emitWithAck('add', '40', '2')).toBe('42');
    expect(await client.emitWithAck('add', 'forty', '2')).toMatchObject({
      error: {
        code: 'CONTRACT_ERR_INVALID_ARGUMENTS',
        event: 'add',
        issues: [{ path: [0], message: expect.stringMatching(/./) }],
      },
    });
    expect(seen).toEqual([
      ['any', 'add', 40, 2],
      ['use', 'add', 40, 2],
    ]);
    expect(s.io.sockets.violations).toBe(1);
  });

  it('answers to a room are what schemas make, and one that breaks the contract counts as none', async () => {
    const s = await start();
    const answers = ['1', '2', 'three'];
    for (const answer of answers) {
      const { client, socket } = await s.plain('/', good);
      socket.join(['room', answer]);
      client.on('ask', (_question, reply) => reply(answer));
    }
    const both = await s.io.to('room').except('three').timeout(10_000).emitWithAck('ask', 'how many');
    expect(both.sort()).toEqual([1, 2]);
    const all = s.io.to('room').timeout(100).emitWithAck('ask', 'how many');
    const error = (await all.catch((reason: unknown) => reason)) as Error & { responses: number[] };
    expect(error.responses.sort()).toEqual([1, 2]);
    expect(s.io.sockets.violations).toBe(1);
  });

  it('streams are asked with what schemas take, and answered with it', async () => {
    const s = await start();
    const { client, socket } = await s.ours('/', good);
    socket.onStream('count', function* (to: number) {
      for (let i = 0; i < to; i++) yield `${i}`;
    });
    const parts: unknown[] = [];
    for await (const part of withStreams(client).stream('count', '3')) parts.push(part);
    expect(parts).toEqual(['0', '1', '2']);
    await expect(withStreams(client).stream('count', 3).next()).rejects.toMatchObject({
      code: 'CONTRACT_ERR_INVALID_ARGUMENTS',
    });
  });

  it('what servers say to each other is not touched', async () => {
    const s = await start();
    const told = vi.fn();
    s.io.on('say' as never, told as never);
    s.io.sockets._onServerSideEmit(['say', 5, {}]);
    expect(told).toHaveBeenCalledWith(5, {});
  });
});

describe('credentials', () => {
  it('are validated for the namespaces of a pattern, and for no other', async () => {
    const s = await scene({}, (io) => {
      io.of(/^\/room-/).contract(defineContract({ auth: z.object({ token: z.string() }) }));
    });
    await s.ours('/');
    const client = ourIo(`http://127.0.0.1:${s.port}/room-1`, { transports: ['websocket'], forceNew: true });
    const [error] = (await next(client, 'connect_error')) as [Error & { data: object }];
    expect(error.data).toMatchObject({ code: 'CONTRACT_ERR_INVALID_AUTH', issues: [{ path: ['token'] }] });
    client.disconnect();
  });

  it('whose schema throws are refused without its reason', async () => {
    const auth = z.any().transform(() => {
      throw new Error('the secret is 42');
    });
    const s = await scene({}, (io) => void io.contract(defineContract({ auth })));
    const client = ourIo(`http://127.0.0.1:${s.port}`, { transports: ['websocket'], forceNew: true });
    const [error] = (await next(client, 'connect_error')) as [Error & { data: object }];
    expect(error.data).toMatchObject({ code: 'CONTRACT_ERR_SCHEMA_FAILED' });
    expect(JSON.stringify([error.message, error.data])).not.toContain('42');
    client.disconnect();
  });

  it('of a client that goes while they are validated let nobody in', async () => {
    const passed: (() => void)[] = [];
    const auth = z
      .object({})
      .refine(() => new Promise<boolean>((resolve) => passed.push(() => resolve(true))));
    const s = await scene({ cleanupEmptyChildNamespaces: true }, (io) => {
      io.of(/^\/room-/).contract(defineContract({ auth }));
    });
    const client = ourIo(`http://127.0.0.1:${s.port}/room-1`, { transports: ['websocket'], forceNew: true });
    // Schemas of zod find out by trying that they take their time.
    await vi.waitUntil(() => passed.length > 0);
    client.disconnect();
    await vi.waitUntil(() => s.io.engine.clientsCount === 0);
    expect(s.io._nsps.has('/room-1')).toBe(true);
    for (const pass of passed) pass();
    await vi.waitUntil(() => !s.io._nsps.has('/room-1'));
  });

  it('must be declared with a schema', () => {
    expect(() => defineContract({ auth: {} as never })).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'CONTRACT_ERR_SCHEMA' }),
    );
  });
});
