/**
 * What: what programs do with a WebSocket, as scripts that note what they see.
 * Must not know: where they run.
 */

export interface Scenario {
  readonly name: string;
  readonly script: string;
}

/** Stands before each script: `log` is what is compared; messages of errors are not, their names are. */
export const prelude = `
  const log = [];
  const show = (value) => {
    if (value instanceof Error || value instanceof DOMException) {
      const code = value.closeCode === undefined ? '' : ' ' + value.closeCode + ' ' + value.reason;
      return value.name + code;
    }
    if (value instanceof Blob) return 'Blob of ' + value.size;
    if (value instanceof ArrayBuffer) return 'ArrayBuffer of ' + [...new Uint8Array(value)];
    if (typeof value === 'function') return 'function';
    if (value === undefined || typeof value === 'symbol') return String(value);
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  const note = (...values) => void log.push(values.map(show).join(' '));
  const attempt = (run) => { try { return run(); } catch (error) { return error; } };
  const settle = (promise) => promise.then((value) => value, (error) => error);
  const record = (ws) => {
    ws.addEventListener('open', () => note('open', ws.readyState));
    ws.addEventListener('message', ({ data }) => note('message', ws.readyState, data));
    ws.addEventListener('error', () => note('error', ws.readyState));
    ws.addEventListener('close', (e) => note('close', ws.readyState, e.code, e.reason, e.wasClean));
    return ws;
  };
  const next = (ws, type) => new Promise((resolve) => ws.addEventListener(type, resolve, { once: true }));
  const connect = async (path = '/', ...rest) => {
    const ws = record(new WebSocket(base + path, ...rest));
    await next(ws, 'open');
    return ws;
  };
  /** Another connection has come and gone: what was to come has come. */
  const later = async () => {
    const ws = new WebSocket(base + '/');
    ws.onopen = () => ws.close();
    await next(ws, 'close');
  };
  const finish = async (ws) => {
    const closed = ws.readyState === 3 ? null : next(ws, 'close');
    ws.close();
    await closed;
  };
  const readAll = async (reader) => {
    const all = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return all;
      all.push(value);
    }
  };
`;

const refused = [
  ...['200', '302', '403', '500', 'accept', 'upgrade', 'protocol', 'extension', 'no-http', 'silence'],
].map((path) => ({
  name: `handshake: refused (${path})`,
  script: `const ws = record(new WebSocket(base + '/refuse/${path}')); note(ws.readyState); await next(ws, 'close'); await later();`,
}));

