/**
 * What: raw HTTP requests to a WebSocketServer; its answers are those of `ws`, byte for byte where that is promised.
 * Must not know: clients.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { close, implementations, listen } from './peers.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const good: Record<string, string> = {
  Host: '127.0.0.1',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};

/** A request with some headers replaced, or left out where the value is null. */
function request(changes: Record<string, string | null> = {}, line = 'GET / HTTP/1.1'): string {
  const headers: Record<string, string | null> = { ...good, ...changes };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
}

/** Sends and reads until the server ends or `enough` is there. */
async function ask(port: number, text: string, enough?: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1');
  socket.write(text, 'latin1');
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('end', resolve);
    socket.on('data', (data: string) => {
      answer += data;
      if (enough !== undefined && answer.includes(enough)) resolve();
    });
  });
  socket.destroy();
  return answer;
}

/** What two answers must have in common: all but the date. */
const comparable = (answer: string) => answer.replace(/^Date: .*\r\n/m, '');

type Options = Parameters<typeof listen>[1];

interface Case {
  readonly title: string;
  readonly text: string;
  readonly options?: Options;
  readonly status: number;
  readonly body?: string;
  readonly header?: string;
}

const refused: Case[] = [
  {
    title: 'a plain GET',
    text: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    status: 426,
    body: 'Upgrade Required',
  },
  { title: 'another method', text: request({}, 'POST / HTTP/1.1'), status: 405, body: 'Invalid HTTP method' },
  {
    title: 'another protocol in Upgrade',
    text: request({ Upgrade: 'foo' }),
    status: 400,
    body: 'Invalid Upgrade header',
  },
  {
    title: 'no key',
    text: request({ 'Sec-WebSocket-Key': null }),
    status: 400,
    body: 'Missing or invalid Sec-WebSocket-Key header',
  },
  {
    title: 'a short key',
    text: request({ 'Sec-WebSocket-Key': 'P5l8BJcZwRc=' }),
    status: 400,
    body: 'Missing or invalid Sec-WebSocket-Key header',
  },
  {
    title: 'a key that is not base64',
    text: request({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZ!==' }),
    status: 400,
    body: 'Missing or invalid Sec-WebSocket-Key header',
  },
  {
    title: 'no version',
    text: request({ 'Sec-WebSocket-Version': null }),
    status: 400,
    body: 'Missing or invalid Sec-WebSocket-Version header',
    header: 'Sec-WebSocket-Version: 13, 8',
  },
  {
    title: 'version 12',
    text: request({ 'Sec-WebSocket-Version': '12' }),
    status: 400,
    body: 'Missing or invalid Sec-WebSocket-Version header',
    header: 'Sec-WebSocket-Version: 13, 8',
  },
  {
    title: 'an empty subprotocol header',
    text: request({ 'Sec-WebSocket-Protocol': '' }),
    status: 400,
    body: 'Invalid Sec-WebSocket-Protocol header',
  },
  {
    title: 'a subprotocol twice',
    text: request({ 'Sec-WebSocket-Protocol': 'foo, foo' }),
    status: 400,
    body: 'Invalid Sec-WebSocket-Protocol header',
  },
  {
    title: 'a subprotocol that is no token',
    text: request({ 'Sec-WebSocket-Protocol': 'foo bar' }),
    status: 400,
    body: 'Invalid Sec-WebSocket-Protocol header',
  },
  {
    title: 'an extension header that cannot be parsed',
    text: request({ 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=' }),
    options: { perMessageDeflate: true },
    status: 400,
    body: 'Invalid or unacceptable Sec-WebSocket-Extensions header',
  },
  {
    title: 'another path',
    text: request({}, 'GET /b HTTP/1.1'),
    options: { path: '/a' },
    status: 400,
    body: 'Bad Request',
  },
  {
    title: 'a client that verifyClient refuses',
    text: request(),
    options: { verifyClient: () => false },
    status: 401,
    body: 'Unauthorized',
  },
  {
    title: 'a client that verifyClient refuses later, with details',
    text: request(),
    options: {
      verifyClient: (_info, callback) =>
        setImmediate(callback, false, 404, 'Nobody here', { 'Retry-After': '120' }),
    },
    status: 404,
    body: 'Nobody here',
    header: 'Retry-After: 120',
  },
  {
    title: 'a client that verifyClient refuses later, without details',
    text: request(),
    options: { verifyClient: (_info, callback) => setImmediate(callback, false) },
    status: 401,
    body: 'Unauthorized',
  },
];

describe.each(refused)('refuses $title', ({ text, options, status, body, header }) => {
  const answers = new Map<string, string>();

  test.each(implementations)('with $name', async (implementation) => {
    const server = await listen(implementation, options);
    server.on('connection', () => expect.unreachable());
    const answer = await ask((server.address() as AddressInfo).port, text);
    await close(server);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (body !== undefined) expect(answer.split('\r\n\r\n')[1]).toBe(body);
    if (header !== undefined) expect(answer).toContain(`\r\n${header}\r\n`);
    answers.set(implementation.name, comparable(answer));
  });

  test('in the same words', () => {
    // `Allow` is ours: RFC 9110 section 15.5.6 wants it in a 405.
    expect(answers.get('tautline')!.replace('Allow: GET\r\n', '')).toBe(answers.get('ws'));
  });
});

interface AcceptCase {
  readonly title: string;
  readonly changes?: Record<string, string>;
  readonly options?: Options;
  readonly lines: string[];
}

const accepted: AcceptCase[] = [
  { title: 'a plain request', lines: [] },
  { title: 'version 8', changes: { 'Sec-WebSocket-Version': '8' }, lines: [] },
  { title: 'Upgrade in capitals', changes: { Upgrade: 'WEBSOCKET' }, lines: [] },
  { title: 'Connection among others', changes: { Connection: 'keep-alive, Upgrade' }, lines: [] },
  { title: 'the path with a query', options: { path: '/' }, lines: [] },
  {
    title: 'the first subprotocol',
    changes: { 'Sec-WebSocket-Protocol': 'foo, bar' },
    lines: ['Sec-WebSocket-Protocol: foo'],
  },
  {
    title: 'the subprotocol that handleProtocols chooses',
    changes: { 'Sec-WebSocket-Protocol': 'foo, bar' },
    options: { handleProtocols: (offered) => [...offered].at(-1)! },
    lines: ['Sec-WebSocket-Protocol: bar'],
  },
  {
    title: 'no subprotocol when handleProtocols wants none',
    changes: { 'Sec-WebSocket-Protocol': 'foo, bar' },
    options: { handleProtocols: () => false },
    lines: [],
  },
  {
    title: 'compression not wanted',
    changes: { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
    lines: [],
  },
  {
    title: 'an unknown extension',
    changes: { 'Sec-WebSocket-Extensions': 'foo; bar' },
    options: { perMessageDeflate: true },
    lines: [],
  },
  {
    title: 'compression',
    changes: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' },
    options: { perMessageDeflate: true },
    lines: ['Sec-WebSocket-Extensions: permessage-deflate'],
  },
  {
    title: 'compression with a smaller window of the client',
    changes: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' },
    options: { perMessageDeflate: { clientMaxWindowBits: 8 } },
    lines: ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=8'],
  },
  {
    title: 'compression as the client asks for it',
    changes: {
      'Sec-WebSocket-Extensions':
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
    },
    options: { perMessageDeflate: true },
    lines: [
      'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
    ],
  },
  {
    title: 'the second offer where the first is not acceptable',
    changes: { 'Sec-WebSocket-Extensions': 'permessage-deflate, permessage-deflate; client_max_window_bits' },
    options: { perMessageDeflate: { clientMaxWindowBits: 10 } },
    lines: ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10'],
  },
];

describe.each(accepted)('accepts $title', ({ changes, options, lines }) => {
  const answers = new Map<string, string>();

  test.each(implementations)('with $name', async (implementation) => {
    const server = await listen(implementation, options);
    const seen: string[] = [];
    server.on('headers', (headers) => {
      seen.push(...headers.slice(0, 3));
      headers.push('X-Extra: 1');
    });
    server.on('connection', (socket) => socket.send('hello', { compress: false }));
    const port = (server.address() as AddressInfo).port;
    const answer = await ask(port, request(changes, 'GET /?a=b HTTP/1.1'), 'hello');
    for (const client of server.clients) client.terminate();
    await close(server);
    expect(seen).toEqual(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']);
    expect(answer.split('\r\n\r\n')[0]!.split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      // RFC 6455 section 1.3.
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      ...lines,
      'X-Extra: 1',
    ]);
    answers.set(implementation.name, answer);
  });

  test('in the same words', () => {
    expect(answers.get('tautline')).toBe(answers.get('ws'));
  });
});

describe.each(implementations)('a server of $name', (implementation) => {
  test('parses what comes in the same packet as the request', async () => {
    const server = await listen(implementation);
    const message = new Promise<Buffer>((resolve) => {
      server.on('connection', (socket) => socket.on('message', (data) => resolve(data as Buffer)));
    });
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    // RFC 6455 section 5.7: a masked "Hello".
    const frame = Buffer.from('818537fa213d7f9f4d5158', 'hex');
    socket.write(Buffer.concat([Buffer.from(request()), frame]));
    expect((await message).toString()).toBe('Hello');
    socket.destroy();
    await close(server);
  });

  test('tells wsClientError instead of answering, and leaves the socket to it', async () => {
    const server = await listen(implementation);
    server.on('wsClientError', (error, socket, { url }) => {
      socket.end(`HTTP/1.1 418 Teapot\r\n\r\n${error.constructor.name} ${error.message} ${url}`);
    });
    const answer = await ask(
      (server.address() as AddressInfo).port,
      request({ Upgrade: 'foo' }, 'GET /x HTTP/1.1'),
    );
    await close(server);
    expect(answer).toBe('HTTP/1.1 418 Teapot\r\n\r\nError Invalid Upgrade header /x');
  });

  test('hands verifyClient the origin, of version 8 too', async () => {
    const seen: unknown[] = [];
    const server = await listen(implementation, {
      verifyClient: ({ origin, secure, req }) => {
        seen.push([origin, secure, req.url]);
        return true;
      },
    });
    server.on('connection', (socket) => socket.send('hello'));
    const { port } = server.address() as AddressInfo;
    await ask(port, request({ Origin: 'https://example.com' }), 'hello');
    await ask(
      port,
      request({
        'Sec-WebSocket-Version': '8',
        Origin: 'a',
        'Sec-WebSocket-Origin': 'https://old.example.com',
      }),
      'hello',
    );
    await ask(port, request(), 'hello');
    for (const client of server.clients) client.terminate();
    await close(server);
    expect(seen).toEqual([
      ['https://example.com', false, '/'],
      ['https://old.example.com', false, '/'],
      [undefined, false, '/'],
    ]);
  });

  test('does not accept a client that has gone while verifyClient thought', async () => {
    let proceed = () => {};
    const asked = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    let answer: (result: boolean) => void = () => {};
    const server = await listen(implementation, {
      verifyClient: (_info, callback) => {
        answer = callback;
        proceed();
      },
    });
    server.on('connection', () => expect.unreachable());
    const ended = new Promise<void>((resolve) => {
      server._server!.on('connection', (raw: Socket) => raw.on('end', resolve));
    });
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(request());
    await asked;
    // The server sees the end and does not close by itself: the socket is half open.
    socket.end();
    await ended;
    answer(true);
    await once(socket, 'close');
    await close(server);
  });

  test('refuses with 503 once it closes', async () => {
    const http = createServer();
    const server = new implementation.WebSocketServer({ noServer: true });
    http.on('upgrade', (req, socket, head) => {
      server.close();
      server.handleUpgrade(req, socket, head, () => expect.unreachable());
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const answer = await ask((http.address() as AddressInfo).port, request());
    await close(http);
    expect(answer).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
  });

  test('throws when handleUpgrade is called twice with one socket', async () => {
    const http = createServer();
    const server = new implementation.WebSocketServer({ noServer: true });
    let thrown: unknown;
    http.on('upgrade', (req, socket, head) => {
      server.handleUpgrade(req, socket, head, (client) => client.send('hello'));
      try {
        server.handleUpgrade(req, socket, head, () => expect.unreachable());
      } catch (error) {
        thrown = error;
      }
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    await ask((http.address() as AddressInfo).port, request(), 'hello');
    for (const client of server.clients) client.terminate();
    await close(http);
    expect(String(thrown)).toBe(
      'Error: server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
    );
  });
});

test('the accept value is the one of the RFC', () => {
  const accept = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  expect(accept).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});
