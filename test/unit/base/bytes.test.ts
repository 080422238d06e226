import { describe, expect, it } from 'vitest';
import { copyBytes, equalBytes, joinBytes, viewBytes } from '../../../src/base/bytes.ts';
import { portableByteCodec } from '../../../src/base/portable-byte-codec.ts';
import { sha1 } from '../../../src/base/sha1.ts';
import { isToken, skipSpace, skipToken, trimSpace } from '../../../src/base/token.ts';

describe('bytes', () => {
  it('are joined in order; one piece is not copied', () => {
    const one = Uint8Array.of(1);
    expect(joinBytes([one], 1, portableByteCodec)).toBe(one);
    expect(joinBytes([one, Uint8Array.of(2, 3)], 3, portableByteCodec)).toEqual(Uint8Array.of(1, 2, 3));
    expect(joinBytes([], 0, portableByteCodec)).toEqual(new Uint8Array(0));
  });

  it('are compared by value', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });

  it('are copied to memory of their own, and viewed where they are', () => {
    const source = Uint8Array.of(0, 1, 2, 3).subarray(1);
    const copy = copyBytes(source, portableByteCodec);
    const view = viewBytes(source, 1, 3);
    source[1] = 9;
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
    expect(view).toEqual(Uint8Array.of(9, 3));
  });
});

describe('SHA-1', () => {
  const hex = (data: Uint8Array): string => Array.from(data, (b) => b.toString(16).padStart(2, '0')).join('');

  // RFC 3174 section 7.3.
  it.each([
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '84983e441c3bd26ebaae4aa1f95129e5e54670f1'],
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  ])('RFC 3174: of %j', (text, digest) => {
    expect(hex(sha1(new TextEncoder().encode(text)))).toBe(digest);
  });

  it('is what the platform says, for every length around the block size', async () => {
    for (let length = 0; length < 200; length++) {
      const data = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
      const expected = new Uint8Array(await crypto.subtle.digest('SHA-1', data));
      expect(hex(sha1(data))).toBe(hex(expected));
    }
  });
});

describe('a token', () => {
  it('RFC 9110 5.6.2: has the characters of the table, and no others', () => {
    const allowed = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
    for (let code = 0; code < 300; code++) {
      const character = String.fromCharCode(code);
      expect(isToken(character), `${code}`).toBe(allowed.test(character));
    }
    expect(isToken('')).toBe(false);
    expect(isToken('a b')).toBe(false);
  });

  it('is skipped to its end, as is white space', () => {
    expect(skipToken('ab;c', 0)).toBe(2);
    expect(skipToken('ab', 1)).toBe(2);
    expect(skipSpace(' \t x', 0)).toBe(3);
    expect(skipSpace('x', 0)).toBe(0);
    expect(trimSpace('a \t x y\t  b', 1, 9)).toBe('x y');
    expect(trimSpace(' \t ', 0, 3)).toBe('');
  });
});
