import { describe, expect, it } from 'vitest';
import { CREDIT_LIMIT, readStreamMessage, STREAM_EVENT } from '../../../src/streams/message.ts';
import { StreamError } from '../../../src/streams/stream-error.ts';
import { StreamPeer } from '../../../src/streams/stream-peer.ts';
import type { StreamContext } from '../../../src/streams/typed-streams.ts';
import { PairedSocket, settle, socketPair } from './socket-pair.ts';

function start() {
  const [asking, answering] = socketPair();
  const errors: unknown[] = [];
  const peer = StreamPeer.of(answering);
  const answer = (name: string, handler: (...args: never[]) => AsyncIterable<unknown> | Iterable<unknown>) =>
    peer.answer(name, handler as never, { onError: (error) => errors.push(error) });
  const ask = (name: string, ...args: unknown[]) => StreamPeer.of(asking).ask<unknown>(name, args);
  return { asking, answering, answer, ask, errors };
}

const kinds = (socket: PairedSocket) => socket.sent.map(([, kind]) => kind);

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield i;
}

async function gather(parts: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

describe('a stream', () => {
  it('gives all parts in order, however many there are', async () => {
    const { ask, answer, asking } = start();
    answer('count', count as never);
    expect(await gather(ask('count', 100))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(kinds(asking).slice(0, 2)).toEqual(['open', 'more']);
    // Halves of sixteen.
    expect(kinds(asking).length).toBe(1 + Math.floor(100 / 8));
  });

  it('takes whatever can be iterated over, a text too', async () => {
    const { ask, answer } = start();
    answer('letters', () => 'hi');
    expect(await gather(ask('letters'))).toEqual(['h', 'i']);
  });

  it('is asked for when the iteration begins, and with what it was given', async () => {
    const { ask, answer, asking } = start();
    answer('echo', (...args: unknown[]) => [args.slice(0, -1)]);
    const stream = ask('echo', 1, { signal: 'a word' }, null);
    expect(asking.sent).toEqual([]);
    expect(await gather(stream)).toEqual([[1, { signal: 'a word' }, null]]);
    expect(asking.sent[0]).toEqual([STREAM_EVENT, 'open', 1, 'echo', 16, [1, { signal: 'a word' }, null]]);
  });

  it('goes both ways at once under the same id', async () => {
    const { ask, answer, asking, answering } = start();
    answer('count', count as never);
    StreamPeer.of(asking).answer('count', (() => ['from the other side']) as never);
    const both = await Promise.all([
      gather(ask('count', 2)),
      gather(StreamPeer.of(answering).ask('count', [])),
    ]);
    expect(both).toEqual([[1, 2], ['from the other side']]);
  });

  it('reads a handler no faster than its parts are read', async () => {
    const { ask, answer } = start();
    let made = 0;
    answer('endless', async function* () {
      for (;;) yield ++made;
    });
    const stream = ask('endless', { signal: undefined, credit: 4 });
    await stream.next();
    await settle();
    expect(made).toBe(4);
    await stream.next();
    await settle();
    expect(made).toBe(6);
    await stream.return();
  });

  it.each([
    ['the loop is left', undefined],
    ['its signal says so', new AbortController()],
  ])('is cancelled on the other side when %s', async (_title, controller) => {
    const { ask, answer } = start();
    const told: string[] = [];
    answer('endless', async function* ({ signal }: StreamContext) {
      signal.addEventListener('abort', () => told.push(`signal ${(signal.reason as StreamError).code}`));
      try {
        for (;;) yield 'part';
      } finally {
        told.push('returned');
      }
    });
    const stream = ask('endless', { signal: controller?.signal, credit: 2 });
    await stream.next();
    if (controller === undefined) {
      await stream.return();
    } else {
      controller.abort(new Error('enough'));
      await expect(stream.next()).rejects.toThrow('enough');
    }
    await settle();
    expect(told).toEqual(['signal STREAM_ERR_CANCELLED', 'returned']);
    expect((await stream.next()).done).toBe(true);
  });

  it('is never asked for where its signal was aborted before', async () => {
    const { ask, asking } = start();
    const signal = AbortSignal.abort(new Error('before'));
    await expect(ask('count', { signal }).next()).rejects.toThrow('before');
    expect(asking.sent).toEqual([]);
  });

  it('does not abort the signal of a handler that came to its end', async () => {
    const { ask, answer } = start();
    let signal: AbortSignal | undefined;
    answer('one', (context: StreamContext) => {
      signal = context.signal;
      return ['part'];
    });
    await gather(ask('one'));
    await settle();
    expect(signal?.aborted).toBe(false);
  });

  it('carries a StreamError with its code and data, after the parts before it', async () => {
    const { ask, answer } = start();
    answer('search', async function* () {
      yield 1;
      throw new StreamError('Nothing is left', { code: 'SEARCH_EMPTY', data: { page: 2 } });
    });
    const stream = ask('search');
    expect((await stream.next()).value).toBe(1);
    await expect(stream.next()).rejects.toMatchObject({
      name: 'StreamError',
      message: 'Nothing is left',
      code: 'SEARCH_EMPTY',
      data: { page: 2 },
    });
    expect((await stream.next()).done).toBe(true);
  });

  const faults: [string, () => AsyncIterable<unknown> | Iterable<unknown>, RegExp][] = [
    ['throws', () => count(Symbol('no number') as never), /Cannot convert a Symbol/],
    ['gives nothing to iterate over', () => undefined as never, /./],
    ['yields what cannot be written', () => [1n], /BigInt/],
    [
      'fails with data that cannot be written',
      () => {
        throw new StreamError('no', { code: 'X', data: 1n });
      },
      /BigInt/,
    ],
  ];
  it.each(faults)(
    'tells the program, and the other side no more than need be, when a handler %s',
    async (title, handler, message) => {
      const { ask, answer, errors } = start();
      answer('faulty', handler as never);
      const code = title.startsWith('fails') ? 'X' : 'STREAM_ERR_FAILED';
      await expect(gather(ask('faulty'))).rejects.toMatchObject({ name: 'StreamError', code });
      expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching(message) })]);
    },
  );

  it('throws where its arguments cannot be written', async () => {
    const { ask } = start();
    await expect(gather(ask('count', 1n))).rejects.toThrow('BigInt');
  });

  it('fails where the other side has no such stream', async () => {
    const { ask } = start();
    await expect(gather(ask('unknown'))).rejects.toMatchObject({ code: 'STREAM_ERR_UNKNOWN' });
  });

  it('fails with an honest error when the session ends, and the other side is told by its signal', async () => {
    const { ask, answer, asking, answering } = start();
    let signal: AbortSignal | undefined;
    answer('silent', async function* (context: StreamContext) {
      signal = context.signal;
      yield 1;
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    });
    const stream = ask('silent');
    expect((await stream.next()).value).toBe(1);
    const next = stream.next();
    asking.receive('disconnect', 'ping timeout');
    answering.receive('disconnect', 'ping timeout');
    await expect(next).rejects.toMatchObject({
      code: 'STREAM_ERR_DISCONNECTED',
      message: expect.stringContaining('ping timeout'),
    });
    expect(signal?.aborted).toBe(true);
    await settle();
    // Nothing may be said in the next session about the one before.
    expect(kinds(asking)).toEqual(['open']);
    expect(kinds(answering)).toEqual(['part']);
  });

  it.each([0, 1.5, CREDIT_LIMIT + 1])('cannot be asked for with a credit of %s', (credit) => {
    const { ask } = start();
    expect(() => ask('count', { signal: undefined, credit })).toThrow(
      expect.objectContaining({ code: 'STREAM_ERR_CREDIT' }),
    );
  });
});

