import { describe, expect, it } from 'vitest';
import {
  requireArguments,
  toClampedUnsignedShort,
  toDictionary,
  toDomString,
  toStrings,
  toUnsigned,
  toUsvString,
} from '../../../src/base/web-idl.ts';

describe('Web IDL conversions', () => {
  it.each([
    [0, 0],
    [-1, 0],
    [65_535, 65_535],
    [65_536, 65_535],
    [Number.POSITIVE_INFINITY, 65_535],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.NaN, 0],
    [1000.4, 1000],
    [1000.5, 1000],
    [1001.5, 1002],
    [1000.6, 1001],
    ['3000', 3000],
    ['text', 0],
    [null, 0],
    [true, 1],
    [{ valueOf: () => 4000 }, 4000],
  ])('clamps %s to %d as an unsigned short', (value, expected) => {
    expect(toClampedUnsignedShort(value)).toBe(expected);
  });

  it.each([
    [0, 16, 0],
    [-0, 16, 0],
    [70_000, 16, 4464],
    [-1, 16, 65_535],
    [-1, 32, 4_294_967_295],
    [1.9, 16, 1],
    [-0.5, 16, 0],
    [Number.NaN, 16, 0],
    [Number.POSITIVE_INFINITY, 16, 0],
    ['12', 32, 12],
  ] as const)('takes %s modulo 2^%d and gives %d', (value, bits, expected) => {
    expect(toUnsigned(value, bits)).toBe(expected);
  });

  it.each([Symbol('s'), 1n])('refuses %s as a number', (value) => {
    expect(() => toClampedUnsignedShort(value)).toThrow(TypeError);
    expect(() => toUnsigned(value, 16)).toThrow(TypeError);
  });

  it('makes strings of everything but symbols, and lets toString throw', () => {
    expect([null, undefined, 5, {}, [1, 2], 1n].map(toDomString)).toEqual([
      'null',
      'undefined',
      '5',
      '[object Object]',
      '1,2',
      '1',
    ]);
    expect(() => toDomString(Symbol('s'))).toThrow(TypeError);
    const own = new Error('own');
    const thrower = {
      toString() {
        throw own;
      },
    };
    expect(() => toDomString(thrower)).toThrow(own);
  });

  it.each([
    ['a', 'a'],
    ['\ud83d\ude00', '\ud83d\ude00'],
    ['\ud83d', '\ufffd'],
    ['\ude00\ud83d', '\ufffd\ufffd'],
    ['\ufeffbom', '\ufeffbom'],
  ])('makes %j the scalar values %j', (text, expected) => {
    expect(toUsvString(text)).toBe(expected);
  });

  it('takes undefined and null as an empty dictionary, objects as they are, and nothing else', () => {
    const object = { a: 1 };
    expect(toDictionary('x', undefined)).toEqual({});
    expect(toDictionary('x', null)).toEqual({});
    expect(toDictionary('x', object)).toBe(object);
    for (const value of [5, 'text', true, Symbol('s'), 1n])
      expect(() => toDictionary('x', value)).toThrow(TypeError);
  });

  it('takes objects with an iterator as a sequence of strings, a string not', () => {
    expect(toStrings('x', new Set(['a', 5]))).toEqual(['a', '5']);
    expect(toStrings('x', new String('ab'))).toEqual(['a', 'b']);
    for (const value of ['ab', null, {}, { [Symbol.iterator]: null }]) {
      expect(() => toStrings('x', value)).toThrow(TypeError);
    }
  });

  it('counts arguments in its message', () => {
    expect(() => requireArguments('send', 0, 1)).toThrow('send: 1 argument required, but only 0 present');
    expect(() => requireArguments('send', 1, 1)).not.toThrow();
  });
});
