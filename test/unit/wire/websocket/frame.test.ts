import { describe, expect, it } from 'vitest';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  encodeDeflatedServerFrame,
  encodeFrame,
  encodeServerFrame,
  formatFrameHeader,
  frameFirstByte,
  frameHeaderLength,
  framePayloadLength,
  writeFrameHeader,
  writeMaskedFrameHeader,
} from '../../../../src/wire/websocket/frame.ts';
import { FrameHeader } from '../../../../src/wire/websocket/frame-header.ts';
import { Opcode } from '../../../../src/wire/websocket/opcode.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a header', () => {
  const lengths = [0, 1, 125, 126, 127, 255, 256, 65_535];

  it.each(lengths)('is the same as characters, before %i bytes', (length) => {
    for (const first of [0x81, 0x01, 0x80, 0xc1, 0x82]) {
      const written = new Uint8Array(frameHeaderLength(length, false));
      writeFrameHeader(written, 0, first, length);
      expect([...formatFrameHeader(first, length)].map((each) => each.charCodeAt(0))).toEqual([...written]);
    }
  });

  it.each([...lengths, 65_536, 100_000])('of a frame with %i bytes tells how many they are', (length) => {
    for (const isMasked of [false, true]) {
      expect(framePayloadLength(frameHeaderLength(length, isMasked) + length, isMasked)).toBe(length);
    }
  });
});

describe('a frame', () => {
  // RFC 6455 section 5.7.
  it.each<{ what: string; parts: Parameters<typeof encodeFrame>[0]; wire: number[] }>([
    {
      what: 'a text, unmasked',
      parts: { opcode: Opcode.text, payload: utf8('Hello'), isFinal: true, isDeflated: false, maskKey: null },
      wire: [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
    },
    {
      what: 'a text, masked',
      parts: {
        opcode: Opcode.text,
        payload: utf8('Hello'),
        isFinal: true,
        isDeflated: false,
        maskKey: 0x3d21fa37,
      },
      wire: [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
    },
    {
      what: 'a first fragment',
      parts: { opcode: Opcode.text, payload: utf8('Hel'), isFinal: false, isDeflated: false, maskKey: null },
      wire: [0x01, 0x03, 0x48, 0x65, 0x6c],
    },
    {
      what: 'a last fragment',
      parts: {
        opcode: Opcode.continuation,
        payload: utf8('lo'),
        isFinal: true,
        isDeflated: false,
        maskKey: null,
      },
      wire: [0x80, 0x02, 0x6c, 0x6f],
    },
    {
      what: 'a ping',
      parts: { opcode: Opcode.ping, payload: utf8('Hello'), isFinal: true, isDeflated: false, maskKey: null },
      wire: [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
    },
    {
      what: 'a compressed text (RFC 7692 section 7.2.3.1)',
      parts: {
        opcode: Opcode.text,
        payload: bytes(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00),
        isFinal: true,
        isDeflated: true,
        maskKey: null,
      },
      wire: [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
    },
  ])('RFC 6455 5.7: $what', ({ parts, wire }) => {
    expect(encodeFrame(parts, portableByteCodec)).toEqual(bytes(...wire));
  });

  it('made for many receivers is the same as one made for one', () => {
    const text = 'größer '.repeat(40);
    const parts = {
      opcode: Opcode.text,
      payload: utf8(text),
      isFinal: true,
      isDeflated: false,
      maskKey: null,
    };
    const expected = encodeFrame(parts, portableByteCodec);
    expect(encodeServerFrame(Opcode.text, text, portableByteCodec)).toEqual(expected);
    expect(encodeServerFrame(Opcode.text, utf8(text), portableByteCodec)).toEqual(expected);
    const deflated = encodeFrame({ ...parts, payload: bytes(1, 2), isDeflated: true }, portableByteCodec);
    expect(encodeDeflatedServerFrame(Opcode.text, bytes(1, 2), portableByteCodec)).toEqual(deflated);
  });
});

describe('a frame header', () => {
  // RFC 6455 section 5.7: 256 bytes, 64 KiB.
  it.each<[number, number[]]>([
    [0, [0x82, 0x00]],
    [125, [0x82, 0x7d]],
    [126, [0x82, 0x7e, 0x00, 0x7e]],
    [256, [0x82, 0x7e, 0x01, 0x00]],
    [65_535, [0x82, 0x7e, 0xff, 0xff]],
    [65_536, [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]],
    [0x1_0000_0000, [0x82, 0x7f, 0, 0, 0, 1, 0, 0, 0, 0]],
    [Number.MAX_SAFE_INTEGER, [0x82, 0x7f, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])(
    'RFC 6455 5.2: has the length %d in its shortest form, and is read back from any cut',
    (length, wire) => {
      const first = frameFirstByte(Opcode.binary, true, false);
      for (const isMasked of [false, true]) {
        const target = new Uint8Array(20).fill(0xaa);
        const end = isMasked
          ? writeMaskedFrameHeader(target, 1, first, length, 0x04030201)
          : writeFrameHeader(target, 1, first, length);
        expect(end - 1).toBe(frameHeaderLength(length, isMasked));
        const expected = isMasked ? [wire[0]!, wire[1]! | 0x80, ...wire.slice(2), 1, 2, 3, 4] : wire;
        expect(Array.from(target.subarray(1, end))).toEqual(expected);
        const header = new FrameHeader();
        for (let cut = 1; cut < end; cut++) expect(header.read(target, 1, cut)).toBe(0);
        for (const limit of [end, target.length]) {
          expect(header.read(target, 1, limit)).toBe(end - 1);
          expect(header).toMatchObject({
            firstByte: 0x82,
            secondByte: expected[1],
            payloadLength: length,
            isShortest: true,
            maskKey: isMasked ? 0x04030201 : 0,
          });
        }
      }
    },
  );

  it.each<[number[], number]>([
    [[0x82, 0x7e, 0x00, 0x7d], 125],
    [[0x82, 0x7e, 0x00, 0x00], 0],
    [[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 65_535],
    [[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0, 1], 1],
  ])('RFC 6455 5.2: tells that %j is not the shortest form of %d', (wire, length) => {
    const header = new FrameHeader();
    expect(header.read(bytes(...wire), 0, wire.length)).toBe(wire.length);
    expect(header).toMatchObject({ payloadLength: length, isShortest: false });
  });

  it('reads a length of 64 bits as too large to be exact, not as small or negative', () => {
    const header = new FrameHeader();
    header.read(bytes(0x82, 0x7f, 255, 255, 255, 255, 255, 255, 255, 255), 0, 10);
    expect(header.payloadLength).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });
});
