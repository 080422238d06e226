import { describe, expect, expectTypeOf, it } from 'vitest';
import type { CloseEvent, ErrorEvent, MessageEvent } from '../../../src/base/event.ts';
import { WebSocket } from '../../../src/websocket/websocket.ts';
import { next, Script, turn } from './scripted-connection.ts';

type Loose = new (...args: unknown[]) => WebSocket;
const Loose = WebSocket as unknown as Loose;
const url = 'ws://example.com/';

function connecting(protocols: string | string[] = []) {
  const script = new Script();
  const ws = new WebSocket(url, protocols, script.init as object);
  const log: unknown[] = [];
  for (const type of ['open', 'message', 'error', 'close']) {
    ws.addEventListener(type, (event) => {
      const { data, code, reason, wasClean } = event as Partial<MessageEvent & CloseEvent>;
      if (type === 'message') log.push([type, ws.readyState, data]);
      else if (type === 'close') log.push([type, ws.readyState, code, reason, wasClean]);
      else log.push([type, ws.readyState]);
    });
  }
  return { script, ws, log };
}

async function open(protocols: string | string[] = [], subprotocol = '', extensions = '') {
  const { script, ws, log } = connecting(protocols);
  const opened = next(ws, 'open');
  const connection = script.accept(subprotocol, extensions);
  await opened;
  return { script, ws, log, connection };
}

function nameOfThrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof DOMException ? error.name : (error as Error).constructor.name;
  }
  return 'nothing thrown';
}

