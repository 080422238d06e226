/** How received messages are handed over: pauses, calls from within, exceptions, pieces, streams. */
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../../src/base/bytes.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  bytes,
  concat,
  concatLarge,
  everySplit,
  feed,
  frame,
  hex,
  inEverySplit,
  Op,
  open,
  other,
  type Recorder,
  roles,
  utf8,
} from './harness.ts';

const range = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 13) & 0xff);

/** The stream calls with the parts put together: how a message is cut depends on the chunks. */
function joinParts(sink: Recorder): string[] {
  const lines: string[] = [];
  for (const line of sink.lines) {
    const last = lines.at(-1);
    if (line.startsWith('part ') && last?.startsWith('part ')) lines[lines.length - 1] = last + line.slice(5);
    else lines.push(line);
  }
  return lines;
}

describe.each(roles)('a %s that receives', (role) => {
  const peer = other[role];
  const texts = ['one', 'two', 'three', 'four'];
  const wire = concat(
    ...texts.map((text) => frame(peer, { opcode: Op.text, payload: text })),
    frame(peer, { opcode: Op.close, payload: bytes(3, 232) }),
  );
  const lines = [...texts.map((text) => `text ${text}`), 'close 1000 '];

  it('stops behind the message in which it was paused, and goes on with the next when resumed', () => {
    for (const pieces of everySplit(wire)) {
      const { connection, sink } = open(role);
      sink.on = () => connection.pauseReceiving();
      feed(connection, pieces);
      connection.receiveEnd();
      for (let count = 1; count < lines.length; count++) {
        expect(sink.lines).toEqual(lines.slice(0, count));
        expect(connection.isPaused).toBe(true);
        connection.resumeReceiving();
      }
      expect(sink.lines).toEqual([...lines, 'ended']);
      expect(connection.heldBytes).toBe(0);
    }
  });

  it('says how many bytes wait, and keeps them even if the chunk is used again', () => {
    const { connection, sink } = open(role);
    connection.pauseReceiving();
    feed(connection, [wire, frame(peer, { opcode: Op.text, payload: 'not seen' })]);
    expect(connection.heldBytes).toBe(wire.length + 8 + 2 + (peer === 'client' ? 4 : 0));
    expect(sink.lines).toEqual([]);
    connection.resumeReceiving();
    expect(sink.lines).toEqual(lines);
    expect(connection.heldBytes).toBe(0);
  });

  it('does not copy what waits again for each message that is taken from it', () => {
    const count = 3000;
    let allocated = 0;
    const { connection, sink } = open(role, {
      codec: {
        ...portableByteCodec,
        allocate: (length) => {
          allocated += length;
          return new Uint8Array(length);
        },
      },
    });
    sink.on = () => connection.pauseReceiving();
    const many = concatLarge(
      Array.from({ length: count }, () => frame(peer, { opcode: Op.binary, payload: range(20) })),
    );
    connection.receive(many);
    while (connection.heldBytes > 0) connection.resumeReceiving();
    expect(sink.lines).toHaveLength(count);
    expect(allocated).toBeLessThan(2 * many.length);
  });

  it('goes on at once when it is resumed from within the same message', () => {
    const { connection, sink } = open(role);
    sink.on = () => {
      connection.pauseReceiving();
      connection.resumeReceiving();
    };
    feed(connection, [wire]);
    expect(sink.lines).toEqual(lines);
  });

  it('keeps the order when it is given bytes from within a message', () => {
    for (const isPausing of [false, true]) {
      const { connection, sink } = open(role);
      sink.on = (line) => {
        if (line !== 'text one') return;
        if (isPausing) connection.pauseReceiving();
        feed(connection, [
          frame(peer, { opcode: Op.text, payload: 'later' }),
          frame(peer, { opcode: Op.text, payload: 'last' }),
        ]);
        connection.receiveEnd();
      };
      feed(connection, [
        concat(
          frame(peer, { opcode: Op.text, payload: 'one' }),
          frame(peer, { opcode: Op.text, payload: 'two' }),
        ),
      ]);
      connection.resumeReceiving();
      expect(sink.lines).toEqual(['text one', 'text two', 'text later', 'text last', 'ended']);
    }
  });

  it('loses nothing when the sink throws: parsing goes on behind that message', () => {
    for (const pieces of everySplit(wire)) {
      const { connection, sink } = open(role);
      sink.on = (line) => {
        throw new Error(`from the handler of ${line}`);
      };
      let thrown = 0;
      const act = (action: () => void): void => {
        try {
          action();
        } catch (error) {
          expect((error as Error).message).toBe(`from the handler of ${sink.lines.at(-1)}`);
          thrown++;
        }
      };
      for (const piece of pieces) act(() => connection.receive(piece.slice()));
      while (connection.heldBytes > 0) act(() => connection.resumeReceiving());
      expect(sink.lines).toEqual(lines);
      expect(thrown).toBe(lines.length);
    }
  });

  it('stops when it is disposed of from within a message', () => {
    const { connection, sink } = open(role);
    sink.on = () => connection.dispose();
    feed(connection, [wire]);
    expect(sink.lines).toEqual(['text one']);
  });

  describe('with delivery in pieces', () => {
    it('hands over binary messages as pieces that belong to the receiver, and text whole', () => {
      const payload = range(300);
      const data = concat(
        frame(peer, { opcode: Op.binary, payload: payload.slice(0, 100), fin: false }),
        frame(peer, { opcode: Op.continuation, payload: payload.slice(100) }),
        frame(peer, { opcode: Op.text, payload: 'text' }),
        frame(peer, { opcode: Op.binary }),
      );
      for (const pieces of everySplit(data)) {
        const { connection, sink } = open(role);
        connection.setDelivery('pieces');
        feed(connection, pieces);
        expect(sink.lines).toEqual([`pieces ${hex(payload)}`, 'text text', 'pieces ']);
        expect(hex(concat(...sink.pieces[0]!))).toBe(hex(payload));
      }
    });

    it('joins nothing: a large message is not copied together', () => {
      const payload = range(1 << 19);
      const { connection, sink } = open(role);
      connection.setDelivery('pieces');
      const data = frame(peer, { opcode: Op.binary, payload });
      for (let at = 0; at < data.length; at += 65_536) feed(connection, [data.slice(at, at + 65_536)]);
      const [pieces] = sink.pieces;
      expect(pieces!.length).toBeGreaterThan(1);
      expect(equalBytes(concatLarge(pieces!), payload)).toBe(true);
    });

    it('changes with the next message, not within one', () => {
      const { connection, sink } = open(role);
      feed(connection, [frame(peer, { opcode: Op.binary, payload: bytes(1), fin: false })]);
      connection.setDelivery('pieces');
      feed(connection, [frame(peer, { opcode: Op.continuation, payload: bytes(2) })]);
      feed(connection, [frame(peer, { opcode: Op.binary, payload: bytes(3) })]);
      connection.setDelivery('whole');
      feed(connection, [frame(peer, { opcode: Op.binary, payload: bytes(4) })]);
      expect(sink.lines).toEqual(['binary 0102', 'pieces 03', 'binary 04']);
    });
  });

  describe('with delivery as a stream', () => {
    const data = concat(
      frame(peer, { opcode: Op.binary, payload: range(70), fin: false }),
      frame(peer, { opcode: Op.ping }),
      frame(peer, { opcode: Op.continuation, fin: false }),
      frame(peer, { opcode: Op.continuation, payload: range(5) }),
      frame(peer, { opcode: Op.text, payload: 'é€' }),
      frame(peer, { opcode: Op.text }),
    );

    it('hands over each message as start, parts and end', () => {
      for (const pieces of everySplit(data)) {
        const { connection, sink } = open(role);
        connection.setDelivery('stream');
        feed(connection, pieces);
        const parts = joinParts(sink).filter((line) => !line.startsWith('ping'));
        expect(sink.lines.filter((line) => line === 'ping ')).toHaveLength(1);
        expect(parts.join('|')).toBe(
          [
            'start binary',
            `part ${hex(range(70))}`,
            `part ${hex(range(5))}`,
            'end',
            'start text',
            `part ${hex(utf8('é€'))}`,
            'end',
            'start text',
            'end',
          ].join('|'),
        );
      }
    });

    it('stops behind the part in which it was paused', () => {
      const { connection, sink } = open(role);
      connection.setDelivery('stream');
      const message = frame(peer, { opcode: Op.binary, payload: range(100) });
      sink.on = (line) => {
        if (line.startsWith('part')) connection.pauseReceiving();
      };
      feed(connection, [message.slice(0, 50)]);
      feed(connection, [message.slice(50, 60), message.slice(60)]);
      const counts = [sink.lines.length];
      while (connection.heldBytes > 0) {
        connection.resumeReceiving();
        counts.push(sink.lines.length);
      }
      expect(counts).toEqual([2, 3, 5]);
      expect(joinParts(sink)).toEqual(['start binary', `part ${hex(range(100))}`, 'end']);
    });

    it('fails within a message at the first byte that is not UTF-8', () => {
      const { connection, sink } = open(role);
      connection.setDelivery('stream');
      feed(connection, [frame(peer, { opcode: Op.text, payload: 'good', fin: false })]);
      feed(connection, [frame(peer, { opcode: Op.continuation, payload: bytes(0xff), fin: false })]);
      expect(sink.lines).toEqual(['start text', 'part 676f6f64', 'failed WS_ERR_INVALID_UTF8 1007']);
    });

    it('stops when it is disposed of from within a part', () => {
      for (const line of ['start binary', 'part', 'end']) {
        const { connection, sink } = open(role);
        connection.setDelivery('stream');
        sink.on = (seen) => {
          if (seen.startsWith(line)) connection.dispose();
        };
        feed(connection, [data]);
        expect(sink.lines.at(-1)!.startsWith(line)).toBe(true);
      }
    });

    it('keeps nothing of a message, however large', () => {
      let allocated = 0;
      const { connection } = open(role, {
        payloadLimitBytes: 0,
        memoryBudgetBytes: 1000,
        codec: {
          ...portableByteCodec,
          allocate: (length) => {
            allocated += length;
            return new Uint8Array(length);
          },
        },
      });
      connection.setDelivery('stream');
      const part = frame(peer, { opcode: Op.continuation, payload: range(10_000), fin: false });
      feed(connection, [frame(peer, { opcode: Op.binary, fin: false })]);
      for (let i = 0; i < 100; i++) feed(connection, [part]);
      expect(connection.state).toBe('open');
      expect(allocated).toBe(0);
    });
  });

  it('is told of each thing once, in every split', () => {
    inEverySplit(role, wire, ({ sink }) => expect(sink.lines).toEqual(lines));
  });
});
