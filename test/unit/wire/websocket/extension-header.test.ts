import { describe, expect, it } from 'vitest';
import { formatExtensions, parseExtensions } from '../../../../src/wire/websocket/extension-header.ts';

describe('Sec-WebSocket-Extensions', () => {
  it.each<[string, ReturnType<typeof parseExtensions>]>([
    ['foo', [{ name: 'foo', parameters: [] }]],
    ['foo; bar', [{ name: 'foo', parameters: [['bar', true]] }]],
    [
      'foo;bar=1;baz="two" , qux',
      [
        {
          name: 'foo',
          parameters: [
            ['bar', '1'],
            ['baz', 'two'],
          ],
        },
        { name: 'qux', parameters: [] },
      ],
    ],
    [
      ' \tfoo \t; bar \t=\t 1 \t, foo ',
      [
        { name: 'foo', parameters: [['bar', '1']] },
        { name: 'foo', parameters: [] },
      ],
    ],
    ['foo; bar="\\b\\a\\z"', [{ name: 'foo', parameters: [['bar', 'baz']] }]],
    ['constructor; __proto__=toString', [{ name: 'constructor', parameters: [['__proto__', 'toString']] }]],
    [
      'a; b; b=1; b',
      [
        {
          name: 'a',
          parameters: [
            ['b', true],
            ['b', '1'],
            ['b', true],
          ],
        },
      ],
    ],
  ])('RFC 6455 9.1: reads %j', (value, extensions) => {
    expect(parseExtensions(value)).toEqual(extensions);
    expect(parseExtensions(formatExtensions(extensions!))).toEqual(extensions);
  });

  it.each([
    '',
    ' ',
    ',',
    'foo,',
    ',foo',
    'foo,,bar',
    'foo;',
    'foo;;bar',
    ';bar',
    'foo; =1',
    'foo; bar=',
    'foo; bar=,baz',
    'foo bar',
    'foo; bar baz',
    'foo; bar=1 2',
    'foo; bar="',
    'foo; bar="1',
    'foo; bar=""',
    'foo; bar="a b"',
    'foo; bar="a\\',
    'foo; bar="a"b',
    'foo; bar=a"b"',
    'foo; b@r',
    'f(o)o',
    'foo; bar=é',
    'foo\0',
    'foo\r\n',
  ])('RFC 6455 9.1: refuses %j', (value) => {
    expect(parseExtensions(value)).toBeNull();
  });

  it('writes what it is given, in order', () => {
    const parameters = [['a', true] as const, ['b', '1'] as const];
    expect(
      formatExtensions([
        { name: 'x', parameters },
        { name: 'y', parameters: [] },
      ]),
    ).toBe('x; a; b=1, y');
  });

  it('CVE-2020-7662 (websocket-extensions), CVE-2021-32640 (ws): looks at each character a few times only', () => {
    // What made backtracking expressions take seconds: long unclosed strings, spaces, escapes. The number of
    // characters looked at is counted, not the time.
    for (const unit of [' ', '\\', 'a', '; b', ';b="', '"', ', a', '\\"']) {
      const looked = (length: number): number => {
        let count = 0;
        const value = new String(`a; b="${unit.repeat(length)}`) as string & {
          charCodeAt(index: number): number;
        };
        const plain = value.valueOf();
        Object.defineProperty(value, 'charCodeAt', {
          value: (index: number) => {
            count++;
            return plain.charCodeAt(index);
          },
        });
        parseExtensions(value);
        return count;
      };
      expect(looked(20_000)).toBeLessThan(25 * Math.max(100, looked(1000)));
    }
  });
});
