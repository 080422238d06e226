import { describe, expect, it } from 'vitest';
import { type CookieOptions, formatCookie } from '../../../../src/engine/server/cookie.ts';

describe('the cookie', () => {
  it.each<[CookieOptions, string]>([
    [{}, 'io=sid; Path=/; HttpOnly; SameSite=Lax'],
    [{ name: 'y' }, 'y=sid; Path=/; HttpOnly; SameSite=Lax'],
    [{ path: false }, 'io=sid; HttpOnly; SameSite=Lax'],
    [
      { name: 'x', path: '/p', httpOnly: false, sameSite: 'strict', maxAge: 10, secure: true, domain: 'a.b' },
      'x=sid; Max-Age=10; Domain=a.b; Path=/p; Secure; SameSite=Strict',
    ],
    [
      { sameSite: 'none', secure: true, partitioned: true },
      'io=sid; Path=/; HttpOnly; Secure; Partitioned; SameSite=None',
    ],
    [{ sameSite: false }, 'io=sid; Path=/; HttpOnly'],
    [
      { expires: new Date(0) },
      'io=sid; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ],
  ])('with %j reads %j', (options, text) => {
    expect(formatCookie(options, 'sid')).toBe(text);
  });

  it.each<CookieOptions>([
    { name: 'a b' },
    { name: 'a=b' },
    { name: '' },
    { path: '/;x' },
    { domain: 'a\r\nb' },
  ])('with %j is refused', (options) => {
    expect(() => formatCookie(options, 'sid')).toThrow(
      expect.objectContaining({ code: 'ENGINE_ERR_INVALID_COOKIE' }),
    );
  });
});
