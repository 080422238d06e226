/**
 * What: MessagePack, written and read: the bytes of the specification, those of the official parser, and hostile ones.
 * Must not know: sockets.
 */
import { createRequire } from 'node:module';
import officialParser from 'socket.io-msgpack-parser';
import { describe, expect, it } from 'vitest';
import { PeerError, UsageError } from '../../../../src/base/errors.ts';
import parser, { decodeMessagePack, Encoder, encodeMessagePack } from '../../../../src/entry/msgpack.ts';
import { type Packet, PacketType } from '../../../../src/wire/events/packet.ts';

const { decode: officialDecode, encode: officialEncode } = createRequire(
  createRequire(import.meta.url).resolve('socket.io-msgpack-parser'),
)('notepack.io') as { encode(value: unknown): Buffer; decode(bytes: Uint8Array): unknown };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Values with their shortest bytes by the specification. */
const formats: [string, unknown, string][] = [
  ['nothing', null, 'c0'],
  ['false', false, 'c2'],
  ['true', true, 'c3'],
  ['0', 0, '00'],
  ['the largest in one byte', 127, '7f'],
  ['8 bits', 255, 'ccff'],
  ['the least of 16 bits', 256, 'cd0100'],
  ['16 bits', 65_535, 'cdffff'],
  ['32 bits', 2 ** 32 - 1, 'ceffffffff'],
  ['the least of 64 bits', 2 ** 32, 'cf0000000100000000'],
  ['the largest exact integer', Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
  ['-1', -1, 'ff'],
  ['the least in one byte', -32, 'e0'],
  ['8 bits below zero', -128, 'd080'],
  ['16 bits below zero', -32_768, 'd18000'],
  ['32 bits below zero', -(2 ** 31), 'd280000000'],
  ['one below that', -(2 ** 31) - 1, 'd3ffffffff7fffffff'],
  ['the least exact integer', Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
  ['a fraction', 1.5, 'cb3ff8000000000000'],
  ['infinity', Number.NEGATIVE_INFINITY, 'cbfff0000000000000'],
  ['beyond exact integers', 1e300, 'cb7e37e43c8800759c'],
  ['no text', '', 'a0'],
  ['a short text', 'aé€😀', 'aa61c3a9e282acf09f9880'],
  ['a text of 31 bytes', 'x'.repeat(31), `bf${'78'.repeat(31)}`],
  ['one of 32', 'x'.repeat(32), `d920${'78'.repeat(32)}`],
  ['one of 256', 'é'.repeat(128), `da0100${'c3a9'.repeat(128)}`],
  ['one of 65,536', `${'€'.repeat(21_845)}x`, `db00010000${'e282ac'.repeat(21_845)}78`],
  ['a byte order mark', '\ufeffx', 'a4efbbbf78'],
  ['bytes', Buffer.from([1, 2]), 'c4020102'],
  ['256 bytes', Buffer.alloc(256), `c50100${'00'.repeat(256)}`],
  ['65,536 bytes', Buffer.alloc(65_536), `c600010000${'00'.repeat(65_536)}`],
  ['an empty list', [], '90'],
  ['16 members', Array(16).fill(0), `dc0010${'00'.repeat(16)}`],
  ['65,536 members', Array(65_536).fill(1), `dd00010000${'01'.repeat(65_536)}`],
  ['an object', { a: 1, b: [{}] }, '82a16101a1629180'],
  [
    '16 keys',
    Object.fromEntries(Array.from({ length: 16 }, (_, i) => [String.fromCharCode(97 + i), i])),
    `de0010${Array.from({ length: 16 }, (_, i) => `a1${(97 + i).toString(16)}0${i.toString(16)}`).join('')}`,
  ],
  ['undefined', undefined, 'd40000'],
  ['a date', new Date(1_234_567_890_123), 'd7000000011f71fb04cb'],
  ['a date before 1970', new Date(-1), 'd700ffffffffffffffff'],
];

describe('the formats', () => {
  it.each(formats)('%s is written in its shortest form, and read', (_name, value, expected) => {
    expect(hex(encodeMessagePack(value))).toBe(expected);
    expect(decodeMessagePack(bytes(expected))).toEqual(value);
  });

  // 1e300 and what else lies beyond 64 bits the official one writes wrongly.
  it.each(formats.filter(([name]) => name !== 'beyond exact integers'))(
    '%s is written and read by the official one in the same way',
    (_name, value, expected) => {
      expect(hex(officialEncode(value))).toBe(expected);
      expect(officialDecode(bytes(expected))).toEqual(value);
    },
  );

  it.each<[string, unknown]>([
    ['ca3fc00000', 1.5],
    ['d6ff5a4af6a5', new Date(0x5a4af6a5 * 1000)],
    ['d7ff 77359400 5a4af6a5', new Date(0x5a4af6a5 * 1000 + 500)],
    ['c70cff 1dcd6500 ffffffffffffffff', new Date(-500)],
    ['c70300010203', new Uint8Array([1, 2, 3]).buffer],
    ['820102c3c0'.replace('c3c0', 'a161c0'), { 1: 2, a: null }],
    ['a2ffff', '\ufffd\ufffd'],
  ])('%s is read, although we do not write it', (text, value) => {
    expect(decodeMessagePack(bytes(text))).toEqual(value);
  });

  it.each<[string, unknown, unknown]>([
    ['functions and symbols in a list are null, in an object left out', [() => 1, Symbol('s')], [null, null]],
    ['functions in an object are left out, undefined stays', { f() {}, u: undefined }, { u: undefined }],
    ['toJSON() is asked', { toJSON: () => ({ z: [1] }) }, { z: [1] }],
    ['what has no time is null', new Date(Number.NaN), null],
    ['an ArrayBuffer is bytes', new Uint8Array([1, 2]).buffer, Buffer.from([1, 2])],
    ['so is a part of one', new Uint16Array([1, 2, 3]).subarray(1, 2), Buffer.from([2, 0])],
    ['a lone surrogate becomes U+FFFD', 'a\ud800', 'a\ufffd'],
    ['long texts too', `${'é'.repeat(200)}\ud800`, `${'é'.repeat(200)}\ufffd`],
    ['minus zero is zero', -0, 0],
    [
      'an object of a class is its fields',
      new (class A {
        x = 1;
      })(),
      { x: 1 },
    ],
  ])('%s', (_name, value, expected) => {
    expect(decodeMessagePack(Buffer.from(encodeMessagePack(value)))).toEqual(expected);
  });

  it('hands bytes out in the kind in which they come', () => {
    const packed = encodeMessagePack([Buffer.from([1, 2])]);
    const [fromBuffer] = decodeMessagePack(Buffer.from(packed)) as [unknown];
    expect(Buffer.isBuffer(fromBuffer)).toBe(true);
    const { buffer, byteOffset, byteLength } = packed;
    const [fromArrayBuffer] = decodeMessagePack(
      buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    ) as [unknown];
    expect(fromArrayBuffer).toEqual(new Uint8Array([1, 2]).buffer);
  });

  it('keeps a name like __proto__ as data', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as object;
    const read = decodeMessagePack(encodeMessagePack(value)) as Record<string, unknown>;
    expect(Object.keys(read)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(read.polluted).toBeUndefined();
  });

  it('may be written while a toJSON of another value writes', () => {
    const inner = encodeMessagePack({ b: 2 });
    let written: Uint8Array | null = null;
    const value = {
      a: 'x'.repeat(50),
      toJSON() {
        written = encodeMessagePack({ b: 2 });
        return [1];
      },
    };
    expect(decodeMessagePack(encodeMessagePack(['before', value, 'after']))).toEqual([
      'before',
      [1],
      'after',
    ]);
    expect(written).toEqual(inner);
  });
});

describe('what cannot be written', () => {
  it('is a BigInt, and what contains itself', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => encodeMessagePack([1n])).toThrow(TypeError);
    expect(() => encodeMessagePack(circle)).toThrow(UsageError);
    // What was begun is not in the next one.
    expect(hex(encodeMessagePack('a'))).toBe('a161');
  });
});

