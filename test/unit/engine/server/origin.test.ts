import { describe, expect, it } from 'vitest';
import { isSameOrigin, matchesOrigin, type OriginRule } from '../../../../src/engine/server/origin.ts';

describe('an origin', () => {
  it.each<[string, string | undefined, boolean]>([
    ['http://a.com', 'a.com', true],
    ['https://a.com', 'a.com', true],
    ['http://a.com', 'a.com:80', true],
    ['https://a.com', 'a.com:443', true],
    ['https://A.com', 'a.COM', true],
    ['http://localhost:3000', 'localhost:3000', true],
    ['http://[::1]:3000', '[::1]:3000', true],
    ['http://localhost:3000', 'localhost', false],
    ['http://localhost', 'localhost:3000', false],
    ['https://a.com', 'a.com:80', false],
    ['http://a.com', 'b.com', false],
    ['http://a.com', 'evil-a.com', false],
    ['http://a.com.evil', 'a.com', false],
    ['http://evil/a.com', 'a.com', false],
    ['http://evil@a.com', 'a.com', false],
    ['null', 'null', false],
    ['null', 'a.com', false],
    ['', '', false],
    ['a.com', 'a.com', false],
    ['http://a.com', undefined, false],
  ])('%j asking the host %j is the same origin: %j', (origin, host, expected) => {
    expect(isSameOrigin(origin, host)).toBe(expected);
  });

  it.each<[string, OriginRule, boolean]>([
    ['http://a.com', '*', true],
    ['null', '*', true],
    ['http://a.com', true, true],
    ['http://a.com', false, false],
    ['http://a.com', 'http://a.com', true],
    ['http://a.com', 'http://a.co', false],
    ['http://a.com', 'http://a.com/', false],
    ['http://x.a.com', /\.a\.com$/, true],
    ['http://x.a.com.evil', /\.a\.com$/, false],
    ['http://b.com', ['http://a.com', /b\.com$/], true],
    ['http://c.com', ['http://a.com', /b\.com$/], false],
    ['http://c.com', [], false],
  ])('%j matches the rule %j: %j', (origin, rule, expected) => {
    expect(matchesOrigin(origin, rule)).toBe(expected);
  });

  it('is matched from its beginning each time, also by patterns that remember', () => {
    const pattern = /a\.com/g;
    expect([1, 2, 3].map(() => matchesOrigin('http://a.com', pattern))).toEqual([true, true, true]);
  });
});
