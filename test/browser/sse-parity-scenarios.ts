/**
 * What: what programs do with an EventSource, as scripts that note what they see.
 * Must not know: where they run.
 */
import type { Scenario } from './parity-scenarios.ts';

/** Stands before each script: `log` is what is compared. `base` and `other` are two origins, the first one ours. */
export const ssePrelude = `
  const log = [];
  const show = (value) => {
    if (value instanceof Error || value instanceof DOMException) return value.name;
    if (typeof value === 'function') return 'function';
    if (value === undefined || typeof value === 'symbol') return String(value);
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  const note = (...values) => void log.push(values.map(show).join(' '));
  const attempt = (run) => { try { return run(); } catch (error) { return error; } };
  const key = String(Math.random());
  const encode = (text) => btoa(String.fromCharCode(...(typeof text === 'string' ? new TextEncoder().encode(text) : text)));
  const address = (name, query = {}, at = base) => at + '/s/' + name + '?' + new URLSearchParams({ key, ...query });
  const record = (es, ...names) => {
    es.addEventListener('open', () => note('open', es.readyState));
    for (const name of ['message', ...names]) es.addEventListener(name, (e) => note(name, e.data, 'id', e.lastEventId, es.readyState));
    es.addEventListener('error', () => note('error', es.readyState));
    return es;
  };
  const make = (url, init, ...names) => record(new EventSource(url, { origin: base, ...init }), ...names);
  /** It has failed for good, or the server has told it to stay away. */
  const over = (es) => new Promise((resolve) => {
    es.addEventListener('error', () => { if (es.readyState === 2) resolve(); });
  });
  const next = (es, type) => new Promise((resolve) => es.addEventListener(type, resolve, { once: true }));
  /** Another stream has come and gone: what was to come has come. */
  const later = () => over(new EventSource(address('body', { key: String(Math.random()), b: encode('retry: 1\\n') })));
  const run = async (...args) => { const es = make(...args); await over(es); return es; };
`;

const bodies: [string, string][] = [
  ['one event', 'data: a\\n\\n'],
  ['several lines', 'data: a\\ndata:  b\\ndata\\ndata:c\\n\\n'],
  ['line ends', 'data: a\\rdata: b\\r\\n\\rdata: c\\n\\r\\ndata: d\\r\\n\\r\\n'],
  ['a byte order mark', '\\ufeffdata: a\\n\\n'],
  ['two byte order marks', '\\ufeff\\ufeffdata: a\\n\\ndata: b\\n\\n'],
  ['a byte order mark later', 'data: a\\n\\n\\ufeffdata: b\\n\\ndata: c\\n\\n'],
  [
    'ids',
    'id: 1\\ndata: a\\n\\ndata: b\\n\\nid\\ndata: c\\n\\nid: 2\\n\\ndata: d\\n\\nid: \\u0000x\\ndata: e\\n\\n',
  ],
  [
    'names',
    'event: x\\ndata: a\\n\\nevent: y\\n\\ndata: b\\n\\nevent: \\ndata: c\\n\\nevent:x\\nevent:z\\ndata: d\\n\\n',
  ],
  ['names of the events of the interface', 'event: open\\ndata: a\\n\\nevent: error\\ndata: b\\n\\n'],
  ['comments and unknown fields', ': c\\n:\\nfoo: bar\\nfoo\\n data: a\\ndata : b\\nDATA: c\\ndata: d\\n\\n'],
  ['empty data', 'data\\n\\ndata:\\n\\ndata: \\n\\ndata\\ndata\\n\\n'],
  ['no end', 'data: a\\n\\ndata: b\\n'],
  ['nothing', ''],
  ['characters', 'data: \\u0000\\u00e9\\u20ac\\ud83d\\ude00\\u2028\\u000b\\u0085\\n\\n'],
  ['retry that is no number', 'retry: 1x\\nretry: \\nretry: 1.5\\nretry: -1\\ndata: a\\n\\n'],
];

const statuses = [201, 202, 203, 204, 205, 206, 300, 304, 400, 401, 404, 410, 500, 502, 503];
const redirects = [301, 302, 303, 307, 308];
const types = [
  'text/event-stream;charset=utf-8',
  'text/event-stream; charset=UTF-8',
  'TEXT/Event-Stream',
  ' text/event-stream ; x=y',
  'text/event-stream;',
  'text/plain',
  'text/event-streams',
  'application/json',
  'text/html, text/event-stream',
  'text/event-stream, text/html',
  'text/event-stream, */*',
  'text/event-stream, x',
];

