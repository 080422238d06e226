/**
 * What: runs the code of the guides to contracts, streams and rate limits as it stands, and has the compiler check it.
 * Must not know: what the features do beyond what the guides say.
 */
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Socket as ClientSocket } from '../../../src/entry/client-node.ts';
import type { RateLimiter, Server } from '../../../src/entry/index.ts';
import { next, scene } from './scene.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, '.tmp/guides-events');
const doors = {
  tautline: 'index.ts',
  'tautline/client': 'client-node.ts',
  'tautline/client/stream': 'client-stream.ts',
  'tautline/contract': 'contract.ts',
};
const files: string[] = [];

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  for (const guide of ['contracts', 'streams-and-iterators', 'rate-limits']) {
    const text = await readFile(join(root, `docs/guides/${guide}.md`), 'utf8');
    for (const [, name = '', code = ''] of text.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)) {
      await writeFile(join(folder, name), code);
      files.push(join(folder, name));
    }
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The exports of a file of a guide, over the sources in place of what `npm run build` makes of them. */
async function load<Exports>(name: string): Promise<Exports> {
  const outfile = join(folder, name.replace('.ts', '.mjs'));
  await build({
    entryPoints: [join(folder, name)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
    alias: Object.fromEntries(
      Object.entries(doors).map(([door, file]) => [door, join(root, 'src/entry', file)]),
    ),
  });
  return (await import(outfile)) as Exports;
}

it('has guides whose code compiles', () => {
  const paths = Object.fromEntries(
    Object.entries(doors).map(([door, file]) => [door, [join(root, 'src/entry', file)]]),
  );
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files }, ts.sys, root);
  const program = ts.createProgram(files, { ...options, paths });
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  expect(files.length).toBe(8);
  expect(errors).toEqual([]);
}, 300_000);

describe('the guide to contracts', () => {
  it('has a server and a client that keep one', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { serve } = await load<{ serve: (port: number) => Server }>('contract-server.ts');
    const { connect } = await load<{ connect: (url: string, token: string) => ClientSocket }>(
      'contract-client.ts',
    );
    const io = serve(0);
    const { httpServer } = io;
    if (!httpServer.listening) await once(httpServer, 'listening');
    const url = `http://localhost:${(httpServer.address() as { port: number }).port}`;
    const stranger = connect(url, 'short');
    const [{ data }] = (await next(stranger, 'connect_error')) as [Error & { data: object }];
    expect(data).toMatchObject({ code: 'CONTRACT_ERR_INVALID_AUTH', issues: [{ path: ['token'] }] });
    stranger.disconnect();
    expect(warn).toHaveBeenCalledOnce();
    warn.mockClear();
    const socket = connect(url, 'a token of 20 characters');
    onTestFinished(async () => {
      socket.disconnect();
      await io.close();
      vi.restoreAllMocks();
    });
    const said = next(socket, 'said');
    expect(await socket.emitWithAck('say', 'hello')).toEqual({ id: 1 });
    expect(await said).toEqual([{ id: 1, text: 'hello' }]);
    await expect(socket.emitWithAck('say', 5)).rejects.toMatchObject({
      code: 'CONTRACT_ERR_INVALID_ARGUMENTS',
    });
    expect(io.of('/').violations).toBe(2);
    expect(warn).toHaveBeenCalledOnce();
  });
});

describe('the guide to streams and iterators', () => {
  it('stores row by row', async () => {
    const { store } = await load<{ store: (io: Server, save: (row: unknown) => Promise<void>) => void }>(
      'iterator-server.ts',
    );
    const saved: unknown[] = [];
    const s = await scene({}, (io) =>
      store(io, async (row) => {
        await new Promise((resolve) => setImmediate(resolve));
        saved.push(row);
      }),
    );
    const { client } = await s.plain();
    for (let i = 0; i < 50; i++) client.emit('row', i);
    expect(await client.emitWithAck('row', 50)).toBe('stored');
    expect(saved).toEqual(Array.from({ length: 51 }, (_, i) => i));
  });

  it('ends the client of a row that cannot be stored, and nothing else', async () => {
    const { store } = await load<{ store: (io: Server, save: (row: unknown) => Promise<void>) => void }>(
      'iterator-server.ts',
    );
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => logged.mockRestore());
    const s = await scene({}, (io) => store(io, (row) => Promise.reject(new Error(`not ${row}`))));
    const [one, other] = [await s.plain(), await s.plain()];
    const ended = next(one.client, 'disconnect');
    one.client.emit('row', 1);
    expect((await ended)[0]).toBe('io server disconnect');
    expect(logged).toHaveBeenCalledWith(new Error('not 1'));
    expect(other.socket.connected).toBe(true);
  });

  it('streams what is found', async () => {
    type Find = (words: string, signal: AbortSignal) => AsyncIterable<string>;
    const { answer } = await load<{ answer: (io: Server, find: Find) => void }>('stream-server.ts');
    const { search } = await load<{
      search: (url: string, words: string, show: (hit: string) => void) => Promise<void>;
    }>('stream-client.ts');
    const s = await scene({}, (io) =>
      answer(io, async function* (words) {
        yield* words.split(' ');
      }),
    );
    const hits: string[] = [];
    await search(`http://127.0.0.1:${s.port}`, 'red green blue', (hit) => hits.push(hit));
    expect(hits).toEqual(['red', 'green', 'blue']);
    // The guide's bundle has a copy of the class, as CommonJS beside ES modules would.
    await expect(search(`http://127.0.0.1:${s.port}`, '', () => {})).rejects.toMatchObject({
      name: 'StreamError',
      code: 'SEARCH_EMPTY',
    });
  });
});

describe('the guide to rate limits', () => {
  it('limits', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const { limit } = await load<{ limit: (io: Server) => RateLimiter }>('limits.ts');
    let limiter: RateLimiter | undefined;
    const s = await scene({}, (io) => {
      limiter = limit(io);
    });
    const { client, socket } = await s.plain();
    socket.on('say', (_text, ack) => ack?.('heard'));
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => client.emitWithAck('say', i)));
    const refused = answers.filter((answer) => answer.error?.code === 'RATE_ERR_LIMITED').length;
    expect(refused).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer === 'heard').length).toBe(40 - refused);
    expect(limiter?.counters).toMatchObject({ passed: 40 - refused, refused });
  });
});
