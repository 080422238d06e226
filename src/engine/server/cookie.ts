/**
 * What: formats the cookie that holds the session id, for load balancers that route by it.
 * Must not know: sessions, requests.
 */
import { UsageError } from '../../base/errors.ts';

/** The option `cookie`. Names and defaults are those of engine.io. */
export interface CookieOptions {
  /** Default `io`. */
  readonly name?: string;
  /** Default `/`; `false` leaves the attribute out. */
  readonly path?: string | false;
  readonly domain?: string;
  /** Seconds. */
  readonly maxAge?: number;
  readonly expires?: Date;
  /** Default true. */
  readonly httpOnly?: boolean;
  readonly secure?: boolean;
  readonly partitioned?: boolean;
  readonly priority?: 'low' | 'medium' | 'high';
  /** Default `lax`. `true` means `strict`. */
  readonly sameSite?: boolean | 'lax' | 'strict' | 'none';
}

/** RFC 6265 section 4.1.1: a name is a token, attribute values hold no control character and no semicolon. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]*$/;

function checked(what: string, value: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new UsageError(
    `The option cookie.${what} (${JSON.stringify(value)}) has a character that a cookie cannot have.`,
    {
      code: 'ENGINE_ERR_INVALID_COOKIE',
    },
  );
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/**
 * The value of `Set-Cookie`.
 * @throws {UsageError} `ENGINE_ERR_INVALID_COOKIE`
 */
export function formatCookie(options: CookieOptions, value: string): string {
  const { name = 'io', path = '/', domain, maxAge, expires, sameSite = 'lax', priority } = options;
  let text = `${checked('name', name, NAME)}=${encodeURIComponent(value)}`;
  if (maxAge !== undefined) text += `; Max-Age=${Math.floor(maxAge)}`;
  if (domain !== undefined) text += `; Domain=${checked('domain', domain, ATTRIBUTE)}`;
  if (path !== false) text += `; Path=${checked('path', path, ATTRIBUTE)}`;
  if (expires !== undefined) text += `; Expires=${expires.toUTCString()}`;
  if (options.httpOnly !== false) text += '; HttpOnly';
  if (options.secure) text += '; Secure';
  if (options.partitioned) text += '; Partitioned';
  if (priority !== undefined) text += `; Priority=${capitalized(priority)}`;
  if (sameSite !== false) text += `; SameSite=${sameSite === true ? 'Strict' : capitalized(sameSite)}`;
  return text;
}
