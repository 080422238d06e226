/** RFC 8441: the opening handshake as an extended CONNECT of HTTP/2, both sides. */
import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../../src/base/errors.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  ClientHandshake,
  type ClientHandshakeOptions,
} from '../../../../src/protocol/websocket/client-handshake.ts';
import {
  checkUpgradeRequest,
  formatUpgradeAnswer,
  type HandshakePlan,
  type HandshakeRefusal,
} from '../../../../src/protocol/websocket/server-handshake.ts';

type Headers = Record<string, string | undefined>;

const good: Headers = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'https',
  ':path': '/chat',
  ':authority': 'server.example.com',
  'sec-websocket-version': '13',
};

const check = (
  headers: Headers = {},
  method = 'CONNECT',
  isWanted?: () => boolean,
): HandshakePlan | HandshakeRefusal =>
  checkUpgradeRequest({ method, httpVersion: '2.0', headers: { ...good, ...headers } }, {}, isWanted);

const accepted = (headers?: Headers): HandshakePlan => {
  const plan = check(headers);
  if (!plan.isAcceptable) throw new Error(`refused: ${plan.status} ${plan.message}`);
  return plan;
};

describe('a server that gets an extended CONNECT', () => {
  it('RFC 8441 5: accepts it without Upgrade, Connection and Sec-WebSocket-Key, and proves nothing', () => {
    const plan = accepted();
    expect(plan).toMatchObject({ version: 13, key: null, deflate: null, origin: undefined });
    expect(formatUpgradeAnswer(plan, '', portableByteCodec)).toEqual(['HTTP/2 200 OK']);
  });

  it('RFC 8441 5: does not look at a key that comes all the same', () => {
    const plan = accepted({ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' });
    expect(formatUpgradeAnswer(plan, '', portableByteCodec).join()).not.toMatch(/accept/i);
  });

  it('RFC 8441 5: negotiates origin, subprotocols and extensions as RFC 6455 has it', () => {
    const plan = accepted({
      origin: 'https://server.example.com',
      'sec-websocket-protocol': 'chat, superchat',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    });
    expect(plan.origin).toBe('https://server.example.com');
    expect([...plan.subprotocols]).toEqual(['chat', 'superchat']);
    expect(formatUpgradeAnswer(plan, 'chat', portableByteCodec)).toEqual([
      'HTTP/2 200 OK',
      'Sec-WebSocket-Protocol: chat',
      'Sec-WebSocket-Extensions: permessage-deflate',
    ]);
  });

  it.each<{ what: string; headers?: Headers; method?: string; status: number; message: string | undefined }>([
    { what: 'another method', method: 'GET', status: 405, message: 'Invalid HTTP method' },
    {
      what: 'a protocol that is not WebSocket (RFC 9220 3)',
      headers: { ':protocol': 'webtransport' },
      status: 501,
      message: 'Invalid :protocol header',
    },
    {
      what: 'a plain CONNECT (RFC 8441 4)',
      headers: { ':protocol': undefined },
      status: 501,
      message: 'Invalid :protocol header',
    },
    {
      what: 'no version',
      headers: { 'sec-websocket-version': undefined },
      status: 400,
      message: 'Missing or invalid Sec-WebSocket-Version header',
    },
    {
      what: 'a subprotocol that comes twice',
      headers: { 'sec-websocket-protocol': 'a, a' },
      status: 400,
      message: 'Invalid Sec-WebSocket-Protocol header',
    },
    {
      what: 'extensions that break the grammar',
      headers: { 'sec-websocket-extensions': 'permessage-deflate; =' },
      status: 400,
      message: 'Invalid or unacceptable Sec-WebSocket-Extensions header',
    },
  ])('refuses $what with $status', ({ headers, method, status, message }) => {
    expect(check(headers, method)).toMatchObject({ isAcceptable: false, status, message });
  });

  it('refuses with 400 what is right and not wanted', () => {
    expect(check({}, 'CONNECT', () => false)).toMatchObject({ isAcceptable: false, status: 400 });
  });
});

describe('a client that sends an extended CONNECT', () => {
  const begin = (options: Partial<ClientHandshakeOptions> = {}): ClientHandshake =>
    new ClientHandshake({
      codec: portableByteCodec,
      random: {
        fill() {
          throw new Error('no key is needed');
        },
      },
      deflate: null,
      isExtendedConnect: true,
      ...options,
    });

  it('RFC 8441 5: sends neither key nor Upgrade nor Connection', () => {
    expect(begin({ subprotocols: ['a', 'b'], deflate: {}, origin: 'https://a.example' }).headers).toEqual({
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
      'Sec-WebSocket-Protocol': 'a,b',
      Origin: 'https://a.example',
    });
  });

  it.each([200, 201, 299])('RFC 9110 9.3.6: takes %i for success', (status) => {
    expect(begin().check({ status, headers: {} })).toEqual({ subprotocol: '', deflate: null });
  });

  it.each([101, 199, 300, 400, 501])('takes %i for a refusal', (status) => {
    const result = begin().check({ status, headers: {} });
    expect(result).toBeInstanceOf(PeerError);
    expect(result).toMatchObject({ code: 'WS_ERR_UNEXPECTED_STATUS' });
  });

  it('checks what was agreed on as over HTTP/1.1', () => {
    const handshake = begin({ subprotocols: ['a'] });
    expect(handshake.check({ status: 200, headers: { 'sec-websocket-protocol': 'a' } })).toEqual({
      subprotocol: 'a',
      deflate: null,
    });
    expect(handshake.check({ status: 200, headers: { 'sec-websocket-protocol': 'b' } })).toMatchObject({
      code: 'WS_ERR_INVALID_SUBPROTOCOL',
    });
    const extensions = { 'sec-websocket-protocol': 'a', 'sec-websocket-extensions': 'permessage-deflate' };
    expect(handshake.check({ status: 200, headers: extensions })).toMatchObject({
      code: 'WS_ERR_UNEXPECTED_EXTENSION',
    });
  });
});
