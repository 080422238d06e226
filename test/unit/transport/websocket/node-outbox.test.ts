/**
 * What: what is gathered in one turn leaves in one write, in order, and receivers of the same share one buffer.
 * Must not know: frames.
 */
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import {
  flushAll,
  Outbox,
  type OutboxOwner,
  reservedTarget,
  scheduleFlush,
} from '../../../../src/transport/websocket/node-outbox.ts';

/** Notes each call that would be a system call: a `write`, or a `writev` with its pieces. */
class Sink extends Writable {
  readonly calls: Buffer[][] = [];
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.calls.push([chunk]);
    callback();
  }
  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk));
    callback();
  }
  get text(): string {
    return Buffer.concat(this.calls.flat()).toString('latin1');
  }
}

function put(outbox: Outbox, text: string): void {
  const offset = outbox.reserve(text.length);
  Buffer.from(text, 'latin1').copy(reservedTarget(), offset);
}

test('what is put one behind the other leaves uncopied in one write', () => {
  const sink = new Sink();
  const outbox = new Outbox();
  for (const text of ['one ', 'two ', 'three']) put(outbox, text);
  expect(outbox.bytes).toBe(13);
  outbox.flush(sink);
  expect(sink.calls.length).toBe(1);
  expect(sink.text).toBe('one two three');
  expect(outbox.bytes).toBe(0);
});

test('texts whose characters are bytes leave in one write, as those bytes', () => {
  const sink = new Sink();
  const outbox = new Outbox();
  for (const text of ['\x81\x03', 'one', '\x81\x7e\x00\xff', 'two']) outbox.appendText(text);
  expect(outbox.bytes).toBe(12);
  outbox.flush(sink);
  expect(sink.calls.length).toBe(1);
  expect(sink.text).toBe('\x81\x03one\x81\x7e\x00\xfftwo');
  expect(outbox.bytes).toBe(0);
  outbox.appendText('again');
  outbox.discard(new Error('gone'));
  outbox.flush(sink);
  expect(sink.calls.length).toBe(1);
});

test('texts, bytes put in place and pieces that exist keep their order, whatever follows what', () => {
  const ways: ((outbox: Outbox, text: string) => void)[] = [
    (outbox, text) => outbox.appendText(text),
    put,
    (outbox, text) => outbox.append(Buffer.from(text)),
  ];
  for (let i = 0; i < ways.length ** 4; i++) {
    const sink = new Sink();
    const outbox = new Outbox();
    for (let rest = i, length = 0; length < 4; length++, rest = Math.floor(rest / ways.length)) {
      ways[rest % ways.length]!(outbox, `${length} `);
    }
    expect(outbox.bytes).toBe(8);
    outbox.flush(sink);
    expect([sink.text, sink.calls.length]).toEqual(['0 1 2 3 ', 1]);
  }
});

test('two outboxes may be filled by turns', () => {
  const sinks = [new Sink(), new Sink()] as const;
  const outboxes = [new Outbox(), new Outbox()] as const;
  for (let i = 0; i < 20; i++) {
    put(outboxes[0], `a${i} `);
    put(outboxes[1], `b${i} `);
    if (i % 3 === 0) outboxes[0].append(Buffer.from('shared '));
  }
  outboxes.forEach((outbox, i) => {
    outbox.flush(sinks[i]!);
  });
  const expected = Array.from({ length: 20 }, (_, i) => `a${i} ${i % 3 === 0 ? 'shared ' : ''}`).join('');
  expect(sinks[0].text).toBe(expected);
  expect(sinks[1].text).toBe(Array.from({ length: 20 }, (_, i) => `b${i} `).join(''));
  expect([sinks[0].calls.length, sinks[1].calls.length]).toEqual([1, 1]);
});

test('more than a slab holds, and pieces larger than a slab, stay in order', () => {
  const sink = new Sink();
  const outbox = new Outbox();
  let expected = '';
  for (const length of [60_000, 10_000, 100_000, 1, 65_536, 65_537, 5]) {
    const text = String.fromCharCode(97 + (length % 26)).repeat(length);
    put(outbox, text);
    expected += text;
  }
  outbox.flush(sink);
  expect(sink.text).toBe(expected);
});

