import { describe, expect, it } from 'vitest';
import { PeerError, UsageError } from '../../../../src/base/errors.ts';
import { HeadCollector } from '../../../../src/wire/http/head-collector.ts';
import { formatRequestHead, parseRequestHead } from '../../../../src/wire/http/request-head.ts';
import { formatResponseHead, parseResponseHead } from '../../../../src/wire/http/response-head.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const request = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

describe('the head collector', () => {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nX: \r\r\n\n\r \xff\r\n\r\n';

  it('finds the end of the head in any cut, with bytes behind it', () => {
    for (const behind of ['', '\r\n\r\n', 'body']) {
      const wire = latin1(head + behind);
      for (let cut = 0; cut <= wire.length; cut++) {
        const collector = new HeadCollector(1000);
        const first = collector.receive(wire.subarray(0, cut));
        const end = first >= 0 ? first : cut + collector.receive(wire.subarray(cut));
        expect(end).toBe(head.length);
        expect(collector.head).toBe(head);
      }
    }
  });

  it('finds it byte by byte', () => {
    const collector = new HeadCollector(head.length);
    const results = Array.from(latin1(head), (byte) => collector.receive(Uint8Array.of(byte)));
    expect(results.pop()).toBe(1);
    expect(results.every((result) => result === -1)).toBe(true);
    expect(collector.head).toBe(head);
  });

  it.each(['\r\r\n\r\n', '\r\n\r\r\n\r\n', 'a\r\nb\r\n\r\n'])('is not misled by %j', (text) => {
    const collector = new HeadCollector(100);
    expect(collector.receive(latin1(text))).toBe(text.length);
  });

  it('refuses a head above the limit as soon as it is passed, and takes one of exactly the limit', () => {
    const wire = latin1(head);
    expect(new HeadCollector(head.length).receive(wire)).toBe(head.length);
    for (const step of [1, 7, wire.length]) {
      const collector = new HeadCollector(head.length - 1);
      let taken = 0;
      expect(() => {
        for (; taken < wire.length; taken += step) collector.receive(wire.subarray(taken, taken + step));
      }).toThrow(
        expect.objectContaining({
          code: 'HTTP_HEAD_TOO_LARGE',
          limit: { name: 'headLimitBytes', value: head.length - 1 },
        }),
      );
      expect(taken).toBeLessThan(head.length);
    }
  });
});