describe('what is not MessagePack', () => {
  it.each([
    ['', 'ends within a value'],
    ['c1', 'the byte c1'],
    ['92 01', 'ends within a list'],
    ['dd ffffffff 00', 'ends within a list'],
    ['df 7fffffff 00 00', 'ends within a list'],
    ['db ffffffff 41', 'ends within a value'],
    ['c6 ffffffff 41', 'ends within a value'],
    ['c9 ffffffff 00 41', 'ends within a value'],
    ['c0 c0', 'bytes follow'],
    ['81 c0 01', 'neither text nor number'],
    ['81 90 01', 'neither text nor number'],
    ['d4 01 02', 'extension type 1 is unknown'],
    ['d8 ff 00000000000000000000000000000000', 'a timestamp has no 16 bytes'],
    ['c7 05 ff 0000000000', 'a timestamp has no 5 bytes'],
  ])('%s is refused as the fault of the peer', (text, why) => {
    expect(() => decodeMessagePack(bytes(text))).toThrow(PeerError);
    expect(() => decodeMessagePack(bytes(text))).toThrow(why);
  });

  it('is what is nested deeper than a thousand levels', () => {
    const nested = (levels: number): Buffer => Buffer.concat([Buffer.alloc(levels, 0x91), bytes('c0')]);
    expect(decodeMessagePack(nested(1000))).toHaveLength(1);
    expect(() => decodeMessagePack(nested(100_000))).toThrow(
      expect.objectContaining({ code: 'EVENT_ERR_TOO_DEEP' }),
    );
  });

  it.each(formats.filter(([, , text]) => text.length < 200))(
    'is %s, cut anywhere or followed by a byte',
    (_name, _value, text) => {
      const whole = bytes(text);
      for (let end = 0; end < whole.length; end++) {
        expect(() => decodeMessagePack(whole.subarray(0, end))).toThrow(PeerError);
      }
      expect(() => decodeMessagePack(Buffer.concat([whole, bytes('00')]))).toThrow(PeerError);
    },
  );
});

