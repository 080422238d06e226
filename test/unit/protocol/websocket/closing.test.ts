/** RFC 6455 sections 5.5.1 to 5.5.3 and 7: ping, pong, the closing handshake, the end of the stream. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/base/errors.ts';
import { bytes, concat, feed, frame, hex, inEverySplit, Op, open, other, roles, utf8 } from './harness.ts';

const body = (code: number, reason = ''): Uint8Array => concat(bytes(code >> 8, code & 255), utf8(reason));

const legalCodes = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];
const illegalCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

describe.each(roles)('a %s', (role) => {
  const peer = other[role];

  it.each(legalCodes)('RFC 6455 7.4: takes the close code %i and answers with it', (code) => {
    const wire = frame(peer, { opcode: Op.close, payload: body(code, 'bye') });
    inEverySplit(role, wire, ({ connection, sink }) => {
      expect(sink.lines).toEqual([`close ${code} bye`]);
      expect(connection.state).toBe('closedByPeer');
      expect(sink.frames).toHaveLength(1);
      expect(sink.frames[0]).toMatchObject({ opcode: Op.close, fin: true, masked: role === 'client' });
      expect(hex(sink.frames[0]!.payload)).toBe(hex(body(code, 'bye')));
    });
  });

  it.each(illegalCodes)('RFC 6455 7.4: fails on the close code %i', (code) => {
    const wire = frame(peer, { opcode: Op.close, payload: body(code) });
    inEverySplit(role, wire, ({ connection, sink }) => {
      expect(sink.error).toMatchObject({
        code: 'WS_ERR_INVALID_CLOSE_CODE',
        message: `Invalid WebSocket frame: invalid status code ${code}`,
        closeCode: 1002,
      });
      expect(connection.state).toBe('failed');
    });
  });

  it('RFC 6455 5.5.1: takes a close frame without a body as 1005 and answers without one', () => {
    inEverySplit(role, frame(peer, { opcode: Op.close }), ({ sink }) => {
      expect(sink.lines).toEqual(['close 1005 ']);
      expect(sink.frames.map(({ payload }) => payload.length)).toEqual([0]);
    });
  });

  it('RFC 6455 5.5.1: fails on a body of one byte', () => {
    inEverySplit(role, frame(peer, { opcode: Op.close, payload: bytes(3) }), ({ sink }) => {
      expect(sink.error).toMatchObject({
        code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
        message: 'Invalid WebSocket frame: invalid payload length 1',
      });
    });
  });

  it('RFC 6455 5.5.1: fails with 1007 on a reason that is not UTF-8', () => {
    const payload = concat(body(1000), bytes(0xc3, 0x28));
    inEverySplit(role, frame(peer, { opcode: Op.close, payload }), ({ sink }) => {
      expect(sink.lines).toEqual(['failed WS_ERR_INVALID_UTF8 1007']);
    });
  });

  it('RFC 6455 5.5: takes a reason of 123 bytes', () => {
    const reason = `${'é'.repeat(61)}.`;
    inEverySplit(role, frame(peer, { opcode: Op.close, payload: body(4000, reason) }), ({ sink }) => {
      expect(sink.lines).toEqual([`close 4000 ${reason}`]);
    });
  });

  it('RFC 6455 5.5.1: looks at nothing that comes behind a close frame', () => {
    const wire = concat(
      frame(peer, { opcode: Op.close, payload: body(1000) }),
      frame(peer, { opcode: Op.text, payload: 'late' }),
      bytes(0xff, 0xff, 0xff),
    );
    inEverySplit(role, wire, ({ connection, sink }) => {
      expect(sink.lines).toEqual(['close 1000 ']);
      expect(connection.state).toBe('closedByPeer');
    });
  });

  it('RFC 6455 5.5.1: sends nothing after its close frame', () => {
    const { connection, sink } = open(role);
    expect(connection.sendClose(1001, 'going')).toBe(true);
    expect(connection.state).toBe('closingByUs');
    const sent = sink.outputs.length;
    expect(connection.sendMessage('x', false)).toBe(false);
    expect(connection.sendFragment('x', false, true, true)).toBe(false);
    expect(connection.sendPing('x')).toBe(false);
    expect(connection.sendPong('x')).toBe(false);
    expect(connection.sendClose(1000)).toBe(false);
    if (role === 'server') expect(connection.sendEncoded(bytes(0x81, 0))).toBe(false);
    feed(connection, [frame(peer, { opcode: Op.ping, payload: 'no answer' })]);
    expect(sink.outputs.length).toBe(sent);
    expect(sink.frames).toHaveLength(1);
    expect(hex(sink.frames[0]!.payload)).toBe(hex(body(1001, 'going')));
  });

  it('RFC 6455 5.5.1: takes what comes between its close frame and the answer, and no second answer is sent', () => {
    const wire = concat(
      frame(peer, { opcode: Op.text, payload: 'still here' }),
      frame(peer, { opcode: Op.close, payload: body(1000) }),
    );
    inEverySplit(role, wire, ({ sink }) => expect(sink.lines).toEqual(['text still here', 'close 1000 ']));
    const { connection, sink } = open(role);
    connection.sendClose(1000);
    feed(connection, [wire]);
    expect(sink.lines).toEqual(['text still here', 'close 1000 ']);
    expect(sink.frames).toHaveLength(1);
    expect(connection.state).toBe('closedByUs');
  });

  it('RFC 6455 7.1.7: tells a failure to the peer only if its close frame is not out yet', () => {
    const { connection, sink } = open(role);
    connection.sendClose(1000);
    feed(connection, [frame(peer, { opcode: 3 })]);
    expect(sink.lines).toEqual(['failed WS_ERR_INVALID_OPCODE 1002']);
    expect(sink.frames).toHaveLength(1);
    expect(connection.state).toBe('failed');
    expect(connection.sendMessage('x', false)).toBe(false);
  });

  it('leaves the answer to the application where autoClose is off, which may send before it', () => {
    const { connection, sink } = open(role, { autoClose: false });
    feed(connection, [frame(peer, { opcode: Op.close, payload: body(3000) })]);
    expect(connection.state).toBe('closingByPeer');
    expect(sink.frames).toEqual([]);
    expect(connection.sendMessage('last words', false)).toBe(true);
    expect(connection.sendClose(3000)).toBe(true);
    expect(connection.state).toBe('closedByPeer');
    expect(sink.frames.map(({ opcode }) => opcode)).toEqual([Op.text, Op.close]);
    expect(connection.sendClose(3000)).toBe(false);
  });

  it('RFC 6455 7.4: sends legal close codes only', () => {
    for (const code of illegalCodes) {
      const { connection, sink } = open(role);
      expect(() => connection.sendClose(code)).toThrow(UsageError);
      expect(sink.frames).toEqual([]);
      expect(connection.state).toBe('open');
    }
    for (const code of legalCodes) {
      const { connection, sink } = open(role);
      connection.sendClose(code, 'why');
      expect(hex(sink.frames[0]!.payload)).toBe(hex(body(code, 'why')));
    }
  });

  it('RFC 6455 5.5: sends no reason above 123 bytes of UTF-8', () => {
    const { connection, sink } = open(role);
    expect(() => connection.sendClose(1000, 'é'.repeat(62))).toThrow('123 bytes');
    expect(connection.state).toBe('open');
    connection.sendClose(1000, utf8('é'.repeat(61)));
    expect(sink.frames[0]!.payload.length).toBe(124);
  });

  it('RFC 6455 5.5.2: answers a ping with a pong that carries its bytes', () => {
    for (const length of [0, 1, 5, 124, 125]) {
      const payload = new Uint8Array(length).map((_, i) => 255 - i);
      inEverySplit(role, frame(peer, { opcode: Op.ping, payload }), ({ sink }) => {
        expect(sink.lines).toEqual([`ping ${hex(payload)}`]);
        expect(sink.frames).toHaveLength(1);
        expect(sink.frames[0]).toMatchObject({ opcode: Op.pong, fin: true, masked: role === 'client' });
        expect(hex(sink.frames[0]!.payload)).toBe(hex(payload));
      });
    }
  });

  it('leaves pings to the application where autoPong is off', () => {
    const { connection, sink } = open(role, { autoPong: false });
    feed(connection, [frame(peer, { opcode: Op.ping, payload: 'x' })]);
    expect(sink.lines).toEqual(['ping 78']);
    expect(sink.frames).toEqual([]);
    connection.sendPong('mine');
    expect(sink.frames[0]).toMatchObject({ opcode: Op.pong });
  });

  it('RFC 6455 5.5.3: takes pongs that nobody asked for', () => {
    inEverySplit(role, frame(peer, { opcode: Op.pong, payload: 'hello' }), ({ connection, sink }) => {
      expect(sink.lines).toEqual([`pong ${hex(utf8('hello'))}`]);
      expect(connection.state).toBe('open');
    });
  });

  it('RFC 6455 5.5: sends no ping or pong above 125 bytes', () => {
    const { connection, sink } = open(role);
    expect(() => connection.sendPing(new Uint8Array(126))).toThrow(UsageError);
    expect(() => connection.sendPong('é'.repeat(63))).toThrow(UsageError);
    expect(sink.frames).toEqual([]);
    expect(connection.sendPing(new Uint8Array(125))).toBe(true);
    expect(connection.sendPing()).toBe(true);
    expect(sink.frames.map(({ opcode, payload }) => [opcode, payload.length])).toEqual([
      [Op.ping, 125],
      [Op.ping, 0],
    ]);
  });

  it('RFC 6455 7.1.5: a stream that ends without a close frame has failed, wherever it is cut', () => {
    const wire = concat(
      frame(peer, { opcode: Op.text, payload: 'whole' }),
      frame(peer, { opcode: Op.text, payload: 'cut' }),
    );
    for (let length = 0; length <= wire.length; length++) {
      const { connection, sink } = open(role);
      feed(connection, [wire.slice(0, length)]);
      connection.receiveEnd();
      expect(sink.lines.at(-1)).toBe('ended');
      expect(connection.state).toBe('failed');
      expect(sink.error).toBeNull();
    }
  });

  it('a stream that ends behind the closing handshake has not failed', () => {
    const { connection, sink } = open(role);
    feed(connection, [frame(peer, { opcode: Op.close, payload: body(1000) })]);
    connection.receiveEnd();
    connection.receiveEnd();
    expect(sink.lines).toEqual(['close 1000 ', 'ended']);
    expect(connection.state).toBe('closedByPeer');
  });

  it('tells nothing any more when it was disposed of', () => {
    const { connection, sink } = open(role);
    feed(connection, [frame(peer, { opcode: Op.text, payload: 'a', fin: false })]);
    connection.dispose();
    feed(connection, [frame(peer, { opcode: Op.continuation, payload: 'b' })]);
    connection.receiveEnd();
    expect(sink.lines).toEqual([]);
    expect(connection.sendMessage('x', false)).toBe(false);
    expect(connection.state).toBe('failed');
  });
});
