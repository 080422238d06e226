/**
 * What: the parser of browsers says the same as the fast one, of every packet and of every text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Parser } from '../../../../src/wire/events/message-decoder.ts';
import type { IncomingBytes, Packet } from '../../../../src/wire/events/packet.ts';
import { jsonParser } from '../../../../src/wire/events/parser.ts';
import { plainParser } from '../../../../src/wire/events/plain-parser.ts';

/** The packets that come of some messages, and the code of the error at the end, if any. */
function read(parser: Parser, messages: readonly (string | IncomingBytes)[]) {
  const packets: Packet[] = [];
  const decoder = new parser.Decoder();
  decoder.on('decoded', (packet) => packets.push(packet));
  let code: unknown;
  try {
    for (const message of messages) decoder.add(message);
  } catch (error) {
    code = (error as { code?: unknown }).code ?? error;
  }
  // How many attachments there were is told by one of them only.
  return { packets: packets.map(({ attachments: _, ...packet }) => packet), code };
}

const bytes = (...values: number[]) => Uint8Array.from(values).buffer;

describe('what is read', () => {
  it.each<[string, ...(string | IncomingBytes)[]]>([
    ['an event', '2["a",1]'],
    ['an event in a namespace with an id', '2/chat,17["a",{"b":[null]}]'],
    ['an acknowledgement', '312[]'],
    ['credentials', '0/admin,{"token":"x"}'],
    ['entering', '0'],
    ['entering, with a query in the name', '0/a?b=c,'],
    ['a namespace without a comma', '0/a'],
    ['leaving', '1/a,'],
    ['a refusal', '4{"message":"no"}'],
    ['a refusal by an old server', '4"no"'],
    [
      'an event with attachments',
      '52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
      bytes(1),
      bytes(2),
    ],
    ['an answer with an attachment', '61-/n,5[{"_placeholder":true,"num":0}]', bytes(1)],
    ['an attachment that nobody names', '51-["a"]', bytes(1)],
    ['`__proto__` as a key', '2["a",{"__proto__":{"b":1}}]'],
    ['`__proto__` beside an attachment', '51-["a",{"__proto__":{"_placeholder":true,"num":0}}]', bytes(1)],
    ['no placeholder, but nearly', '51-["a",{"_placeholder":1,"num":0}]', bytes(1)],
    ['two packets', '2["a"]', '2["b"]'],
    ['a number as a name', '2[1]'],
  ])('%s', (_title, ...messages) => {
    const { packets, code } = read(plainParser, messages);
    expect(code).toBeUndefined();
    expect({ packets, code }).toEqual(read(jsonParser, messages));
  });

  it.each<[string, ...(string | IncomingBytes)[]]>([
    ['nothing', ''],
    ['no type', '["a"]'],
    ['a type that does not exist', '7["a"]'],
    ['an event without data', '2'],
    ['an event that is no list', '2{"a":1}'],
    ['an event without a name', '2[]'],
    ['a name that is an object', '2[{}]'],
    ['a reserved name', '2["connect"]'],
    ['data of leaving', '1["a"]'],
    ['credentials that are a list', '0["a"]'],
    ['credentials that are null', '0null'],
    ['an answer without an id', '3["a"]'],
    ['an answer that is no list', '31{}'],
    ['an id of two to the power of 53', '29007199254740992["a"]'],
    ['a negative id', '2-1["a"]'],
    ['what is not JSON', '2["a"'],
    ['two lists', '2["a"]["b"]'],
    ['attachments of an event that has none', '21-["a"]'],
    ['binary without a number', '5-["a"]'],
    ['binary without attachments', '50-["a"]'],
    ['binary without a dash', '51["a"]'],
    ['eleven attachments', '511-["a"]'],
    ['endlessly many attachments', `5${'9'.repeat(400)}-["a"]`],
    ['a text in the place of an attachment', '51-["a"]', '2["b"]'],
    ['bytes that belong to nothing', bytes(1)],
    ['one attachment too many', '51-["a",{"_placeholder":true,"num":0}]', bytes(1), bytes(2)],
    [
      'the same attachment twice',
      '51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
      bytes(1),
    ],
    ['a placeholder of nothing', '51-["a",{"_placeholder":true,"num":1}]', bytes(1)],
    ['a placeholder below nothing', '51-["a",{"_placeholder":true,"num":-1}]', bytes(1)],
    ['a placeholder of a half', '51-["a",{"_placeholder":true,"num":0.5}]', bytes(1)],
    ['a placeholder of a name', '51-["a",{"_placeholder":true,"num":"length"}]', bytes(1)],
    ['a placeholder without a number', '51-["a",{"_placeholder":true}]', bytes(1)],
  ])('%s is refused', (_title, ...messages) => {
    const { packets, code } = read(plainParser, messages);
    expect(code).toMatch(/^EVENT_ERR_/);
    expect({ packets, code }).toEqual(read(jsonParser, messages));
  });

  it('is the same as with the fast parser, of any text', () => {
    const piece = fc.constantFrom(
      '0',
      '2',
      '3',
      '5',
      '6',
      '1',
      '-',
      '/',
      ',',
      'a',
      '[',
      ']',
      '"a"',
      '{}',
      'null',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        // The data of a binary packet is read once its attachments are there.
        const messages = /^[56]/.test(text) ? [text, ...Array.from({ length: 10 }, () => bytes(1))] : [text];
        expect(read(plainParser, messages)).toEqual(read(jsonParser, messages));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('what is written', () => {
  it('is the same as with the fast parser', () => {
    const binary = fc.uint8Array({ maxLength: 5 });
    const value = fc.oneof(fc.jsonValue(), binary, fc.array(binary), fc.dictionary(fc.string(), binary));
    const packet = fc.record({
      type: fc.constantFrom(2, 3),
      nsp: fc.constantFrom('/', '/chat'),
      id: fc.option(fc.nat(), { nil: undefined }),
      data: fc.tuple(fc.constant('name'), value, value),
    });
    fc.assert(
      fc.property(packet, (each) => {
        const written = ({ Encoder }: Parser) => {
          try {
            return new Encoder().encode(structuredClone(each) as Packet);
          } catch (error) {
            return (error as { code?: unknown }).code ?? error;
          }
        };
        expect(written(plainParser)).toEqual(written(jsonParser));
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, object]>([
    ['credentials', { type: 0, nsp: '/', data: { token: 1 } }],
    ['nothing', { type: 0, nsp: '/a' }],
    ['leaving', { type: 1, nsp: '/a' }],
    [
      'bytes in an object with a toJSON',
      { type: 2, nsp: '/', data: ['a', { toJSON: () => ({ b: new Uint8Array(1) }) }] },
    ],
    ['a Buffer', { type: 2, nsp: '/', data: ['a', Buffer.from('b')] }],
  ])('of %s, too', (_title, packet) => {
    expect(new plainParser.Encoder().encode(packet as Packet)).toEqual(
      new jsonParser.Encoder().encode(packet as Packet),
    );
  });

  it('is refused above the attachments that a receiver takes', () => {
    const encode = (count: number) =>
      new plainParser.Encoder().encode({ type: 2, nsp: '/', data: ['a', Array(count).fill(bytes(1))] });
    expect(encode(10)).toHaveLength(11);
    expect(() => encode(11)).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        code: 'EVENT_ERR_TOO_MANY_ATTACHMENTS',
        limit: { name: 'attachments', value: 10 },
      }),
    );
  });

  it('is refused when it contains itself', () => {
    const data: unknown[] = ['a'];
    data.push(data);
    expect(() => new plainParser.Encoder().encode({ type: 2, nsp: '/', data } as Packet)).toThrow(
      expect.objectContaining({ code: 'EVENT_ERR_TOO_DEEP' }),
    );
  });
});
