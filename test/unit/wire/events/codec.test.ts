/**
 * What: shows that packets are written and read as the Socket.IO protocol 5 has them, and that lies are refused.
 * Must not know: sockets.
 */
import fc from 'fast-check';
import * as official from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import { PeerError, UsageError } from '../../../../src/base/errors.ts';
import { containsBinary, depthLimit } from '../../../../src/wire/events/binary.ts';
import {
  argumentLimit,
  decodePacket,
  encodePacket,
  isPacketValid,
} from '../../../../src/wire/events/codec.ts';
import { type Packet, PacketType } from '../../../../src/wire/events/packet.ts';
import { Decoder, Encoder } from '../../../../src/wire/events/parser.ts';

const bytes = (...values: number[]) => new Uint8Array(values);

const textPackets: [string, string, Packet][] = [
  ['a bare connect', '0', { type: 0, nsp: '/' }],
  ['a connect with credentials', '0{"token":"x"}', { type: 0, nsp: '/', data: { token: 'x' } }],
  ['a connect to a namespace', '0/admin,{"sid":"a"}', { type: 0, nsp: '/admin', data: { sid: 'a' } }],
  ['a disconnect', '1/admin,', { type: 1, nsp: '/admin' }],
  ['an event', '2["hey",1,null]', { type: 2, nsp: '/', data: ['hey', 1, null] }],
  ['an event with a number for a name', '2[7]', { type: 2, nsp: '/', data: [7] }],
  ['an event that wants an answer', '2/a,12["b"]', { type: 2, nsp: '/a', data: ['b'], id: 12 }],
  ['id zero', '20["b"]', { type: 2, nsp: '/', data: ['b'], id: 0 }],
  ['an answer', '3/a,456["done"]', { type: 3, nsp: '/a', data: ['done'], id: 456 }],
  ['an empty answer', '31[]', { type: 3, nsp: '/', data: [], id: 1 }],
  ['a refusal', '4{"message":"no"}', { type: 4, nsp: '/', data: { message: 'no' } }],
  ['text with every kind of character', '2["é😀\\n\\u2028"]', { type: 2, nsp: '/', data: ['é😀\n\u2028'] }],
];

describe('text packets', () => {
  it.each(textPackets)('reads %s', (_title, text, packet) => {
    expect(decodePacket(text)).toEqual(packet);
  });

  it.each(textPackets)('writes %s so that it is read back the same', (_title, _text, packet) => {
    const [written, ...attachments] = encodePacket(packet);
    expect(attachments).toEqual([]);
    expect(decodePacket(written)).toEqual(packet);
  });

  it('writes what the official encoder writes', () => {
    for (const [, , packet] of textPackets) {
      expect(encodePacket(packet)).toEqual(new official.Encoder().encode({ ...packet } as official.Packet));
    }
  });

  it('writes a binary kind without bytes as the plain kind', () => {
    expect(encodePacket({ type: 5, nsp: '/', data: ['a'] })).toEqual(['2["a"]']);
    expect(encodePacket({ type: 6, nsp: '/', id: 1, data: ['a'] })).toEqual(['31["a"]']);
  });
});

