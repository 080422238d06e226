/** RFC 7692 sections 6 and 7.2: compressed messages, both roles, with zlib behind the port and as the peer. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../../src/base/bytes.ts';
import type { DeflatePort } from '../../../../src/base/port.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import type { Role } from '../../../../src/protocol/websocket/connection.ts';
import type { DeflateAgreement } from '../../../../src/protocol/websocket/permessage-deflate.ts';
import { NodeDeflate } from '../../../../src/transport/platform/node-deflate.ts';
import { encodeDeflatedServerFrame } from '../../../../src/wire/websocket/frame.ts';
import {
  bytes,
  concat,
  concatLarge,
  feed,
  frame,
  hex,
  inEverySplit,
  Op,
  type Opened,
  type Overrides,
  open,
  other,
  readFrames,
  roles,
  textOf,
  utf8,
} from './harness.ts';

const full: DeflateAgreement = {
  ownWindowBits: 15,
  peerWindowBits: 15,
  ownContextTakeover: true,
  peerContextTakeover: true,
};
const withoutContext: DeflateAgreement = { ...full, ownContextTakeover: false, peerContextTakeover: false };

/** A port that counts what is open. */
function counted(): DeflatePort & { deflaters: number; inflaters: number } {
  const node = new NodeDeflate();
  const port = {
    deflaters: 0,
    inflaters: 0,
    createDeflater(windowBits: number) {
      port.deflaters++;
      const deflater = node.createDeflater(windowBits);
      const close = deflater.close.bind(deflater);
      deflater.close = () => {
        port.deflaters--;
        close();
      };
      return deflater;
    },
    createInflater(windowBits: number) {
      port.inflaters++;
      const inflater = node.createInflater(windowBits);
      const close = inflater.close.bind(inflater);
      inflater.close = () => {
        port.inflaters--;
        close();
      };
      return inflater;
    },
  };
  return port;
}

/** A port that notes for how many bytes at once it was asked. */
function asking(): { port: DeflatePort; asked(): number } {
  let asked = 0;
  const node = new NodeDeflate();
  const port: DeflatePort = {
    createDeflater: (bits) => node.createDeflater(bits),
    createInflater(bits) {
      const inflater = node.createInflater(bits);
      const inflate = inflater.inflate;
      inflater.inflate = (input, limitBytes) => {
        asked = Math.max(asked, limitBytes);
        return inflate(input, limitBytes);
      };
      return inflater;
    },
  };
  return { port, asked: () => asked };
}

function deflating(
  agreement: DeflateAgreement = full,
  port: DeflatePort = new NodeDeflate(),
  thresholdBytes = 0,
): Overrides {
  return { deflate: { agreement, port, thresholdBytes } };
}