export const sseScenarios: readonly Scenario[] = [
  {
    name: 'interface: members and constants',
    script: `
      const describe = (object) => Object.entries(Object.getOwnPropertyDescriptors(object))
        .filter(([name]) => name !== 'prototype' && name !== 'length' && name !== 'name')
        .map(([name, d]) => name + ':' + [d.enumerable, d.configurable, d.writable, typeof d.get, typeof d.set, typeof d.value]).sort();
      note(describe(EventSource), describe(EventSource.prototype).filter((line) => !line.startsWith('constructor')));
      note(EventSource.length, EventSource.name, EventSource.prototype.close.length);
      const es = new EventSource(address('hang'));
      note(String(es), Object.getPrototypeOf(EventSource) === EventTarget, Object.keys(es), es.readyState, es.withCredentials);
      note(es.onopen, es.onmessage, es.onerror, attempt(() => EventSource.prototype.url), attempt(() => EventSource.prototype.close.call({})));
      es.close();
      note(es.readyState, es.close());`,
  },
  {
    name: 'construction: URLs',
    script: `
      for (const value of ['http://127.0.0.1:1', 'HTTP://X:80/a?b#c', 'http://u:p@127.0.0.1:1/', 'http://', 'http://x:99999', 'http://[', Symbol(), 'http://127.0.0.1:1/\\ud800'])
        note(attempt(() => { const es = new EventSource(value); es.close(); return es.url; }));`,
  },
  {
    name: 'construction: arguments',
    script: `
      const url = address('hang');
      note(attempt(() => new EventSource()), attempt(() => EventSource(url)));
      for (const init of [undefined, null, {}, { withCredentials: true }, { withCredentials: 1 }, { withCredentials: '' }, { withCredentials: undefined }, 5, 'x', true, () => {}])
        note(attempt(() => { const es = new EventSource(url, init); es.close(); return es.withCredentials; }));`,
  },
  ...bodies.map(([name, body]) => ({
    name: `stream: ${name}`,
    script: `await run(address('body', { b: encode('retry: 1\\n' + '${body}') }), {}, 'x', 'z');`,
  })),
  {
    name: 'stream: byte order mark at the very beginning',
    script: `await run(address('body', { b: encode('\\ufeffretry: 1\\ndata: a\\n\\n') }));`,
  },
  {
    name: 'stream: bytes that are not UTF-8',
    script: `await run(address('body', { b: encode([...new TextEncoder().encode('retry: 1\\ndata: a'), 0xff, 0xc3, 0x28, 0xe2, 0x82, 10, 10]) }));`,
  },
  {
    name: 'stream: characters and line ends cut by chunks',
    script: `
      const bytes = new TextEncoder().encode('\\ufeffretry: 1\\r\\ndata: \\u20ac\\ud83d\\ude00\\r\\n\\r\\ndata: b\\r\\r');
      const query = new URLSearchParams({ key });
      for (const byte of bytes) query.append('b', encode([byte]));
      const es = make(base + '/s/pieces?' + query);
      await over(es);`,
  },
  {
    name: 'stream: a character that is cut by the end',
    script: `await run(address('body', { b: encode([...new TextEncoder().encode('retry: 1\\ndata: a\\n\\ndata: b\\n\\n'), 0xe2, 0x82]) }));`,
  },
  { name: 'stream: compressed', script: `await run(address('gzip'));` },
  {
    name: 'events: class, origin, phases',
    script: `
      const es = new EventSource(address('open'));
      const open = await next(es, 'open');
      note(open.constructor === Event, open.bubbles, open.cancelable);
      const e = await next(es, 'message');
      note(e instanceof MessageEvent, String(e), e.origin === base, e.bubbles, e.cancelable, e.source, e.ports, e.data, e.lastEventId);
      es.close();`,
  },
  {
    name: 'events: each is a task of its own, with its microtasks behind it',
    script: `
      const es = record(new EventSource(address('open')));
      const micro = (name) => Promise.resolve().then(() => Promise.resolve().then(() => note('microtask of', name)));
      es.onopen = () => micro('open');
      es.onmessage = (e) => micro(e.data);
      await new Promise((resolve) => es.addEventListener('message', (e) => { if (e.data === '3') resolve(); }));
      await null; await null; await null;
      es.close();`,
  },
  {
    name: 'handlers: attributes',
    script: `
      const es = new EventSource(address('open'));
      const handler = () => note('handler');
      es.onmessage = handler;
      note(es.onmessage === handler);
      es.onmessage = 5;
      note(es.onmessage);
      es.onmessage = function (e) { note(this === es, e.data); };
      await next(es, 'message');
      es.close();`,
  },
  ...statuses.map((status) => ({
    name: `answer: status ${status}`,
    script: `await run(address('status', { status: '${status}' }));`,
  })),
  ...types.map((type) => ({
    name: `answer: type ${type}`,
    script: `await run(address('type', { type: '${type}' }));`,
  })),
  { name: 'answer: no type', script: `await run(address('no-type'));` },
  {
    name: 'answer: none, the connection is closed',
    script: `const es = make(address('refuse')); await next(es, 'error'); es.close();`,
  },
  {
    name: 'answer: nobody listens',
    script: `const es = make('http://127.0.0.1:2/'); await next(es, 'error'); es.close();`,
  },
  {
    name: 'request: header fields',
    script: `await run(address('echo', { names: 'accept,cache-control,pragma,origin,cookie,last-event-id' }));`,
  },
  {
    name: 'reconnection: with the last id',
    script: `await run(address('echo', { id: 'n' }));`,
  },
  {
    name: 'reconnection: with an id that is not ASCII',
    script: `await run(address('echo', { id: '\\u00e9\\u20ac\\ud83d\\ude00' }));`,
  },
  {
    name: 'reconnection: an id without data holds, one that is not complete does not',
    script: `await run(address('id-without-data'));`,
  },
  { name: 'reconnection: an empty id forgets', script: `await run(address('id-forgotten'));` },
  { name: 'reconnection: after the connection was cut', script: `await run(address('cut'));` },
  {
    name: 'reconnection: states',
    script: `
      const es = new EventSource(address('body', { b: encode('retry: 1\\n') }));
      note(es.readyState);
      await next(es, 'open');
      note(es.readyState);
      const error = await next(es, 'error');
      note(es.readyState, error.type, error.bubbles, error.cancelable, error instanceof MessageEvent);
      await next(es, 'error');
      note(es.readyState);`,
  },
  {
    name: 'reconnection: closed while waiting',
    script: `
      const es = make(address('body', { b: encode('retry: 1\\n') }));
      await next(es, 'error');
      es.close();
      note(es.readyState);
      await later();`,
  },
  ...redirects.map((status) => ({
    name: `redirect: ${status}`,
    script: `await run(address('redirect', { status: '${status}' }));`,
  })),
  { name: 'redirect: without Location', script: `await run(address('redirect', { to: 'none' }));` },
  {
    name: 'redirect: 300 and 304 are none',
    script: `await run(address('redirect', { status: '300' })); await run(address('redirect', { status: '304' }));`,
  },
  {
    name: 'redirect: to another origin that allows it',
    script: `
      const es = make(address('redirect', { to: 'OTHER/s/landed', allow: 'own' }));
      es.addEventListener('message', (e) => note(e.origin === other, es.url.startsWith(base)));
      await over(es);`,
  },
  {
    name: 'redirect: to another origin that allows all',
    script: `await run(address('redirect', { to: 'OTHER/s/landed', allow: '*' }));`,
  },
  {
    name: 'redirect: to another origin that does not',
    script: `await run(address('redirect', { to: 'OTHER/s/landed' }));`,
  },
  {
    name: 'redirect: to where nobody listens',
    script: `const es = make(address('redirect', { to: 'http://127.0.0.1:2/' })); await next(es, 'error'); note(es.readyState); es.close();`,
  },
  { name: 'CORS: not allowed', script: `await run(address('cors', {}, other));` },
  { name: 'CORS: allowed for all', script: `await run(address('cors', { allow: '*' }, other));` },
  { name: 'CORS: allowed for us', script: `await run(address('cors', { allow: base }, other));` },
  {
    name: 'CORS: allowed for somebody else',
    script: `await run(address('cors', { allow: 'http://example.com' }, other));`,
  },
  {
    name: 'CORS: credentials, allowed for all',
    script: `await run(address('cors', { allow: '*', credentials: 'true' }, other), { withCredentials: true });`,
  },
  {
    name: 'CORS: credentials, not allowed',
    script: `await run(address('cors', { allow: base }, other), { withCredentials: true });`,
  },
  {
    name: 'CORS: credentials, allowed',
    script: `await run(address('cors', { allow: base, credentials: 'true' }, other), { withCredentials: true });`,
  },
  {
    name: 'CORS: credentials, allowed with another spelling',
    script: `await run(address('cors', { allow: base, credentials: 'TRUE' }, other), { withCredentials: true });`,
  },
  {
    name: 'closing: at once',
    script: `const es = make(address('open')); es.close(); note(es.readyState); await later();`,
  },
  {
    name: 'closing: while the server is silent',
    script: `const es = make(address('hang')); await later(); es.close(); note(es.readyState); await later();`,
  },
  {
    name: 'closing: in the open event',
    script: `const es = make(address('open')); es.onopen = () => es.close(); await next(es, 'open'); await later();`,
  },
  {
    name: 'closing: in the first of three messages',
    script: `const es = make(address('open')); es.onmessage = () => es.close(); await next(es, 'message'); await later();`,
  },
  {
    name: 'closing: in the error event',
    script: `const es = make(address('body', { b: encode('retry: 1\\n') })); es.onerror = () => es.close(); await next(es, 'error'); await later();`,
  },
];
