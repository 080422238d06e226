/**
 * What: the byte work of Node beside the twin that works everywhere.
 * Must not know: protocols.
 */
import { describe, expect, test } from 'vitest';
import * as portable from '../../../../src/base/portable-byte-codec.ts';
import { asBuffer, decodeText, nodeByteCodec } from '../../../../src/transport/platform/node-byte-codec.ts';

const texts = [
  '',
  'plain',
  'grüße',
  '你好 🎈',
  '\u0000\u007f\u0080\u07ff\u0800\uffff',
  '\ufeffmark',
  'lone \ud800 and \udc00',
  '\ud83c',
];
const codecs = [
  ['Node', nodeByteCodec],
  ['the portable twin', portable.portableByteCodec],
] as const;

describe.each(codecs)('%s', (_name, codec) => {
  test.each(texts)('encodes and decodes %j as TextEncoder does', (text) => {
    const expected = new TextEncoder().encode(text);
    expect([...codec.encodeUtf8(text)]).toEqual([...expected]);
    expect(codec.utf8Length(text)).toBe(expected.length);
    const target = new Uint8Array(expected.length + 4);
    expect(codec.writeUtf8(target, text, 2)).toBe(expected.length);
    expect([...target]).toEqual([0, 0, ...expected, 0, 0]);
    expect(codec.decodeUtf8(expected)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(expected));
  });

  test.each([
    ['', true],
    ['c3bc', true],
    ['f09f8e88', true],
    ['c3', false],
    ['80', false],
    ['c0af', false],
    ['eda080', false],
    ['f4908080', false],
    ['ff', false],
  ])('judges %s: %s', (hex, isUtf8) => {
    expect(codec.isUtf8(Buffer.from(hex, 'hex'))).toBe(isUtf8);
  });

  test.each([
    ['', ''],
    ['Zg==', 'f'],
    ['Zm8=', 'fo'],
    ['Zm9v', 'foo'],
    ['+/+/', '\xfb\xff\xbf'],
  ])('reads and writes base64 %j', (text, bytes) => {
    expect(codec.encodeBase64(Buffer.from(bytes, 'latin1'))).toBe(text);
    expect(Buffer.from(codec.decodeBase64(text)!).toString('latin1')).toBe(bytes);
  });

  test.each(['Z', 'Zg', 'Zg=', 'Z===', 'Zm9v=', 'Zm9 ', 'Zm9-', '====', 'Zg==Zg==', 'Zm9v\n'])(
    'refuses %j as base64',
    (text) => {
      expect(codec.decodeBase64(text)).toBe(null);
    },
  );

  test('allocates as much as is asked for', () => {
    expect([codec.allocate(0).length, codec.allocate(5).length, codec.allocate(100_000).length]).toEqual([
      0, 5, 100_000,
    ]);
  });
});

test('decodeText reads a part, of a Buffer and of a plain array', () => {
  const bytes = new TextEncoder().encode('xxgrüßexx');
  expect(decodeText(bytes, 2, bytes.length - 2)).toBe('grüße');
  expect(decodeText(Buffer.from(bytes), 2, bytes.length - 2)).toBe('grüße');
});

test('asBuffer shares the memory', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const buffer = asBuffer(bytes);
  buffer[0] = 9;
  expect([...bytes]).toEqual([9, 3]);
  expect(asBuffer(buffer)).toBe(buffer);
});
