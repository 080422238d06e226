/** RFC 6455 section 4.2: what a server makes of an upgrade request. */
import { describe, expect, it } from 'vitest';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  checkUpgradeRequest,
  formatUpgradeAnswer,
  type HandshakePlan,
  type HandshakeRefusal,
} from '../../../../src/protocol/websocket/server-handshake.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const good: Record<string, string | string[] | undefined> = {
  host: 'server.example.com',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': key,
  'sec-websocket-version': '13',
};

const check = (
  headers: Record<string, string | string[] | undefined> = {},
  more: { method?: string; httpVersion?: string; deflate?: object | null; isWanted?: () => boolean } = {},
): HandshakePlan | HandshakeRefusal =>
  checkUpgradeRequest(
    {
      method: more.method ?? 'GET',
      httpVersion: more.httpVersion ?? '1.1',
      headers: { ...good, ...headers },
    },
    more.deflate === undefined ? {} : more.deflate,
    more.isWanted,
  );

const accepted = (...parameters: Parameters<typeof check>): HandshakePlan => {
  const plan = check(...parameters);
  if (!plan.isAcceptable) throw new Error(`refused: ${plan.status} ${plan.message}`);
  return plan;
};

describe('a server that is asked to upgrade', () => {
  it('RFC 6455 1.3: answers with the hash of the key', () => {
    const plan = accepted();
    expect(formatUpgradeAnswer(plan, '', portableByteCodec)).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    ]);
    expect(plan).toMatchObject({ version: 13, key, deflate: null, origin: undefined });
    expect(plan.subprotocols.size).toBe(0);
  });

  it.each<{ rule: string; headers?: Record<string, string | string[] | undefined> }>([
    { rule: '4.2.1 (3): Upgrade without regard to case', headers: { upgrade: 'WebSocket' } },
    { rule: '4.2.1 (4): Connection without regard to case', headers: { connection: 'upgrade' } },
    { rule: '4.2.1 (4): Connection with other tokens', headers: { connection: 'keep-alive, Upgrade' } },
    { rule: '4.2.1 (4): Connection with white space', headers: { connection: ' keep-alive ,\tUPGRADE ,' } },
    { rule: '4.2.1 (4): Connection in several lines', headers: { connection: ['keep-alive', 'Upgrade'] } },
    { rule: 'version 8 of the draft', headers: { 'sec-websocket-version': '8' } },
  ])('RFC 6455 $rule is accepted', ({ headers }) => {
    expect(check(headers).isAcceptable).toBe(true);
  });

  it.each<{
    rule: string;
    headers?: Record<string, string | string[] | undefined>;
    more?: { method?: string; httpVersion?: string };
    status: number;
    message: string;
    answer?: Record<string, string>;
  }>([
    {
      rule: 'RFC 6455 4.2.1 (1): another method than GET',
      more: { method: 'POST' },
      status: 405,
      message: 'Invalid HTTP method',
      answer: { Allow: 'GET' },
    },
    {
      rule: 'RFC 6455 4.2.1 (1): HTTP/1.0',
      more: { httpVersion: '1.0' },
      status: 400,
      message: 'Invalid HTTP version',
    },
    {
      rule: 'RFC 6455 4.2.1 (2): no Host',
      headers: { host: undefined },
      status: 400,
      message: 'Missing Host header',
    },
    ...[undefined, '', 'foo', 'websockets', 'h2c'].map((upgrade) => ({
      rule: `RFC 6455 4.2.1 (3): the Upgrade header ${upgrade} (CVE-2024-37890: also none at all)`,
      headers: { upgrade },
      status: 400,
      message: 'Invalid Upgrade header',
    })),
    ...[undefined, 'keep-alive', 'upgraded', 'up grade'].map((connection) => ({
      rule: `RFC 6455 4.2.1 (4): the Connection header ${connection}`,
      headers: { connection },
      status: 400,
      message: 'Invalid Connection header',
    })),
    ...[
      undefined,
      '',
      'AAAA',
      'dGhlIHNhbXBsZSBub25jZQ=',
      'dGhlIHNhbXBsZSBub25jZQ===',
      'dGhlIHNhbXBsZSBub25jZ===',
      'dGhlIHNhbXBsZSBub25jZ!==',
      `${key}, ${key}`,
      'dGhlIHNhbXBsZSBub25jZQAA',
      `${key} `,
    ].map((value) => ({
      rule: `RFC 6455 4.2.1 (5): the key ${value}`,
      headers: { 'sec-websocket-key': value },
      status: 400,
      message: 'Missing or invalid Sec-WebSocket-Key header',
    })),
    ...[undefined, '', '7', '12', '14', '013', '13.0', '+13', '1e1', '13, 13', 'x'].map((value) => ({
      rule: `RFC 6455 4.2.1 (6), 4.4: the version ${value}, and names those that it knows`,
      headers: { 'sec-websocket-version': value },
      status: 400,
      message: 'Missing or invalid Sec-WebSocket-Version header',
      answer: { 'Sec-WebSocket-Version': '13, 8' },
    })),
    ...['', ',', 'a,', ',a', 'a,,b', 'a b', 'a;b', 'a,a', 'ä', 'a"'].map((value) => ({
      rule: `RFC 6455 4.3: the subprotocols "${value}"`,
      headers: { 'sec-websocket-protocol': value },
      status: 400,
      message: 'Invalid Sec-WebSocket-Protocol header',
    })),
    ...[
      '',
      ',',
      'permessage-deflate,',
      'permessage-deflate;',
      'a; =b',
      'a; b=',
      'a; b="',
      'a; b="c d"',
      'a b',
    ].map((value) => ({
      rule: `RFC 6455 9.1: the extensions ${value}`,
      headers: { 'sec-websocket-extensions': value },
      status: 400,
      message: 'Invalid or unacceptable Sec-WebSocket-Extensions header',
    })),
  ])('$rule is refused', ({ headers, more, status, message, answer = {} }) => {
    expect(check(headers, more)).toEqual({ isAcceptable: false, status, message, headers: answer });
  });

  it('judges the method, then Upgrade, the key, the version, the subprotocols', () => {
    const nothing = Object.fromEntries(Object.keys(good).map((name) => [name, undefined]));
    expect(check(nothing, { method: 'PUT' })).toMatchObject({ status: 405 });
    expect(check(nothing)).toMatchObject({ message: 'Invalid Upgrade header' });
    expect(check({ 'sec-websocket-key': '', 'sec-websocket-version': '' })).toMatchObject({
      message: 'Missing or invalid Sec-WebSocket-Key header',
    });
  });

  it('asks whether the request is wanted once it is right so far', () => {
    let asked = 0;
    const isWanted = (): boolean => {
      asked++;
      return false;
    };
    expect(check({ 'sec-websocket-version': '1' }, { isWanted })).toMatchObject({ message: /./ });
    expect(asked).toBe(0);
    expect(check({}, { isWanted })).toEqual({
      isAcceptable: false,
      status: 400,
      message: undefined,
      headers: {},
    });
    expect(asked).toBe(1);
  });

  it('RFC 6455 4.2.2: gives the subprotocols in the client’s order and answers with the one chosen', () => {
    const plan = accepted({ 'sec-websocket-protocol': 'soap, wamp ,  chat' });
    expect([...plan.subprotocols]).toEqual(['soap', 'wamp', 'chat']);
    expect(formatUpgradeAnswer(plan, 'wamp', portableByteCodec)).toContain('Sec-WebSocket-Protocol: wamp');
  });

  it('RFC 6455 4.2.1 (7): gives the origin, of version 8 from its own header', () => {
    const origins = { origin: 'https://a.example', 'sec-websocket-origin': 'https://b.example' };
    expect(accepted(origins).origin).toBe('https://a.example');
    expect(accepted({ ...origins, 'sec-websocket-version': '8' }).origin).toBe('https://b.example');
  });

  it('RFC 6455 9.1: passes over extensions that it does not know', () => {
    const plan = accepted({ 'sec-websocket-extensions': 'foo; bar=baz, permessage-bzip2' });
    expect(plan.deflate).toBeNull();
    expect(formatUpgradeAnswer(plan, '', portableByteCodec)).toHaveLength(4);
  });

  it('RFC 7692 5: answers with what was agreed on', () => {
    const plan = accepted({
      'sec-websocket-extensions': [
        'foo',
        'permessage-deflate; client_max_window_bits; server_max_window_bits=9',
      ],
    });
    expect(formatUpgradeAnswer(plan, '', portableByteCodec)).toContain(
      'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9',
    );
    expect(plan.deflate?.agreement.ownWindowBits).toBe(9);
  });

  it('does not look at extensions where compression is off', () => {
    for (const value of ['permessage-deflate', ';;;', 'permessage-deflate; server_max_window_bits=99']) {
      expect(accepted({ 'sec-websocket-extensions': value }, { deflate: null }).deflate).toBeNull();
    }
  });

  it('GHSA-5v72-xg48-5rpm (ws, 2017): names of Object’s own properties in headers do no harm', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(accepted({ 'sec-websocket-extensions': `${name}; ${name}=${name}` }).deflate).toBeNull();
      expect([...accepted({ 'sec-websocket-protocol': name }).subprotocols]).toEqual([name]);
    }
  });
});
