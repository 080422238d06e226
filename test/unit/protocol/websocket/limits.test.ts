/**
 * What a hostile peer can cost: limits on lengths, fragments, chunks and memory. Each published weakness of another
 * implementation that belongs to these floors has a test that shows that it is not one of ours.
 */
import { describe, expect, it } from 'vitest';
import type { ByteCodec } from '../../../../src/base/port.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  bytes,
  concat,
  concatLarge,
  feed,
  frame,
  inEverySplit,
  Op,
  open,
  other,
  roles,
  utf8,
} from './harness.ts';

/** Counts the memory that a connection takes, and its largest piece. */
function meter(): { codec: ByteCodec; total(): number; largest(): number } {
  let total = 0;
  let largest = 0;
  return {
    codec: {
      ...portableByteCodec,
      allocate(length) {
        total += length;
        largest = Math.max(largest, length);
        return new Uint8Array(length);
      },
    },
    total: () => total,
    largest: () => largest,
  };
}

describe.each(roles)('a %s that receives', (role) => {
  const peer = other[role];

  describe('keeps the limit on a message', () => {
    const limit = 20;
    const payload = utf8('x'.repeat(limit));

    it('takes a message of exactly the limit, in one frame and in fragments', () => {
      const wire = concat(
        frame(peer, { opcode: Op.text, payload }),
        frame(peer, { opcode: Op.text, payload: payload.slice(5), fin: false }),
        frame(peer, { opcode: Op.continuation, payload: payload.slice(0, 5) }),
      );
      for (const ownedUpToBytes of [0, 100]) {
        inEverySplit(
          role,
          wire,
          ({ sink }) => expect(sink.lines).toEqual(Array(2).fill(`text ${'x'.repeat(limit)}`)),
          {
            payloadLimitBytes: limit,
            ownedUpToBytes,
          },
        );
      }
    });

    it.each([
      { what: 'in one frame', frames: [{ opcode: Op.text, payload: new Uint8Array(limit + 1) }] },
      {
        what: 'in the last fragment',
        frames: [
          { opcode: Op.text, payload, fin: false },
          { opcode: Op.continuation, payload: bytes(1) },
        ],
      },
    ])('refuses one byte more $what, and names the limit', ({ frames }) => {
      const wire = concat(...frames.map((parts) => frame(peer, parts)));
      inEverySplit(
        role,
        wire,
        ({ sink }) => {
          expect(sink.error).toMatchObject({
            code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
            message: 'Max payload size exceeded',
            closeCode: 1009,
            limit: { name: 'payloadLimitBytes', value: limit },
          });
          expect(sink.messages).toEqual([]);
        },
        { payloadLimitBytes: limit },
      );
    });

    it('refuses by the header alone, before any payload', () => {
      const { codec, total } = meter();
      const { connection, sink } = open(role, { payloadLimitBytes: limit, codec });
      const wire = frame(peer, { opcode: Op.binary, payload: new Uint8Array(1000) });
      feed(connection, [wire.slice(0, peer === 'client' ? 8 : 4)]);
      expect(sink.error?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
      // Only the body of the close frame.
      expect(total()).toBeLessThanOrEqual(125);
    });

    it('begins anew with each message', () => {
      const { connection, sink } = open(role, { payloadLimitBytes: limit });
      for (let i = 0; i < 5; i++) {
        feed(connection, [
          frame(peer, { opcode: Op.text, payload, fin: false }),
          frame(peer, { opcode: Op.continuation }),
        ]);
      }
      expect(sink.lines).toHaveLength(5);
    });

    it('is none when 0', () => {
      const { connection, sink } = open(role, { payloadLimitBytes: 0 });
      feed(connection, [frame(peer, { opcode: Op.binary, payload: new Uint8Array(100_000) })]);
      expect(sink.messages).toHaveLength(1);
    });
  });

  it('maxFragments of ws: refuses one fragment more than allowed with 1008', () => {
    const first = frame(peer, { opcode: Op.text, payload: 'a', fin: false });
    const next = frame(peer, { opcode: Op.continuation, payload: 'b', fin: false });
    const last = frame(peer, { opcode: Op.continuation, payload: 'c' });
    const options = { fragmentLimit: 3 };
    inEverySplit(
      role,
      concat(first, next, last),
      ({ sink }) => expect(sink.lines).toEqual(['text abc']),
      options,
    );
    inEverySplit(
      role,
      concat(first, next, next, last),
      ({ sink }) =>
        expect(sink.error).toMatchObject({
          code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
          message: 'Too many message fragments',
          closeCode: 1008,
          limit: { name: 'fragmentLimit', value: 3 },
        }),
      options,
    );
  });

  it('maxBufferedChunks of ws: refuses a frame that comes in more chunks than allowed with 1008', () => {
    const wire = frame(peer, { opcode: Op.binary, payload: new Uint8Array(10) });
    const start = wire.length - 10;
    const allowed = open(role, { chunkLimit: 3 });
    feed(allowed.connection, [
      wire.slice(0, start + 1),
      wire.slice(start + 1, start + 2),
      wire.slice(start + 2),
    ]);
    expect(allowed.sink.messages).toHaveLength(1);
    const { connection, sink } = open(role, { chunkLimit: 3 });
    feed(connection, [wire.slice(0, start + 1), ...Array.from(wire.slice(start + 1), (byte) => bytes(byte))]);
    expect(sink.error).toMatchObject({
      code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
      message: 'Too many buffered chunks',
      closeCode: 1008,
      limit: { name: 'chunkLimit', value: 3 },
    });
  });

  it('refuses a message that needs more memory than its budget, and names the budget', () => {
    const { connection, sink } = open(role, { payloadLimitBytes: 0, memoryBudgetBytes: 100_000 });
    const part = frame(peer, { opcode: Op.continuation, payload: new Uint8Array(1000), fin: false });
    feed(connection, [frame(peer, { opcode: Op.binary, fin: false })]);
    for (let i = 0; i < 200; i++) feed(connection, [part]);
    expect(sink.error).toMatchObject({
      code: 'WS_ERR_MEMORY_BUDGET_EXCEEDED',
      closeCode: 1009,
      limit: { name: 'memoryBudgetBytes', value: 100_000 },
    });
  });

  it('CVE-2016-10542 (ws), oversized payloads: a header that lies about its length takes no memory', () => {
    for (const claimedLength of [1n << 20n, 1n << 31n, (1n << 53n) - 1n]) {
      const { codec, largest, total } = meter();
      const { connection, sink } = open(role, { payloadLimitBytes: 0, codec });
      feed(connection, [frame(peer, { opcode: Op.binary, claimedLength }), bytes(1, 2, 3)]);
      expect(sink.error).toBeNull();
      expect(largest()).toBeLessThanOrEqual(65_536);
      expect(total()).toBeLessThanOrEqual(65_536);
    }
  });

  it('CVE-2026-1528 (undici), CVE-2026-54466 (websocket-driver): a length with its highest bit set is no small or negative one', () => {
    for (const claimedLength of [0xffff_ffff_ffff_ffffn, 0x8000_0000_0000_0001n, 0x0020_0000_0000_0000n]) {
      const { connection, sink } = open(role, { payloadLimitBytes: 0 });
      feed(connection, [frame(peer, { opcode: Op.binary, claimedLength })]);
      expect(sink.error?.code).toBe('WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH');
    }
    const { connection, sink } = open(role, { payloadLimitBytes: 1000 });
    feed(connection, [frame(peer, { opcode: Op.binary, claimedLength: 0x1_0000_0001n })]);
    expect(sink.error?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
  });

  it('CVE-2026-48779 (ws), CVE-2026-12151 (undici): a million fragments of one byte cost little more than a million bytes', () => {
    const count = 1_000_000;
    const tiny = frame(peer, { opcode: Op.continuation, payload: 'x', fin: false });
    const chunk = concatLarge(Array(10_000).fill(tiny));
    const { codec, total } = meter();
    const { connection, sink } = open(role, { codec, payloadLimitBytes: 0, memoryBudgetBytes: 2.5 * count });
    feed(connection, [frame(peer, { opcode: Op.text, fin: false })]);
    for (let i = 0; i < count; i += 10_000) connection.receive(chunk.slice());
    const beforeTheEnd = total();
    feed(connection, [frame(peer, { opcode: Op.continuation })]);
    expect(sink.error).toBeNull();
    expect(sink.messages[0]!.data.length).toBe(count);
    expect(beforeTheEnd).toBeLessThan(2.5 * count);
  });

  it('CVE-2026-12151 (undici), empty fragments: any number of them takes no memory', () => {
    const { codec, total } = meter();
    const { connection, sink } = open(role, { codec, memoryBudgetBytes: 1000 });
    const chunk = concatLarge(Array(10_000).fill(frame(peer, { opcode: Op.continuation, fin: false })));
    feed(connection, [frame(peer, { opcode: Op.text, fin: false })]);
    for (let i = 0; i < 10; i++) connection.receive(chunk.slice());
    expect(sink.error).toBeNull();
    expect(total()).toBe(0);
  });

  it('CVE-2026-48779 (ws), tiny chunks: a large frame that comes byte by byte is not kept chunk by chunk', () => {
    const payload = new Uint8Array(300_000).fill(0x61);
    const wire = frame(peer, { opcode: Op.binary, payload });
    const { codec, total } = meter();
    const { connection, sink } = open(role, { codec });
    const one = new Uint8Array(1);
    for (const byte of wire) {
      one[0] = byte;
      connection.receive(one);
    }
    expect(sink.messages[0]!.data.length).toBe(payload.length);
    // The blocks, and the message joined from them.
    expect(total()).toBeLessThan(3.5 * payload.length);
  });

  it('a chunk of the smallest frames is read once, whatever their number', () => {
    const chunk = concatLarge(Array(100_000).fill(frame(peer, { opcode: Op.pong })));
    const { connection, sink } = open(role);
    connection.receive(chunk);
    expect(sink.lines).toHaveLength(100_000);
  });

  it('a legitimate large message in small pieces passes with a budget of two and a half times its size', () => {
    const size = 1 << 20;
    const { connection, sink } = open(role, { payloadLimitBytes: size, memoryBudgetBytes: 2.5 * size });
    const part = new Uint8Array(100).fill(0x62);
    for (let sent = 0; sent < size; sent += part.length) {
      const payload = part.subarray(0, Math.min(part.length, size - sent));
      const fin = sent + payload.length === size;
      feed(connection, [frame(peer, { opcode: sent === 0 ? Op.binary : Op.continuation, payload, fin })]);
    }
    expect(sink.error).toBeNull();
    expect(sink.messages[0]!.data.length).toBe(size);
  });
});
