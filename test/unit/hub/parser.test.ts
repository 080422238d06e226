/**
 * What: shows that packets may be written and read by a parser of the user's, and that what it reads is checked.
 * Must not know: transports.
 */
import { EventEmitter } from 'node:events';
import * as officialParser from 'socket.io-parser';
import { describe, expect, it, vi } from 'vitest';
import type { Packet } from '../../../src/wire/events/packet.ts';
import type { PacketDecoder, Parser } from '../../../src/wire/events/parser.ts';
import { createHub } from './scripted-peer.ts';

/** Each packet as one message of bytes, as socket.io-msgpack-parser does it; JSON inside. */
const bytesParser = {
  protocol: 5,
  Encoder: class {
    encode(packet: Packet) {
      return [Buffer.from(JSON.stringify(packet, (_key, value) => value ?? null))];
    }
  },
  Decoder: class extends EventEmitter implements PacketDecoder {
    add(message: string | Uint8Array): void {
      this.emit('decoded', JSON.parse(Buffer.from(message as Uint8Array).toString()));
    }
    destroy(): void {}
  },
} satisfies Parser;

const read = (message: unknown): unknown => JSON.parse(String(message));

describe('a parser of the user', () => {
  it('writes and reads everything', async () => {
    const { hub, connect } = createHub({ parser: bytesParser });
    const peer = connect();
    const say = (packet: object) => peer.say(Buffer.from(JSON.stringify(packet)));
    hub.on('connection', (socket) => socket.on('ask', (value, ack) => ack(value)));
    say({ type: 0, nsp: '/', data: { token: 1 }, id: null });
    const [socket] = hub.sockets.sockets.values();
    expect(socket?.handshake.auth).toEqual({ token: 1 });
    say({ type: 2, nsp: '/', data: ['ask', 'x'], id: 3 });
    hub.emit('all');
    const answer = socket?.emitWithAck('question');
    say({ type: 3, nsp: '/', data: ['yes'], id: 0 });
    expect(await answer).toBe('yes');
    expect(peer.take().map(read)).toEqual([
      { type: 0, nsp: '/', data: { sid: socket?.id } },
      { type: 3, nsp: '/', data: ['x'], id: 3, attachments: null },
      { type: 2, nsp: '/', data: ['all'], id: null, attachments: null },
      { type: 2, nsp: '/', data: ['question'], id: 0, attachments: null },
    ]);
    say({ type: 1, nsp: '/', data: null });
    expect(socket?.connected).toBe(false);
  });

  it('may be that of socket.io', () => {
    const { enter } = createHub({ parser: officialParser as unknown as Parser });
    const { peer, socket } = enter();
    const seen = vi.fn();
    socket.on('file', seen);
    peer.say('51-["file",{"_placeholder":true,"num":0}]', Buffer.from([1]));
    socket.emit('file', Buffer.from([2]));
    expect(seen).toHaveBeenCalledExactlyOnceWith(Buffer.from([1]));
    expect(peer.take()).toEqual(['51-["file",{"_placeholder":true,"num":0}]', Buffer.from([2])]);
  });

  const lies: [string, unknown][] = [
    ['null', null],
    ['a text', 'text'],
    ['an unknown type', { type: 7, nsp: '/' }],
    ['a type that is a text', { type: '2', nsp: '/', data: ['a'] }],
    ['no namespace', { type: 2, data: ['a'] }],
    ['an event without data', { type: 2, nsp: '/' }],
    ['an event with a reserved name', { type: 2, nsp: '/', data: ['disconnect'] }],
    ['an event whose name is an object', { type: 2, nsp: '/', data: [{}] }],
    ['an id that is no number', { type: 2, nsp: '/', data: ['a'], id: '1' }],
    ['an answer without an id', { type: 3, nsp: '/', data: [] }],
    ['credentials that are a list', { type: 0, nsp: '/', data: [] }],
  ];
  it.each(lies)('may not hand on %s', (_title, packet) => {
    const { hub, connect } = createHub({ parser: bytesParser });
    const peer = connect().say(Buffer.from('{"type":0,"nsp":"/"}'));
    const seen = vi.fn();
    for (const socket of hub.sockets.sockets.values()) socket.on('disconnect', seen);
    peer.say(Buffer.from(JSON.stringify(packet)));
    expect(peer.isOpen).toBe(false);
    expect(seen).toHaveBeenCalledOnce();
  });

  const loop: Record<string, unknown> = { token: 1 };
  loop.self = loop;
  it.each([
    ['lets in who gives a BigInt as auth', { token: 1n }, [{ token: 1n }]],
    ['keeps out whose auth contains itself', loop, []],
  ])('that reads what JSON cannot say %s', (_title, data, expected) => {
    const { hub, connect } = createHub({
      parser: {
        ...bytesParser,
        Decoder: class extends bytesParser.Decoder {
          override add(): void {
            this.emit('decoded', { type: 0, nsp: '/', data });
          }
        },
      },
    });
    const peer = connect().say('in');
    expect([...hub.sockets.sockets.values()].map(({ handshake }) => handshake.auth)).toEqual(expected);
    expect([peer.isOpen, peer.sent.length]).toEqual([true, 1]);
  });

  it('that throws ends the session', () => {
    const { connect } = createHub({ parser: bytesParser });
    expect(connect().say('no JSON').isOpen).toBe(false);
  });
});
