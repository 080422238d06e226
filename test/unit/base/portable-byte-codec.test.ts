import { describe, expect, it } from 'vitest';
import { portableByteCodec as codec } from '../../../src/base/portable-byte-codec.ts';

describe('the portable byte codec', () => {
  it('keeps a leading BOM: to a message it is data', () => {
    expect(codec.decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });

  it('encodes lone surrogates as U+FFFD', () => {
    expect(codec.encodeUtf8('\ud800')).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd));
  });

  // RFC 4648 section 10.
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('RFC 4648: %j is %j in base64', (text, base64) => {
    expect(codec.encodeBase64(codec.encodeUtf8(text))).toBe(base64);
    expect(codec.decodeUtf8(codec.decodeBase64(base64)!)).toBe(text);
  });

  it('base64 of all bytes and lengths is what the platform makes of it', () => {
    for (let length = 0; length < 300; length++) {
      const data = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 0xff);
      const expected = btoa(String.fromCharCode(...data));
      expect(codec.encodeBase64(data)).toBe(expected);
      expect(codec.decodeBase64(expected)).toEqual(data);
    }
  });

  it.each(['Z', 'Zg', 'Zg=', 'Zm9v=', '====', 'Z===', 'Zm 9', 'Zm9-', 'Zm9_', 'Zg==Zg==', 'Zmé=', '=Zm8'])(
    '%j is not base64',
    (text) => {
      expect(codec.decodeBase64(text)).toBeNull();
    },
  );
});
