/** RFC 6455 section 4.1: what a client asks for, and what it makes of the answer. */
import { describe, expect, it } from 'vitest';
import { PeerError, UsageError } from '../../../../src/base/errors.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  ClientHandshake,
  type ClientHandshakeOptions,
} from '../../../../src/protocol/websocket/client-handshake.ts';
import {
  checkUpgradeRequest,
  formatUpgradeAnswer,
} from '../../../../src/protocol/websocket/server-handshake.ts';

/** The bytes behind the key of RFC 6455 section 1.3. */
const nonce = new TextEncoder().encode('the sample nonce');
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const begin = (options: Partial<ClientHandshakeOptions> = {}): ClientHandshake =>
  new ClientHandshake({
    codec: portableByteCodec,
    random: { fill: (target) => target.set(nonce) },
    deflate: null,
    ...options,
  });

const answer = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-accept': accept,
};

describe('a client that asks for an upgrade', () => {
  it('RFC 6455 4.1: sends the headers of the handshake', () => {
    expect(begin().headers).toEqual({
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
    });
  });

  it('RFC 6455 4.1 (7): takes a new random key of 16 bytes for each handshake', () => {
    let calls = 0;
    const random = {
      fill(target: Uint8Array): void {
        expect(target.length).toBe(16);
        target.fill(++calls);
      },
    };
    const keys = [begin({ random }), begin({ random })].map(({ headers }) => headers['Sec-WebSocket-Key']);
    expect(keys).toEqual(['AQEBAQEBAQEBAQEBAQEBAQ==', 'AgICAgICAgICAgICAgICAg==']);
  });

  it('sends origin, subprotocols and the offer of compression', () => {
    const options = { origin: 'https://a.example', subprotocols: ['a', 'b'], deflate: {} };
    expect(begin(options).headers).toMatchObject({
      Origin: 'https://a.example',
      'Sec-WebSocket-Protocol': 'a,b',
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    });
    const draft = begin({ ...options, version: 8 }).headers;
    expect(draft).toMatchObject({
      'Sec-WebSocket-Version': '8',
      'Sec-WebSocket-Origin': 'https://a.example',
    });
    expect(draft).not.toHaveProperty('Origin');
  });

  it.each([[['a', 'a']], [['a b']], [['']], [['a,b']], [['é']]])(
    'RFC 6455 4.1 (10): does not ask for the subprotocols %j',
    (subprotocols) => {
      expect(() => begin({ subprotocols })).toThrow('An invalid or duplicated subprotocol was specified');
    },
  );

  it('does not speak other versions than 8 and 13', () => {
    expect(() => begin({ version: 12 })).toThrow(UsageError);
    expect(() => begin({ version: 12 })).toThrow(
      'Unsupported protocol version: 12 (supported versions: 8, 13)',
    );
  });
});

