/**
 * What: DEFLATE driven by hand beside zlib's own functions: windows, limits, bad input, and the pool of contexts.
 * Must not know: WebSocket.
 */
import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DictionaryContext, NodeDeflate } from '../../../../src/transport/platform/node-deflate.ts';

const { Z_SYNC_FLUSH } = constants;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Both ways of keeping a window, behind the interface of the port. */
const kinds = [
  {
    name: 'the native context',
    deflater: (bits: number) => new NodeDeflate().createDeflater(bits),
    inflater: (bits: number) => new NodeDeflate().createInflater(bits),
  },
  {
    name: 'the context on public functions',
    deflater: (windowBits: number) => {
      const context = new DictionaryContext({ windowBits: Math.max(9, windowBits) }, false);
      return { deflate: (input: Uint8Array) => context.run(input, NO_LIMIT)!, reset: () => context.reset() };
    },
    inflater: (windowBits: number) => {
      const context = new DictionaryContext({ windowBits }, true);
      return {
        inflate: (input: Uint8Array, limit: number) => context.run(input, limit),
        reset: () => context.reset(),
      };
    },
  },
];

const messages = [
  Buffer.from('a message'),
  Buffer.from('a message'),
  Buffer.alloc(0),
  randomBytes(100),
  Buffer.alloc(200_000, 'abc'),
  randomBytes(200_000),
  Buffer.from('a message'),
];

describe.each(kinds)('$name', ({ deflater, inflater }) => {
  test.each([8, 9, 12, 15])(
    'gives back what went in, with a window of %i bits kept between messages',
    (bits) => {
      const deflate = deflater(bits);
      const inflate = inflater(bits);
      for (const message of messages) {
        const compressed = deflate.deflate(message);
        expect([...compressed.subarray(-4)]).toEqual(
          message.length === 0 ? expect.anything() : [0, 0, 0xff, 0xff],
        );
        expect(message.equals(inflate.inflate(compressed, NO_LIMIT)!)).toBe(true);
      }
    },
  );

  test('is understood by zlib, and understands it', () => {
    const message = Buffer.alloc(50_000, 'to and fro');
    const compressed = deflater(15).deflate(message);
    expect(message.equals(inflateRawSync(compressed, { finishFlush: Z_SYNC_FLUSH }))).toBe(true);
    const theirs = deflateRawSync(message, { finishFlush: Z_SYNC_FLUSH });
    expect(message.equals(inflater(15).inflate(theirs, NO_LIMIT)!)).toBe(true);
  });

  test('uses the window: the same again is smaller, until it is reset', () => {
    const deflate = deflater(15);
    const message = randomBytes(1000);
    const first = deflate.deflate(message).length;
    const second = deflate.deflate(message).length;
    expect(second).toBeLessThan(first / 10);
    deflate.reset();
    expect(deflate.deflate(message).length).toBe(first);
  });

  test.each([
    [0, 1],
    [1, 2],
    [65_535, 65_536],
    [65_536, 65_537],
    [199_999, 200_000],
  ])('refuses to give more than %i bytes when there are %i', (limit, length) => {
    const compressed = deflateRawSync(Buffer.alloc(length, 'x'), { finishFlush: Z_SYNC_FLUSH });
    expect(inflater(15).inflate(compressed, limit)).toBe(null);
    expect(inflater(15).inflate(compressed, length)!.length).toBe(length);
  });

  test('says of what is not DEFLATE what zlib says', () => {
    const inflate = inflater(15);
    for (let i = 0; i < 2; i++) {
      let thrown: unknown;
      try {
        inflate.inflate(Buffer.from('ffffffff', 'hex'), NO_LIMIT);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: 'Z_DATA_ERROR', message: 'invalid block type' });
      inflate.reset();
    }
    expect(inflate.inflate(deflateRawSync(Buffer.from('well')), NO_LIMIT)!.toString()).toBe('well');
  });

  test('refuses a reference to before the window', () => {
    const deflate = deflater(15);
    const message = randomBytes(500);
    deflate.deflate(message);
    const referring = deflate.deflate(message);
    expect(() => inflater(15).inflate(referring, NO_LIMIT)).toThrow('invalid distance too far back');
  });
});

describe('a final block in the middle', () => {
  // RFC 7692 section 7.2.3.4.
  const final = deflateRawSync(Buffer.from('Hello'));

  test.each([
    ['whole', (bytes: Buffer) => [bytes]],
    ['byte by byte', (bytes: Buffer) => [...bytes].map((byte) => Buffer.from([byte]))],
  ])('is followed by a new beginning, fed %s', (_title, split) => {
    const inflate = new NodeDeflate().createInflater(15);
    const tail = Buffer.from([0, 0, 0, 0xff, 0xff]);
    const read = (bytes: Buffer) =>
      split(bytes)
        .map((part) => inflate.inflate(part, NO_LIMIT)!.toString())
        .join('');
    expect(read(Buffer.concat([final, tail]))).toBe('Hello');
    expect(read(deflateRawSync(Buffer.from('again'), { finishFlush: Z_SYNC_FLUSH }))).toBe('again');
  });
});

