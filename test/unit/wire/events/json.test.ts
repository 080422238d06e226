/**
 * What: shows that the quick ways to write and read JSON give what the native ones give, for anything.
 * Must not know: packets.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrom, stringifyList } from '../../../../src/wire/events/json.ts';

describe('writing', () => {
  const rows: [string, unknown[]][] = [
    ['nothing', []],
    ['plain values', ['name', 'text', 1, -0, 1.5e300, true, false, null]],
    ['what has no JSON', ['name', undefined, () => {}, Symbol('s'), Number.NaN, Number.POSITIVE_INFINITY]],
    [
      'what must be escaped',
      ['"', '\\', '\n', '\u0000', '\u001f', '\u007f', '\u2028', '\ud800', '\udfff\ud800'],
    ],
    ['whole surrogate pairs', ['😀']],
    [
      'objects that say themselves what they are',
      [new Date(0), { toJSON: () => undefined }, { toJSON: () => 7 }],
    ],
    ['wrapped values', [Object('text'), Object(7), Object(false)]],
    ['a hole', Array(1)],
    ['long texts', ['x'.repeat(5000), `${'x'.repeat(5000)}"`]],
    ['nested values', [{ a: [{ b: null }] }, [[], {}]]],
  ];
  it.each(rows)('%s', (_title, list) => {
    expect(stringifyList(list)).toBe(JSON.stringify(list));
  });

  it('anything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.anything({ withNullPrototype: true })),
        fc.string({ unit: 'binary' }),
        (list, text) => {
          expect(stringifyList([...list, text])).toBe(JSON.stringify([...list, text]));
        },
      ),
    );
  });

  it('throws what the native one throws', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    expect(() => stringifyList([1n])).toThrow(TypeError);
    expect(() => stringifyList([circular])).toThrow(TypeError);
  });
});

describe('reading', () => {
  const read = (parse: () => unknown): unknown => {
    try {
      return { value: parse() };
    } catch (error) {
      return (error as Error).name;
    }
  };

  it.each([
    '["a","b"]',
    '["",""]',
    '["a","b"',
    '["a","b"]]',
    '["a","b"] ',
    '["a","b","c"]',
    '["a",""b"]',
    '["a"]',
    '["a","',
    '["a",""',
    '["a","]',
    '["',
    '["]',
    '["a',
    '["a,"b"]',
    '{"a","b"]',
    '{"a":"b"}',
    '["a":"b"]',
    '["a","b\\"]',
    '["a","b\\n"]',
    '["a","b\n"]',
    '["a\\u0000","b"]',
    '["a","\u007f\u2028😀\ud800"]',
    ' ["a","b"]',
    '',
    '[',
    '["a", "b"]',
    `["a","${'x'.repeat(5000)}"]`,
  ])('%j like the native one', (json) => {
    for (const prefix of ['', '2', '2/n,12']) {
      expect(read(() => parseFrom(prefix + json, prefix.length))).toEqual(read(() => JSON.parse(json)));
    }
  });

  it('anything like the native one', () => {
    const piece = fc.constantFrom('[', ']', '"', ',', '"a"', '\\', '\\"', '\n', ':', '{', '}', '1', 'x', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        for (const json of [pieces.join(''), `["a","${pieces.join('')}"]`]) {
          expect(read(() => parseFrom(`2${json}`, 1))).toEqual(read(() => JSON.parse(json)));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('names', () => {
  const names = [
    'say',
    'hay',
    '"a"',
    'a"b',
    '\\n',
    '\n',
    'sä',
    '😀',
    '\ud800',
    '',
    'x'.repeat(63),
    'y'.repeat(63),
    'z'.repeat(64),
  ];

  it('are themselves, whichever of the same length came before', () => {
    for (const before of names) {
      for (const name of names) {
        const lists = [before, name, before, name].map((each) => [each, 'text']);
        expect(lists.map(stringifyList)).toEqual(lists.map((list) => JSON.stringify(list)));
        const texts = lists.map((list) => JSON.stringify(list));
        expect(texts.map((text) => parseFrom(`2${text}`, 1))).toEqual(texts.map((text) => JSON.parse(text)));
      }
    }
  });
});
