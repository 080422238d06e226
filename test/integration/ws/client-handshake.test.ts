/**
 * What: what a client asks for, and what it makes of all kinds of answers; the same as `ws` does.
 * Must not know: servers of either package, but for redirects.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { createServer, type IncomingMessage } from 'node:http';
import https from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { WebSocket } from '../../../src/entry/ws.ts';
import { close, type Implementation, implementations, Journal } from './peers.ts';

type Options = NonNullable<ConstructorParameters<typeof WebSocket>[2]>;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const acceptFor = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** A server that answers each request head with what `reply` makes of it. */
async function answering(reply: (head: string, socket: Socket) => string | null): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let head = '';
    socket.on('data', (data) => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const answer = reply(head, socket);
      head = '';
      if (answer !== null) socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return close(server);
  });
  return (server.address() as AddressInfo).port;
}

const headerOf = (head: string, name: string) =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';

/** An answer 101 with some headers replaced, or left out where the value is null. */
function switching(head: string, changes: Record<string, string | null> = {}): string {
  const headers: Record<string, string | null> = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptFor(headerOf(head, 'Sec-WebSocket-Key')),
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return `${['HTTP/1.1 101 Switching Protocols', ...lines].join('\r\n')}\r\n\r\n`;
}

/** Opens and notes what happens until the close. */
async function observe(
  implementation: Implementation,
  address: string,
  protocols: string[] = [],
  options: Options = {},
  prepare: (socket: WebSocket, journal: Journal) => void = () => {},
): Promise<string[]> {
  const journal = new Journal();
  const socket = new implementation.WebSocket(address, protocols, options);
  socket.on('open', () => {
    journal.note('open', socket.protocol, socket.extensions);
    socket.terminate();
  });
  socket.on('error', (error) => {
    // Codes of handshake errors are ours only.
    const { code = '' } = error as { code?: string };
    const isOurs = code === '' || code.startsWith('WS_');
    journal.note(isOurs ? `error ${error.message}` : `error ${error.message} (${code})`, socket.readyState);
  });
  prepare(socket, journal);
  await new Promise<void>((resolve) => {
    socket.on('close', (code, reason) => {
      journal.note('close', code, reason, 'state', socket.readyState);
      resolve();
    });
  });
  return journal.lines;
}

interface AnswerCase {
  readonly title: string;
  readonly answer: (head: string, socket: Socket) => string | null;
  readonly protocols?: string[];
  readonly options?: Options;
  readonly shows: string[];
}

const failing = (message: string) => [`error ${message} 2`, 'close 1006 Buffer() state 3'];

