/** RFC 6455 section 5, as a receiver, both roles: headers, masks, lengths, opcodes. */
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../../src/base/bytes.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import type { Role } from '../../../../src/protocol/websocket/connection.ts';
import { nodeByteCodec } from '../../../../src/transport/platform/node-byte-codec.ts';
import {
  bytes,
  concat,
  feed,
  frame,
  hex,
  inEverySplit,
  Op,
  open,
  other,
  roles,
  type TestFrame,
  utf8,
} from './harness.ts';

const range = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);

/** What the peer sends; what the sink hears; with which close code the peer is told. */
interface Violation {
  rule: string;
  frames: TestFrame[];
  code: string;
  message: string;
  closeCode: number;
}

const violations: Violation[] = [
  ...([{ rsv2: true }, { rsv3: true }, { rsv2: true, rsv3: true }] as const).map((bits) => ({
    rule: `RFC 6455 5.2: reserved bits ${Object.keys(bits).join(' and ')} fail the connection`,
    frames: [{ opcode: Op.text, payload: 'a', ...bits }],
    code: 'WS_ERR_UNEXPECTED_RSV_2_3',
    message: 'Invalid WebSocket frame: RSV2 and RSV3 must be clear',
    closeCode: 1002,
  })),
  ...[Op.text, Op.binary, Op.close, Op.ping, Op.pong].map((opcode) => ({
    rule: `RFC 6455 5.2: RSV1 without an extension fails the connection (opcode ${opcode})`,
    frames: [{ opcode, payload: new Uint8Array(2), rsv1: true }],
    code: 'WS_ERR_UNEXPECTED_RSV_1',
    message: 'Invalid WebSocket frame: RSV1 must be clear',
    closeCode: 1002,
  })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    rule: `RFC 6455 5.2: the reserved opcode ${opcode} fails the connection`,
    frames: [{ opcode }],
    code: 'WS_ERR_INVALID_OPCODE',
    message: `Invalid WebSocket frame: invalid opcode ${opcode}`,
    closeCode: 1002,
  })),
  {
    rule: 'RFC 6455 5.2: a reserved opcode fails the connection between fragments too',
    frames: [{ opcode: Op.text, payload: 'a', fin: false }, { opcode: 5 }],
    code: 'WS_ERR_INVALID_OPCODE',
    message: 'Invalid WebSocket frame: invalid opcode 5',
    closeCode: 1002,
  },
  {
    rule: 'RFC 6455 5.4: a continuation without a message fails the connection',
    frames: [{ opcode: Op.continuation, payload: 'a' }],
    code: 'WS_ERR_INVALID_OPCODE',
    message: 'Invalid WebSocket frame: invalid opcode 0',
    closeCode: 1002,
  },
  {
    rule: 'RFC 6455 5.4: a continuation behind a complete message fails the connection',
    frames: [
      { opcode: Op.text, payload: 'a', fin: false },
      { opcode: Op.continuation, payload: 'b' },
      { opcode: Op.continuation, payload: 'c' },
    ],
    code: 'WS_ERR_INVALID_OPCODE',
    message: 'Invalid WebSocket frame: invalid opcode 0',
    closeCode: 1002,
  },
  ...[Op.text, Op.binary].map((opcode) => ({
    rule: `RFC 6455 5.4: a message within a message fails the connection (opcode ${opcode})`,
    frames: [
      { opcode: Op.text, payload: 'a', fin: false },
      { opcode, payload: 'b' },
    ],
    code: 'WS_ERR_INVALID_OPCODE',
    message: `Invalid WebSocket frame: invalid opcode ${opcode}`,
    closeCode: 1002,
  })),
  {
    rule: 'RFC 6455 5.4: a message within a message fails the connection behind a control frame too',
    frames: [
      { opcode: Op.text, payload: 'a', fin: false },
      { opcode: Op.pong, payload: 'between' },
      { opcode: Op.text, payload: 'never seen' },
    ],
    code: 'WS_ERR_INVALID_OPCODE',
    message: 'Invalid WebSocket frame: invalid opcode 1',
    closeCode: 1002,
  },
  ...[Op.close, Op.ping, Op.pong].map((opcode) => ({
    rule: `RFC 6455 5.5: a fragmented control frame fails the connection (opcode ${opcode})`,
    frames: [{ opcode, fin: false }],
    code: 'WS_ERR_EXPECTED_FIN',
    message: 'Invalid WebSocket frame: FIN must be set',
    closeCode: 1002,
  })),
  ...[Op.close, Op.ping, Op.pong].map((opcode) => ({
    rule: `RFC 6455 5.5: a control frame above 125 bytes fails the connection (opcode ${opcode})`,
    frames: [{ opcode, payload: new Uint8Array(126) }],
    code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    message: 'Invalid WebSocket frame: invalid payload length 126',
    closeCode: 1002,
  })),
  {
    rule: 'RFC 6455 5.5: a control frame with a 64-bit length fails the connection',
    frames: [{ opcode: Op.ping, payload: new Uint8Array(1), lengthBytes: 8 }],
    code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    message: 'Invalid WebSocket frame: invalid payload length 127',
    closeCode: 1002,
  },
  {
    rule: 'RFC 6455 5.2: 126 in two bytes is needed for lengths from 126 only',
    frames: [{ opcode: Op.binary, payload: new Uint8Array(125), lengthBytes: 2 }],
    code: 'WS_ERR_LENGTH_NOT_SHORTEST',
    message: 'Invalid WebSocket frame: payload length 125 must be in its shortest form',
    closeCode: 1002,
  },
  {
    rule: 'RFC 6455 5.2: a length in eight bytes is needed from 65536 only',
    frames: [{ opcode: Op.binary, payload: new Uint8Array(0), lengthBytes: 8 }],
    code: 'WS_ERR_LENGTH_NOT_SHORTEST',
    message: 'Invalid WebSocket frame: payload length 0 must be in its shortest form',
    closeCode: 1002,
  },
  {
    rule: 'RFC 6455 5.2: the highest bit of a 64-bit length is 0',
    frames: [{ opcode: Op.binary, claimedLength: 1n << 63n }],
    code: 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    message: 'Unsupported WebSocket frame: payload length > 2^53 - 1',
    closeCode: 1009,
  },
  {
    rule: 'a length of 2^53 cannot be told exactly and fails the connection',
    frames: [{ opcode: Op.binary, claimedLength: 1n << 53n }],
    code: 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    message: 'Unsupported WebSocket frame: payload length > 2^53 - 1',
    closeCode: 1009,
  },
  {
    rule: 'a length of 2^53 - 1 is above the payload limit',
    frames: [{ opcode: Op.binary, claimedLength: (1n << 53n) - 1n }],
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    message: 'Max payload size exceeded',
    closeCode: 1009,
  },
];

