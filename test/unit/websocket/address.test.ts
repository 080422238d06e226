import { describe, expect, it } from 'vitest';
import { hasBadPort } from '../../../src/base/bad-port.ts';
import { checkSubprotocols, toAddress } from '../../../src/websocket/address.ts';
import { checkClose } from '../../../src/websocket/close-info.ts';

function nameOfThrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DOMException);
    return (error as DOMException).name;
  }
  return 'nothing thrown';
}

describe('the URL of a WebSocket', () => {
  it.each([
    ['ws://example.com', 'ws://example.com/'],
    ['WS://EXAMPLE.com/Path?Query', 'ws://example.com/Path?Query'],
    ['ws://example.com:80/', 'ws://example.com/'],
    ['wss://example.com:443/', 'wss://example.com/'],
    ['ws://example.com:443/', 'ws://example.com:443/'],
    ['http://example.com/a', 'ws://example.com/a'],
    ['https://example.com/a', 'wss://example.com/a'],
    ['https://example.com:443', 'wss://example.com/'],
    ['http://example.com:443', 'ws://example.com:443/'],
    ['  ws://example.com  ', 'ws://example.com/'],
    ['ws://user:pass word@example.com/', 'ws://user:pass%20word@example.com/'],
    ['ws://example.com/a b', 'ws://example.com/a%20b'],
    ['ws://b%c3%bccher.example/', 'ws://xn--bcher-kva.example/'],
    ['ws://[::1]:8080/', 'ws://[::1]:8080/'],
    ['ws:example.com', 'ws://example.com/'],
  ])('%j is %j', (text, expected) => {
    expect(toAddress(text).href).toBe(expected);
  });

  it.each([
    '',
    'example.com',
    '/relative',
    '//example.com/',
    '?query',
    'ws://',
    'ws://example.com:99999/',
    'ws://exa mple.com/',
    'ftp://example.com/',
    'mailto:a@example.com',
    'about:blank',
    'ws+unix:/socket',
    'ws://example.com/#fragment',
    'ws://example.com/#',
    'https://example.com/#a',
  ])('%j is a SyntaxError', (text) => {
    expect(nameOfThrown(() => toAddress(text))).toBe('SyntaxError');
  });

  it('may be a URL object', () => {
    expect(toAddress(new URL('http://example.com/')).href).toBe('ws://example.com/');
  });

  it.each([
    ['ws://example.com:6000/', true],
    ['ws://example.com:22/', true],
    ['wss://example.com:10080/', true],
    ['ws://example.com:0/', true],
    ['ws://example.com/', false],
    ['ws://example.com:3000/', false],
    ['wss://example.com:8443/', false],
  ])('has a bad port in %j: %s', (text, expected) => {
    expect(hasBadPort(toAddress(text))).toBe(expected);
  });
});

describe('subprotocols', () => {
  it.each([[[]], [['chat']], [['chat', 'CHAT']], [["!#$%&'*+-.^_`|~09azAZ"]]])(
    '%j may be asked for',
    (protocols) => {
      expect(() => checkSubprotocols(protocols)).not.toThrow();
    },
  );

  const separators = [...'()<>@,;:\\"/[]?={} \t'];
  it.each([
    [['']],
    [['chat', 'chat']],
    [['chat', '']],
    [['caf\u00e9']],
    [['\u0000']],
    [['\u007f']],
    [['\u{1f600}']],
    ...separators.map((separator) => [[`a${separator}b`]]),
  ])('%j is a SyntaxError', (protocols) => {
    expect(nameOfThrown(() => checkSubprotocols(protocols))).toBe('SyntaxError');
  });
});

describe('the code and reason of closing', () => {
  it.each([
    [null, ''],
    [1000, ''],
    [3000, 'x'.repeat(123)],
    [4999, '\u00e9'.repeat(61)],
    [null, 'reason'],
  ])('%s and %j are allowed', (code, reason) => {
    expect(() => checkClose(code, reason)).not.toThrow();
  });

  it.each([0, 500, 999, 1001, 1002, 1005, 1006, 1015, 2999, 5000, 65_535])(
    '%d is an InvalidAccessError',
    (code) => {
      expect(nameOfThrown(() => checkClose(code, 'x'.repeat(200)))).toBe('InvalidAccessError');
    },
  );

  it.each(['x'.repeat(124), '\u00e9'.repeat(62), '\ud800'.repeat(42)])('%j is a SyntaxError', (reason) => {
    expect(nameOfThrown(() => checkClose(1000, reason))).toBe('SyntaxError');
  });
});