describe('a request head', () => {
  it('RFC 9112 3: is read', () => {
    const head = request(
      'GET /chat?x=%20 HTTP/1.1',
      'Host: server.example.com',
      'UPGRADE:websocket',
      'Connection: \t keep-alive, Upgrade \t',
      'Empty:',
      'Accept: a',
      'accept: b',
      'X-Bytes: \xe9',
      '__proto__: x',
    );
    const parsed = parseRequestHead(head);
    expect({ ...parsed, headers: { ...parsed.headers } }).toEqual({
      method: 'GET',
      target: '/chat?x=%20',
      httpVersion: '1.1',
      headers: Object.fromEntries([
        ['host', 'server.example.com'],
        ['upgrade', 'websocket'],
        ['connection', 'keep-alive, Upgrade'],
        ['empty', ''],
        ['accept', 'a, b'],
        ['x-bytes', '\xe9'],
        ['__proto__', 'x'],
      ]),
    });
    expect(Object.getPrototypeOf(parsed.headers)).toBeNull();
  });

  it.each([
    { rule: '3: no request line', head: '\r\n\r\n' },
    { rule: '3: two spaces', head: request('GET  / HTTP/1.1', 'Host: a') },
    { rule: '3: no version', head: request('GET /', 'Host: a') },
    { rule: '3: another version', head: request('GET / HTTP/2.0', 'Host: a') },
    { rule: '3: a version in lower case', head: request('GET / http/1.1', 'Host: a') },
    { rule: '3: something behind the version', head: request('GET / HTTP/1.1 ', 'Host: a') },
    { rule: '3.1: a method that is no token', head: request('G(T / HTTP/1.1', 'Host: a') },
    { rule: '3.2: an empty target', head: request('GET  HTTP/1.1', 'Host: a') },
    { rule: '3.2: a control character in the target', head: request('GET /\0 HTTP/1.1', 'Host: a') },
    { rule: '3.2: no Host', head: request('GET / HTTP/1.1', 'Accept: a') },
    { rule: '3.2: two Hosts', head: request('GET / HTTP/1.1', 'Host: a', 'Host: b') },
    { rule: '5.1: white space before the colon', head: request('GET / HTTP/1.1', 'Host : a') },
    { rule: '5.1: no colon', head: request('GET / HTTP/1.1', 'Host: a', 'foo') },
    { rule: '5.1: no name', head: request('GET / HTTP/1.1', 'Host: a', ': b') },
    { rule: '5.1: a name that is no token', head: request('GET / HTTP/1.1', 'Host: a', 'f"o: b') },
    { rule: '5.2: a line that continues the one before', head: request('GET / HTTP/1.1', 'Host: a', ' b') },
    { rule: '5.5: a control character in a value', head: request('GET / HTTP/1.1', 'Host: a', 'X: b\x01') },
    { rule: '5.5: NUL in a value', head: request('GET / HTTP/1.1', 'Host: a', 'X: \0') },
    { rule: '2.2: LF alone', head: 'GET / HTTP/1.1\nHost: a\r\n\r\n' },
    { rule: '2.2: CR alone', head: 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n' },
    { rule: '2.1: no empty line', head: 'GET / HTTP/1.1\r\nHost: a\r\n' },
    { rule: '2.1: a cut line', head: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nX' },
    { rule: '2.1: an empty line too early', head: 'GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n' },
  ])('RFC 9112 $rule is refused', ({ head }) => {
    expect(() => parseRequestHead(head)).toThrow(expect.objectContaining({ code: 'HTTP_MALFORMED_HEAD' }));
    expect(() => parseRequestHead(head)).toThrow(PeerError);
  });

  it('HTTP/1.0 needs no Host', () => {
    expect(parseRequestHead(request('GET / HTTP/1.0', 'A: b')).httpVersion).toBe('1.0');
  });

  it('CVE-2024-37890 (ws): a number of header lines above the limit is refused', () => {
    const lines = Array.from({ length: 6 }, (_, i) => `X-${i}: y`);
    const limits = { headLimitBytes: 1000, fieldLimit: 6 };
    expect(
      parseRequestHead(request('GET / HTTP/1.1', 'Host: a', ...lines.slice(1)), limits).headers['x-5'],
    ).toBe('y');
    expect(() => parseRequestHead(request('GET / HTTP/1.1', 'Host: a', ...lines), limits)).toThrow(
      expect.objectContaining({ code: 'HTTP_TOO_MANY_FIELDS', limit: { name: 'fieldLimit', value: 6 } }),
    );
  });

  it('is written so that it is read back, and refuses what would break it', () => {
    const fields = [
      ['Host', 'a'],
      ['Upgrade', 'websocket'],
    ] as const;
    expect(formatRequestHead('GET', '/', fields)).toBe(
      request('GET / HTTP/1.1', 'Host: a', 'Upgrade: websocket'),
    );
    expect(() => formatRequestHead('GET', '/ x', fields)).toThrow(UsageError);
    expect(() => formatRequestHead('GET\r\n', '/', fields)).toThrow(UsageError);
    expect(() => formatRequestHead('GET', '/', [['X', 'a\r\nY: b']])).toThrow(UsageError);
    expect(() => formatRequestHead('GET', '/', [['X\n', 'a']])).toThrow(UsageError);
  });
});

describe('a response head', () => {
  it.each([
    ['HTTP/1.1 101 Switching Protocols', { status: 101, reason: 'Switching Protocols', httpVersion: '1.1' }],
    ['HTTP/1.0 404 ', { status: 404, reason: '', httpVersion: '1.0' }],
    ['HTTP/1.1 200', { status: 200, reason: '', httpVersion: '1.1' }],
  ])('RFC 9112 4: %j is read', (line, expected) => {
    const parsed = parseResponseHead(request(line, 'Upgrade: websocket', 'Set-Cookie: a', 'Set-Cookie: b'));
    expect(parsed).toMatchObject(expected);
    expect(parsed.headers['set-cookie']).toBe('a, b');
  });

  it.each([
    'HTTP/1.1 1011 x',
    'HTTP/1.1 99 x',
    'HTTP/1.1 0x1 x',
    'HTTP/1.1  101 x',
    'HTTP/1.1',
    'HTTP/1.1 101x',
    'HTTP/3.1 101 x',
    'ICY 200 OK',
    'HTTP/1.1 200 \x01',
    'HTTP/1.1 001 x',
    '',
  ])('RFC 9112 4: %j is refused', (line) => {
    expect(() => parseResponseHead(request(line, 'A: b'))).toThrow(
      expect.objectContaining({ code: 'HTTP_MALFORMED_HEAD' }),
    );
  });

  it('is written so that it is read back, and refuses what would break it', () => {
    const text = formatResponseHead(400, 'Bad Request', [['Connection', 'close']]);
    expect(text).toBe('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    expect(parseResponseHead(text).status).toBe(400);
    expect(() => formatResponseHead(1000, '', [])).toThrow(UsageError);
    expect(() => formatResponseHead(200, 'a\r\n', [])).toThrow(UsageError);
  });
});
