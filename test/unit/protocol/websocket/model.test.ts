/**
 * The connection against a model of a few lines: any sequence of legal frames, cut anywhere, paused anywhere, is
 * heard as the model says; what one end sends, the other hears.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import { nodeByteCodec } from '../../../../src/transport/platform/node-byte-codec.ts';
import { NodeDeflate } from '../../../../src/transport/platform/node-deflate.ts';
import {
  concatLarge,
  feed,
  frame,
  hex,
  Op,
  type Overrides,
  open,
  other,
  roles,
  textOf,
  utf8,
} from './harness.ts';

type Step =
  | { kind: 'message'; isBinary: boolean; fragments: Uint8Array[]; between: Uint8Array[] }
  | { kind: 'ping' | 'pong'; data: Uint8Array };

const control = fc.uint8Array({ maxLength: 125 });
const lengths = fc.constantFrom(0, 1, 2, 10, 125, 126, 127, 300);
const binary = lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map(utf8);

/** Cuts a payload at random places, within characters too. */
const cut = (payload: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array[]> =>
  fc
    .tuple(payload, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }))
    .map(([data, places]) => {
      const at = [
        0,
        ...places.map((place) => Math.floor(place * data.length)).sort((a, b) => a - b),
        data.length,
      ];
      return at.slice(1).map((end, i) => data.slice(at[i], end));
    });

const message = (isBinary: boolean): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant('message' as const),
    isBinary: fc.constant(isBinary),
    fragments: cut(isBinary ? binary : text),
    between: fc.array(control, { maxLength: 4 }),
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  message(true),
  message(false),
  fc.record({ kind: fc.constantFrom('ping' as const, 'pong' as const), data: control }),
);

/** What the peer sends for a step, and what is to be heard of it. */
function play(sender: 'client' | 'server', steps: readonly Step[]): { wire: Uint8Array; lines: string[] } {
  const frames: Uint8Array[] = [];
  const lines: string[] = [];
  let seed = 1;
  const key = (): [number, number, number, number] => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return [seed & 255, (seed >> 8) & 255, (seed >> 16) & 255, seed >>> 24];
  };
  for (const one of steps) {
    if (one.kind !== 'message') {
      frames.push(frame(sender, { opcode: Op[one.kind], payload: one.data, key: key() }));
      lines.push(`${one.kind} ${hex(one.data)}`);
      continue;
    }
    one.fragments.forEach((payload, i) => {
      const opcode = i > 0 ? Op.continuation : one.isBinary ? Op.binary : Op.text;
      frames.push(frame(sender, { opcode, payload, fin: i === one.fragments.length - 1, key: key() }));
      const data = one.between[i];
      if (data === undefined || i === one.fragments.length - 1) return;
      frames.push(frame(sender, { opcode: Op.ping, payload: data, key: key() }));
      lines.push(`ping ${hex(data)}`);
    });
    const whole = concatLarge(one.fragments);
    lines.push(one.isBinary ? `binary ${hex(whole)}` : `text ${textOf(whole)}`);
  }
  return { wire: concatLarge(frames), lines };
}

/** Chunks of these lengths, in turn. */
function chunks(wire: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < wire.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(wire.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2000 })), {
  minLength: 1,
  maxLength: 8,
});
const runs = { numRuns: 300, seed: 20_240_611 };

describe.each(roles)('a %s', (role) => {
  it('hears what was sent, cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        sizes,
        fc.constantFrom(0, 100, 1 << 20),
        fc.boolean(),
        (steps, pieceSizes, ownedUpToBytes, isNode) => {
          const { wire, lines } = play(other[role], steps);
          const codec = isNode ? nodeByteCodec : portableByteCodec;
          const { connection, sink } = open(role, { ownedUpToBytes, codec });
          feed(connection, chunks(wire, pieceSizes));
          expect(sink.lines).toEqual(lines);
          // Each ping was answered, with its bytes, in order.
          const pongs = sink.frames.map(({ opcode, payload }) => `${opcode} ${hex(payload)}`);
          expect(pongs).toEqual(
            lines.filter((line) => line.startsWith('ping')).map((line) => `${Op.pong}${line.slice(4)}`),
          );
        },
      ),
      runs,
    );
  });

  it('hears the same when it is paused and resumed anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 10 }),
        sizes,
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        (steps, pieceSizes, actions) => {
          const { wire, lines } = play(other[role], steps);
          const { connection, sink } = open(role);
          sink.on = () => {
            if (actions.next().value < 2) connection.pauseReceiving();
          };
          for (const piece of chunks(wire, pieceSizes)) {
            feed(connection, [piece]);
            if (actions.next().value === 0) connection.resumeReceiving();
          }
          connection.receiveEnd();
          while (sink.lines.at(-1) !== 'ended') connection.resumeReceiving();
          expect(sink.lines).toEqual([...lines, 'ended']);
        },
      ),
      runs,
    );
  });

  it('is heard by the other end, whatever it sends, compressed or not', () => {
    const port = new NodeDeflate();
    const agreements = fc.record({
      ownWindowBits: fc.integer({ min: 8, max: 15 }),
      peerWindowBits: fc.constant(15),
      ownContextTakeover: fc.boolean(),
      peerContextTakeover: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.boolean()), { maxLength: 10 }),
        fc.option(agreements, { nil: null }),
        sizes,
        (steps, agreement, pieceSizes) => {
          const mine: Overrides =
            agreement === null ? {} : { deflate: { agreement, port, thresholdBytes: 20 } };
          const theirs: Overrides =
            agreement === null
              ? {}
              : {
                  deflate: {
                    agreement: {
                      ownWindowBits: agreement.peerWindowBits,
                      peerWindowBits: agreement.ownWindowBits,
                      ownContextTakeover: agreement.peerContextTakeover,
                      peerContextTakeover: agreement.ownContextTakeover,
                    },
                    port,
                    thresholdBytes: 0,
                  },
                };
          const sender = open(role, mine);
          const receiver = open(other[role], { ...theirs, autoPong: false });
          for (const [one, compress] of steps) {
            if (one.kind !== 'message') {
              if (one.kind === 'ping') sender.connection.sendPing(one.data);
              else sender.connection.sendPong(one.data);
            } else if (one.fragments.length === 1) {
              const data = one.fragments[0]!;
              sender.connection.sendMessage(one.isBinary ? data : textOf(data), one.isBinary, compress);
            } else {
              one.fragments.forEach((data, i) => {
                const isFinal = i === one.fragments.length - 1;
                sender.connection.sendFragment(data, one.isBinary, i === 0, isFinal, compress);
                const between = one.between[i];
                if (between !== undefined && !isFinal) sender.connection.sendPing(between);
              });
            }
          }
          sender.connection.sendClose(1000, 'done');
          feed(receiver.connection, chunks(sender.sink.wire, pieceSizes));
          const { lines } = play(
            role,
            steps.map(([one]) => one),
          );
          expect(receiver.sink.lines).toEqual([...lines, 'close 1000 done']);
          feed(sender.connection, [receiver.sink.wire]);
          expect(sender.connection.state).toBe('closedByUs');
          expect(receiver.connection.state).toBe('closedByPeer');
          sender.connection.dispose();
          receiver.connection.dispose();
        },
      ),
      runs,
    );
  });
});
