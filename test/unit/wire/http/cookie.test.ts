import { describe, expect, it } from 'vitest';
import { CookieJar } from '../../../../src/wire/http/cookie.ts';

describe('CookieJar', () => {
  const now = Date.UTC(2026, 0, 1);
  it.each([
    ['a value', ['a=1'], 'a=1'],
    ['no cookie', [], undefined],
    ['two cookies', ['a=1', 'b=2'], 'a=1; b=2'],
    ['the later of two', ['a=1', 'a=2'], 'a=2'],
    ['attributes', ['a=1; Path=/; HttpOnly; Secure; SameSite=Strict; Domain=x'], 'a=1'],
    ['spaces', ['  a = 1 ;Path=/'], 'a=1'],
    ['an empty value', ['a='], 'a='],
    ['equals signs in the value', ['a=b=c=='], 'a=b=c=='],
    ['no name', ['=1', 'x', ''], undefined],
    ['a name like __proto__', ['__proto__=1'], '__proto__=1'],
    ['what has expired', ['a=1; Expires=Wed, 31 Dec 2025 23:59:59 GMT'], undefined],
    ['what expires later', ['a=1; expires=Thu, 01 Jan 2026 00:00:01 GMT'], 'a=1'],
    ['a date that is none', ['a=1; Expires=some day'], 'a=1'],
    ['Max-Age', ['a=1; Max-Age=10'], 'a=1'],
    ['a Max-Age of zero', ['a=1; Max-Age=0'], undefined],
    ['a negative Max-Age', ['a=1; max-age=-1'], undefined],
    ['a Max-Age that is none', ['a=1; Max-Age=long'], 'a=1'],
    ['Max-Age before Expires', ['a=1; Max-Age=10; Expires=Wed, 31 Dec 2025 23:59:59 GMT'], 'a=1'],
    ['Max-Age after Expires', ['a=1; Expires=Wed, 31 Dec 2025 23:59:59 GMT; Max-Age=10'], 'a=1'],
    ['a deletion', ['a=1', 'a=; Max-Age=0'], undefined],
  ])('takes %s', (_, lines, expected) => {
    const jar = new CookieJar(() => now);
    jar.store(lines);
    expect(jar.header()).toBe(expected);
  });

  it('forgets a cookie when its time has come', () => {
    let nowMs = now;
    const jar = new CookieJar(() => nowMs);
    jar.store(['a=1; Max-Age=10', 'b=2']);
    nowMs += 9_999;
    expect(jar.header()).toBe('a=1; b=2');
    nowMs += 1;
    expect(jar.header()).toBe('b=2');
  });

  it('takes time linear in the length of what a server sends', () => {
    const jar = new CookieJar(() => now);
    jar.store([`a=1${';'.repeat(200_000)}`, `b${'='.repeat(200_000)}`, ' '.repeat(200_000)]);
    expect(jar.header()).toMatch(/^a=1; b==/);
  });
});
