/**
 * What: where our WebSocket and WebSocketStream are seen otherwise than those of Chromium, and why.
 * Must not know: where the scripts run.
 */
import type { Scenario } from './parity-scenarios.ts';

export interface Difference extends Scenario {
  readonly because: string;
  readonly ours: readonly (string | number)[];
  readonly chromium: readonly (string | number)[];
}

export const differences: readonly Difference[] = [
  {
    name: 'close() with a reason alone',
    because: 'Web IDL makes undefined a missing argument; the draft gives a reason the code 1000',
    script: `
      const ws = await connect();
      note(attempt(() => ws.close(undefined, 'why')));
      if (ws.readyState === 1) ws.close();
      await next(ws, 'close');`,
    ours: ['open 1', 'undefined', 'close 3 1000 why true'],
    chromium: ['open 1', 'InvalidAccessError', 'close 3 1005  true'],
  },
  {
    name: 'the server resets the connection',
    because: 'RFC 6455 section 7.2.1 has a client fail the connection, and in Node the cause must be told',
    script: `const ws = await connect('/raw'); ws.send('reset'); await next(ws, 'close'); await later();`,
    ours: ['open 1', 'error 3', 'close 3 1006  false'],
    chromium: ['open 1', 'close 3 1006  false'],
  },
  {
    name: 'the server closes with codes that nobody may send',
    because: 'RFC 6455 section 7.4.2 leaves them undefined or reserved; the Autobahn suite wants 1002',
    script: `
      for (const code of [999, 1004, 1016, 2999, 5000]) {
        const ws = await connect('/raw');
        ws.send('close ' + code);
        await next(ws, 'close');
      }
      log.splice(0, Infinity, ...log.filter((line) => line.startsWith('close')));`,
    ours: Array(5).fill('close 3 1006  false'),
    chromium: [999, 1004, 1016, 2999, 5000].map((code) => `close 3 ${code}  true`),
  },
  {
    name: 'the server sends a message behind its close frame',
    because:
      'RFC 6455 section 5.5.1 forbids it to the server and does not say what a client does; ours stops reading',
    script: `const ws = await connect('/raw'); ws.send('message behind close'); await next(ws, 'close'); await later();`,
    ours: ['open 1', 'close 3 1001  true'],
    chromium: ['open 1', 'error 3', 'close 3 1006  false'],
  },
  {
    name: 'the class of the error event',
    because: 'a page must not learn the cause, a program in Node must',
    script: `
      const ws = new WebSocket(base + '/refuse/403');
      const event = await next(ws, 'error');
      note(event.constructor.name, event.error?.message, event.isTrusted);`,
    ours: ['ErrorEvent Unexpected server response: 403 false'],
    chromium: ['Event undefined true'],
  },
  {
    name: 'a relative URL',
    because: 'a program in Node has no base URL',
    script: `note(attempt(() => { const ws = new WebSocket('/x'); ws.close(); return ws.url === base + '/x'; }));`,
    ours: ['SyntaxError'],
    chromium: ['true'],
  },
  {
    name: 'an object in place of the subprotocols',
    because: 'it is the options of Node; [object Object] is no subprotocol',
    script: `note(attempt(() => { const ws = new WebSocket('ws://x', {}); ws.close(); return ws.url; }));`,
    ours: ['ws://x/'],
    chromium: ['SyntaxError'],
  },
  {
    name: 'CloseEvent with a lone surrogate in the reason',
    because: 'the reason is a USVString',
    script: `note(new CloseEvent('x', { reason: '\\ud800' }).reason === '\\ufffd');`,
    ours: ['true'],
    chromium: ['false'],
  },
  {
    name: 'binary chunks of a WebSocketStream',
    because: 'the draft has Uint8Array',
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      await writable.getWriter().write(new Uint8Array([1, 2]));
      note((await readable.getReader().read()).value.constructor.name);
      stream.close();
      await stream.closed;`,
    ours: ['Uint8Array'],
    chromium: ['ArrayBuffer'],
  },
  {
    name: 'the reason of a signal that aborts a WebSocketStream',
    because: 'the draft rejects with the reason of the signal',
    script: `
      const stream = new WebSocketStream(base, { signal: AbortSignal.abort(new RangeError('why')) });
      note(await settle(stream.opened), stream.url.replace(base, ''));`,
    ours: ['RangeError /'],
    chromium: ['AbortError '],
  },
  {
    name: 'messages before the close frame that are read late',
    because: 'Chromium forgets them, which loses messages',
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const writer = writable.getWriter();
      await writer.write('!many 20');
      await writer.write('!close 4000');
      await settle(Promise.race([stream.closed, later().then(later)]));
      note((await readAll(readable.getReader())).length, await stream.closed);`,
    ours: ['20 {"closeCode":4000,"reason":""}'],
    chromium: ['1 {"closeCode":4000,"reason":""}'],
  },
];