export const scenarios: readonly Scenario[] = [
  // Construction.
  {
    name: 'construction: URLs',
    script: `
      const values = ['ws://x', 'WSS://X:443/a?b', 'http://x:80/', 'https://x', 'ws://x:443', 'ws://us er@x/ y', 'ws://x/#',
        'ws://x/#a', 'ftp://x', 'ws://', 'ws://x:99999', 'mailto:x', new URL('https://x/a'), Symbol(), 'ws://\\u{1f600}'];
      for (const value of values) note(attempt(() => {
        const ws = new WebSocket(value);
        ws.close();
        return ws.url;
      }));`,
  },
  {
    name: 'construction: subprotocols',
    script: `
      const values = [undefined, [], '', [''], 'a', ['a', 'b'], ['a', 'a'], ['a', 'A'], null, 5, new String('ab'), [1], [[]],
        new Set(['x', 'y']), 'a b', 'a,b', '\\u00e9', '\\u0000', Symbol(), [Symbol()], ['a', { toString: () => 'b' }],
        { toString: () => 'own', get constructor() {} }, (function* () { yield 'g'; })()];
      for (const value of values) note(attempt(() => {
        const ws = new WebSocket('ws://x', value);
        ws.close();
        return ws.url;
      }));`,
  },
  {
    name: 'construction: arguments are counted and converted before anything is looked at',
    script: `
      note(attempt(() => new WebSocket()), attempt(() => WebSocket('ws://x')));
      note(attempt(() => new WebSocket('nowhere', Symbol())), attempt(() => new WebSocket(Symbol(), 'a b')));
      note(WebSocket.length, WebSocket.name, WebSocket.prototype.send.length, WebSocket.prototype.close.length);`,
  },
  {
    name: 'interface: members and constants',
    script: `
      const describe = (object) => Object.entries(Object.getOwnPropertyDescriptors(object))
        .filter(([name]) => name !== 'prototype' && name !== 'length' && name !== 'name')
        .map(([name, d]) => name + ':' + [d.enumerable, d.configurable, d.writable, typeof d.get, typeof d.set, typeof d.value]).sort();
      note(describe(WebSocket), describe(WebSocket.prototype).filter((line) => !line.startsWith('constructor')));
      const ws = new WebSocket(base);
      note(String(ws), Object.getPrototypeOf(WebSocket) === EventTarget, Object.keys(ws), ws instanceof EventTarget);
      note(attempt(() => WebSocket.prototype.url), attempt(() => WebSocket.prototype.send.call({}, 'x')));
      ws.close();`,
  },
  {
    name: 'interface: CloseEvent',
    script: `
      const values = [[], ['x'], ['x', null], ['x', 5], ['x', {}], ['x', { code: 70000, wasClean: 1, reason: null }],
        ['x', { code: -1.5, bubbles: true }], ['x', { code: NaN }], ['x', { code: 1n }], [Symbol()]];
      for (const value of values) note(attempt(() => {
        const event = new CloseEvent(...value);
        return [event.type, event.code, event.reason, event.wasClean, event.bubbles, String(event), event instanceof Event];
      }));
      note(CloseEvent.length, Object.keys(CloseEvent.prototype).sort());`,
  },
  // Handshake.
  {
    name: 'handshake: states and attributes before and after',
    script: `
      const ws = record(new WebSocket(base + '/choose', ['a', 'b']));
      note(ws.readyState, ws.url.replace(base, ''), ws.protocol, ws.extensions, ws.bufferedAmount, ws.binaryType);
      note(ws.onopen, ws.onmessage, ws.onerror, ws.onclose);
      await next(ws, 'open');
      note(ws.readyState, ws.protocol, ws.extensions);
      await finish(ws);
      note(ws.readyState, ws.protocol, ws.extensions, ws.url.replace(base, ''));`,
  },
  {
    name: 'handshake: a subprotocol is chosen',
    script: `const ws = await connect('/choose', ['a', 'b']); note(ws.protocol, ws.extensions); await finish(ws);`,
  },
  {
    name: 'handshake: none of the subprotocols is chosen',
    script: `const ws = record(new WebSocket(base + '/choose', ['a', 'c'])); await next(ws, 'close'); note(ws.protocol);`,
  },
  {
    name: 'handshake: compression is offered and agreed on',
    script: `
      const ws = await connect('/deflate');
      note(ws.extensions);
      ws.send('x'.repeat(100000));
      const { data } = await next(ws, 'message');
      note(data.length);
      log.length = 2;
      await finish(ws);
      note(ws.extensions);`,
  },
  {
    name: 'handshake: open is a task of its own, the first message another',
    script: `
      const ws = record(new WebSocket(base + '/greet'));
      ws.onopen = () => Promise.resolve().then(() => Promise.resolve().then(() => note('microtask of open')));
      await next(ws, 'message');
      await finish(ws);`,
  },
  {
    name: 'handshake: a bad port',
    script: `const ws = record(new WebSocket('ws://127.0.0.1:6000/')); note(ws.readyState); await next(ws, 'close');`,
  },
  {
    name: 'handshake: nobody listens',
    script: `const ws = record(new WebSocket('ws://127.0.0.1:2/')); await next(ws, 'close');`,
  },
  ...refused,
  {
    name: 'handshake: the server closes at once',
    script: `const ws = record(new WebSocket(base + '/close')); await next(ws, 'close'); await later();`,
  },
  {
    name: 'handshake: closed while connecting',
    script: `
      const ws = record(new WebSocket(base));
      ws.close();
      note(ws.readyState);
      await null;
      note('microtask', ws.readyState);
      ws.close();
      await next(ws, 'close');
      await later();`,
  },
  {
    name: 'handshake: closed while the server is silent, with code and reason',
    script: `
      const ws = record(new WebSocket(base + '/hang'));
      await new Promise((resolve) => setTimeout(resolve, 0));
      ws.close(3000, 'why');
      await next(ws, 'close');
      await later();`,
  },
  // Sending.
  {
    name: 'sending: while connecting',
    script: `
      const ws = record(new WebSocket(base));
      for (const args of [['x'], [], [Symbol()], [new Blob(['x'])]]) note(attempt(() => ws.send(...args)), ws.bufferedAmount);
      ws.close();
      note(attempt(() => ws.send('abc')), ws.bufferedAmount, attempt(() => ws.send()), attempt(() => ws.send(Symbol())));
      await next(ws, 'close');
      ws.send(new Blob(['12']));
      note(ws.bufferedAmount);`,
  },
  {
    name: 'sending: what becomes of values',
    script: `
      const ws = await connect();
      ws.binaryType = 'arraybuffer';
      const memory = new Uint8Array([1, 2, 3, 4]).buffer;
      const detached = new ArrayBuffer(4);
      structuredClone(detached, { transfer: [detached] });
      const values = ['t\\u00e9xt', '', null, undefined, 5, {}, [1, 2], true, 1n, '\\ud800a', memory, new Uint16Array(memory, 2, 1),
        new DataView(memory, 1, 2), new Uint8Array(0), detached, new Blob(['b', 'c']), new Blob([]), new String('s')];
      for (const value of values) ws.send(value);
      for (const _ of values) await next(ws, 'message');
      await finish(ws);`,
  },
  {
    name: 'sending: memory that is shared or resizable',
    script: `
      const ws = await connect();
      const shared = new SharedArrayBuffer(3);
      const resizable = new ArrayBuffer(3, { maxByteLength: 6 });
      for (const value of [shared, new Uint8Array(shared), resizable, new Uint8Array(resizable)]) note(attempt(() => ws.send(value)));
      note(ws.bufferedAmount);
      await finish(ws);`,
  },
  {
    name: 'sending: bytes are taken at the call',
    script: `
      const ws = await connect();
      ws.binaryType = 'arraybuffer';
      const bytes = new Uint8Array([1, 2]);
      ws.send(bytes);
      bytes[0] = 9;
      ws.send(new Blob(['x']));
      ws.send(bytes);
      bytes[0] = 8;
      for (let i = 0; i < 3; i++) await next(ws, 'message');
      await finish(ws);`,
  },
  {
    name: 'sending: Blobs keep their place among texts and bytes',
    script: `
      const ws = await connect();
      ws.binaryType = 'arraybuffer';
      for (let i = 0; i < 5; i++) { ws.send('t' + i); ws.send(new Blob(['b' + i])); ws.send(new Uint8Array([i])); }
      for (let i = 0; i < 15; i++) await next(ws, 'message');
      await finish(ws);`,
  },
  {
    name: 'sending: behind Blobs comes the close frame',
    script: `
      const ws = await connect();
      let count = 0;
      ws.send(new Blob(['x'.repeat(100000)]));
      ws.send('!close 4000 the server was first');
      ws.close(3000, 'we were last');
      note(ws.readyState, ws.bufferedAmount);
      await next(ws, 'close');`,
  },
  {
    name: 'sending: large messages',
    script: `
      const ws = await connect();
      ws.binaryType = 'arraybuffer';
      log.length = 0;
      for (const size of [125, 126, 65535, 65536, 1000000]) {
        ws.send('y'.repeat(size));
        const text = (await next(ws, 'message')).data;
        ws.send(new Uint8Array(size).fill(7));
        const { data } = await next(ws, 'message');
        log.length = 0;
        note(text === 'y'.repeat(size), data.byteLength === size, new Uint8Array(data).every((byte) => byte === 7));
        if (!log[0].startsWith('true true true')) throw new Error('at ' + size);
      }
      await finish(ws);`,
  },
  {
    name: 'sending: bufferedAmount grows at the call, falls later, and stays after closing',
    script: `
      const ws = await connect();
      ws.send('a\\u00e9\\ud800');
      note(ws.bufferedAmount);
      ws.send(new Uint16Array(5));
      note(ws.bufferedAmount);
      ws.send(new Blob(['abc']));
      note(ws.bufferedAmount);
      await null;
      note(ws.bufferedAmount);
      for (let i = 0; i < 3; i++) await next(ws, 'message');
      log.length = 5;
      note(ws.bufferedAmount);
      ws.close();
      ws.send('12');
      note(ws.bufferedAmount);
      await next(ws, 'close');
      ws.send(new Uint8Array(5));
      note(ws.bufferedAmount);
      await later();
      note(ws.bufferedAmount);`,
  },
  {
    name: 'sending: a large message does not leave bufferedAmount within the turn',
    script: `
      const ws = await connect();
      ws.send('z'.repeat(500000));
      note(ws.bufferedAmount);
      await null;
      await null;
      note(ws.bufferedAmount);
      await next(ws, 'message');
      log.length = 3;
      note(ws.bufferedAmount);
      await finish(ws);`,
  },
  // Receiving.
  {
    name: 'receiving: the message event',
    script: `
      const ws = await connect();
      ws.send(new Uint8Array(3));
      const e = await next(ws, 'message');
      note(e.origin === base, e.lastEventId, e.source, e.ports, Object.isFrozen(e.ports), e.bubbles, e.cancelable, e.composed);
      note(String(e), e.target === ws, e.data.type, e.data.size, e instanceof MessageEvent, e.constructor === MessageEvent);
      await finish(ws);`,
  },
  {
    name: 'receiving: binaryType, changed between messages',
    script: `
      const ws = await connect();
      const types = ['arraybuffer', 'nope', 'blob', null, 'arraybuffer', 'BLOB'];
      ws.onmessage = () => { ws.binaryType = types.shift(); note(ws.binaryType); };
      for (let i = 0; i < 6; i++) ws.send('!bytes 0' + i);
      for (let i = 0; i < 6; i++) await next(ws, 'message');
      note(attempt(() => { ws.binaryType = Symbol(); }));
      await finish(ws);`,
  },
  {
    name: 'receiving: binaryType as it is when the event fires',
    script: `
      const ws = await connect();
      ws.send('!bytes 00');
      ws.binaryType = 'arraybuffer';
      await next(ws, 'message');
      await finish(ws);`,
  },
  {
    name: 'receiving: every message is a task with its microtasks',
    script: `
      const ws = await connect();
      ws.onmessage = ({ data }) => {
        queueMicrotask(() => { note('first of', data); Promise.resolve().then(() => note('second of', data)); });
      };
      ws.send('!many 5');
      for (let i = 0; i < 5; i++) await next(ws, 'message');
      await finish(ws);`,
  },
  {
    name: 'receiving: a listener that closes sees no more messages',
    script: `
      const ws = await connect();
      ws.onmessage = () => { note(ws.readyState); ws.close(3001, 'enough'); };
      ws.send('!many 20');
      await next(ws, 'close');
      await later();`,
  },
  {
    name: 'receiving: pings are answered and not seen',
    script: `const ws = await connect(); ws.send('!ping'); await next(ws, 'message'); await finish(ws);`,
  },
  {
    name: 'receiving: fragments with a ping between them, empty ones, a BOM and a NUL',
    script: `
      const ws = await connect('/raw');
      for (const command of ['fragments', 'empty fragments', 'bom and null']) {
        ws.send(command);
        const { data } = await next(ws, 'message');
        note(data.length, [...data].map((c) => c.codePointAt(0)));
      }
      await finish(ws);`,
  },
  {
    name: 'receiving: large messages',
    script: `
      const ws = await connect();
      const sizes = [];
      for (const size of [65536, 3000000]) {
        ws.send('!big ' + size);
        sizes.push((await next(ws, 'message')).data.length);
      }
      log.length = 1;
      note(sizes);
      await finish(ws);`,
  },
];