describe('a client that reads the answer', () => {
  it.each<{ rule: string; headers?: object }>([
    { rule: 'as a server sends it' },
    { rule: '(2), (3): without regard to case', headers: { upgrade: 'WebSocket', connection: 'UPGRADE' } },
    { rule: '(3): with other tokens in Connection', headers: { connection: 'foo, upgrade' } },
  ])('RFC 6455 4.1: accepts it $rule', ({ headers }) => {
    expect(begin().check({ status: 101, headers: { ...answer, ...headers } })).toEqual({
      subprotocol: '',
      deflate: null,
    });
  });

  it.each<{
    rule: string;
    status?: number;
    headers?: Record<string, string | undefined>;
    options?: Partial<ClientHandshakeOptions>;
    message: string;
  }>([
    ...[100, 200, 204, 301, 401, 426, 500].map((status) => ({
      rule: `(1): the status ${status}`,
      status,
      message: `Unexpected server response: ${status}`,
    })),
    { rule: '(2): no Upgrade', headers: { upgrade: undefined }, message: 'Invalid Upgrade header' },
    { rule: '(2): another Upgrade', headers: { upgrade: 'foo' }, message: 'Invalid Upgrade header' },
    { rule: '(3): no Connection', headers: { connection: undefined }, message: 'Invalid Connection header' },
    {
      rule: '(3): another Connection',
      headers: { connection: 'close' },
      message: 'Invalid Connection header',
    },
    ...[undefined, '', 'CxYS6+NgJSBG74mdgLvGscRvpns=', accept.toLowerCase(), `${accept}, ${accept}`].map(
      (value) => ({
        rule: `(4): the accept ${value}`,
        headers: { 'sec-websocket-accept': value },
        message: 'Invalid Sec-WebSocket-Accept header',
      }),
    ),
    {
      rule: '(5): an extension, where none was asked for',
      headers: { 'sec-websocket-extensions': 'permessage-deflate' },
      message: 'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
    },
    ...['foo', 'permessage-deflate, foo', 'foo; server_max_window_bits=9'].map((value) => ({
      rule: `(5): an extension that was not asked for: ${value}`,
      headers: { 'sec-websocket-extensions': value },
      options: { deflate: {} },
      message: 'Server indicated an extension that was not requested',
    })),
    ...[
      '',
      'permessage-deflate;',
      'permessage-deflate; foo',
      'permessage-deflate; server_max_window_bits=1000',
      'permessage-deflate, permessage-deflate',
    ].map((value) => ({
      rule: `(5), RFC 7692 7.1, CVE-2026-2229 (undici): an extension header that is invalid: ${value}`,
      headers: { 'sec-websocket-extensions': value },
      options: { deflate: {} },
      message: 'Invalid Sec-WebSocket-Extensions header',
    })),
    {
      rule: '(6): a subprotocol, where none was asked for',
      headers: { 'sec-websocket-protocol': 'a' },
      message: 'Server sent a subprotocol but none was requested',
    },
    ...['c', '', 'a, b', 'A'].map((value) => ({
      rule: `(6): the subprotocol "${value}", which was not asked for`,
      headers: { 'sec-websocket-protocol': value },
      options: { subprotocols: ['a', 'b'] },
      message: 'Server sent an invalid subprotocol',
    })),
    {
      rule: 'no subprotocol, where some were asked for',
      options: { subprotocols: ['a'] },
      message: 'Server sent no subprotocol',
    },
  ])('RFC 6455 4.1: fails on $rule', ({ status = 101, headers, options, message }) => {
    const result = begin(options).check({ status, headers: { ...answer, ...headers } });
    expect(result).toBeInstanceOf(PeerError);
    expect((result as PeerError).message).toBe(message);
    expect((result as PeerError).code).toMatch(/^WS_ERR_/);
  });

  it('gives what was agreed on', () => {
    const result = begin({ deflate: {}, subprotocols: ['a', 'b'] }).check({
      status: 101,
      headers: {
        ...answer,
        'sec-websocket-protocol': 'b',
        'sec-websocket-extensions': 'permessage-deflate; server_no_context_takeover',
      },
    });
    expect(result).toEqual({
      subprotocol: 'b',
      deflate: {
        ownWindowBits: 15,
        peerWindowBits: 15,
        ownContextTakeover: true,
        peerContextTakeover: false,
      },
    });
  });

  it('agrees with our server', () => {
    const client = begin({ deflate: { clientMaxWindowBits: 10 }, subprotocols: ['x', 'y'] });
    const headers = Object.fromEntries(
      Object.entries(client.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    headers.host = 'server.example.com';
    const plan = checkUpgradeRequest({ method: 'GET', httpVersion: '1.1', headers }, {});
    if (!plan.isAcceptable) throw new Error('refused');
    const lines = formatUpgradeAnswer(plan, 'y', portableByteCodec).slice(1);
    const answered = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]),
    );
    expect(client.check({ status: 101, headers: answered })).toMatchObject({
      subprotocol: 'y',
      deflate: { ownWindowBits: 10 },
    });
  });
});
