/**
 * What: how connections end, and how handlers are called, as scripts that note what they see.
 * Must not know: where they run.
 */
import type { Scenario } from './parity-scenarios.ts';

const broken = [
  ...['opcode', 'reserved', 'masked', 'text in text', 'continuation', 'long ping', 'bad text', 'bad reason'],
  ...['short close', 'close 1005', 'close 1006', 'close 1015'],
].map((command) => ({
  name: `failing: the server breaks the protocol (${command})`,
  script: `const ws = await connect('/raw'); ws.send('${command}'); await next(ws, 'close'); await later();`,
}));

const serverCloses = [
  '',
  '1000 a',
  '1001',
  '1002 x',
  '1011 oops',
  '1013',
  '3000',
  '3999 r\u00e9ason',
  '4999',
].map((argument) => ({
  name: `closing: by the server with '${argument}'`,
  script: `const ws = await connect(); ws.send('!close ${argument}'); await next(ws, 'close'); await later();`,
}));

export const closingScenarios: readonly Scenario[] = [
  // Closing.
  {
    name: 'closing: what close() takes and throws',
    script: `
      const ws = record(new WebSocket(base));
      const values = [[999], [1001], [2999], [5000], [0], [null], [NaN], ['x'], [-1], [66536], [1000, 'x'.repeat(124)],
        [1000, '\\u00e9'.repeat(62)], [5, 'x'.repeat(124)], [Symbol()], [1n], [1000, Symbol()], [{}], [1000, '\\ud800'.repeat(42)]];
      for (const value of values) note(attempt(() => ws.close(...value)), ws.readyState);
      await next(ws, 'open');
      for (const value of values) note(attempt(() => ws.close(...value)), ws.readyState);
      ws.close();
      for (const value of values) note(attempt(() => ws.close(...value)), ws.readyState);
      await next(ws, 'close');
      for (const value of values) note(attempt(() => ws.close(...value)), ws.readyState);`,
  },
  ...[
    '',
    'undefined',
    'undefined, undefined',
    '1000',
    "1000, ''",
    "3000, 'r\u00e9ason'",
    "'4999', null",
    "1000.4, 'x'",
    "3000, '\\ud800'",
    `3000, '${'x'.repeat(123)}'`,
  ].map((args) => ({
    name: `closing: by close(${args.length > 40 ? '3000, 123 bytes' : args})`,
    script: `
      const ws = await connect();
      note(ws.close(${args}), ws.readyState);
      await next(ws, 'close');
      await later();`,
  })),
  {
    name: 'closing: the close event',
    script: `
      const ws = await connect();
      ws.close(3000, 'x');
      const e = await next(ws, 'close');
      note(String(e), e instanceof CloseEvent, e.bubbles, e.cancelable, e.composed, e.target === ws);`,
  },
  {
    name: 'closing: twice is once',
    script: `
      const ws = await connect();
      ws.close(3000, 'a');
      ws.close(3001, 'b');
      await next(ws, 'close');
      ws.close(3002, 'c');
      await later();
      note(ws.readyState);`,
  },
  {
    name: 'closing: within the listeners',
    script: `
      const ws = record(new WebSocket(base));
      ws.onopen = () => { ws.close(3000, 'in open'); note(ws.readyState); };
      ws.onclose = () => { ws.close(); ws.send('x'); note(ws.readyState, ws.bufferedAmount); };
      await next(ws, 'close');
      await later();`,
  },
  ...serverCloses,
  {
    name: 'closing: the server says something first',
    script: `const ws = await connect('/raw'); ws.send('message and close'); await next(ws, 'close'); await later();`,
  },
  {
    name: 'closing: both at once',
    script: `const ws = await connect(); ws.send('!close 4001 server'); ws.close(4002, 'client'); await next(ws, 'close');`,
  },
  {
    name: 'closing: the server answers with another code',
    script: `const ws = await connect('/raw/other-code'); ws.close(3000, 'x'); await next(ws, 'close');`,
  },
  {
    name: 'closing: the server answers without a code',
    script: `const ws = await connect('/raw/empty-code'); ws.close(3000, 'x'); await next(ws, 'close');`,
  },
  {
    name: 'closing: messages in the handshake are not seen',
    script: `const ws = await connect('/raw/messages-first'); ws.close(3000, 'x'); await next(ws, 'close'); await later();`,
  },
  {
    name: 'closing: a reason with a BOM',
    script: `const ws = await connect('/raw'); ws.send('reason with bom'); note((await next(ws, 'close')).reason.length);`,
  },
  {
    name: 'closing: the server ends TCP in place of an answer',
    script: `const ws = await connect('/raw/end-on-close'); ws.close(3000, 'x'); await next(ws, 'close'); await later();`,
  },
  {
    name: 'closing: the server ends TCP without a word',
    script: `const ws = await connect('/raw'); ws.send('end'); await next(ws, 'close'); await later();`,
  },
  // Failing.
  ...broken,
  {
    name: 'failing: microtasks of an error listener come before close',
    script: `
      const ws = record(new WebSocket(base + '/refuse/403'));
      ws.onerror = () => Promise.resolve().then(() => Promise.resolve().then(() => note('microtask')));
      await next(ws, 'close');`,
  },
  // Handlers.
  {
    name: 'handlers: order among listeners',
    script: `
      const ws = new WebSocket(base);
      ws.addEventListener('open', () => note('listener 1'));
      ws.onopen = () => note('handler 1');
      ws.addEventListener('open', () => note('listener 2'));
      ws.onopen = () => note('handler 2');
      ws.onclose = () => note('close handler 1');
      ws.addEventListener('close', () => note('close listener'));
      ws.onclose = null;
      ws.onclose = () => note('close handler 2');
      await next(ws, 'open');
      await finish(ws);`,
  },
  {
    name: 'handlers: what they may be set to',
    script: `
      const ws = new WebSocket(base);
      const object = { handleEvent() { note('never'); } };
      for (const value of [object, () => {}, class {}]) { ws.onopen = value; note(ws.onopen === value); }
      for (const value of [5, 'x', true, Symbol(), undefined, null]) { ws.onopen = () => {}; ws.onopen = value; note(ws.onopen); }
      ws.onopen = object;
      ws.onmessage = object;
      await next(ws, 'open');
      await finish(ws);`,
  },
  {
    name: 'handlers: this, the argument, and what they return',
    script: `
      const ws = new WebSocket(base);
      ws.onopen = function (event) { note(this === ws, arguments.length, event.currentTarget === ws, event.eventPhase); };
      await next(ws, 'open');
      for (const result of [false, true, null, 0, undefined]) {
        ws.onmessage = () => result;
        const event = new MessageEvent('message', { cancelable: true });
        note(ws.dispatchEvent(event), event.defaultPrevented);
      }
      await finish(ws);`,
  },
  {
    name: 'handlers: events that the program fires itself',
    script: `
      const ws = new WebSocket(base);
      ws.onclose = (event) => note('close', event.constructor.name, event.code);
      ws.onmessage = (event) => note('message', event.data);
      ws.dispatchEvent(new Event('close'));
      ws.dispatchEvent(new MessageEvent('message', { data: 5 }));
      note(ws.readyState);
      ws.onclose = null;
      await next(ws, 'open');
      await finish(ws);`,
  },
];