describe('one who does not keep the protocol', () => {
  it('gets no more than the most parts, whatever it grants', async () => {
    const { asking, answer, answering } = start();
    answer('endless', async function* () {
      for (;;) yield 0;
    });
    asking.emit(STREAM_EVENT, 'open', 1, 'endless', 1e9, []);
    await settle();
    expect(answering.sent.length).toBe(CREDIT_LIMIT);
    asking.emit(STREAM_EVENT, 'more', 1, CREDIT_LIMIT + 1);
    await settle();
    expect(answering.sent.at(-1)).toMatchObject([STREAM_EVENT, 'end', 1, { code: 'STREAM_ERR_CREDIT' }]);
  });

  it('gets at most a hundred streams at one time, those that do not stop included', async () => {
    const { asking, answer, answering } = start();
    let isOver = (): void => {};
    const end = new Promise<void>((resolve) => {
      isOver = resolve;
    });
    answer('stubborn', () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => end.then(() => ({ done: true, value: undefined })),
      }),
    }));
    for (let id = 1; id <= 101; id++) {
      asking.emit(STREAM_EVENT, 'open', id, 'stubborn', 1, []);
      asking.emit(STREAM_EVENT, 'cancel', id);
    }
    await settle();
    expect(answering.sent).toEqual([
      [STREAM_EVENT, 'end', 101, expect.objectContaining({ code: 'STREAM_ERR_TOO_MANY' })],
    ]);
    isOver();
    await settle();
    asking.emit(STREAM_EVENT, 'open', 102, 'stubborn', 1, []);
    await settle();
    expect(answering.sent.at(-1)).toEqual([STREAM_EVENT, 'end', 102]);
  });

  it('cannot call a handler with more arguments than a call can have', async () => {
    const { asking, answer, answering, errors } = start();
    answer('count', count as never);
    asking.emit(
      STREAM_EVENT,
      'open',
      1,
      'count',
      1,
      Array.from({ length: 450_000 }, () => 1),
    );
    await settle();
    expect(answering.sent).toEqual([
      [STREAM_EVENT, 'end', 1, expect.objectContaining({ code: 'EVENT_ERR_TOO_MANY_ARGUMENTS' })],
    ]);
    expect(errors).toEqual([]);
  });

  it('cannot use an id twice', async () => {
    const { asking, answer, answering } = start();
    answer('count', count as never);
    asking.emit(STREAM_EVENT, 'open', 1, 'count', 1, [5]);
    asking.emit(STREAM_EVENT, 'open', 1, 'count', 1, [5]);
    await settle();
    expect(answering.sent).toContainEqual([
      STREAM_EVENT,
      'end',
      1,
      expect.objectContaining({ code: 'STREAM_ERR_ID' }),
    ]);
  });

  it('is cancelled when it sends more parts than were granted', async () => {
    const asking = new PairedSocket();
    const stream = StreamPeer.of(asking).ask('count', [{ signal: undefined, credit: 2 }]);
    const first = stream.next();
    // The first is read at once, which grants one more.
    for (const part of [1, 2, 3]) asking.receive(STREAM_EVENT, 'part', 1, part);
    expect((await first).value).toBe(1);
    asking.receive(STREAM_EVENT, 'part', 1, 4);
    expect(asking.sent.at(-1)).toEqual([STREAM_EVENT, 'cancel', 1]);
    expect([(await stream.next()).value, (await stream.next()).value]).toEqual([2, 3]);
    await expect(stream.next()).rejects.toMatchObject({ name: 'PeerError', code: 'STREAM_ERR_CREDIT' });
  });

  const nonsense: unknown[][] = [
    [],
    ['open'],
    ['open', 0, 'a', 1, []],
    ['open', 1.5, 'a', 1, []],
    ['open', '1', 'a', 1, []],
    ['open', 1, {}, 1, []],
    ['open', 1, 'a', 0, []],
    ['open', 1, 'a', -1, []],
    ['open', 1, 'a', 1, 'args'],
    ['open', 1, 'a', 2 ** 53, []],
    ['more', 1],
    ['more', 1, 'all'],
    ['__proto__', 1],
    [null, 1],
  ];
  it.each(nonsense.map((args) => [args]))('is passed over when it says %j', async (args) => {
    expect(readStreamMessage(args)).toBeNull();
    const { asking, answer, answering } = start();
    answer('a', () => ['part']);
    asking.emit(STREAM_EVENT, ...args);
    await settle();
    expect(answering.sent).toEqual([]);
  });

  it('may speak of streams that nobody knows, and put arguments behind', () => {
    const { asking } = start();
    StreamPeer.of(asking);
    for (const args of [
      ['part', 9, 1],
      ['end', 9],
      ['more', 9, 1],
      ['cancel', 9],
    ]) {
      asking.receive(STREAM_EVENT, ...args, 'offset');
    }
    expect(asking.sent).toEqual([]);
    expect(readStreamMessage(['end', 1, { message: 5 }])).toEqual(['end', 1]);
  });
});
