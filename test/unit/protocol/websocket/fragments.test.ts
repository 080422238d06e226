/** RFC 6455 sections 5.4 to 5.5 and 8.1: fragments, control frames in between, UTF-8 as it arrives. */
import { describe, expect, it } from 'vitest';
import {
  bytes,
  concat,
  everySplit,
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

interface Sequence {
  rule: string;
  frames: TestFrame[];
  lines: string[];
}

const sequences: Sequence[] = [
  {
    rule: 'RFC 6455 5.4: the payloads of the fragments make the message',
    frames: [
      { opcode: Op.text, payload: 'one ', fin: false },
      { opcode: Op.continuation, payload: 'two ', fin: false },
      { opcode: Op.continuation, payload: 'three' },
    ],
    lines: ['text one two three'],
  },
  {
    rule: 'RFC 6455 5.4: the first fragment says whether the message is binary',
    frames: [
      { opcode: Op.binary, payload: bytes(1, 255), fin: false },
      { opcode: Op.continuation, payload: bytes(128) },
    ],
    lines: ['binary 01ff80'],
  },
  {
    rule: 'RFC 6455 5.4: fragments may be empty, all of them',
    frames: [
      { opcode: Op.text, fin: false },
      { opcode: Op.continuation, fin: false },
      { opcode: Op.continuation },
      { opcode: Op.binary, fin: false },
      { opcode: Op.continuation },
    ],
    lines: ['text ', 'binary '],
  },
  {
    rule: 'RFC 6455 5.4: an empty last fragment ends the message',
    frames: [{ opcode: Op.text, payload: 'all', fin: false }, { opcode: Op.continuation }],
    lines: ['text all'],
  },
  {
    rule: 'RFC 6455 5.4: control frames between fragments are handled at once',
    frames: [
      { opcode: Op.ping, payload: 'before' },
      { opcode: Op.text, payload: 'a', fin: false },
      { opcode: Op.ping, payload: 'first' },
      { opcode: Op.pong },
      { opcode: Op.continuation, payload: 'b', fin: false },
      { opcode: Op.ping },
      { opcode: Op.continuation, payload: 'c' },
      { opcode: Op.pong, payload: 'after' },
    ],
    lines: [
      `ping ${hex(utf8('before'))}`,
      `ping ${hex(utf8('first'))}`,
      'pong ',
      'ping ',
      'text abc',
      `pong ${hex(utf8('after'))}`,
    ],
  },
  {
    rule: 'RFC 6455 5.4: a close frame between fragments ends the receiving',
    frames: [
      { opcode: Op.text, payload: 'a', fin: false },
      { opcode: Op.close, payload: bytes(3, 232) },
      { opcode: Op.continuation, payload: 'b' },
    ],
    lines: ['close 1000 '],
  },
  {
    rule: 'RFC 6455 5.6: a text may be cut within a character',
    frames: [
      { opcode: Op.text, payload: utf8('κόσμε €😀').slice(0, 1), fin: false },
      { opcode: Op.continuation, payload: utf8('κόσμε €😀').slice(1, 15), fin: false },
      { opcode: Op.continuation, payload: utf8('κόσμε €😀').slice(15) },
    ],
    lines: ['text κόσμε €😀'],
  },
  {
    rule: 'RFC 6455 5.5: control frames of 125 bytes, one behind the other',
    frames: [
      { opcode: Op.pong, payload: new Uint8Array(125).fill(7) },
      { opcode: Op.pong, payload: new Uint8Array(125).fill(8) },
    ],
    lines: [`pong ${'07'.repeat(125)}`, `pong ${'08'.repeat(125)}`],
  },
];

/** Bytes that are not UTF-8, and how many of them it takes to see that (RFC 3629 section 4). */
const invalidTexts: { what: string; text: number[]; seenAfter: number }[] = [
  { what: 'a continuation byte alone', text: [0x80], seenAfter: 1 },
  { what: 'a byte that never occurs, FF', text: [0xff], seenAfter: 1 },
  { what: 'an overlong two-byte character, C0', text: [0xc0, 0x80], seenAfter: 1 },
  { what: 'a lead above U+10FFFF, F5', text: [0xf5, 0x80, 0x80, 0x80], seenAfter: 1 },
  { what: 'an overlong three-byte character', text: [0xe0, 0x9f, 0xbf], seenAfter: 2 },
  { what: 'a surrogate', text: [0xed, 0xa0, 0x80], seenAfter: 2 },
  { what: 'an overlong four-byte character', text: [0xf0, 0x8f, 0xbf, 0xbf], seenAfter: 2 },
  { what: 'a character above U+10FFFF', text: [0xf4, 0x90, 0x80, 0x80], seenAfter: 2 },
  { what: 'a lead without its continuation', text: [0xc3, 0x28], seenAfter: 2 },
  { what: 'a third byte that is no continuation', text: [0xe2, 0x82, 0x41], seenAfter: 3 },
  { what: 'a fourth byte that is no continuation', text: [0xf0, 0x9f, 0x98, 0xc0], seenAfter: 4 },
];

describe.each(roles)('a %s that receives', (role) => {
  const peer = other[role];

  it.each(sequences)('$rule', ({ frames, lines }) => {
    const wire = concat(...frames.map((parts) => frame(peer, parts)));
    for (const ownedUpToBytes of [0, 1000]) {
      inEverySplit(role, wire, ({ sink }) => expect(sink.lines).toEqual(lines), { ownedUpToBytes });
    }
  });

  it.each(invalidTexts)('RFC 6455 8.1: fails with 1007 on $what, in one frame', ({ text }) => {
    const good = 'a long enough beginning, so that the native check is used: ..................';
    for (const prefix of ['', 'é', good]) {
      const wire = frame(peer, { opcode: Op.text, payload: concat(utf8(prefix), bytes(...text), utf8('z')) });
      for (const ownedUpToBytes of [0, 1000]) {
        const { connection, sink } = open(role, { ownedUpToBytes });
        feed(connection, [wire]);
        expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']);
        expect(sink.error?.message).toBe('Invalid WebSocket frame: invalid UTF-8 sequence');
      }
    }
  });

  it.each(invalidTexts)(
    'RFC 6455 8.1: fails at the very byte that makes it invalid, inside a frame: $what',
    ({ text, seenAfter }) => {
      const wire = frame(peer, { opcode: Op.text, payload: concat(bytes(...text), new Uint8Array(60)) });
      const before = wire.length - 60 - text.length;
      const { connection, sink } = open(role);
      for (let i = 0; i < before + seenAfter; i++) {
        expect(sink.lines).toEqual([]);
        feed(connection, [wire.slice(i, i + 1)]);
      }
      expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']);
    },
  );

  it.each(invalidTexts)(
    'RFC 6455 8.1: fails at the very fragment that makes it invalid: $what',
    ({ text, seenAfter }) => {
      const { connection, sink } = open(role);
      text.slice(0, seenAfter).forEach((byte, i) => {
        expect(sink.lines).toEqual([]);
        feed(connection, [
          frame(peer, { opcode: i === 0 ? Op.text : Op.continuation, payload: bytes(byte), fin: false }),
        ]);
      });
      expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']);
    },
  );

  it('RFC 6455 8.1: fails when the message ends within a character', () => {
    for (const cut of [[0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xe0, 0xa0], [0xed, 0x80], [0xf4, 0x80]]) {
      const whole = frame(peer, { opcode: Op.text, payload: bytes(0x41, ...cut) });
      inEverySplit(role, whole, ({ sink }) =>
        expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']),
      );
      const fragments = concat(
        frame(peer, { opcode: Op.text, payload: bytes(...cut), fin: false }),
        frame(peer, { opcode: Op.continuation }),
      );
      inEverySplit(role, fragments, ({ sink }) =>
        expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']),
      );
    }
  });

  it('judges a long text at once where a chunk ends, with characters cut at every place', () => {
    const text = 'αβγ€😀'.repeat(40);
    const payload = utf8(text);
    const wire = frame(peer, { opcode: Op.text, payload });
    inEverySplit(role, wire, ({ sink }) => expect(sink.lines).toEqual([`text ${text}`]));
    const spoiled = payload.slice();
    spoiled[300] = 0xff;
    const bad = frame(peer, { opcode: Op.text, payload: spoiled });
    const { connection, sink } = open(role);
    feed(connection, [bad.slice(0, bad.length - payload.length + 301)]);
    expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']);
  });

  it('binary messages are not judged', () => {
    const wire = concat(
      frame(peer, { opcode: Op.binary, payload: bytes(0xff, 0xc0), fin: false }),
      frame(peer, { opcode: Op.continuation, payload: bytes(0x80) }),
    );
    inEverySplit(role, wire, ({ sink }) => expect(sink.lines).toEqual(['binary ffc080']));
  });

  it('leaves invalid text to the application where the check is switched off', () => {
    for (const pieces of everySplit(frame(peer, { opcode: Op.text, payload: bytes(0xff, 0x80) }))) {
      const received: Uint8Array[] = [];
      const { connection, sink } = open(role, { checkUtf8: false });
      sink.connectionMessage = (source, start, end) => {
        received.push(source.slice(start, end));
      };
      feed(connection, pieces);
      expect(received.map(hex)).toEqual(['ff80']);
      expect(sink.error).toBeNull();
    }
  });
});
