import { describe, expect, it, vi } from 'vitest';
import { mask, maskInto, readKey, rotateKey } from '../../../../src/wire/websocket/mask.ts';

const key = [0x11, 0xa2, 0x73, 0xf4];
const keyNumber = readKey(Uint8Array.from([0, ...key]), 1);
const range = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 3 + 1) & 0xff);

/** RFC 6455 section 5.3, as it stands there. */
const plainly = (data: Uint8Array, phase = 0): Uint8Array =>
  data.map((byte, i) => byte ^ key[(i + phase) % 4]!);

const lengths = [
  0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 66, 67, 127, 130, 1000, 2047, 2048, 2063, 9001,
  65_551,
];

describe('masking', () => {
  it.each(lengths)('RFC 6455 5.3: masks %i bytes at every alignment, and nothing around them', (length) => {
    for (let offset = 0; offset < 9; offset++) {
      for (const base of [0, 1, 2, 3]) {
        const memory = new Uint8Array(length + 32).fill(0x55);
        const bytes = memory.subarray(base);
        bytes.set(range(length), offset);
        mask(bytes, offset, offset + length, keyNumber);
        expect(Buffer.compare(bytes.slice(offset, offset + length), plainly(range(length)))).toBe(0);
        expect(memory.subarray(0, base + offset).every((byte) => byte === 0x55)).toBe(true);
        expect(memory.subarray(base + offset + length).every((byte) => byte === 0x55)).toBe(true);
      }
    }
  });

  it.each(lengths)('masks %i bytes into other memory at every pair of alignments', (length) => {
    for (let from = 0; from < 5; from++) {
      for (let to = 0; to < 5; to++) {
        const source = new Uint8Array(length + 8);
        source.set(range(length), from);
        const target = new Uint8Array(length + 16).fill(0x55);
        maskInto(target, to, source, from, length, keyNumber);
        expect(Buffer.compare(target.slice(to, to + length), plainly(range(length)))).toBe(0);
        expect(target[to + length]).toBe(0x55);
        expect(Buffer.compare(source.slice(from, from + length), range(length))).toBe(0);
      }
    }
  });

  it('goes on where it stopped, with the key rotated', () => {
    const data = range(200);
    for (const step of [1, 2, 3, 5, 64, 67]) {
      const bytes = data.slice();
      for (let at = 0; at < bytes.length; at += step) {
        mask(bytes, at, Math.min(at + step, bytes.length), rotateKey(keyNumber, at));
      }
      expect(bytes).toEqual(plainly(data));
    }
  });

  it('tells ASCII from what is not, whatever the place of the byte', () => {
    for (const length of [1, 3, 4, 20, 64, 200]) {
      for (let place = -1; place < length; place++) {
        const plain = new Uint8Array(length).fill(0x7f);
        if (place >= 0) plain[place] = 0x80;
        const masked = plainly(plain);
        const into = new Uint8Array(length);
        expect(maskInto(into, 0, masked, 0, length, keyNumber) === 0).toBe(place < 0);
        expect(mask(masked, 0, length, keyNumber) === 0).toBe(place < 0);
        expect(masked).toEqual(plain);
      }
    }
  });

  it('tells ASCII from what is not in a large payload, whatever the place of the byte', () => {
    const length = 70_001;
    for (const place of [-1, 0, 1, 15, 16, 31, 40_000, 65_535, 65_536, 69_985, 69_999, 70_000]) {
      const plain = new Uint8Array(length).fill(0x7f);
      if (place >= 0) plain[place] = 0x80;
      const masked = plainly(plain);
      expect(mask(masked, 0, length, keyNumber) === 0).toBe(place < 0);
      expect(Buffer.compare(masked, plain)).toBe(0);
    }
  });

  it.each([
    ['is not there', undefined],
    ['does not know 128-bit words', { Module: class {}, Instance: class {} }],
    [
      'is forbidden',
      {
        Module: class {
          constructor() {
            throw new Error('forbidden');
          }
        },
      },
    ],
  ])('is right where WebAssembly %s', async (_title, replacement) => {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', replacement);
    try {
      const fresh = await import('../../../../src/wire/websocket/mask.ts');
      for (const length of lengths) {
        const bytes = range(length);
        fresh.mask(bytes, 0, length, keyNumber);
        expect(Buffer.compare(bytes, plainly(range(length)))).toBe(0);
      }
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  });

  it('is right in buffers that come and go', () => {
    for (let i = 0; i < 20; i++) {
      const data = range(i % 2 === 0 ? 100 : 400_000);
      const bytes = data.slice();
      mask(bytes, 0, bytes.length, keyNumber);
      expect(Buffer.compare(bytes, plainly(data))).toBe(0);
    }
  });
});