describe('the pool', () => {
  test('counts contexts in use and forgets nothing of one message in the next', () => {
    const port = new NodeDeflate({ level: 9, memLevel: 9 });
    const secret = randomBytes(1000);
    const one = port.createDeflater(15);
    const other = port.createDeflater(15);
    // A window is held from the first message on.
    expect(port.contextsInUse).toBe(0);
    other.deflate(secret);
    const first = one.deflate(secret).length;
    one.close();
    expect(port.contextsInUse).toBe(1);
    const again = port.createDeflater(15);
    expect(again.deflate(secret).length).toBe(first);
    again.close();
    other.close();
    expect(port.contextsInUse).toBe(0);
  });

  test('gives out a context that met bad input as if new', () => {
    const port = new NodeDeflate();
    for (let i = 0; i < 3; i++) {
      const inflate = port.createInflater(12);
      expect(() => inflate.inflate(Buffer.from('ffff', 'hex'), 10)).toThrow('invalid block type');
      inflate.close();
    }
    const inflate = port.createInflater(12);
    expect(inflate.inflate(deflateRawSync(Buffer.from('well')), 10)!.toString()).toBe('well');
  });

  test('keeps no more than a few contexts that nobody uses', () => {
    const port = new NodeDeflate();
    const all = Array.from({ length: 20 }, () => port.createInflater(9));
    for (const inflate of all) inflate.close();
    expect(port.contextsInUse).toBe(0);
    expect(
      port
        .createInflater(9)
        .inflate(deflateRawSync(Buffer.from('well')), 10)!
        .toString(),
    ).toBe('well');
  });
});

describe('the budget', () => {
  test('forgets the window that was used longest ago, and what is sent then still inflates', () => {
    // zlib's manual: a deflater of 15 bits at level 8 of memory takes 256 kB.
    const port = new NodeDeflate({}, {}, 2 * 256 * 1024);
    const pairs = [0, 1, 2].map(() => ({
      deflate: port.createDeflater(15),
      inflate: port.createInflater(15),
    }));
    const message = randomBytes(1000);
    const send = (i: number) => {
      const { deflate, inflate } = pairs[i]!;
      const compressed = deflate.deflate(message);
      expect(message.equals(inflate.inflate(compressed, NO_LIMIT)!)).toBe(true);
      return compressed.length < 100 ? 'referring' : 'whole';
    };
    expect([send(0), send(1), send(0), send(1)]).toEqual(['whole', 'whole', 'referring', 'referring']);
    expect(port.contextsInUse).toBe(2 + 3);
    // The third takes the place of the first, which has been silent for longest.
    expect([send(2), send(1), send(2)]).toEqual(['whole', 'referring', 'referring']);
    expect([send(0), send(0), send(2)]).toEqual(['whole', 'referring', 'referring']);
    expect(port.contextsInUse).toBe(2 + 3);
    for (const { deflate, inflate } of pairs) {
      deflate.close();
      inflate.close();
    }
    expect(port.contextsInUse).toBe(0);
  });

  test('promises half of itself to peers, and what is promised is not there for senders', () => {
    // zlib's manual: an inflater of 15 bits takes 32 kB and about 7 kB.
    const inflaterBytes = (32 + 7) * 1024;
    const senderBytes = 256 * 1024;
    const port = new NodeDeflate({}, {}, 14 * inflaterBytes);
    for (let i = 0; i < 7; i++) {
      expect(port.hasRoomForPeer(15)).toBe(true);
      port.reserveForPeer(15);
    }
    expect([port.hasRoomForPeer(15), port.hasRoomForPeer(8)]).toEqual([false, false]);
    const [one, other] = [port.createDeflater(15), port.createDeflater(15)];
    one.deflate(messages[0]!);
    other.deflate(messages[0]!);
    expect(7 * inflaterBytes + 2 * senderBytes).toBeGreaterThan(14 * inflaterBytes);
    expect(port.contextsInUse).toBe(1);
    for (let i = 0; i < 7; i++) port.releaseForPeer(15);
    expect(port.hasRoomForPeer(15)).toBe(true);
    one.deflate(messages[0]!);
    expect(port.contextsInUse).toBe(2);
  });

  test('smaller than one window still lets one be used', () => {
    const port = new NodeDeflate({}, {}, 1);
    const one = port.createDeflater(15);
    const other = port.createDeflater(15);
    const inflate = port.createInflater(15);
    for (const deflate of [one, other, one]) {
      expect(inflate.inflate(deflate.deflate(Buffer.from('well')), 10)!.toString()).toBe('well');
      inflate.reset();
    }
  });
});
