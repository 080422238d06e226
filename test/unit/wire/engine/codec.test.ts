import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../../src/base/errors.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import { nodeByteCodec } from '../../../../src/transport/platform/node-byte-codec.ts';
import {
  decodePacket,
  EngineWireError,
  encodePacket,
  encodePacketAsText,
  packetTypeOf,
} from '../../../../src/wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';

const bytes = (...values: number[]) => new Uint8Array(values);
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    if (error instanceof PeerError) return error.code;
    throw error;
  }
  return undefined;
};

/** Type, data, as text, as text or bytes. */
const packets: [PacketType, string | Uint8Array, string, string | Uint8Array][] = [
  [PacketType.open, '{"sid":"a"}', '0{"sid":"a"}', '0{"sid":"a"}'],
  [PacketType.close, '', '1', '1'],
  [PacketType.ping, '', '2', '2'],
  [PacketType.ping, 'probe', '2probe', '2probe'],
  [PacketType.pong, 'probe', '3probe', '3probe'],
  [PacketType.message, 'héllo €', '4héllo €', '4héllo €'],
  [PacketType.message, '', '4', '4'],
  [PacketType.upgrade, '', '5', '5'],
  [PacketType.noop, '', '6', '6'],
  [PacketType.message, bytes(1, 2, 3), 'bAQID', bytes(1, 2, 3)],
  [PacketType.message, bytes(), 'b', bytes()],
  [PacketType.message, bytes(255), 'b/w==', bytes(255)],
];

for (const [name, codec] of [
  ['Node', nodeByteCodec],
  ['portable', portableByteCodec],
] as const) {
  describe(`an Engine.IO packet, with the ${name} byte codec`, () => {
    it.each(packets)('of type %s with data %j is the text %j', (type, data, text, mixed) => {
      const packet = new OutgoingPacket(type, data);
      expect(encodePacketAsText(packet, codec)).toBe(text);
      expect(packet.encodedText).toBe(text);
      expect(encodePacket(packet)).toEqual(mixed);
    });

    it.each(packets)(
      'of type %s with data %j is read back from text %j and from bytes',
      (type, data, text, mixed) => {
        for (const encoded of [text, mixed]) {
          const decoded = decodePacket(encoded, codec);
          expect(decoded.type).toBe(type);
          if (typeof data === 'string') expect(decoded.data).toBe(data);
          else expect([...(decoded.data as Uint8Array)]).toEqual([...data]);
        }
      },
    );

    it.each([
      ['', EngineWireError.unknownPacketType],
      ['7', EngineWireError.unknownPacketType],
      ['/', EngineWireError.unknownPacketType],
      ['hello', EngineWireError.unknownPacketType],
      ['\u0000', EngineWireError.unknownPacketType],
      ['٤', EngineWireError.unknownPacketType],
      ['\ud83d\ude00', EngineWireError.unknownPacketType],
      ['b!!!!', EngineWireError.invalidBase64],
      ['bAQI', EngineWireError.invalidBase64],
      ['bAQID\n', EngineWireError.invalidBase64],
      ['b===', EngineWireError.invalidBase64],
      ['B', EngineWireError.unknownPacketType],
    ])('that reads %j is refused with %s', (text, code) => {
      expect(codeOf(() => decodePacket(text, codec))).toBe(code);
    });
  });
}

describe('the type of a packet', () => {
  it('is its first character, whatever follows', () => {
    expect(packetTypeOf('4')).toBe(PacketType.message);
    expect(packetTypeOf('2probe')).toBe(PacketType.ping);
    expect(packetTypeOf('bAQID')).toBeUndefined();
    expect(packetTypeOf('')).toBeUndefined();
    expect(packetTypeOf('!')).toBeUndefined();
  });
});

it('a binary message is passed on as the bytes that came, uncopied', () => {
  const data = bytes(1, 2);
  expect(decodePacket(data, nodeByteCodec).data).toBe(data);
  expect(encodePacket(new OutgoingPacket(PacketType.message, data))).toBe(data);
});

describe('the count of the session extension', () => {
  it('is a packet where the extension was negotiated, and none elsewhere', () => {
    expect(decodePacket('717', nodeByteCodec, true)).toEqual({ type: PacketType.count, data: '17' });
    expect(codeOf(() => decodePacket('717', nodeByteCodec))).toBe(EngineWireError.unknownPacketType);
    expect(packetTypeOf('717')).toBeUndefined();
    expect(encodePacket(new OutgoingPacket(PacketType.count, '17'))).toBe('717');
  });
});