const answers: AnswerCase[] = [
  {
    title: 'a good answer',
    answer: (head) => switching(head),
    shows: ['open  ', 'close 1006 Buffer() state 3'],
  },
  {
    title: 'the subprotocol of the server',
    answer: (head) => switching(head, { 'Sec-WebSocket-Protocol': 'bar' }),
    protocols: ['foo', 'bar'],
    shows: ['open bar ', 'close 1006 Buffer() state 3'],
  },
  {
    title: 'compression',
    answer: (head) =>
      switching(head, { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover' }),
    shows: ['open  permessage-deflate', 'close 1006 Buffer() state 3'],
  },
  {
    title: 'no Upgrade',
    answer: (head) => switching(head, { Upgrade: 'foo' }),
    shows: failing('Invalid Upgrade header'),
  },
  {
    title: 'a wrong proof',
    answer: (head) => switching(head, { 'Sec-WebSocket-Accept': 'CxYS6+NgJSBG74mdgLvGscRvpns=' }),
    shows: failing('Invalid Sec-WebSocket-Accept header'),
  },
  {
    title: 'no proof',
    answer: (head) => switching(head, { 'Sec-WebSocket-Accept': null }),
    shows: failing('Invalid Sec-WebSocket-Accept header'),
  },
  {
    title: 'an extension when none was asked for',
    answer: (head) => switching(head, { 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
    options: { perMessageDeflate: false },
    shows: failing('Server sent a Sec-WebSocket-Extensions header but no extension was requested'),
  },
  {
    title: 'an extension header that cannot be parsed',
    answer: (head) => switching(head, { 'Sec-WebSocket-Extensions': 'foo,;' }),
    shows: failing('Invalid Sec-WebSocket-Extensions header'),
  },
  {
    title: 'a parameter that cannot be',
    answer: (head) =>
      switching(head, { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=16' }),
    shows: failing('Invalid Sec-WebSocket-Extensions header'),
  },
  {
    title: 'another extension',
    answer: (head) => switching(head, { 'Sec-WebSocket-Extensions': 'foo' }),
    shows: failing('Server indicated an extension that was not requested'),
  },
  {
    title: 'a subprotocol when none was asked for',
    answer: (head) => switching(head, { 'Sec-WebSocket-Protocol': 'foo' }),
    shows: failing('Server sent a subprotocol but none was requested'),
  },
  {
    title: 'another subprotocol',
    answer: (head) => switching(head, { 'Sec-WebSocket-Protocol': 'baz' }),
    protocols: ['foo', 'bar'],
    shows: failing('Server sent an invalid subprotocol'),
  },
  {
    title: 'no subprotocol',
    answer: (head) => switching(head),
    protocols: ['foo'],
    shows: failing('Server sent no subprotocol'),
  },
  {
    title: 'another status',
    answer: () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n',
    shows: failing('Unexpected server response: 401'),
  },
  {
    title: 'a redirect that is not followed',
    answer: () => 'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
    shows: failing('Unexpected server response: 302'),
  },
  {
    title: 'something that is not HTTP',
    answer: () => 'SSH-2.0-OpenSSH_9.2\r\n',
    shows: failing('Parse Error: Expected HTTP/, RTSP/ or ICE/ (HPE_INVALID_CONSTANT)'),
  },
  {
    title: 'nothing, and the end',
    answer: (_head, socket) => {
      socket.end();
      return null;
    },
    shows: failing('socket hang up (ECONNRESET)'),
  },
  {
    title: 'nothing for too long',
    answer: () => null,
    options: { handshakeTimeout: 50 },
    shows: failing('Opening handshake has timed out'),
  },
];

describe.each(answers)('$title', ({ answer, protocols, options, shows }) => {
  test.each(implementations)('with $name', async (implementation) => {
    const port = await answering(answer);
    expect(await observe(implementation, `ws://127.0.0.1:${port}`, protocols, options)).toEqual(shows);
  });
});

describe.each(implementations)('the request of $name', (implementation) => {
  async function requestOf(
    address: (port: number) => string,
    protocols: string[] = [],
    options: Options = {},
  ) {
    let seen = '';
    const port = await answering((head) => {
      seen = head;
      return 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
    });
    await observe(implementation, address(port), protocols, options);
    return { seen, port };
  }

  test('has what the RFC wants, and the default offer', async () => {
    const { seen, port } = await requestOf((own) => `ws://127.0.0.1:${own}/path?a=b`);
    expect(seen.split('\r\n')[0]).toBe('GET /path?a=b HTTP/1.1');
    expect(headerOf(seen, 'Host')).toBe(`127.0.0.1:${port}`);
    expect(headerOf(seen, 'Upgrade')).toBe('websocket');
    expect(headerOf(seen, 'Connection')).toBe('Upgrade');
    expect(headerOf(seen, 'Sec-WebSocket-Version')).toBe('13');
    expect(headerOf(seen, 'Sec-WebSocket-Key')).toMatch(/^[+/0-9A-Za-z]{22}==$/);
    expect(headerOf(seen, 'Sec-WebSocket-Extensions')).toBe('permessage-deflate; client_max_window_bits');
    expect(seen).not.toMatch(/Sec-WebSocket-Protocol|Origin|Authorization/i);
  });

  test('offers what it is told to', async () => {
    const { seen } = await requestOf((own) => `ws://127.0.0.1:${own}`, ['foo', 'bar'], {
      origin: 'https://example.com:8000',
      perMessageDeflate: {
        clientMaxWindowBits: 10,
        serverMaxWindowBits: 11,
        clientNoContextTakeover: true,
        serverNoContextTakeover: true,
      },
      headers: { 'X-Name': 'value', Cookie: 'a=b' },
    });
    expect(headerOf(seen, 'Sec-WebSocket-Protocol')).toBe('foo,bar');
    expect(headerOf(seen, 'Origin')).toBe('https://example.com:8000');
    expect(headerOf(seen, 'Sec-WebSocket-Extensions')).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11; client_max_window_bits=10',
    );
    expect(headerOf(seen, 'X-Name')).toBe('value');
    expect(headerOf(seen, 'Cookie')).toBe('a=b');
  });

  test('of version 8 has its own header for the origin', async () => {
    const { seen } = await requestOf((own) => `ws://127.0.0.1:${own}`, [], {
      protocolVersion: 8,
      origin: 'https://example.com',
    });
    expect(headerOf(seen, 'Sec-WebSocket-Version')).toBe('8');
    expect(headerOf(seen, 'Sec-WebSocket-Origin')).toBe('https://example.com');
    expect(seen).not.toMatch(/^Origin:/im);
  });

  test('takes user and password from the address before the option', async () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    const both = await requestOf((own) => `ws://foo%40x:b%20r@127.0.0.1:${own}`, [], { auth: 'other:one' });
    expect(headerOf(both.seen, 'Authorization')).toBe(basic('foo@x:b r'));
    const option = await requestOf((own) => `ws://127.0.0.1:${own}`, [], { auth: 'user:pass' });
    expect(headerOf(option.seen, 'Authorization')).toBe(basic('user:pass'));
  });

  test('goes through an agent, whose addRequest sees the headers', () => {
    class SeeingAgent extends http.Agent {
      seen: unknown[] = [];
      addRequest(request: http.ClientRequest): void {
        this.seen = [
          'authorization',
          'cookie',
          'origin',
          'sec-websocket-protocol',
          'sec-websocket-extensions',
        ].map((name) => request.getHeader(name));
      }
    }
    const agent = new SeeingAgent();
    const socket = new implementation.WebSocket('ws://127.0.0.1:1', ['foo'], {
      agent,
      auth: 'a:b',
      origin: 'https://example.com',
      headers: { cookie: 'c=d' },
    });
    expect(agent.seen).toEqual([
      'Basic YTpi',
      'c=d',
      'https://example.com',
      'foo',
      'permessage-deflate; client_max_window_bits',
    ]);
    socket.on('error', () => {});
    socket.terminate();
  });

  test('leaves the socket to createConnection, which gets host and port', async () => {
    const port = await answering((head) => switching(head));
    let seen: unknown;
    const lines = await observe(implementation, 'ws://example.invalid:1234/', [], {
      createConnection: ((options: { host: string; port: string }) => {
        seen = [options.host, options.port];
        return connect(port, '127.0.0.1');
      }) as never,
    });
    expect(seen).toEqual(['example.invalid', '1234']);
    expect(lines[0]).toBe('open  ');
  });

  test('is left to finishRequest to end', async () => {
    let seen = '';
    const port = await answering((head) => {
      seen = head;
      return switching(head);
    });
    const order: unknown[] = [];
    await observe(implementation, `ws://127.0.0.1:${port}`, [], {
      finishRequest: (request, socket) => {
        order.push(socket.readyState, request.getHeader('upgrade'));
        request.setHeader('X-Late', 'yes');
        setImmediate(() => request.end());
      },
    });
    expect(order).toEqual([0, 'websocket']);
    expect(headerOf(seen, 'X-Late')).toBe('yes');
  });

  test('leaves the default port out of Host', async () => {
    const agent = new http.Agent();
    const hosts: unknown[] = [];
    Object.assign(agent, {
      addRequest: (request: http.ClientRequest) => hosts.push(request.getHeader('host')),
    });
    for (const address of [
      'ws://example.invalid:80',
      'ws://example.invalid',
      'ws://example.invalid:443',
      'ws://[::1]:8',
    ]) {
      const socket = new implementation.WebSocket(address, { agent });
      socket.on('error', () => {});
      socket.terminate();
    }
    expect(hosts).toEqual(['example.invalid', 'example.invalid', 'example.invalid:443', '[::1]:8']);
  });
});

describe.each(implementations)('the constructor of $name', (implementation) => {
  test.each([
    ['an address that cannot be parsed', 'foo', undefined, SyntaxError, 'Invalid URL: foo'],
    ['nothing', undefined, undefined, SyntaxError, 'Invalid URL: undefined'],
    [
      'another scheme',
      'ftp://a',
      undefined,
      SyntaxError,
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"',
    ],
    ['a local socket without a path', 'ws+unix:', undefined, SyntaxError, "The URL's pathname is empty"],
    ['a fragment', 'wss://a/#b', undefined, SyntaxError, 'The URL contains a fragment identifier'],
    ['an empty subprotocol', 'ws://a', '', SyntaxError, 'An invalid or duplicated subprotocol was specified'],
    [
      'a list as one subprotocol',
      'ws://a',
      'a,b',
      SyntaxError,
      'An invalid or duplicated subprotocol was specified',
    ],
    [
      'a subprotocol twice',
      'ws://a',
      ['a', 'a'],
      SyntaxError,
      'An invalid or duplicated subprotocol was specified',
    ],
    [
      'no text as a subprotocol',
      'ws://a',
      [null],
      SyntaxError,
      'An invalid or duplicated subprotocol was specified',
    ],
    [
      'an unknown version',
      'ws://a',
      { protocolVersion: 1000 },
      RangeError,
      'Unsupported protocol version: 1000 (supported versions: 8, 13)',
    ],
  ] as const)('throws for %s', (_title, address, second, type, message) => {
    let thrown: unknown;
    try {
      new implementation.WebSocket(address as string, second as string);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(type);
    expect((thrown as Error).message).toBe(message);
  });

  test.each([
    ['ws://example.invalid', 'ws://example.invalid/'],
    ['wss://example.invalid/a?b', 'wss://example.invalid/a?b'],
    ['http://example.invalid/', 'ws://example.invalid/'],
    ['https://example.invalid:8443', 'wss://example.invalid:8443/'],
    ['wss://example.invalid/#', 'wss://example.invalid/#'],
  ])('makes %s the url %s', (address, url) => {
    for (const given of [address, new URL(address)]) {
      const socket = new implementation.WebSocket(given, {
        agent: Object.assign(new (url.startsWith('wss') ? https : http).Agent(), { addRequest() {} }),
      });
      expect(socket.url).toBe(url);
      expect([socket.readyState, socket.protocol, socket.extensions, socket.bufferedAmount]).toEqual([
        0,
        '',
        '',
        0,
      ]);
      expect([socket.binaryType, socket.isPaused, socket._socket]).toEqual(['nodebuffer', false, null]);
      expect(socket._req).not.toBe(null);
      socket.on('error', () => {});
      socket.terminate();
    }
  });

  test('makes an unconnected object of null', () => {
    const socket = new implementation.WebSocket(null, undefined, {});
    expect([socket.readyState, socket.url, socket.protocol]).toEqual([0, undefined, '']);
  });
});

describe.each(implementations)('giving up with $name', (implementation) => {
  const message = 'WebSocket was closed before the connection was established';

  test.each(['close', 'terminate'] as const)('%s at once', async (method) => {
    const port = await answering(() => null);
    const lines = await observe(implementation, `ws://127.0.0.1:${port}`, [], {}, (socket, journal) => {
      socket[method]();
      journal.note('state', socket.readyState);
    });
    expect(lines).toEqual(['state 2', `error ${message} 2`, 'close 1006 Buffer() state 3']);
  });

  test.each(['close', 'terminate'] as const)('%s from the upgrade listener', async (method) => {
    const port = await answering((head) => switching(head));
    const lines = await observe(implementation, `ws://127.0.0.1:${port}`, [], {}, (socket, journal) => {
      socket.on('upgrade', (response) => {
        journal.note(response.statusCode, response.headers.upgrade);
        socket[method]();
      });
    });
    expect(lines).toEqual(['101 websocket', `error ${message} 2`, 'close 1006 Buffer() state 3']);
  });

  test('close from the error listener', async () => {
    const lines = await observe(implementation, 'ws://127.0.0.1:1', [], {}, (socket) => {
      socket.on('error', () => socket.close());
    });
    expect(lines).toEqual([
      'error connect ECONNREFUSED 127.0.0.1:1 (ECONNREFUSED) 2',
      'close 1006 Buffer() state 3',
    ]);
  });

  test('send, ping and pong throw', async () => {
    const port = await answering(() => null);
    const lines = await observe(implementation, `ws://127.0.0.1:${port}`, [], {}, (socket) => {
      for (const method of ['send', 'ping', 'pong'] as const) {
        expect(() => socket[method]('x')).toThrow('WebSocket is not open: readyState 0 (CONNECTING)');
      }
      socket.pause();
      socket.resume();
      expect(socket.isPaused).toBe(false);
      socket.close();
    });
    expect(lines).toHaveLength(2);
  });

  test('an unexpected response is left to who listens for it', async () => {
    const port = await answering(() => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const lines = await observe(implementation, `ws://127.0.0.1:${port}`, [], {}, (socket, journal) => {
      socket.on('unexpected-response', (request, response) => {
        journal.note('response', response.statusCode, request === socket._req, socket.readyState);
        response.setEncoding('utf8');
        response.on('data', (body: string) => journal.note(body));
        response.on('end', () => socket.terminate());
      });
    });
    expect(lines).toEqual(['response 403 true 0', 'no', `error ${message} 2`, 'close 1006 Buffer() state 3']);
  });
});

describe.each(implementations)('redirects with $name', (implementation) => {
  /** Answers `/` with a redirect, accepts all else, and notes the requests. */
  async function redirecting(location: (port: number) => string) {
    const seen: IncomingMessage[] = [];
    const server = createServer();
    const accepting = new implementation.WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      seen.push(request);
      if (request.url === '/') {
        const { port } = server.address() as AddressInfo;
        socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location(port)}\r\n\r\n`);
      } else {
        accepting.handleUpgrade(request, socket, head, (client) => client.close(1000));
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => close(server));
    return { port: (server.address() as AddressInfo).port, seen, server };
  }

  test('are followed when asked for, relative ones too, with user and password', async () => {
    const { port, seen } = await redirecting(() => '/there?x');
    const lines = await observe(
      implementation,
      `ws://u:p@127.0.0.1:${port}`,
      [],
      { followRedirects: true, headers: { cookie: 'a=b' } },
      (socket, journal) => {
        socket.on('redirect', (url, request) =>
          journal.note('redirect', url.replace(String(port), 'port'), request.path),
        );
      },
    );
    expect(lines.slice(0, 2)).toEqual(['redirect ws://u:p@127.0.0.1:port/there?x /there?x', 'open  ']);
    expect(seen.map(({ url, headers }) => [url, headers.authorization, headers.cookie])).toEqual([
      ['/', 'Basic dTpw', 'a=b'],
      ['/there?x', 'Basic dTpw', 'a=b'],
    ]);
  });

  test('to another place lose what proves who the user is', async () => {
    const other = await redirecting(() => '/never');
    const { port } = await redirecting(() => `ws://127.0.0.1:${other.port}/there`);
    await observe(implementation, `ws://127.0.0.1:${port}`, [], {
      followRedirects: true,
      auth: 'u:p',
      headers: { Authorization: 'Bearer x', cookie: 'a=b', host: 'example.invalid', 'x-kept': '1' },
    });
    const { headers } = other.seen[0]!;
    expect([headers.authorization, headers.cookie, headers['x-kept']]).toEqual([undefined, undefined, '1']);
    expect(headers.host).toBe(`127.0.0.1:${other.port}`);
  });

  test('keep it when a redirect listener decides', async () => {
    const other = await redirecting(() => '/never');
    const { port } = await redirecting(() => `ws://127.0.0.1:${other.port}/there`);
    await observe(
      implementation,
      `ws://127.0.0.1:${port}`,
      [],
      { followRedirects: true, headers: { authorization: 'Bearer x', cookie: 'a=b' } },
      (socket) => socket.on('redirect', (_url, request) => request.removeHeader('cookie')),
    );
    const { headers } = other.seen[0]!;
    expect([headers.authorization, headers.cookie]).toEqual(['Bearer x', undefined]);
  });

  test('without end are given up', async () => {
    const { port, seen } = await redirecting(() => '/');
    const lines = await observe(implementation, `ws://127.0.0.1:${port}`, [], {
      followRedirects: true,
      maxRedirects: 3,
    });
    expect(lines).toEqual(['error Maximum redirects exceeded 2', 'close 1006 Buffer() state 3']);
    expect(seen).toHaveLength(4);
  });

  test.each([
    ['an address that cannot be', 'ws://', 'Invalid URL: ws://'],
    [
      'another scheme',
      'bad-scheme://a',
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"',
    ],
  ])('to %s are errors', async (_title, location, message) => {
    const { port } = await redirecting(() => location);
    const lines = await observe(implementation, `ws://127.0.0.1:${port}`, [], { followRedirects: true });
    expect(lines).toEqual([`error ${message} 2`, 'close 1006 Buffer() state 3']);
  });

  test('can be given up by aborting the request', async () => {
    const { port } = await redirecting(() => '/there');
    const lines = await observe(
      implementation,
      `ws://127.0.0.1:${port}`,
      [],
      { followRedirects: true },
      (socket) => {
        socket.on('redirect', (_url, request) => request.destroy());
      },
    );
    expect(lines).toEqual(['error socket hang up (ECONNRESET) 2', 'close 1006 Buffer() state 3']);
  });
});

describe.each(implementations)('a local socket with $name', (implementation) => {
  test('is reached by ws+unix', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ws-'));
    const path = join(folder, 'socket');
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const server: Server = createServer();
    const accepting = new implementation.WebSocketServer({ server: server as http.Server });
    const urls: unknown[] = [];
    accepting.on('connection', (socket, request) => {
      urls.push(request.url);
      socket.close(1000);
    });
    server.listen(path);
    await once(server, 'listening');
    cleanups.push(() => close(server));
    expect(accepting.address()).toBe(path);
    expect((await observe(implementation, `ws+unix:${path}:/foo?bar=bar`))[0]).toBe('open  ');
    expect((await observe(implementation, `ws+unix:${path}`))[0]).toBe('open  ');
    expect(urls).toEqual(['/foo?bar=bar', '/']);
  });
});

describe.each(implementations)('generateMask of $name', (implementation) => {
  test.each([
    ['fills the keys', (mask: Buffer) => void mask.fill(7), [7, 7, 7, 7, 0x66, 0x65, 0x64]],
    ['that fills nothing leaves them zero', () => {}, [0, 0, 0, 0, 0x61, 0x62, 0x63]],
  ] as const)('%s', async (_title, generateMask, bytes) => {
    let received = (_frame: Buffer) => {};
    const frame = new Promise<Buffer>((resolve) => {
      received = resolve;
    });
    const port = await answering((head, socket) => {
      socket.once('data', (data) => {
        received(data);
        socket.destroy();
      });
      return switching(head);
    });
    const sizes: unknown[] = [];
    const socket = new implementation.WebSocket(`ws://127.0.0.1:${port}`, {
      generateMask: (mask) => {
        sizes.push(mask.length, Buffer.isBuffer(mask));
        generateMask(mask);
      },
    });
    socket.on('open', () => socket.send('abc'));
    expect([...(await frame)]).toEqual([0x81, 0x83, ...bytes]);
    expect(sizes).toEqual([4, true]);
    await once(socket, 'close');
  });
});