/** A message as a peer compresses it, on its own (RFC 7692 section 7.2.1). */
function compressed(
  data: Uint8Array | string,
  options: { windowBits?: number; level?: number } = {},
): Uint8Array {
  const input = typeof data === 'string' ? utf8(data) : data;
  const deflated = deflateRawSync(input, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
  return Uint8Array.from(deflated.subarray(0, deflated.length - 4));
}

/** The inverse, with zlib's one-shot function, given what the peer knows from messages before. */
function inflated(payload: Uint8Array, before?: Uint8Array): Uint8Array {
  const input = concatLarge([payload, bytes(0, 0, 255, 255)]);
  return inflateRawSync(input, {
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(before === undefined ? {} : { dictionary: before }),
  });
}

/** Bytes that do not shrink, the same each time. */
function noiseOf(length: number): Uint8Array {
  let state = 0x2545f491;
  return new Uint8Array(length).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

const hello = 'Hello';
/** RFC 7692 section 7.2.3.1. */
const helloDeflated = bytes(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00);

describe.each(roles)('a %s that receives compressed messages', (role) => {
  const peer = other[role];
  const first = (payload: Uint8Array, opcode: number = Op.text, fin = true): Uint8Array =>
    frame(peer, { opcode, payload, fin, rsv1: true });
  const next = (payload: Uint8Array, fin = true): Uint8Array =>
    frame(peer, { opcode: Op.continuation, payload, fin });

  it.each([
    { what: '7.2.3.1: a message in one block', wire: [first(helloDeflated)] },
    {
      what: '7.2.3.1: a message in two frames',
      wire: [first(helloDeflated.slice(0, 3), Op.text, false), next(helloDeflated.slice(3))],
    },
    {
      what: '7.2.3.3: a block without compression',
      wire: [first(bytes(0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00))],
    },
    {
      what: '7.2.3.4: a final block',
      wire: [first(bytes(0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00))],
    },
    {
      what: '7.2.3.5: two blocks in one message',
      wire: [first(bytes(0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00))],
    },
    {
      what: '6.1: control frames between the fragments are not compressed',
      wire: [
        first(helloDeflated.slice(0, 1), Op.text, false),
        frame(peer, { opcode: Op.pong }),
        next(helloDeflated.slice(1, 4), false),
        next(helloDeflated.slice(4), false),
        next(bytes()),
      ],
    },
  ])('RFC 7692 $what', ({ wire }) => {
    inEverySplit(
      role,
      concat(...wire, frame(peer, { opcode: Op.text, payload: 'plain' })),
      ({ sink }) =>
        expect(sink.lines.filter((line) => line !== 'pong ')).toEqual([`text ${hello}`, 'text plain']),
      deflating(),
    );
  });

  it('RFC 7692 7.2.3.2: takes a reference into the message before', () => {
    const wire = concat(first(helloDeflated), first(bytes(0xf2, 0x00, 0x11, 0x00, 0x00)));
    inEverySplit(
      role,
      wire,
      ({ sink }) => expect(sink.lines).toEqual(['text Hello', 'text Hello']),
      deflating(),
    );
  });

  it('RFC 7692 7.1.1: a reference into the message before fails where no context was agreed on', () => {
    const wire = concat(first(helloDeflated), first(bytes(0xf2, 0x00, 0x11, 0x00, 0x00)));
    inEverySplit(
      role,
      wire,
      ({ sink }) => {
        expect(sink.lines).toEqual(['text Hello', 'failed Z_DATA_ERROR 1007']);
        expect(sink.error?.message).toBe('invalid distance too far back');
      },
      deflating(withoutContext),
    );
  });

  it('RFC 7692 7.2.3.6: takes an empty message, with and without compression', () => {
    const wire = concat(first(bytes(0)), frame(peer, { opcode: Op.text }), first(bytes(), Op.binary));
    inEverySplit(
      role,
      wire,
      ({ sink }) => expect(sink.lines).toEqual(['text ', 'text ', 'binary ']),
      deflating(),
    );
  });

  it('RFC 7692 7.2.3.4: takes messages behind one that ended with a final block, whole or in fragments', () => {
    const finalBlock = bytes(0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00);
    const wire = concat(
      first(concat(finalBlock, bytes(0))),
      first(finalBlock, Op.text, false),
      next(bytes(0)),
      first(helloDeflated),
    );
    inEverySplit(
      role,
      wire,
      ({ sink }) => expect(sink.lines).toEqual(Array(3).fill('text Hello')),
      deflating(),
    );
  });

  it('RFC 7692 6.2: RSV1 in a fragment behind the first fails the connection', () => {
    const wire = concat(
      first(helloDeflated.slice(0, 3), Op.text, false),
      frame(peer, { opcode: Op.continuation, payload: helloDeflated.slice(3), rsv1: true }),
    );
    inEverySplit(
      role,
      wire,
      ({ sink }) => expect(sink.lines).toEqual(['failed WS_ERR_UNEXPECTED_RSV_1 1002']),
      deflating(),
    );
  });

  it.each([Op.close, Op.ping, Op.pong])(
    'RFC 7692 6.1: RSV1 in the control frame %i fails the connection',
    (opcode) => {
      inEverySplit(
        role,
        frame(peer, { opcode, rsv1: true }),
        ({ sink }) => expect(sink.lines).toEqual(['failed WS_ERR_UNEXPECTED_RSV_1 1002']),
        deflating(),
      );
    },
  );

  it('RFC 7692 7.2.2: fails with 1007 on what is not DEFLATE', () => {
    inEverySplit(
      role,
      first(bytes(0x07, 0xff, 0xff, 0xff)),
      ({ connection, sink }) => {
        expect(sink.error).toMatchObject({ code: 'Z_DATA_ERROR', closeCode: 1007, name: 'PeerError' });
        expect(sink.error?.cause).toBeInstanceOf(Error);
        expect(connection.state).toBe('failed');
      },
      deflating(),
    );
  });

  it('RFC 6455 8.1: judges what was inflated, text only, as it arrives', () => {
    const bad = compressed(concat(utf8('good'), bytes(0xff)));
    inEverySplit(
      role,
      first(bad),
      ({ sink }) => expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']),
      deflating(),
    );
    inEverySplit(
      role,
      first(bad, Op.binary),
      ({ sink }) => expect(sink.lines).toEqual([`binary ${hex(utf8('good'))}ff`]),
      deflating(),
    );
    const { connection, sink } = open(role, deflating());
    feed(connection, [first(concat(compressed(bytes(0xff)), bytes(0, 0, 255, 255)), Op.text, false)]);
    expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']);
  });

  it.each([8, 9, 10, 12, 15])(
    'RFC 7692 7.1.2: takes messages made with a window of %i bits',
    (windowBits) => {
      const text = Array.from({ length: 300 }, (_, i) => `line ${i % 97} of ${i % 7}`).join('\n');
      const wire = first(compressed(text, { windowBits: Math.max(9, windowBits) }));
      const agreement = { ...full, peerWindowBits: windowBits };
      const { connection, sink } = open(role, deflating(agreement));
      feed(connection, [wire, wire]);
      expect(sink.lines).toEqual([`text ${text}`, `text ${text}`]);
    },
  );

  it('takes a large message, whole, in pieces and as a stream', () => {
    const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 8);
    const wire = first(compressed(data), Op.binary);
    for (const delivery of ['whole', 'pieces', 'stream'] as const) {
      const { connection, sink } = open(role, deflating());
      connection.setDelivery(delivery);
      const parts: Uint8Array[] = [];
      sink.connectionStreamData = (part) => {
        parts.push(part.slice());
      };
      for (let at = 0; at < wire.length; at += 5000) feed(connection, [wire.slice(at, at + 5000)]);
      const received =
        delivery === 'whole'
          ? sink.messages[0]!.data
          : concatLarge(delivery === 'pieces' ? sink.pieces[0]! : parts);
      expect(equalBytes(received, data)).toBe(true);
    }
  });

  describe('limits while inflating', () => {
    const bomb = compressed(new Uint8Array(50_000_000));

    it('CVE-2026-1526 (undici): a bomb is refused before it is unpacked', () => {
      const { port, asked } = asking();
      const { connection, sink } = open(role, { ...deflating(full, port), payloadLimitBytes: 100_000 });
      feed(connection, [first(bomb, Op.binary)]);
      expect(asked()).toBe(100_000);
      expect(sink.error).toMatchObject({
        code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
        closeCode: 1009,
        limit: { name: 'payloadLimitBytes', value: 100_000 },
      });
    });

    it('the limit holds over all fragments of a message together', () => {
      const part = compressed(new Uint8Array(600));
      const { connection, sink } = open(role, { ...deflating(), payloadLimitBytes: 1000 });
      feed(connection, [first(concat(part, bytes(0, 0, 255, 255)), Op.binary, false)]);
      expect(sink.error).toBeNull();
      feed(connection, [next(part)]);
      expect(sink.error?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    });

    it('takes exactly the limit and refuses one byte more', () => {
      const options = { ...deflating(withoutContext), payloadLimitBytes: 1000 };
      const right = open(role, options);
      feed(right.connection, [first(compressed(new Uint8Array(1000)), Op.binary)]);
      expect(right.sink.messages[0]!.data.length).toBe(1000);
      const wrong = open(role, options);
      feed(wrong.connection, [first(compressed(new Uint8Array(1001)), Op.binary)]);
      expect(wrong.sink.error?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    });

    it('the memory budget holds where there is no limit on messages', () => {
      const { port, asked } = asking();
      const { connection, sink } = open(role, {
        ...deflating(full, port),
        payloadLimitBytes: 0,
        memoryBudgetBytes: 200_000,
      });
      feed(connection, [first(bomb, Op.binary)]);
      expect(asked()).toBe(200_000);
      expect(sink.error).toMatchObject({
        code: 'WS_ERR_MEMORY_BUDGET_EXCEEDED',
        limit: { name: 'memoryBudgetBytes', value: 200_000 },
      });
    });

    it('a compressed message in tiny fragments costs little more than its bytes', () => {
      const port = new NodeDeflate();
      const { connection, sink } = open(role, {
        ...deflating(full, port),
        payloadLimitBytes: 0,
        memoryBudgetBytes: 100_000,
      });
      const data = compressed(utf8('tiny fragments, each with a few bytes '.repeat(600)), { level: 0 });
      for (let i = 0; i < data.length; i++) {
        const one = data.slice(i, i + 1);
        feed(connection, [i === 0 ? first(one, Op.text, false) : next(one, i === data.length - 1)]);
      }
      expect(sink.error).toBeNull();
      expect(sink.messages).toHaveLength(1);
    });

    it('stops when it is disposed of from within the part that the end of the message completes', () => {
      // A stored block whose bytes are the four that the sender cut off.
      const payload = bytes(0x00, 0x04, 0x00, 0xfb, 0xff);
      for (const isDisposing of [false, true]) {
        const { connection, sink } = open(role, deflating());
        connection.setDelivery('stream');
        sink.on = (line) => {
          if (isDisposing && line.startsWith('part')) connection.dispose();
        };
        feed(connection, [first(payload, Op.binary)]);
        expect(sink.lines).toEqual(['start binary', 'part 0000ffff', ...(isDisposing ? [] : ['end'])]);
      }
    });

    it('as a stream, a part of a bomb stays small', () => {
      const { connection, sink } = open(role, { ...deflating(), payloadLimitBytes: 0 });
      connection.setDelivery('stream');
      let largest = 0;
      sink.connectionStreamData = (part) => {
        largest = Math.max(largest, part.length);
      };
      connection.receive(first(bomb, Op.binary).slice());
      expect(sink.lines).toEqual(['start binary', 'end']);
      expect(largest).toBeLessThan(20_000_000);
    });
  });

  it('frees its contexts: each message without context, all when disposed of or failed', () => {
    const port = counted();
    const without = open(role, deflating(withoutContext, port));
    feed(without.connection, [first(helloDeflated)]);
    without.connection.sendMessage('hello hello hello hello', false);
    expect([port.deflaters, port.inflaters]).toEqual([0, 0]);
    feed(without.connection, [first(helloDeflated.slice(0, 2), Op.text, false)]);
    without.connection.dispose();
    expect([port.deflaters, port.inflaters]).toEqual([0, 0]);

    const kept = open(role, deflating(full, port));
    expect([port.deflaters, port.inflaters]).toEqual([0, 0]);
    feed(kept.connection, [first(helloDeflated)]);
    kept.connection.sendMessage('hello hello hello hello', false);
    expect([port.deflaters, port.inflaters]).toEqual([1, 1]);
    feed(kept.connection, [frame(peer, { opcode: 3 })]);
    expect([port.deflaters, port.inflaters]).toEqual([0, 0]);
  });
});

describe.each(roles)('a %s that sends compressed messages', (role) => {
  const long = 'the same words again and again, '.repeat(20);
  const payloads = ({ sink }: Opened): Uint8Array[] => sink.frames.map(({ payload }) => payload);

  it('RFC 7692 6.1: sets RSV1 in the frame of a compressed message, and the peer can read it', () => {
    const opened = open(role, deflating());
    opened.connection.sendMessage(long, false);
    const [sent] = opened.sink.frames;
    expect(sent).toMatchObject({ opcode: Op.text, fin: true, rsv1: true, masked: role === 'client' });
    expect(sent!.payload.length).toBeLessThan(long.length / 4);
    expect(textOf(inflated(sent!.payload))).toBe(long);
  });

  it('RFC 7692 7.2.1: cuts off the four bytes at the end', () => {
    const opened = open(role, deflating());
    opened.connection.sendMessage(utf8(long), true);
    expect(hex(payloads(opened)[0]!.slice(-4))).not.toBe('0000ffff');
  });

  it('RFC 7692 7.1.1: keeps its window between messages where that was agreed on, and only there', () => {
    const keeps = open(role, deflating(full));
    keeps.connection.sendMessage(long, false);
    keeps.connection.sendMessage(long, false);
    const [one, two] = payloads(keeps);
    expect(two!.length).toBeLessThan(one!.length);
    expect(textOf(inflated(two!, utf8(long)))).toBe(long);
    const forgets = open(role, deflating(withoutContext));
    forgets.connection.sendMessage(long, false);
    forgets.connection.sendMessage(long, false);
    expect(hex(payloads(forgets)[1]!)).toBe(hex(payloads(forgets)[0]!));
  });

  it('RFC 7692 6.1: sends a compressed message in fragments with RSV1 in the first only', () => {
    for (const agreement of [full, withoutContext]) {
      for (const last of ['', 'the end of it']) {
        const opened = open(role, deflating(agreement));
        opened.connection.sendFragment(long, false, true, false);
        opened.connection.sendPing();
        opened.connection.sendFragment('', false, false, false);
        opened.connection.sendFragment(utf8(long), false, false, false);
        opened.connection.sendFragment(last, false, false, true);
        const frames = opened.sink.frames.filter(({ opcode }) => opcode !== Op.ping);
        expect(frames.map(({ rsv1, fin }) => [rsv1, fin])).toEqual([
          [true, false],
          [false, false],
          [false, false],
          [false, true],
        ]);
        const whole = concatLarge(frames.map(({ payload }) => payload));
        expect(textOf(inflated(whole))).toBe(long + long + last);
      }
    }
  });

  it('RFC 7692 6.1: sends an uncompressed message with RSV1 clear where compression is not wanted', () => {
    const opened = open(role, deflating());
    opened.connection.sendMessage(long, false, false);
    opened.connection.sendFragment(long, false, true, true, false);
    expect(opened.sink.frames.map(({ rsv1 }) => rsv1)).toEqual([false, false]);
    expect(payloads(opened).map(textOf)).toEqual([long, long]);
  });

  it('does not compress what is short, where no context makes it worth while', () => {
    const threshold = open(role, deflating(withoutContext, new NodeDeflate(), 1024));
    threshold.connection.sendMessage('a'.repeat(1023), false);
    threshold.connection.sendMessage('a'.repeat(1024), false);
    expect(threshold.sink.frames.map(({ rsv1 }) => rsv1)).toEqual([false, true]);
    const context = open(role, deflating(full, new NodeDeflate(), 1024));
    context.connection.sendMessage('a'.repeat(100), false);
    expect(context.sink.frames.map(({ rsv1 }) => rsv1)).toEqual([true]);
  });

  it('sends what does not shrink as it is, and the next message is still right', () => {
    const noise = noiseOf(500);
    const opened = open(role, deflating(full));
    const listener = open(other[role], deflating(full));
    const sent = [utf8(long), noise, utf8(long), new Uint8Array(0), utf8(long)];
    for (const data of sent) opened.connection.sendMessage(data, true);
    expect(opened.sink.frames.map(({ rsv1 }) => rsv1)).toEqual([true, false, true, false, true]);
    feed(listener.connection, [opened.sink.wire]);
    expect(listener.sink.lines).toEqual(sent.map((data) => `binary ${hex(data)}`));
  });

  describe('and has met messages that did not shrink', () => {
    const noise = noiseOf(2000);
    const flags = ({ sink }: Opened) => sink.frames.map(({ rsv1 }) => (rsv1 ? 'z' : '-')).join('');
    /** Counts how often something was compressed. */
    const counting = () => {
      const node = new NodeDeflate();
      let calls = 0;
      const port: DeflatePort = {
        createInflater: (bits) => node.createInflater(bits),
        createDeflater(bits) {
          const deflater = node.createDeflater(bits);
          const deflate = deflater.deflate.bind(deflater);
          deflater.deflate = (input) => {
            calls++;
            return deflate(input);
          };
          return deflater;
        },
      };
      return { port, calls: () => calls };
    };

    it('tries ever fewer of them, at least one in 65', () => {
      const { port, calls } = counting();
      const { connection } = open(role, deflating(full, port));
      const tried: number[] = [];
      for (let i = 0; i < 400; i++) {
        const before = calls();
        connection.sendMessage(noise, true);
        if (calls() > before) tried.push(i);
      }
      expect(tried).toEqual([0, 1, 3, 6, 11, 20, 37, 70, 135, 200, 265, 330, 395]);
    });

    it('compresses again from the first one that shrinks, and the peer understands all of them', () => {
      const opened = open(role, deflating(full));
      const listener = open(other[role], deflating(full));
      const words = utf8(long);
      const sent = [noise, noise, noise, noise, words, words, words, words, noise, words];
      for (const data of sent) opened.connection.sendMessage(data, true);
      // Two are tried, one is not, one is, two are not. One alone that does not shrink is no reason yet.
      expect(flags(opened)).toBe('------zz-z');
      feed(listener.connection, [opened.sink.wire]);
      expect(listener.sink.lines).toEqual(sent.map((data) => `binary ${hex(data)}`));
    });

    it('judges text and binary messages apart', () => {
      const opened = open(role, deflating(full));
      for (let i = 0; i < 6; i++) {
        opened.connection.sendMessage(noise, true);
        opened.connection.sendMessage(long, false);
      }
      expect(flags(opened)).toBe('-z'.repeat(6));
    });

    it('decides for a message in fragments at its first, and learns from all of them', () => {
      const { port, calls } = counting();
      const opened = open(role, deflating(withoutContext, port));
      const noises = noiseOf(4000);
      const send = () => {
        opened.connection.sendFragment(noises.subarray(0, 2000), true, true, false);
        opened.connection.sendFragment(noises.subarray(2000), true, false, true);
      };
      for (let i = 0; i < 4; i++) send();
      expect(flags(opened)).toBe('z-z---z-');
      expect(calls()).toBe(6);
    });

    it('tries each where it is told to', () => {
      const { port, calls } = counting();
      const options = { deflate: { agreement: full, port, thresholdBytes: 0, isAdaptive: false } };
      const { connection } = open(role, options);
      for (let i = 0; i < 100; i++) connection.sendMessage(noise, true);
      expect(calls()).toBe(100);
    });
  });

  it.each([8, 9, 11, 15])('RFC 7692 7.1.2: keeps to a window of %i bits', (windowBits) => {
    const agreement = { ...full, ownWindowBits: windowBits };
    const opened = open(role, deflating(agreement));
    // Words come again after so many bytes that a larger window would refer back to them.
    const text = Array.from({ length: 400 }, (_, i) => `w${(i * 7919) % 211}`).join(' ');
    opened.connection.sendMessage(text, false);
    opened.connection.sendMessage(text, false);
    // An inflater with exactly this window, fed so that it cannot refer to output that it still has at hand.
    const port = new NodeDeflate();
    const inflater = port.createInflater(windowBits);
    for (const payload of payloads(opened)) {
      const parts: Uint8Array[] = [];
      for (const byte of concat(payload, bytes(0, 0, 255, 255)))
        parts.push(inflater.inflate(bytes(byte), 1 << 20)!);
      expect(textOf(concatLarge(parts))).toBe(text);
    }
    inflater.close();
  });

  it('two connections talk: any mixture of messages, both ways', () => {
    for (const agreement of [full, withoutContext, { ...full, ownWindowBits: 9, peerWindowBits: 9 }]) {
      const here = open(role, deflating(agreement));
      const there = open(other[role] as Role, deflating(agreement));
      const expected: string[] = [];
      for (let i = 0; i < 60; i++) {
        const text = `${i} ${'lorem ipsum '.repeat(i % 9)}`;
        here.connection.sendMessage(text, false, i % 5 !== 0);
        expected.push(`text ${text}`);
      }
      feed(there.connection, [here.sink.wire]);
      expect(there.sink.lines).toEqual(expected);
    }
  });
});

describe('a server that sends a frame compressed for many', () => {
  const text = 'news for all of them, news for all of them';
  const shared = encodeDeflatedServerFrame(Op.text, compressed(text), portableByteCodec);

  it('puts it out as it is', () => {
    const { connection, sink } = open('server', deflating(withoutContext));
    connection.sendEncoded(shared, true);
    expect(sink.outputs[0]).toBe(shared);
    expect(readFrames(shared)[0]).toMatchObject({ opcode: Op.text, fin: true, rsv1: true, masked: false });
  });

  it('mixes it with messages of its own context, which stay right', () => {
    const { connection, sink } = open('server', deflating(full));
    const listener = open('client', deflating(full));
    const own = 'what only this one gets, what only this one gets';
    const expected: string[] = [];
    for (let i = 0; i < 4; i++) {
      connection.sendMessage(own, false);
      connection.sendEncoded(shared, true);
      connection.sendMessage(own, false);
      expected.push(`text ${own}`, `text ${text}`, `text ${own}`);
    }
    feed(listener.connection, [sink.wire]);
    expect(listener.sink.lines).toEqual(expected);
  });
});
