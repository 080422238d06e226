import { describe, expect, it } from 'vitest';
import { listHasToken, parseUniqueTokens } from '../../../../src/wire/http/token-list.ts';

describe('a list of tokens', () => {
  it.each([
    ['upgrade', true],
    ['Upgrade', true],
    ['keep-alive, Upgrade', true],
    ['UPGRADE,keep-alive', true],
    ['a,\t upgrade \t,b', true],
    [',,upgrade,', true],
    ['upgraded', false],
    ['up grade', false],
    ['"upgrade"', false],
    ['keep-alive', false],
    ['', false],
    [',', false],
    ['upgrade=1', false],
  ])('RFC 9110 5.6.1: in %j the token is found: %s', (value, isThere) => {
    expect(listHasToken(value, 'upgrade')).toBe(isThere);
  });

  it.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [' a ,\tb\t', ['a', 'b']],
    ['b, a', ['b', 'a']],
    ['A, a', ['A', 'a']],
    ['__proto__, constructor', ['__proto__', 'constructor']],
  ])('RFC 6455 4.3: %j has unique tokens', (value, tokens) => {
    expect([...parseUniqueTokens(value)!]).toEqual(tokens);
  });

  it.each(['', ' ', ',', 'a,', ',a', 'a,,b', 'a b', 'a;b', 'a, a', '"a"', 'ä', 'a\0', 'a/b'])(
    'RFC 6455 4.3: %j is refused',
    (value) => {
      expect(parseUniqueTokens(value)).toBeNull();
    },
  );
});
