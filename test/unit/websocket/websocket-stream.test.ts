import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketError } from '../../../src/websocket/websocket-error.ts';
import { WebSocketStream, type WebSocketStreamOptions } from '../../../src/websocket/websocket-stream.ts';
import { Script, turn } from './scripted-connection.ts';

type Loose = new (...args: unknown[]) => WebSocketStream;
const Loose = WebSocketStream as unknown as Loose;
const url = 'ws://example.com/';
const invalidState = expect.objectContaining({ name: 'InvalidStateError' });

function connecting(options: WebSocketStreamOptions = {}) {
  const script = new Script();
  const stream = new WebSocketStream(url, { ...options, ...script.init });
  return { script, stream };
}

async function open() {
  const { script, stream } = connecting();
  const connection = script.accept('chat', 'permessage-deflate');
  const info = await stream.opened;
  return { stream, connection, info, reader: info.readable.getReader(), writer: info.writable.getWriter() };
}

function nameOfThrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof DOMException ? error.name : (error as Error).constructor.name;
  }
  return 'nothing thrown';
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => error,
  );

/** Whether the promise is settled when everything that was queued has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await turn();
  return settled;
}

const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', noteUnhandled);
});
afterEach(async () => {
  await turn();
  process.removeListener('unhandledRejection', noteUnhandled);
  expect(unhandled).toEqual([]);
});

describe('the constructor of WebSocketStream', () => {
  it.each([
    [[], 'TypeError'],
    [['/relative'], 'SyntaxError'],
    [['ws://example.com/#'], 'SyntaxError'],
    [[url, { protocols: ['a', 'a'] }], 'SyntaxError'],
    [[url, { protocols: 'chat' }], 'TypeError'],
    [[url, { protocols: null }], 'TypeError'],
    [[url, { signal: {} }], 'TypeError'],
    [[url, { signal: null }], 'TypeError'],
    [[url, 5], 'TypeError'],
  ])('case %#: refuses its arguments', (args, name) => {
    expect(nameOfThrown(() => new Loose(...args))).toBe(name);
  });

  it('takes null and undefined as no options', () => {
    expect(new Loose('ws://example.com:1/', null).url).toBe('ws://example.com:1/');
    expect(new Loose('ws://example.com:1/', undefined).url).toBe('ws://example.com:1/');
  });

  it('has the interface of the draft', () => {
    expect(WebSocketStream.length).toBe(1);
    expect(Object.keys(WebSocketStream.prototype).sort()).toEqual(['close', 'closed', 'opened', 'url']);
    expect(Object.prototype.toString.call(connecting().stream)).toBe('[object WebSocketStream]');
    expect(() => WebSocketStream.prototype.url).toThrow(TypeError);
  });

  it.each(['opened', 'closed'] as const)('gives a rejected promise for %s of other objects', async (name) => {
    const { get } = Object.getOwnPropertyDescriptor(WebSocketStream.prototype, name)!;
    expect(await rejection(get!.call({}) as Promise<unknown>)).toBeInstanceOf(TypeError);
  });
});

describe('opening', () => {
  it('fulfils opened with the streams and what was agreed on', async () => {
    const { script, stream } = connecting({ protocols: ['chat', 'other'] });
    expect([script.address, script.protocols]).toEqual([url, ['chat', 'other']]);
    script.accept('chat', 'permessage-deflate');
    const info = await stream.opened;
    expect(Object.keys(info)).toEqual(['extensions', 'protocol', 'readable', 'writable']);
    expect(info).toMatchObject({ extensions: 'permessage-deflate', protocol: 'chat' });
    expect(info.readable).toBeInstanceOf(ReadableStream);
    expect(info.writable).toBeInstanceOf(WritableStream);
  });

  it('rejects opened and closed with errors that have the cause, when it fails', async () => {
    const { script, stream } = connecting();
    const cause = new Error('Unexpected server response: 403');
    script.refuse(cause);
    const opened = (await rejection(stream.opened)) as WebSocketError;
    const closed = (await rejection(stream.closed)) as WebSocketError;
    expect(opened).toMatchObject({ name: 'WebSocketError', closeCode: null, reason: '', cause });
    expect(closed).toMatchObject({ name: 'WebSocketError', closeCode: 1006, reason: '', cause });
    expect(opened).not.toBe(closed);
  });

  it('is given up by close()', async () => {
    const { script, stream } = connecting();
    stream.close({ closeCode: 3000, reason: 'never sent' });
    expect(script.isAborted).toBe(true);
    expect(await rejection(stream.opened)).toMatchObject({ closeCode: null });
    expect(await rejection(stream.closed)).toMatchObject({ closeCode: 1006, reason: '' });
  });

  it('does not even begin with an aborted signal', async () => {
    const script = new Script();
    const reason = new Error('why');
    const stream = new WebSocketStream(url, { signal: AbortSignal.abort(reason), ...script.init });
    expect(stream.url).toBe(url);
    expect(await rejection(stream.opened)).toBe(reason);
    expect(await rejection(stream.closed)).toBe(reason);
    expect(script.wasAsked).toBe(false);
    stream.close();
  });

  it('is given up by the signal, with its reason', async () => {
    const controller = new AbortController();
    const { script, stream } = connecting({ signal: controller.signal });
    controller.abort();
    expect(script.isAborted).toBe(true);
    expect(await rejection(stream.opened)).toMatchObject({ name: 'AbortError' });
    expect(await rejection(stream.closed)).toBe(controller.signal.reason);
  });

  it('is beyond the signal when it is done', async () => {
    const controller = new AbortController();
    const { script, stream } = connecting({ signal: controller.signal });
    const connection = script.accept();
    await stream.opened;
    controller.abort();
    expect(await isSettled(stream.closed)).toBe(false);
    expect([connection.closes, connection.isTerminated]).toEqual([[], false]);
  });
});

describe('reading', () => {
  it('gives text as strings and binary as bytes of their own', async () => {
    const { reader, connection } = await open();
    connection.text('h\u00e9');
    connection.binary(1, 2);
    expect((await reader.read()).value).toBe('h\u00e9');
    const { value } = await reader.read();
    expect(value).toEqual(new Uint8Array([1, 2]));
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
    expect((value as Uint8Array).buffer.byteLength).toBe(2);
  });

  it('takes one message more than is read, then stops the connection', async () => {
    const { reader, connection } = await open();
    for (let i = 0; i < 5; i++) connection.text(String(i));
    await turn();
    expect(connection.isHeld).toBe(true);
    const seen: unknown[] = [];
    for (let i = 0; i < 5; i++) seen.push((await reader.read()).value);
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
    await turn();
    expect(connection.isHeld).toBe(false);
  });

  it('does not take anything before there is a reader with an interest', async () => {
    const { script, stream } = connecting();
    const connection = script.accept();
    expect(connection.isHeld).toBe(true);
    await stream.opened;
  });
});

describe('writing', () => {
  it('sends text as text, BufferSources as binary, everything else as its string', async () => {
    const { writer, connection } = await open();
    const chunks = ['text', new Uint8Array([1, 2]), new ArrayBuffer(1), 5, null, { toString: () => 'own' }];
    for (const chunk of chunks) await writer.write(chunk as string);
    expect(connection.sent).toEqual(['text', [1, 2], [0], '5', 'null', 'own']);
  });

  it('waits until more can be sent', async () => {
    const { writer, connection } = await open();
    connection.shouldWait = true;
    const first = writer.write('a');
    const second = writer.write('b');
    expect(await isSettled(first)).toBe(false);
    expect(connection.sent).toEqual(['a']);
    connection.drain();
    await first;
    await second;
    expect(connection.sent).toEqual(['a', 'b']);
  });

  it.each([
    ['a symbol', Symbol('s')],
    ['shared memory', new SharedArrayBuffer(1)],
  ])('of %s fails the stream, not the connection', async (_name, chunk) => {
    const { writer, stream, connection } = await open();
    expect(await rejection(writer.write(chunk as unknown as string))).toBeInstanceOf(TypeError);
    expect(await rejection(writer.closed)).toBeInstanceOf(TypeError);
    expect(await isSettled(stream.closed)).toBe(false);
    expect(connection.closes).toEqual([]);
  });

  it('is discarded in the closing handshake', async () => {
    const { writer, stream, connection } = await open();
    stream.close();
    await writer.write('late');
    expect(connection.sent).toEqual([]);
  });
});

describe('closing', () => {
  it.each([
    [undefined, []],
    [{}, []],
    [null, []],
    [{ closeCode: undefined, reason: '' }, []],
    [{ closeCode: 1000 }, [1000, '']],
    [{ closeCode: 4999, reason: 'r\ud800' }, [4999, 'r\ufffd']],
    [{ reason: 'only' }, [1000, 'only']],
  ])('close(%j) sends the close frame %j', async (info, expected) => {
    const { stream, connection } = await open();
    (stream.close as (info: unknown) => void)(info);
    expect(connection.closes).toEqual([expected]);
  });

  it.each([
    [{ closeCode: 1001 }, 'InvalidAccessError'],
    [{ closeCode: null }, 'InvalidAccessError'],
    [{ closeCode: 5, reason: 'x'.repeat(124) }, 'InvalidAccessError'],
    [{ reason: 'x'.repeat(124) }, 'SyntaxError'],
    [5, 'TypeError'],
  ])('close(%j) throws %s', async (info, name) => {
    const { stream, connection } = await open();
    expect(nameOfThrown(() => (stream.close as (info: unknown) => void)(info))).toBe(name);
    expect(connection.closes).toEqual([]);
  });

  it('by the server ends the reading, fails the writing and fulfils closed', async () => {
    const { stream, reader, writer, connection } = await open();
    connection.closeFrame(4002, 'bye');
    expect(await stream.closed).toEqual({ closeCode: 4002, reason: 'bye' });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    expect(await rejection(writer.write('x'))).toEqual(invalidState);
    expect(await rejection(writer.closed)).toEqual(invalidState);
  });

  it('by the server comes behind all messages before it, however late they are read', async () => {
    const { stream, reader, connection } = await open();
    for (let i = 0; i < 5; i++) connection.text(String(i));
    connection.closeFrame(1000);
    expect(await isSettled(stream.closed)).toBe(false);
    const seen: unknown[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      seen.push(value);
    }
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
    expect(await stream.closed).toEqual({ closeCode: 1000, reason: '' });
  });

  it('uncleanly fails everything with one error that has the cause', async () => {
    const { stream, reader, writer, connection } = await open();
    const cause = new Error('ECONNRESET');
    connection.end(cause);
    const error = await rejection(stream.closed);
    expect(error).toMatchObject({ name: 'WebSocketError', closeCode: 1006, reason: '', cause });
    expect(await rejection(reader.read())).toBe(error);
    expect(await rejection(writer.closed)).toBe(error);
  });

  it('ends a write that waits', async () => {
    const { stream, writer, connection } = await open();
    connection.shouldWait = true;
    const waiting = rejection(writer.write('a'));
    const behind = rejection(writer.write('b'));
    await turn();
    connection.end();
    const error = await rejection(stream.closed);
    await waiting;
    expect(await behind).toBe(error);
    expect(await rejection(writer.closed)).toBe(error);
  });

  it('by writer.close() waits for the handshake, in which messages are dropped', async () => {
    const { stream, reader, writer, connection } = await open();
    connection.text('before');
    const closing = writer.close();
    expect(await isSettled(closing)).toBe(false);
    expect(connection.closes).toEqual([[]]);
    for (let i = 0; i < 5; i++) connection.text(String(i));
    connection.closeFrame(1005);
    await closing;
    await writer.closed;
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
    expect((await reader.read()).done).toBe(true);
  });

  it('reads on for the close frame behind what nobody reads', async () => {
    const { stream, reader, connection } = await open();
    for (let i = 0; i < 5; i++) connection.text(String(i));
    await turn();
    expect(connection.isHeld).toBe(true);
    stream.close();
    connection.closeFrame(1005);
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
    expect((await reader.read()).value).toBe('0');
    expect((await reader.read()).done).toBe(true);
  });

  it('by writer.close() fails with the connection', async () => {
    const { stream, writer, connection } = await open();
    const closing = rejection(writer.close());
    await turn();
    connection.end();
    const error = await rejection(stream.closed);
    expect(await closing).toBe(error);
  });

  const sent = new WebSocketError('m', { closeCode: 3001, reason: 'ab' });
  it.each([
    ['writer.abort', sent, [3001, 'ab']],
    ['reader.cancel', sent, [3001, 'ab']],
    ['writer.abort', new WebSocketError('m', { reason: 'ab' }), [1000, 'ab']],
    ['reader.cancel', new WebSocketError('m'), []],
    ['writer.abort', new Error('m'), []],
    ['reader.cancel', { closeCode: 3001, reason: 'ab' }, []],
    ['writer.abort', undefined, []],
  ])('by %s with %s sends %j', async (name, reason, expected) => {
    const { stream, reader, writer, connection } = await open();
    // Fulfilled at once: neither waits for the handshake.
    await (name === 'writer.abort' ? writer.abort(reason) : reader.cancel(reason));
    await turn();
    expect(connection.closes).toEqual([expected]);
    connection.closeFrame(1000);
    expect(await stream.closed).toEqual({ closeCode: 1000, reason: '' });
  });

  it('by an error of another WebSocketStream sends no code: 1006 is not for sending', async () => {
    const other = await open();
    other.connection.end();
    const error = await rejection(other.stream.closed);
    const { writer, connection } = await open();
    await writer.abort(error);
    expect(connection.closes).toEqual([[]]);
  });

  it('by abort does not wait for a write that waits', async () => {
    const { writer, connection } = await open();
    connection.shouldWait = true;
    writer.write('a').catch(() => {});
    await turn();
    await writer.abort();
    expect(connection.closes).toEqual([[]]);
  });

  it('by cancel goes on without the messages under way', async () => {
    const { stream, reader, writer, connection } = await open();
    for (let i = 0; i < 5; i++) connection.text(String(i));
    await reader.cancel();
    connection.text('late');
    connection.closeFrame(1005);
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
    expect(await rejection(writer.closed)).toEqual(invalidState);
  });
});
