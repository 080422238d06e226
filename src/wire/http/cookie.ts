/**
 * What: keeps the cookies of one server, as far as a client needs it that talks to one path (RFC 6265).
 * Must not know: requests, responses, or what time it is.
 */

interface Cookie {
  readonly value: string;
  /** On the clock of `nowMs`. */
  readonly expiresAtMs: number;
}

/**
 * The cookies of one server, for one path and one session. `Domain`, `Path` and `Secure` are not looked at: every
 * request goes where the cookie came from.
 */
export class CookieJar {
  readonly #nowMs: () => number;
  readonly #cookies = new Map<string, Cookie>();

  /** @param nowMs milliseconds since 1970, as `Expires` has them. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes the values of `Set-Cookie` headers; what is not a cookie is passed over (RFC 6265 section 5.2). */
  store(setCookie: readonly string[]): void {
    for (const line of setCookie) this.#store(line);
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).trim();
    if (name === '') return;
    let expiresAtMs = Number.POSITIVE_INFINITY;
    let hasMaxAge = false;
    for (const attribute of attributes) {
      const at = attribute.indexOf('=');
      const key = attribute.slice(0, at).trim().toLowerCase();
      const value = attribute.slice(at + 1).trim();
      // RFC 6265 section 5.3: Max-Age wins over Expires.
      if (key === 'max-age' && /^-?\d+$/.test(value)) {
        hasMaxAge = true;
        expiresAtMs = this.#nowMs() + Number(value) * 1000;
      } else if (key === 'expires' && !hasMaxAge) {
        const date = Date.parse(value);
        if (!Number.isNaN(date)) expiresAtMs = date;
      }
    }
    this.#cookies.set(name, { value: pair.slice(equals + 1).trim(), expiresAtMs });
  }

  /** The value of the `Cookie` header; `undefined` when there is nothing to send. */
  header(): string | undefined {
    const now = this.#nowMs();
    const pairs: string[] = [];
    for (const [name, { value, expiresAtMs }] of this.#cookies) {
      if (expiresAtMs > now) pairs.push(`${name}=${value}`);
      else this.#cookies.delete(name);
    }
    return pairs.length ? pairs.join('; ') : undefined;
  }
}