describe('the constructor of WebSocket', () => {
  it('needs new and one argument', () => {
    expect(nameOfThrown(() => new Loose())).toBe('TypeError');
    expect(nameOfThrown(() => (WebSocket as unknown as (url: string) => unknown)(url))).toBe('TypeError');
  });

  it.each([
    ['/relative', 'SyntaxError'],
    ['ftp://example.com', 'SyntaxError'],
    ['ws://example.com/#', 'SyntaxError'],
    [Symbol('s'), 'TypeError'],
  ])('refuses the URL of case %#', (value, name) => {
    expect(nameOfThrown(() => new Loose(value))).toBe(name);
  });

  it.each([
    ['', 'SyntaxError'],
    [['a', 'a'], 'SyntaxError'],
    [['a b'], 'SyntaxError'],
    [new Date(0), 'SyntaxError'],
    [Symbol('s'), 'TypeError'],
    [[Symbol('s')], 'TypeError'],
  ])('refuses the subprotocols of case %#', (value, name) => {
    expect(nameOfThrown(() => new Loose(url, value))).toBe(name);
  });

  it('converts all arguments before it looks at the first', () => {
    expect(nameOfThrown(() => new Loose('/relative', Symbol('s')))).toBe('TypeError');
  });

  it.each([
    [undefined, []],
    ['chat', ['chat']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [new Set(['a', 'b']), ['a', 'b']],
    [null, ['null']],
    [5, ['5']],
    [new String('ab'), ['a', 'b']],
    [{ toString: () => 'own', constructor: class {} }, []],
  ])('asks for the subprotocols of %j', (value, expected) => {
    const script = new Script();
    new Loose(url, value, script.init);
    expect(script.protocols).toEqual(expected);
  });

  it('takes options in place of the second argument, and behind it', () => {
    const script = new Script();
    new Loose(url, { protocols: ['x', 'y'], ...script.init });
    expect(script.protocols).toEqual(['x', 'y']);
    new Loose(url, 'z', script.init);
    expect(script.protocols).toEqual(['z']);
    new Loose(url, undefined, { protocols: 'w', ...script.init });
    expect(script.protocols).toEqual(['w']);
    new Loose(url, [], { protocols: 'w', ...script.init });
    expect(script.protocols).toEqual([]);
    expect(nameOfThrown(() => new Loose(url, [], 5))).toBe('TypeError');
  });

  it('does not connect to a bad port and reports it as a failure, later', async () => {
    const script = new Script();
    const ws = new WebSocket('ws://example.com:6000/', [], script.init as object);
    expect(ws.readyState).toBe(WebSocket.CONNECTING);
    const error = await next<ErrorEvent>(ws, 'error');
    expect(error.message).toContain('6000');
    expect(await next<CloseEvent>(ws, 'close')).toMatchObject({ code: 1006, wasClean: false });
    expect(script.wasAsked).toBe(false);
  });
});

describe('the interface of WebSocket', () => {
  const constants = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

  it.each([
    ['class', WebSocket],
    ['prototype', WebSocket.prototype],
  ])('has its constants on the %s', (_name, object) => {
    for (const [name, value] of Object.entries(constants)) {
      expect(Object.getOwnPropertyDescriptor(object, name)).toEqual({
        value,
        enumerable: true,
        writable: false,
        configurable: false,
      });
    }
  });

  it('has the members of the standard, enumerable, and no other', () => {
    const members = [
      ...['url', 'readyState', 'bufferedAmount', 'onopen', 'onerror', 'onclose', 'extensions', 'protocol'],
      ...['onmessage', 'binaryType', 'close', 'send', ...Object.keys(constants)],
    ];
    const descriptors = Object.getOwnPropertyDescriptors(WebSocket.prototype);
    expect(Object.keys(descriptors).sort()).toEqual([...members, 'constructor'].sort());
    expect(Object.keys(WebSocket.prototype).sort()).toEqual(members.sort());
    expect(Object.prototype.toString.call(connecting().ws)).toBe('[object WebSocket]');
    expect([WebSocket.length, WebSocket.prototype.send.length, WebSocket.prototype.close.length]).toEqual([
      1, 1, 0,
    ]);
    expect(new WebSocket('ws://example.com:1/')).toBeInstanceOf(EventTarget);
  });

  it('refuses to work on other objects', () => {
    expect(() => WebSocket.prototype.url).toThrow(TypeError);
    expect(() => WebSocket.prototype.close.call({} as WebSocket)).toThrow(TypeError);
    expect(() => WebSocket.prototype.send.call({} as WebSocket, 'x')).toThrow(TypeError);
  });

  it('has read-only attributes', () => {
    const { ws } = connecting();
    for (const name of ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol', 'OPEN']) {
      expect(() => Reflect.set(ws, name, 'x')).not.toThrow();
      expect(Reflect.set(ws, name, 'x')).toBe(false);
    }
  });

  it('ignores values that binaryType does not have', () => {
    const { ws } = connecting();
    expect(ws.binaryType).toBe('blob');
    for (const value of ['nope', null, undefined, 5, 'BLOB']) {
      (ws as { binaryType: unknown }).binaryType = value;
      expect(ws.binaryType).toBe('blob');
    }
    ws.binaryType = 'arraybuffer';
    expect(ws.binaryType).toBe('arraybuffer');
    expect(() => {
      (ws as { binaryType: unknown }).binaryType = Symbol('s');
    }).toThrow(TypeError);
  });

  it('types its events', () => {
    const { ws } = connecting();
    ws.onmessage = (event) => expectTypeOf(event.data).toEqualTypeOf<string | Blob | ArrayBuffer>();
    ws.addEventListener('close', (event) => expectTypeOf(event.code).toBeNumber());
    expect(typeof ws.onmessage).toBe('function');
  });
});

describe('connecting', () => {
  it('fires open when the connection is there, with what was agreed on', async () => {
    const { script, ws, log } = connecting(['a', 'b']);
    expect([ws.readyState, ws.protocol, ws.extensions, ws.url]).toEqual([0, '', '', url]);
    const opened = next(ws, 'open');
    script.accept('b', 'permessage-deflate');
    expect(ws.readyState).toBe(0);
    const event = await opened;
    expect(event.constructor).toBe(Event);
    expect(event).toMatchObject({ bubbles: false, cancelable: false });
    expect([ws.readyState, ws.protocol, ws.extensions]).toEqual([1, 'b', 'permessage-deflate']);
    expect(log).toEqual([['open', 1]]);
  });

  it('fires error with the cause, then close, when the handshake fails', async () => {
    const { script, ws, log } = connecting();
    const failed = next<ErrorEvent>(ws, 'error');
    const closed = next(ws, 'close');
    const cause = new Error('Unexpected server response: 403');
    script.refuse(cause);
    expect(ws.readyState).toBe(0);
    const event = await failed;
    expect(event.error).toBe(cause);
    expect(event.message).toBe(cause.message);
    await closed;
    expect(log).toEqual([
      ['error', 3],
      ['close', 3, 1006, '', false],
    ]);
  });

  it('lets the microtasks of an error listener run before close', async () => {
    const { script, ws } = connecting();
    const log: string[] = [];
    ws.onerror = () => void Promise.resolve().then(() => Promise.resolve().then(() => log.push('microtask')));
    ws.onclose = () => void log.push('close');
    const closed = next(ws, 'close');
    script.refuse(new Error('refused'));
    await closed;
    expect(log).toEqual(['microtask', 'close']);
  });

  it('closed meanwhile is given up: CLOSING at once, error and close in a later turn', async () => {
    const { script, ws, log } = connecting();
    ws.close(3000, 'never sent');
    expect(ws.readyState).toBe(2);
    expect(script.isAborted).toBe(true);
    await Promise.resolve();
    expect(log).toEqual([]);
    await next(ws, 'close');
    expect(log).toEqual([
      ['error', 3],
      ['close', 3, 1006, '', false],
    ]);
  });

  it('refuses to send, after converting the argument', () => {
    const { ws } = connecting();
    const send = ws.send.bind(ws) as (...args: unknown[]) => void;
    expect(nameOfThrown(() => send('x'))).toBe('InvalidStateError');
    expect(nameOfThrown(() => send())).toBe('TypeError');
    expect(nameOfThrown(() => send(Symbol('s')))).toBe('TypeError');
    expect(ws.bufferedAmount).toBe(0);
  });
});

describe('receiving', () => {
  it('fires a message event with the data and the origin', async () => {
    const { ws, connection } = await open();
    const arrived = next<MessageEvent>(ws, 'message');
    connection.text('h\u00e9llo');
    const event = await arrived;
    expect(event).toMatchObject({
      data: 'h\u00e9llo',
      origin: 'ws://example.com',
      lastEventId: '',
      source: null,
    });
    expect(event.target).toBe(ws);
  });

  it('never fires within the call that caused it', async () => {
    const { log, connection } = await open();
    connection.text('a');
    expect(log).toEqual([['open', 1]]);
    await turn();
    expect(log).toEqual([
      ['open', 1],
      ['message', 1, 'a'],
    ]);
  });

  it('gives binary messages as the binaryType of the moment says', async () => {
    const { ws, connection } = await open();
    const seen: unknown[] = [];
    ws.onmessage = ({ data }) => {
      seen.push(data);
      ws.binaryType = 'arraybuffer';
    };
    connection.binary(1, 2, 3);
    connection.binary(4, 5);
    connection.text('text');
    await turn();
    expect(seen[0]).toBeInstanceOf(Blob);
    expect(await (seen[0] as Blob).arrayBuffer()).toEqual(new Uint8Array([1, 2, 3]).buffer);
    expect((seen[0] as Blob).type).toBe('');
    expect(seen[1]).toEqual(new Uint8Array([4, 5]).buffer);
    expect(seen[2]).toBe('text');
  });

  it('gives each ArrayBuffer memory of its own', async () => {
    const { ws, connection } = await open();
    ws.binaryType = 'arraybuffer';
    const arrived = next<MessageEvent<ArrayBuffer>>(ws, 'message');
    const chunk = new Uint8Array([1, 2, 3, 4]);
    connection.listener.onMessage(chunk, 0, 3, true, false);
    chunk.fill(0);
    expect([...new Uint8Array((await arrived).data)]).toEqual([1, 2, 3]);
  });

  it('drops messages that wait behind a close() by a listener', async () => {
    const { ws, log, connection } = await open();
    ws.onmessage = () => ws.close();
    connection.text('a');
    connection.text('b');
    await turn();
    connection.text('c');
    await turn();
    expect(log).toEqual([
      ['open', 1],
      ['message', 1, 'a'],
    ]);
    expect(ws.readyState).toBe(2);
  });
});

describe('sending', () => {
  it('sends text as text and everything binary as binary', async () => {
    const { ws, connection } = await open();
    const send = ws.send.bind(ws) as (data: unknown) => void;
    const memory = new Uint8Array([1, 2, 3, 4]).buffer;
    for (const data of ['text', memory, new Uint16Array(memory, 2, 1), new DataView(memory, 1, 2)])
      send(data);
    for (const data of [null, undefined, 5, {}, [1, 2], '']) send(data);
    expect(connection.sent).toEqual([
      'text',
      [1, 2, 3, 4],
      [3, 4],
      [2, 3],
      'null',
      'undefined',
      '5',
      '[object Object]',
      '1,2',
      '',
    ]);
  });

  it('keeps the order while a Blob is read, and the bytes as they were', async () => {
    const { ws, connection } = await open();
    const bytes = new Uint8Array([3]);
    ws.send('1');
    ws.send(new Blob([new Uint8Array([2])]));
    ws.send(bytes);
    bytes[0] = 99;
    ws.send(new Blob(['']));
    ws.send('5');
    ws.close(3000, 'last');
    expect(connection.sent).toEqual(['1']);
    expect(connection.closes).toEqual([]);
    expect(ws.readyState).toBe(2);
    await expect.poll(() => connection.closes).toEqual([[3000, 'last']]);
    expect(connection.sent).toEqual(['1', [2], [3], [], '5']);
  });

  it('fails the connection when a Blob cannot be read', async () => {
    const { ws, log, connection } = await open();
    const blob = new Blob(['x']);
    const cause = new DOMException('gone', 'NotReadableError');
    blob.arrayBuffer = () => Promise.reject(cause);
    const failed = next<ErrorEvent>(ws, 'error');
    ws.send(blob);
    ws.send('never');
    expect((await failed).error).toBe(cause);
    await turn();
    expect(connection.isTerminated).toBe(true);
    expect(connection.sent).toEqual([]);
    expect(log.at(-1)).toEqual(['close', 3, 1006, '', false]);
  });

  it('discards in silence after close(), and counts it for ever', async () => {
    const { ws, connection } = await open();
    ws.close();
    ws.send('12345');
    expect(connection.sent).toEqual([]);
    expect(ws.bufferedAmount).toBe(5);
    const closed = next(ws, 'close');
    connection.closeFrame(1005);
    await closed;
    ws.send(new Blob(['abc']));
    ws.send(new Uint8Array(2));
    expect(ws.bufferedAmount).toBe(10);
    await turn();
    expect(ws.bufferedAmount).toBe(10);
  });
});

describe('bufferedAmount', () => {
  it('grows by the bytes of the payload and falls between turns only', async () => {
    const { ws, connection } = await open();
    ws.send('a\u00e9\ud800');
    expect(ws.bufferedAmount).toBe(6);
    ws.send(new Uint16Array(2));
    expect(ws.bufferedAmount).toBe(10);
    connection.take();
    expect(ws.bufferedAmount).toBe(10);
    await Promise.resolve();
    expect(ws.bufferedAmount).toBe(10);
    await turn();
    expect(ws.bufferedAmount).toBe(0);
  });

  it('has a Blob in it from the call on', async () => {
    const { ws, connection } = await open();
    ws.send(new Blob(['abc']));
    expect(ws.bufferedAmount).toBe(3);
    await expect.poll(() => connection.sent.length).toBe(1);
    connection.take();
    await turn();
    expect(ws.bufferedAmount).toBe(0);
  });

  it('keeps what could not leave', async () => {
    const { ws, connection } = await open();
    ws.send('abc');
    connection.take(new Error('The socket was closed'));
    const closed = next(ws, 'close');
    connection.end();
    await closed;
    expect(ws.bufferedAmount).toBe(3);
  });
});

describe('closing', () => {
  it.each([
    [[], []],
    [[undefined, undefined], []],
    [[undefined, ''], []],
    [[1000], [1000, '']],
    [
      [3000, 'why'],
      [3000, 'why'],
    ],
    [
      [4999, '\ud800'],
      [4999, '\ufffd'],
    ],
    [
      [undefined, 'why'],
      [1000, 'why'],
    ],
    [['3000'], [3000, '']],
    [
      [1000.4, null],
      [1000, 'null'],
    ],
  ] as [unknown[], unknown[]][])('close(%j) sends %j', async (args, expected) => {
    const { ws, connection } = await open();
    (ws.close as (...args: unknown[]) => void).apply(ws, args);
    expect(ws.readyState).toBe(2);
    expect(connection.closes).toEqual([expected]);
  });

  it.each([
    [[999], 'InvalidAccessError'],
    [[null], 'InvalidAccessError'],
    [['text'], 'InvalidAccessError'],
    [[66_536], 'InvalidAccessError'],
    [[5, 'x'.repeat(200)], 'InvalidAccessError'],
    [[1000, 'x'.repeat(124)], 'SyntaxError'],
    [[undefined, 'x'.repeat(124)], 'SyntaxError'],
    [[Symbol('s')], 'TypeError'],
    [[1n], 'TypeError'],
    [[5, Symbol('s')], 'TypeError'],
  ])('close(), case %#, throws what the standard says, in every state', async (args, name) => {
    const { ws, connection } = await open();
    const close = () => (ws.close as (...args: unknown[]) => void).apply(ws, args);
    expect(nameOfThrown(close)).toBe(name);
    expect([ws.readyState, connection.closes]).toEqual([1, []]);
    ws.close();
    expect(nameOfThrown(close)).toBe(name);
    const closed = next(ws, 'close');
    connection.closeFrame(1005);
    await closed;
    expect(nameOfThrown(close)).toBe(name);
  });

  it('twice is once', async () => {
    const { ws, connection } = await open();
    ws.close(3000, 'a');
    ws.close(3001, 'b');
    expect(connection.closes).toEqual([[3000, 'a']]);
  });

  it.each([
    [1000, 'bye', true],
    [1005, '', true],
    [1011, '', true],
    [4999, 'r\u00e9ason', true],
  ])('by the server with %d %j fires close once, without error', async (code, reason, wasClean) => {
    const { ws, log, connection } = await open();
    connection.text('last');
    connection.closeFrame(code, reason);
    expect(ws.readyState).toBe(1);
    await turn();
    expect(log).toEqual([
      ['open', 1],
      ['message', 1, 'last'],
      ['close', 3, code, reason, wasClean],
    ]);
  });

  it('is CLOSING between the close frame and the end of the connection', async () => {
    const { ws, connection } = await open();
    connection.listener.onCloseFrame(1000, new Uint8Array(0));
    await turn();
    expect(ws.readyState).toBe(2);
    connection.listener.onClose(1000, new Uint8Array(0), new Error('ECONNRESET'));
    const event = await next<CloseEvent>(ws, 'close');
    expect(event).toMatchObject({ code: 1000, wasClean: true });
  });

  it('by an end without a close frame is unclean, without error', async () => {
    const { log, connection } = await open();
    connection.end();
    await turn();
    expect(log).toEqual([
      ['open', 1],
      ['close', 3, 1006, '', false],
    ]);
  });

  it('by a failure fires error first', async () => {
    const { ws, log, connection } = await open();
    const failed = next<ErrorEvent>(ws, 'error');
    const error = new Error('Invalid WebSocket frame');
    connection.listener.onError(error);
    await turn();
    expect(ws.readyState).toBe(2);
    connection.end(error);
    expect((await failed).error).toBe(error);
    await turn();
    expect(log).toEqual([
      ['open', 1],
      ['error', 3],
      ['close', 3, 1006, '', false],
    ]);
  });

  it('before the open event could run goes through without it', async () => {
    const { script, ws, log } = connecting();
    const connection = script.accept();
    ws.close();
    await next(ws, 'close');
    expect(connection.isTerminated).toBe(true);
    expect(log).toEqual([
      ['error', 3],
      ['close', 3, 1006, '', false],
    ]);
  });
});