describe.each(roles)('a %s that receives', (role) => {
  const peer: Role = other[role];

  it.each(violations)('$rule', ({ frames, code, message, closeCode }) => {
    const wire = concat(
      ...frames.map((parts) => frame(peer, parts)),
      frame(peer, { opcode: Op.text, payload: 'never seen' }),
    );
    inEverySplit(role, wire, ({ connection, sink }) => {
      expect(sink.error).toMatchObject({ name: 'PeerError', code, message, closeCode });
      expect(sink.lines.filter((line) => line.includes('never seen'))).toEqual([]);
      expect(sink.lines.at(-1)).toBe(`failed ${code} ${closeCode}`);
      expect(connection.state).toBe('failed');
      const [close, ...more] = sink.frames;
      expect(more).toEqual([]);
      expect(close).toMatchObject({ opcode: Op.close, fin: true, masked: role === 'client' });
      expect(hex(close!.payload)).toBe(hex(concat(bytes(closeCode >> 8, closeCode & 255), utf8(message))));
    });
  });

  it.each([Op.text, Op.binary, Op.close, Op.ping, Op.pong])(
    'RFC 6455 5.1: a wrong mask bit fails the connection (opcode %i)',
    (opcode) => {
      const wire = frame(peer, { opcode, payload: bytes(3, 232), masked: role === 'client' });
      inEverySplit(role, wire, ({ connection, sink }) => {
        const message = role === 'server' ? 'MASK must be set' : 'MASK must be clear';
        expect(sink.error).toMatchObject({
          code: role === 'server' ? 'WS_ERR_EXPECTED_MASK' : 'WS_ERR_UNEXPECTED_MASK',
          message: `Invalid WebSocket frame: ${message}`,
          closeCode: 1002,
        });
        expect(connection.state).toBe('failed');
      });
    },
  );

  it('judges the first byte before the second one is there', () => {
    const { connection, sink } = open(role);
    feed(connection, [bytes(0x83)]);
    expect(sink.error?.code).toBe('WS_ERR_INVALID_OPCODE');
  });

  it('judges the first two bytes before the length is there', () => {
    const { connection, sink } = open(role);
    feed(connection, [bytes(0x89), bytes(0x7e | (role === 'server' ? 0x80 : 0))]);
    expect(sink.error?.code).toBe('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH');
  });

  it.each([0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 129, 300])(
    'RFC 6455 5.2: a payload of %i bytes arrives, text and binary, split anywhere',
    (length) => {
      const payload = range(length);
      const letters = 'x'.repeat(length);
      const wire = concat(
        frame(peer, { opcode: Op.binary, payload }),
        frame(peer, { opcode: Op.text, payload: letters }),
      );
      for (const ownedUpToBytes of [0, 127, 1 << 20]) {
        inEverySplit(
          role,
          wire,
          ({ sink }) => expect(sink.lines).toEqual([`binary ${hex(payload)}`, `text ${letters}`]),
          { ownedUpToBytes },
        );
      }
    },
  );

  it.each([65_535, 65_536, 200_000])('RFC 6455 5.2: a payload of %i bytes arrives', (length) => {
    const payload = range(length);
    const wire = frame(peer, { opcode: Op.binary, payload });
    for (const step of [wire.length, 13, 1000, 65_536]) {
      const { connection, sink } = open(role);
      for (let at = 0; at < wire.length; at += step) connection.receive(wire.slice(at, at + step));
      expect(sink.messages.length).toBe(1);
      expect(equalBytes(sink.messages[0]!.data, payload)).toBe(true);
    }
  });

  it('RFC 6455 5.3: every key unmasks, at every alignment of the chunk', () => {
    if (role === 'client') return;
    const payload = range(300);
    for (let shift = 0; shift < 8; shift++) {
      for (const key of [
        [0, 0, 0, 0],
        [255, 255, 255, 255],
        [1, 2, 3, 4],
        [0x80, 0, 0x80, 0],
      ] as const) {
        const wire = frame(peer, { opcode: Op.binary, payload, key });
        const memory = new Uint8Array(wire.length + shift);
        memory.set(wire, shift);
        const { connection, sink } = open(role);
        connection.receive(memory.subarray(shift));
        expect(sink.lines).toEqual([`binary ${hex(payload)}`]);
      }
    }
  });

  it('RFC 6455 5.6: text and binary messages come in order, whole chunks of small ones', () => {
    const sent = Array.from({ length: 500 }, (_, i) => `message ${i} ${['', 'ä', 'äö', 'äö€', '😀'][i % 5]}`);
    const wire = concat(...sent.map((text) => frame(peer, { opcode: Op.text, payload: text })));
    for (const codec of [portableByteCodec, nodeByteCodec]) {
      for (const ownedUpToBytes of [0, 1 << 20]) {
        const { connection, sink } = open(role, { ownedUpToBytes, codec });
        feed(connection, [wire]);
        expect(sink.lines).toEqual(sent.map((text) => `text ${text}`));
      }
    }
  });

  it('hands over memory of its own when the message is not longer than asked for', () => {
    const wire = concat(
      frame(peer, { opcode: Op.binary, payload: range(10) }),
      frame(peer, { opcode: Op.binary, payload: range(11) }),
    );
    const { connection, sink } = open(role, { ownedUpToBytes: 10 });
    feed(connection, [wire]);
    expect(sink.messages.map(({ isOwned }) => isOwned)).toEqual([true, false]);
    expect(hex(sink.messages[0]!.data)).toBe(hex(range(10)));
  });

  it('gives an owned message to the receiver for good: later chunks do not change it', () => {
    const { connection, sink } = open(role);
    const wire = frame(peer, { opcode: Op.binary, payload: range(1000) });
    feed(connection, [wire.slice(0, 500), wire.slice(500)]);
    feed(connection, [frame(peer, { opcode: Op.binary, payload: new Uint8Array(1000).fill(9) })]);
    expect(sink.messages[0]!.isOwned).toBe(true);
    expect(hex(sink.messages[0]!.data)).toBe(hex(range(1000)));
  });
});
