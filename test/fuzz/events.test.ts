/**
 * What: Socket.IO packets that lie, and event streams that nobody would send, to their parsers.
 * Must not know: sockets and sessions.
 */
import { expect, it } from 'vitest';
import { PeerError, UsageError } from '../../src/base/errors.ts';
import {
  Decoder as MessagePackDecoder,
  Encoder as MessagePackEncoder,
} from '../../src/wire/events/message-pack-parser.ts';
import { type Packet, PacketType } from '../../src/wire/events/packet.ts';
import { Decoder, Encoder } from '../../src/wire/events/parser.ts';
import { EventStreamParser } from '../../src/wire/sse/parser.ts';
import { type Dice, fuzz, timeout } from './dice.ts';

// biome-ignore format: a list to choose from
const pieces = [
  '0', '1', '2', '3', '4', '5', '6', '51-', '52-', '61-', '/', '/admin,', '/a?b=c,', ',', '-', '12', '9007199254740993',
  '99999999999999999999', '["a"]', '["a",', '{', '}', '[', ']', '"', '"connect"', '"disconnect"', '["__proto__",1]',
  '{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":-1}', '{"_placeholder":true,"num":1e9}', '{"_placeholder":true}', 'null', 'true', '1e400', '\\u0000',
  '\ud800', 'é', ' ', '\n', '[[[[[[[[', ']]]]]]]]',
];

it(
  'Socket.IO packets of any text and bytes are read, or refused as the fault of the peer',
  () => {
    fuzz(20_000, (dice) => {
      const decoder = new Decoder();
      const packets: Packet[] = [];
      decoder.on('decoded', (packet) => packets.push(packet));
      try {
        for (let i = dice.roll(4); i >= 0; i--) decoder.add(message(dice));
      } catch (error) {
        expect(error).toBeInstanceOf(PeerError);
      }
      for (const packet of packets) {
        expect(packet.nsp.startsWith('/')).toBe(true);
        if (packet.type === PacketType.event || packet.type === PacketType.binaryEvent) {
          expect(Array.isArray(packet.data) && ['string', 'number'].includes(typeof packet.data[0])).toBe(
            true,
          );
        }
        if (packet.id !== undefined) expect(Number.isSafeInteger(packet.id)).toBe(true);
      }
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });
  },
  timeout,
);

function message(dice: Dice): string | Uint8Array {
  if (dice.roll(6) === 0) return dice.bytes(dice.roll(20));
  let text = '';
  for (let i = dice.roll(8); i >= 0; i--) text += dice.pick(pieces);
  return text;
}

it(
  'what is written as a packet is read again, also where a piece of it was changed or refused',
  () => {
    fuzz(5_000, (dice) => {
      const data: [string, ...unknown[]] = ['event', value(dice, 0), value(dice, 0)];
      const id = dice.roll(2) === 0 ? undefined : dice.roll(1e9);
      let encoded: (string | Uint8Array | ArrayBufferLike)[];
      try {
        encoded = new Encoder().encode({ type: PacketType.event, nsp: '/', data, id }) as typeof encoded;
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        return;
      }
      const seen: Packet[] = [];
      const decoder = new Decoder();
      decoder.on('decoded', (packet) => seen.push(packet));
      for (const each of encoded) decoder.add(each as string | Uint8Array);
      expect(seen).toHaveLength(1);
      expect(plain(seen[0]!.data)).toEqual(plain(data));
      expect(seen[0]!.id).toBe(id);

      const text = encoded[0] as string;
      const at = dice.roll(text.length);
      const changed = text.slice(0, at) + String.fromCharCode(dice.roll(128)) + text.slice(at + 1);
      try {
        const strict = new Decoder();
        strict.on('decoded', () => {});
        strict.add(changed);
        for (const each of encoded.slice(1)) strict.add(each as Uint8Array);
      } catch (error) {
        expect(error).toBeInstanceOf(PeerError);
      }
    });
  },
  timeout,
);