const packets: Packet[] = [
  { type: PacketType.connect, nsp: '/', data: { token: 'x' } },
  { type: PacketType.connect, nsp: '/admin' },
  { type: PacketType.disconnect, nsp: '/' },
  { type: PacketType.event, nsp: '/', data: ['e', 1, { b: Buffer.from([1]) }] },
  { type: PacketType.event, nsp: '/', data: ['e'], id: 0 },
  { type: PacketType.ack, nsp: '/x', data: [], id: 12 },
  { type: PacketType.connectError, nsp: '/', data: { message: 'no' } },
];

describe('the parser', () => {
  const decodeWith = (
    Decoder: new () => { on: unknown; add(data: unknown): void },
    data: unknown,
  ): unknown => {
    const seen: unknown[] = [];
    const decoder = new Decoder() as unknown as {
      on(event: string, to: (p: unknown) => void): void;
      add(d: unknown): void;
    };
    decoder.on('decoded', (packet) => seen.push(packet));
    decoder.add(data);
    return seen[0];
  };

  it.each(packets)('writes what the official one reads, and the other way round: %j', (packet) => {
    const [ours] = new Encoder().encode(packet);
    const [theirs] = new officialParser.Encoder().encode(packet) as unknown as Buffer[];
    expect(decodeWith(officialParser.Decoder, Buffer.from(ours as Uint8Array))).toEqual(packet);
    expect(decodeWith(parser.Decoder, theirs)).toMatchObject(packet);
    expect(decodeWith(parser.Decoder, Buffer.from(ours as Uint8Array))).toMatchObject(packet);
  });

  it('writes binary kinds, which other parsers know, as the plain ones', () => {
    const [message] = new Encoder().encode({
      type: PacketType.binaryEvent,
      nsp: '/',
      data: ['e', Buffer.from([1])],
      attachments: 1,
    });
    expect(decodeWith(parser.Decoder, message)).toMatchObject({ type: PacketType.event });
  });

  it.each<[string, unknown]>([
    ['a text', '2["e"]'],
    ['a list', officialEncode([1])],
    ['nothing', officialEncode(null)],
    ['an unknown type', officialEncode({ type: 9, nsp: '/', data: ['e'] })],
    ['a binary type', officialEncode({ type: 5, nsp: '/', data: ['e'] })],
    ['a type that is a text', officialEncode({ type: '2', nsp: '/', data: ['e'] })],
    ['no namespace', officialEncode({ type: 2, data: ['e'] })],
    ['an event without data', officialEncode({ type: 2, nsp: '/' })],
    ['a reserved name', officialEncode({ type: 2, nsp: '/', data: ['disconnect'] })],
    ['an object as a name', officialEncode({ type: 2, nsp: '/', data: [{}] })],
    ['an id that is no integer', officialEncode({ type: 2, nsp: '/', data: ['e'], id: 1.5 })],
    ['an id beyond exact integers', officialEncode({ type: 2, nsp: '/', data: ['e'], id: 2 ** 60 })],
    [
      'more arguments than a call can have',
      officialEncode({ type: 2, nsp: '/', data: ['e', ...Array.from({ length: 1000 }, () => 1)] }),
    ],
    ['credentials that are a list', officialEncode({ type: 0, nsp: '/', data: [1] })],
  ])('refuses %s as the fault of the peer', (_what, message) => {
    expect(() => decodeWith(parser.Decoder, message)).toThrow(PeerError);
  });

  it('takes null for what is not there, as the encoders of other languages write it', () => {
    const message = officialEncode({ type: 2, nsp: '/', data: ['e'], id: null });
    expect(decodeWith(parser.Decoder, message)).toMatchObject({ data: ['e'], id: undefined });
  });
});
