/** RFC 6455 sections 5 and 6.1: what a connection puts out, both roles. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/base/errors.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import { WebSocketConnection } from '../../../../src/protocol/websocket/connection.ts';
import { nodeByteCodec } from '../../../../src/transport/platform/node-byte-codec.ts';
import { encodeServerFrame } from '../../../../src/wire/websocket/frame.ts';
import {
  bytes,
  countingRandom,
  hex,
  Op,
  open,
  optionsFor,
  Recorder,
  roles,
  textOf,
  utf8,
} from './harness.ts';

/** A sink that takes short texts as characters. */
class Joining extends Recorder {
  taken = 0;
  connectionCharacters(characters: string): void {
    this.taken += 1;
    this.outputs.push(Uint8Array.from(characters, (each) => each.charCodeAt(0)));
  }
}

const range = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 11) & 0xff);
const lengths = [0, 1, 31, 32, 33, 125, 126, 127, 4095, 4096, 4097, 65_535, 65_536, 100_000];

describe.each(roles)('a %s that sends', (role) => {
  const masked = role === 'client';

  it.each(lengths)('RFC 6455 5.2: sends %i bytes with their length in the shortest form', (length) => {
    for (const codec of [portableByteCodec, nodeByteCodec]) {
      const { connection, sink } = open(role, { codec });
      const data = range(length);
      expect(connection.sendMessage(data, true)).toBe(true);
      const headerLength = (length < 126 ? 2 : length < 65_536 ? 4 : 10) + (masked ? 4 : 0);
      expect(sink.wire.length).toBe(headerLength + length);
      expect(sink.frames).toHaveLength(1);
      expect(sink.frames[0]).toMatchObject({ opcode: Op.binary, fin: true, rsv1: false, masked });
      expect(hex(sink.frames[0]!.payload)).toBe(hex(range(length)));
      expect(hex(data), 'the data of the application is not changed').toBe(hex(range(length)));
    }
  });

  it.each(lengths)('RFC 6455 5.6: sends a text of %i bytes as UTF-8', (length) => {
    for (const codec of [portableByteCodec, nodeByteCodec]) {
      const text = '€'.repeat(Math.floor(length / 3)) + 'x'.repeat(length % 3);
      const { connection, sink } = open(role, { codec });
      connection.sendMessage(text, false);
      expect(sink.frames[0]).toMatchObject({ opcode: Op.text, fin: true, masked });
      expect(textOf(sink.frames[0]!.payload)).toBe(text);
    }
  });

  it.each(['', 'x', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(4096), 'x'.repeat(4097), 'é', 'x€', '😀'])(
    'puts out the same where its sink takes characters (%#)',
    (text) => {
      const plain = open(role);
      const sink = new Joining();
      const joining = new WebSocketConnection(optionsFor(role), sink);
      for (const connection of [plain.connection, joining]) {
        connection.sendMessage(text, false);
        connection.sendFragment(text, false, true, false);
        connection.sendPing('?');
        connection.sendFragment(text, false, false, true);
      }
      expect(hex(sink.wire)).toBe(hex(plain.sink.wire));
      const isAscii = /^x*$/.test(text);
      expect(sink.taken).toBe(!masked && isAscii && text.length <= 4096 ? 3 : 0);
    },
  );

  it('RFC 6455 8.1: sends lone surrogates as U+FFFD', () => {
    const { connection, sink } = open(role);
    connection.sendMessage('a\ud800b\udc00c😀', false);
    expect(textOf(sink.frames[0]!.payload)).toBe('a\ufffdb\ufffdc😀');
  });

  it('RFC 6455 5.4: sends a message in fragments, with control frames in between', () => {
    const { connection, sink } = open(role);
    expect(connection.isSendingFragments).toBe(false);
    connection.sendFragment('one', false, true, false);
    expect(connection.isSendingFragments).toBe(true);
    connection.sendPing('?');
    connection.sendFragment(utf8('two'), false, false, false);
    connection.sendFragment('', false, false, true);
    expect(connection.isSendingFragments).toBe(false);
    connection.sendFragment(bytes(1), true, true, true);
    expect(sink.frames.map(({ opcode, fin, payload }) => [opcode, fin, hex(payload)])).toEqual([
      [Op.text, false, hex(utf8('one'))],
      [Op.ping, true, hex(utf8('?'))],
      [Op.continuation, false, hex(utf8('two'))],
      [Op.continuation, true, ''],
      [Op.binary, true, '01'],
    ]);
  });

  it('RFC 6455 5.4: sends no message within a message', () => {
    const { connection, sink } = open(role);
    expect(() => connection.sendFragment('x', false, false, true)).toThrow(UsageError);
    connection.sendFragment('one', false, true, false);
    expect(() => connection.sendMessage('x', false)).toThrow(UsageError);
    expect(() => connection.sendFragment('x', false, true, true)).toThrow(UsageError);
    expect(() => connection.sendEncoded(bytes(0x81, 0))).toThrow(UsageError);
    expect(sink.frames).toHaveLength(1);
  });

  it('makes room once for a small frame, header and payload together', () => {
    const { connection, sink } = open(role);
    connection.sendMessage(range(4096), true);
    connection.sendMessage('text', false);
    expect(sink.outputs).toHaveLength(2);
  });
});

describe('a client that sends', () => {
  it('RFC 6455 5.3: takes a new key for every frame, and all four bytes of it from chance', () => {
    const { connection, sink } = open('client');
    for (let i = 0; i < 5; i++) connection.sendMessage('same', false);
    connection.sendPing('p');
    connection.sendClose(1000);
    const expected = countingRandom();
    for (const { key } of sink.frames) {
      const next = new Uint8Array(4);
      expected.fill(next);
      expect(hex(key!)).toBe(hex(next));
    }
    expect(new Set(sink.frames.map(({ key }) => hex(key!))).size).toBe(7);
  });

  it('RFC 6455 5.3: masks large payloads in memory of its own', () => {
    const data = range(100_000);
    const { connection, sink } = open('client');
    connection.sendMessage(data, true);
    expect(sink.outputs).toHaveLength(1);
    expect(hex(data)).toBe(hex(range(100_000)));
    expect(hex(sink.frames[0]!.payload)).toBe(hex(data));
  });
});

describe('a server that sends', () => {
  it('puts out a large payload itself, uncopied, behind its header', () => {
    const data = range(5000);
    const { connection, sink } = open('server');
    connection.sendMessage(data, true);
    expect(sink.outputs).toHaveLength(2);
    expect(sink.outputs[1]).toBe(data);
  });

  it('puts out a frame made for many receivers as it is', () => {
    const frame = encodeServerFrame(Op.text, 'für alle', portableByteCodec);
    const { connection, sink } = open('server');
    expect(connection.sendEncoded(frame)).toBe(true);
    expect(sink.outputs[0]).toBe(frame);
    expect(sink.frames[0]).toMatchObject({ opcode: Op.text, fin: true, masked: false });
    expect(textOf(sink.frames[0]!.payload)).toBe('für alle');
  });
});
