/**
 * What: which request heads take the short way, and what is read of them.
 * Must not know: sockets.
 */
import { expect, test } from 'vitest';
import { readUpgradeHead } from '../../../../src/transport/websocket/upgrade-head.ts';

const head = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join('');
const upgrade = ['Host: a', 'Upgrade: websocket', 'Connection: Upgrade'];

test('a plain upgrade is read with its headers as they were sent', () => {
  const text = head(
    'GET /path?a=b HTTP/1.1',
    ...upgrade,
    'X-Odd:  two  words \t',
    'x-odd:again',
    'Empty:',
    'High: ü',
  );
  expect(readUpgradeHead(text)).toEqual({
    url: '/path?a=b',
    rawHeaders: [
      ...['Host', 'a', 'Upgrade', 'websocket', 'Connection', 'Upgrade'],
      ...['X-Odd', 'two  words', 'x-odd', 'again', 'Empty', '', 'High', 'ü'],
    ],
  });
});

test('Connection may name more', () => {
  const text = head('GET / HTTP/1.1', 'Host: a', 'Upgrade: websocket', 'Connection: keep-alive , uPGRADE');
  expect(readUpgradeHead(text)).not.toBe(null);
});

test.each([
  ['nothing', ''],
  ['another method', head('POST / HTTP/1.1', ...upgrade)],
  ['a method in small letters', head('get / HTTP/1.1', ...upgrade)],
  ['an older version', head('GET / HTTP/1.0', ...upgrade)],
  ['no version', head('GET /', ...upgrade)],
  ['an absolute target', head('GET http://a/ HTTP/1.1', ...upgrade)],
  ['a target with a space', head('GET /a b HTTP/1.1', ...upgrade)],
  ['a target with a control character', head('GET /a\x01 HTTP/1.1', ...upgrade)],
  ['a target beyond ASCII', head('GET /ü HTTP/1.1', ...upgrade)],
  ['no Host', head('GET / HTTP/1.1', ...upgrade.slice(1))],
  ['two Hosts', head('GET / HTTP/1.1', ...upgrade, 'Host: b')],
  ['no Upgrade', head('GET / HTTP/1.1', 'Host: a', 'Connection: Upgrade')],
  [
    'a Connection that does not upgrade',
    head('GET / HTTP/1.1', 'Host: a', 'Upgrade: websocket', 'Connection: not-upgrade'),
  ],
  ['a body', head('GET / HTTP/1.1', ...upgrade, 'Content-Length: 1')],
  ['a body in chunks', head('GET / HTTP/1.1', ...upgrade, 'Transfer-Encoding: chunked')],
  ['an expectation', head('GET / HTTP/1.1', ...upgrade, 'Expect: 100-continue')],
  ['a line without a colon', head('GET / HTTP/1.1', ...upgrade, 'foo')],
  ['a line without a name', head('GET / HTTP/1.1', ...upgrade, ': foo')],
  ['white space before the colon', head('GET / HTTP/1.1', ...upgrade, 'foo : bar')],
  ['a continued line', head('GET / HTTP/1.1', ...upgrade, ' foo: bar')],
  ['a bare line feed', head('GET / HTTP/1.1', ...upgrade, 'foo: bar\nHost: c')],
  ['a bare carriage return', head('GET / HTTP/1.1', ...upgrade, 'foo: bar\rHost: c')],
  ['a control character in a value', head('GET / HTTP/1.1', ...upgrade, 'foo: \x00')],
  ['an unfinished line', `${head('GET / HTTP/1.1', ...upgrade)}foo: bar`],
  ['too many lines', head('GET / HTTP/1.1', ...upgrade, ...Array.from({ length: 98 }, (_, i) => `x${i}: y`))],
  ['too long a head', head('GET / HTTP/1.1', ...upgrade, `x: ${'y'.repeat(16_384)}`)],
])('%s is left to Node', (_title, text) => {
  expect(readUpgradeHead(text)).toBe(null);
});

test('no beginning of a head is taken for the whole', () => {
  const text = head('GET / HTTP/1.1', ...upgrade, 'Sec-WebSocket-Version: 13');
  const whole = [text.length, text.lastIndexOf('\r\nSec') + 2];
  for (let end = 0; end <= text.length; end++) {
    expect(readUpgradeHead(text.slice(0, end)) === null).toBe(!whole.includes(end));
  }
});
