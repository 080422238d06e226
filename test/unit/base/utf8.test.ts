import { describe, expect, it } from 'vitest';
import { portableByteCodec } from '../../../src/base/portable-byte-codec.ts';
import {
  isUtf8,
  judgeUtf8,
  judgeUtf8Fast,
  Utf8State,
  utf8Length,
  writeUtf8,
} from '../../../src/base/utf8.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const platformSays = (data: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
};

const wellFormed = [
  '',
  'a',
  '\0',
  'é',
  '€',
  '😀',
  '\ufeff',
  '\uffff',
  '\ud7ff',
  '\ue000',
  '\u{10ffff}',
  'κόσμε',
];

describe('UTF-8', () => {
  it('is judged as the platform does, for all bytes and all pairs of bytes', () => {
    for (let a = 0; a < 256; a++) {
      expect(isUtf8(bytes(a))).toBe(platformSays(bytes(a)));
      for (let b = 0; b < 256; b++) {
        const data = bytes(a, b);
        if (isUtf8(data) !== platformSays(data)) expect.fail(`${a} ${b}`);
      }
    }
  });

  it('is judged as the platform does, at every border between characters of three and four bytes', () => {
    const edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    const leads = [0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5];
    for (const lead of leads) {
      for (const a of edges) {
        for (const b of edges) {
          for (const data of [bytes(lead, a, b), ...edges.map((c) => bytes(lead, a, b, c))]) {
            if (isUtf8(data) !== platformSays(data)) expect.fail(Array.from(data).join(' '));
          }
        }
      }
    }
  });

  it('is judged the same in one piece and in two, at every place', () => {
    const data = new TextEncoder().encode(wellFormed.join('').repeat(8));
    for (const [at, value] of [
      [-1, 0],
      [40, 0xff],
      [77, 0xc0],
      [data.length - 2, 0xe2],
    ] as const) {
      const spoiled = data.slice();
      if (at >= 0) spoiled[at] = value;
      const expected = platformSays(spoiled);
      for (let cut = 0; cut <= spoiled.length; cut++) {
        for (const judge of [judgeUtf8, judgeUtf8Fast]) {
          const first = judge(Utf8State.complete, spoiled, 0, cut, portableByteCodec);
          const last = judge(first, spoiled, cut, spoiled.length, portableByteCodec);
          expect(last === Utf8State.complete).toBe(expected);
          expect(first).toBe(judgeUtf8(Utf8State.complete, spoiled, 0, cut));
        }
      }
    }
  });

  it('stays invalid once it is', () => {
    const state = judgeUtf8(Utf8State.complete, bytes(0xff), 0, 1);
    expect(state).toBe(Utf8State.invalid);
    expect(judgeUtf8(state, bytes(0x41), 0, 1)).toBe(Utf8State.invalid);
    expect(judgeUtf8Fast(state, new Uint8Array(100), 0, 100, portableByteCodec)).toBe(Utf8State.invalid);
  });

  it.each([...wellFormed, 'a\ud800', '\udc00b', '\ud800\ud800\udc00', '\ud83d', '😀'.repeat(50)])(
    'is written and measured as the platform does: %j',
    (text) => {
      const expected = new TextEncoder().encode(text);
      const target = new Uint8Array(expected.length + 2);
      expect(utf8Length(text)).toBe(expected.length);
      expect(writeUtf8(target, text, 1)).toBe(expected.length);
      expect(target.subarray(1, 1 + expected.length)).toEqual(expected);
      expect([target[0], target.at(-1)]).toEqual([0, 0]);
    },
  );
});