describe('packets that are refused', () => {
  const refused: [string, string, string?][] = [
    ['nothing', ''],
    ['an unknown type', '9'],
    ['an event without data', '2'],
    ['an event that is not an array', '2"a"'],
    ['an event without a name', '2[]'],
    ['an event whose name is null', '2[null]'],
    ['an event whose name is an object', '2[{"toString":1}]'],
    ['the reserved event connect', '2["connect"]'],
    ['the reserved event disconnect', '2["disconnect"]'],
    ['the reserved event disconnecting', '2["disconnecting"]'],
    ['the reserved event newListener', '2["newListener"]'],
    ['a reserved name with attachments', '51-["connect_error",{"_placeholder":true,"num":0}]'],
    ['data that is not JSON', '2["a"'],
    ['data after the JSON', '2["a"]]'],
    ['a connect whose data is a text', '0"a"'],
    ['a connect whose data is an array', '0[]'],
    ['a connect whose data is null', '0null'],
    ['a disconnect with data', '1{}'],
    ['an answer without an id', '3["a"]'],
    ['an answer that is an object', '31{}'],
    ['a binary answer without an id', '61-["a",{"_placeholder":true,"num":0}]'],
    ['a refusal without data', '4'],
    ['a binary event without a count', '5["a"]'],
    ['a binary event with an empty count', '5-["a"]'],
    ['a count of zero', '50-["a"]'],
    ['a count that is not a number', '5a-["a"]'],
    ['a negative count', '5-1-["a"]'],
    ['a count with a fraction', '51.5-["a"]'],
    ['a negative id', '2-1["a"]'],
    ['a giant id', '299999999999999999999["a"]'],
    ['a giant count', '599999999999999999999-["a"]', 'EVENT_ERR_TOO_MANY_ATTACHMENTS'],
    ['eleven attachments', '511-["a"]', 'EVENT_ERR_TOO_MANY_ATTACHMENTS'],
    ['more arguments than a call can have', `2["a"${',1'.repeat(450_000)}]`, 'EVENT_ERR_TOO_MANY_ARGUMENTS'],
    ['one argument too many', `2["a"${',1'.repeat(argumentLimit)}]`, 'EVENT_ERR_TOO_MANY_ARGUMENTS'],
    ['an answer of as many', `31[1${',1'.repeat(argumentLimit)}]`, 'EVENT_ERR_TOO_MANY_ARGUMENTS'],
    ['deep nesting', `2["a",${'['.repeat(2000)}${']'.repeat(2000)}]`, 'EVENT_ERR_TOO_DEEP'],
    ['very deep nesting', `2["a",${'{"a":'.repeat(2e5)}1${'}'.repeat(2e5)}]`, 'EVENT_ERR_TOO_DEEP'],
  ];
  it.each(refused)('refuses %s', (_title, text, code = 'EVENT_ERR_INVALID_PACKET') => {
    expect(() => decodePacket(text)).toThrow(expect.objectContaining({ name: 'PeerError', code }));
  });

  it('takes as many arguments as there may be, and no program sends more', () => {
    const data: [string, ...unknown[]] = ['a', ...Array.from({ length: argumentLimit - 1 }, () => 1)];
    const [text] = encodePacket({ type: 2, nsp: '/', data });
    expect(decodePacket(text).data).toEqual(data);
    data.push(1);
    const code = 'EVENT_ERR_TOO_MANY_ARGUMENTS';
    for (const packet of [
      { type: 2, nsp: '/', data } as const,
      { type: 3, nsp: '/', id: 1, data } as const,
    ]) {
      expect(() => encodePacket(packet)).toThrow(expect.objectContaining({ name: 'UsageError', code }));
      expect(isPacketValid(packet)).toBe(false);
    }
  });

  it('takes nesting up to the limit', () => {
    const levels = depthLimit - 1;
    const text = `2["a",${'['.repeat(levels)}${']'.repeat(levels)}]`;
    expect(decodePacket(text).data).toHaveLength(2);
  });

  it('keeps __proto__ as data and changes no prototype', () => {
    const packet = decodePacket('2["a",{"__proto__":{"polluted":true}}]');
    const [, value] = packet.data as unknown[];
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('never throws anything but a PeerError, whatever comes', () => {
    const fragment = fc.constantFrom(
      '0',
      '2',
      '5',
      '6',
      '1-',
      '/a',
      ',',
      '["a"',
      ']',
      '{',
      '}',
      '12',
      '"',
      '-',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fragment).map((list) => list.join('')),
        ),
        (text) => {
          try {
            expect(isPacketValid(decodePacket(text))).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(PeerError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads every packet the official decoder reads, and in the same way', () => {
    const fragment = fc.constantFrom(
      '0',
      '1',
      '2',
      '3',
      '4',
      '/a',
      ',',
      '["a"]',
      '{}',
      '{"a":[1]}',
      '12',
      '[]',
    );
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 5 }).map((list) => list.join('')),
        (text) => {
          let theirs: official.Packet | undefined;
          try {
            const decoder = new official.Decoder();
            decoder.on('decoded', (packet) => {
              theirs = packet;
            });
            decoder.add(text);
          } catch {}
          if (theirs === undefined || !isPacketValid(theirs)) return;
          // Data-less events, answers without an id and refusals without data are read by theirs alone.
          if ((theirs.type === 3 && theirs.id === undefined) || text === '') return;
          expect(decodePacket(text)).toEqual({ attachments: undefined, ...theirs });
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('attachments', () => {
  const decodeAll = (messages: readonly (string | Uint8Array)[]): Packet[] => {
    const packets: Packet[] = [];
    const decoder = new Decoder().on('decoded', (packet) => packets.push(packet));
    for (const message of messages) decoder.add(message);
    return packets;
  };

  it('takes bytes out at any depth and puts them back', () => {
    const data: [string, ...unknown[]] = ['up', bytes(1, 2), { a: [{ b: bytes(3) }], c: 'x' }, bytes()];
    const messages = encodePacket({ type: PacketType.event, nsp: '/a', id: 5, data }) as [
      string,
      ...Uint8Array[],
    ];
    expect(messages[0]).toBe(
      '53-/a,5["up",{"_placeholder":true,"num":0},{"a":[{"b":{"_placeholder":true,"num":1}}],"c":"x"},' +
        '{"_placeholder":true,"num":2}]',
    );
    const [packet] = decodeAll(messages);
    expect(packet).toEqual({ type: PacketType.binaryEvent, nsp: '/a', id: 5, data, attachments: 3 });
  });

  it('writes what the official encoder writes, and reads it', () => {
    const data: [string, ...unknown[]] = [
      'x',
      Buffer.from('abc'),
      [[Buffer.from('d')]],
      { e: Buffer.alloc(0) },
    ];
    const packet: Packet = { type: PacketType.ack, nsp: '/', id: 0, data };
    const ours = encodePacket(packet);
    expect(ours).toEqual(new official.Encoder().encode({ ...packet, type: official.PacketType.ACK }));
    expect(decodeAll(ours as string[])[0]?.data).toEqual(data);
  });

  it('does not change what the caller gave', () => {
    const inner = { file: bytes(1) };
    encodePacket({ type: PacketType.event, nsp: '/', data: ['a', inner] });
    expect(inner).toEqual({ file: bytes(1) });
  });

  const binaries: [string, unknown, number[]][] = [
    ['an ArrayBuffer', bytes(1, 2).buffer, [1, 2]],
    ['a view of other numbers', new Uint16Array(bytes(1, 2, 3, 4).buffer, 2, 1), [3, 4]],
    ['a DataView', new DataView(bytes(1, 2, 3).buffer, 1), [2, 3]],
    ['a Buffer, although it has toJSON()', Buffer.from([9]), [9]],
    ['bytes that toJSON() gives', { toJSON: () => ({ inner: bytes(7) }) }, [7]],
  ];
  it.each(binaries)('sends %s as an attachment', (_title, value, expected) => {
    const [, attachment] = encodePacket({ type: PacketType.event, nsp: '/', data: ['a', { value }] });
    expect([...(attachment as Uint8Array)]).toEqual(expected);
  });

  it('leaves what is no binary alone', () => {
    const date = new Date(0);
    const value = { date, map: new Map([[1, bytes(1)]]), none: null, undef: undefined };
    expect(encodePacket({ type: PacketType.event, nsp: '/', data: ['a', value] })).toEqual([
      '2["a",{"date":"1970-01-01T00:00:00.000Z","map":{},"none":null}]',
    ]);
  });

  it('ignores inherited keys, a polluted Object.prototype among them', () => {
    const value = Object.create({ inherited: bytes(1) }) as object;
    expect(containsBinary(value)).toBe(false);
  });

  it('says so when a message contains itself', () => {
    const value: Record<string, unknown> = {};
    value.self = [value];
    expect(() => encodePacket({ type: PacketType.event, nsp: '/', data: ['a', value] })).toThrow(UsageError);
  });

  const lies: [string, (string | Uint8Array)[], string][] = [
    [
      'a placeholder of nothing',
      ['51-["a",{"_placeholder":true,"num":1}]', bytes(1)],
      'EVENT_ERR_ATTACHMENT',
    ],
    ['a negative placeholder', ['51-["a",{"_placeholder":true,"num":-1}]', bytes(1)], 'EVENT_ERR_ATTACHMENT'],
    ['a fraction', ['51-["a",{"_placeholder":true,"num":0.5}]', bytes(1)], 'EVENT_ERR_ATTACHMENT'],
    ['a name', ['51-["a",{"_placeholder":true,"num":"length"}]', bytes(1)], 'EVENT_ERR_ATTACHMENT'],
    ['no number', ['51-["a",{"_placeholder":true}]', bytes(1)], 'EVENT_ERR_ATTACHMENT'],
    [
      'a text where bytes are due',
      ['51-["a",{"_placeholder":true,"num":0}]', '2["b"]'],
      'EVENT_ERR_ATTACHMENT',
    ],
    ['bytes that nobody announced', [bytes(1)], 'EVENT_ERR_ATTACHMENT'],
    [
      'bytes after the last attachment',
      ['51-["a",{"_placeholder":true,"num":0}]', bytes(1), bytes(2)],
      'EVENT_ERR_ATTACHMENT',
    ],
    ['deep nesting', [`51-["a",${'['.repeat(1500)}${']'.repeat(1500)}]`, bytes(1)], 'EVENT_ERR_TOO_DEEP'],
  ];
  it.each(lies)('refuses %s', (_title, messages, code) => {
    expect(() => decodeAll(messages)).toThrow(expect.objectContaining({ name: 'PeerError', code }));
  });

  it('restores __proto__ with an attachment as data', () => {
    const [packet] = decodeAll(['51-["a",{"__proto__":{"_placeholder":true,"num":0}}]', bytes(1)]);
    const [, value] = (packet as Packet).data as [string, object];
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual(bytes(1));
  });

  it('is read by the official decoder for any nesting of texts, numbers and bytes', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.uint8Array().map((b) => Buffer.from(b)),
    );
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => {
        const packet: Packet = { type: PacketType.event, nsp: '/', data: ['a', value] };
        const messages = encodePacket(packet, undefined, Number.POSITIVE_INFINITY);
        fc.pre(messages.length <= 11);
        let decoded: unknown;
        const theirs = new official.Decoder();
        theirs.on('decoded', (packet) => {
          decoded = packet.data;
        });
        for (const message of messages) theirs.add(message);
        expect(decoded).toEqual(['a', value]);
        expect(decodeAll(messages as string[])[0]?.data).toEqual(['a', value]);
      }),
    );
  });
});

describe('the parser in the shape of the option', () => {
  it('passes a replacer and a reviver on', () => {
    const encoder = new Encoder((_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
    const [text] = encoder.encode({ type: PacketType.event, nsp: '/', data: ['a', 1n] });
    expect(text).toBe('2["a","1n"]');
    const decoder = new Decoder((_key, value) => (value === '1n' ? 1n : value));
    let data: unknown;
    decoder.on('decoded', (packet) => {
      data = packet.data;
    });
    decoder.add(text as string);
    expect(data).toEqual(['a', 1n]);
  });

  it('writes no more attachments than its receiver takes', () => {
    const packet = (count: number): Packet => ({
      type: PacketType.event,
      nsp: '/',
      data: ['a', ...Array.from({ length: count }, () => new Uint8Array(1))],
    });
    expect(new Encoder().encode(packet(10))).toHaveLength(11);
    const refused = expect.objectContaining({
      name: 'UsageError',
      code: 'EVENT_ERR_TOO_MANY_ATTACHMENTS',
      limit: { name: 'attachments', value: 10 },
    });
    expect(() => new Encoder().encode(packet(11))).toThrow(refused);
    expect(() => new Encoder((_key, value) => value).encode(packet(11))).toThrow(refused);
    const written = new Encoder({ maxAttachments: 11 }).encode(packet(11));
    const decoder = new Decoder({ maxAttachments: 11 });
    let read: Packet | undefined;
    decoder.on('decoded', (decoded) => {
      read = decoded;
    });
    for (const message of written) decoder.add(message as string | Uint8Array);
    expect(read?.data).toHaveLength(12);
    expect(() => new Encoder({ maxAttachments: 11 }).encode(packet(12))).toThrow(UsageError);
  });

  it('takes another limit of attachments', () => {
    expect(() => new Decoder({ maxAttachments: 11 }).add('511-["a"]')).not.toThrow();
    expect(() => new Decoder({ maxAttachments: 11 }).add('512-["a"]')).toThrow(PeerError);
  });

  it('forgets a half-received packet when it is destroyed, and listeners when they are taken off', () => {
    const decoder = new Decoder();
    const seen: Packet[] = [];
    const listener = (packet: Packet) => void seen.push(packet);
    decoder.on('decoded', listener);
    decoder.add('51-["a",{"_placeholder":true,"num":0}]');
    decoder.destroy();
    decoder.add('2["b"]');
    decoder.off('decoded', listener);
    decoder.add('2["c"]');
    expect(seen.map((packet) => packet.data)).toEqual([['b']]);
  });
});
