import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../../src/base/errors.ts';
import { nodeByteCodec as codec } from '../../../../src/transport/platform/node-byte-codec.ts';
import { EngineWireError } from '../../../../src/wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';
import {
  countWithin,
  decodePayload,
  encodedLength,
  encodePayload,
} from '../../../../src/wire/engine/payload.ts';

const message = (data: string | Uint8Array) => new OutgoingPacket(PacketType.message, data);

/** What is handed over, and the code of the error at the end, if any. */
function read(payload: string): { packets: [string, string | number[]][]; code?: string } {
  const packets: [string, string | number[]][] = [];
  try {
    decodePayload(payload, codec, ({ type, data }) => {
      packets.push([type, typeof data === 'string' ? data : [...data]]);
    });
  } catch (error) {
    if (error instanceof PeerError) return { packets, code: error.code };
    throw error;
  }
  return { packets };
}

describe('a payload', () => {
  it('joins packets by the record separator, in order', () => {
    const packets = [message('a'), new OutgoingPacket(PacketType.ping), message(new Uint8Array([1, 2, 3]))];
    expect(encodePayload(packets, codec)).toBe('4a\x1e2\x1ebAQID');
    expect(encodePayload([message('alone')], codec)).toBe('4alone');
  });

  it.each([
    ['4a', [['4', 'a']]],
    [
      '4a\x1e2\x1ebAQID',
      [
        ['4', 'a'],
        ['2', ''],
        ['4', [1, 2, 3]],
      ],
    ],
    [
      '4\x1e4',
      [
        ['4', ''],
        ['4', ''],
      ],
    ],
    [
      '4a\nb\x1e6',
      [
        ['4', 'a\nb'],
        ['6', ''],
      ],
    ],
  ])('%j is read as its packets', (payload, packets) => {
    expect(read(payload)).toEqual({ packets });
  });

  it.each([
    ['', [], EngineWireError.unknownPacketType],
    ['\x1e', [], EngineWireError.unknownPacketType],
    ['4a\x1e', [['4', 'a']], EngineWireError.unknownPacketType],
    ['4a\x1e\x1e4b', [['4', 'a']], EngineWireError.unknownPacketType],
    ['4a\x1eabc\x1e4b', [['4', 'a']], EngineWireError.unknownPacketType],
    ['4a\x1ebA\x1e4b', [['4', 'a']], EngineWireError.invalidBase64],
  ])('%j ends at what is malformed, after what came before', (payload, packets, code) => {
    expect(read(payload)).toEqual({ packets, code });
  });

  it('of a hundred thousand separators is refused at the first', () => {
    expect(read('\x1e'.repeat(100_000)).code).toBe(EngineWireError.unknownPacketType);
  });
});

describe('the length of a packet in a payload', () => {
  it.each([
    ['', 1],
    ['abc', 4],
    ['é€', 6],
    [new Uint8Array(0), 1],
    [new Uint8Array(1), 5],
    [new Uint8Array(3), 5],
    [new Uint8Array(4), 9],
  ])('of %j is %i bytes, as it is when encoded', (data, length) => {
    const packet = message(data);
    expect(encodedLength(packet, codec)).toBe(length);
    expect(codec.utf8Length(encodePayload([packet], codec))).toBe(length);
  });
});

describe('what fits into one payload', () => {
  const four = ['aaa', 'bbb', 'ccc', 'ddd'].map(message);
  it.each([
    [1, 1],
    [4, 1],
    [8, 1],
    [9, 2],
    [13, 2],
    [14, 3],
    [18, 3],
    [19, 4],
    [1000, 4],
  ])('within %i bytes are %i packets of 4 bytes', (limit, count) => {
    expect(countWithin(four, limit, codec)).toBe(count);
    const length = codec.utf8Length(encodePayload(four.slice(0, count), codec));
    expect(count === 1 || length <= limit).toBe(true);
  });
});