function value(dice: Dice, depth: number): unknown {
  switch (dice.roll(depth > 3 ? 5 : 8)) {
    case 0:
      return dice.roll(1e6) - 5e5;
    case 1:
      return String.fromCharCode(...dice.bytes(dice.roll(12)));
    case 2:
      return null;
    case 3:
      return dice.roll(2) === 0;
    case 4:
      return depth > 0 ? dice.bytes(dice.roll(9)) : 'x';
    case 5:
      return [value(dice, depth + 1), value(dice, depth + 1)];
    default:
      return { a: value(dice, depth + 1), 'b c': value(dice, depth + 1) };
  }
}

/** Bytes as lists, whichever kind they came back as. */
function plain(data: unknown): unknown {
  if (data instanceof Uint8Array) return { bytes: [...data] };
  if (Array.isArray(data)) return data.map(plain);
  if (typeof data === 'object' && data !== null) {
    return Object.fromEntries(Object.entries(data).map(([key, each]) => [key, plain(each)]));
  }
  return data;
}

it(
  'event streams of any text give the same events however they are split, within the limit',
  () => {
    const parts = [
      'data',
      'event',
      'id',
      'retry',
      ':',
      ': ',
      '\r',
      '\n',
      '\r\n',
      'x',
      '\0',
      '\uFEFF',
      '12',
      'é',
      '\n\n',
    ];
    fuzz(5_000, (dice) => {
      let text = '';
      for (let i = dice.roll(60); i >= 0; i--) text += dice.pick(parts);
      const read = (split: boolean): unknown[] => {
        const seen: unknown[] = [];
        const parser = new EventStreamParser(
          { eventReceived: (event) => seen.push(event), retryReceived: (ms) => seen.push(ms) },
          '',
          50,
        );
        try {
          for (let at = 0; at < text.length; ) {
            const end = split ? at + 1 + dice.roll(3) : text.length;
            parser.receive(text.slice(at, end));
            at = end;
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'SSE_EVENT_TOO_LARGE' });
          seen.push('too large');
        }
        return seen;
      };
      expect(read(true)).toEqual(read(false));
    });
  },
  timeout,
);

it(
  'MessagePack of any bytes is read, or refused as the fault of the peer, and a packet is one',
  () => {
    fuzz(20_000, (dice) => {
      const decoder = new MessagePackDecoder();
      const packets: Packet[] = [];
      decoder.on('decoded', (packet) => packets.push(packet));
      const message = dice.roll(3) === 0 ? dice.bytes(dice.roll(30)) : changed(dice);
      try {
        decoder.add(message);
      } catch (error) {
        expect(error).toBeInstanceOf(PeerError);
      }
      for (const packet of packets) {
        expect(packet.type).toBeLessThanOrEqual(PacketType.connectError);
        if (packet.type === PacketType.event) {
          expect(['string', 'number']).toContain(typeof packet.data[0]);
        }
      }
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });
  },
  timeout,
);

/** A packet of which some bytes were changed, cut off or put in. */
function changed(dice: Dice): Uint8Array {
  const data = ['event', value(dice, 0), value(dice, 0)] as [string, ...unknown[]];
  const [message] = new MessagePackEncoder().encode({
    type: PacketType.event,
    nsp: '/',
    data,
    id: dice.roll(300),
  });
  let bytes = message as Uint8Array;
  for (let i = dice.roll(4); i > 0; i--) {
    const at = dice.roll(bytes.length + 1);
    const put = dice.bytes(dice.roll(4));
    bytes = Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + dice.roll(4))]);
  }
  return bytes;
}

it(
  'what is written as MessagePack is read as the same',
  () => {
    fuzz(5_000, (dice) => {
      const data = ['event', value(dice, 0), value(dice, 0)] as [string, ...unknown[]];
      const packet: Packet = { type: PacketType.event, nsp: '/', data, id: dice.roll(2 ** 31) };
      const decoder = new MessagePackDecoder();
      const packets: Packet[] = [];
      decoder.on('decoded', (decoded) => packets.push(decoded));
      const [message] = new MessagePackEncoder().encode(packet);
      decoder.add(message as Uint8Array);
      expect(packets).toEqual([packet]);
    });
  },
  timeout,
);