test('large pieces go out by reference in one writev, with the small ones between joined', () => {
  const sink = new Sink();
  const outbox = new Outbox();
  const large = [Buffer.alloc(5_000, 'A'), Buffer.alloc(100_000, 'B')] as const;
  put(outbox, 'head ');
  outbox.append(large[0]);
  put(outbox, 'x ');
  outbox.append(Buffer.from('y '));
  outbox.append(large[1]);
  outbox.append(Buffer.from('tail'));
  outbox.flush(sink);
  expect(sink.calls.length).toBe(1);
  const [pieces] = sink.calls;
  expect(pieces!.map(({ length }) => length)).toEqual([5, 5_000, 4, 100_000, 4]);
  expect(pieces![1]).toBe(large[0]);
  expect(pieces![3]).toBe(large[1]);
});

test('receivers of the same pieces get one and the same buffer, others do not', () => {
  const shared = ['one ', 'two ', 'three'].map((text) => Buffer.from(text));
  const lists = [shared, shared, shared.slice(0, 2), [...shared, Buffer.from('own')], shared.toReversed()];
  const written = lists.map((list) => {
    const sink = new Sink();
    const outbox = new Outbox();
    for (const piece of list) outbox.append(piece);
    outbox.flush(sink);
    expect(sink.text).toBe(list.join(''));
    return sink.calls[0]![0];
  });
  expect(written[1]).toBe(written[0]);
  for (const other of written.slice(2)) expect(other).not.toBe(written[0]);
});

test('the memory of what was joined is not written to again by the next use of the outbox', () => {
  const sink = new Sink();
  const outbox = new Outbox();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) outbox.append(Buffer.from(`${round}${i} `));
    outbox.flush(sink);
  }
  expect(sink.text).toBe('00 01 02 03 10 11 12 13 20 21 22 23 ');
});

test('callbacks are called in order when the write is done, or with the error', async () => {
  const order: unknown[] = [];
  const sink = new Sink();
  const outbox = new Outbox();
  put(outbox, 'a');
  outbox.notify((error) => order.push('a', error ?? 'done'));
  outbox.append(Buffer.alloc(5_000));
  outbox.notify((error) => order.push('b', error ?? 'done'));
  put(outbox, 'c');
  await new Promise<void>((resolve) => {
    outbox.notify(() => resolve());
    outbox.flush(sink);
    expect(order).toEqual([]);
  });
  expect(order).toEqual(['a', 'done', 'b', 'done']);
  put(outbox, 'd');
  outbox.notify((error) => order.push(error?.message));
  outbox.discard(new Error('gone'));
  expect(order.at(-1)).toBe('gone');
  outbox.flush(sink);
  expect(sink.text.endsWith('c')).toBe(true);
});

test('flush says what write says', () => {
  const blocked = new Writable({ highWaterMark: 10, write() {} });
  const outbox = new Outbox();
  put(outbox, 'small');
  expect(outbox.flush(blocked)).toBe(true);
  put(outbox, 'more than fits');
  expect(outbox.flush(blocked)).toBe(false);
  expect(outbox.flush(blocked)).toBe(true);
});

test('owners are flushed once at the end of the turn, also those that come up meanwhile', async () => {
  const order: string[] = [];
  const owner = (name: string, then?: () => void): OutboxOwner => ({
    flush() {
      order.push(name);
      then?.();
    },
  });
  const late = owner('late');
  const done = new Promise<void>((resolve) => {
    scheduleFlush(owner('a'));
    scheduleFlush(owner('b', () => scheduleFlush(late)));
    late.flush = () => {
      order.push('late');
      resolve();
    };
  });
  queueMicrotask(() => order.push('microtask'));
  process.nextTick(() => order.push('tick'));
  await done;
  expect(order.slice(0, 2).sort()).toEqual(['microtask', 'tick']);
  expect(order.slice(2)).toEqual(['a', 'b', 'late']);
});

test('flushAll may be called at any time', () => {
  const flushed: string[] = [];
  scheduleFlush({ flush: () => flushed.push('now') });
  flushAll();
  flushAll();
  expect(flushed).toEqual(['now']);
});

test('an owner that throws does not keep the others from their turn', async () => {
  const flushed = new Promise<void>((resolve) => {
    scheduleFlush({
      flush: () => {
        throw new Error('a stream of a strange kind');
      },
    });
    scheduleFlush({ flush: resolve });
  });
  expect(flushAll).toThrow('a stream of a strange kind');
  await flushed;
});
