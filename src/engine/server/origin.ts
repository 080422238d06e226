/**
 * What: decides whether a page of some origin may talk to this server.
 * Must not know: requests, responses, headers other than the two it is given.
 */

/** One rule, or several, any of which lets an origin in. The values are those of the `cors` package. */
export type OriginRule = boolean | string | RegExp | readonly (boolean | string | RegExp)[];

/**
 * Whether `origin` matches the rule: `true` and `'*'` match all, `false` none, a text that very origin, a pattern
 * what it finds.
 */
export function matchesOrigin(origin: string, rule: OriginRule): boolean {
  if (typeof rule === 'string') return rule === '*' || rule === origin;
  if (typeof rule === 'boolean') return rule;
  if (rule instanceof RegExp) {
    // A pattern with the flag g or y remembers where it stopped; each origin is looked at from its beginning.
    rule.lastIndex = 0;
    return rule.test(origin);
  }
  return rule.some((one) => matchesOrigin(origin, one));
}

const DEFAULT_PORT_BY_SCHEME: Readonly<Record<string, string>> = {
  'http:': ':80',
  'https:': ':443',
  'ws:': ':80',
  'wss:': ':443',
};

/**
 * Whether a page of `origin` was served from the host that the request was sent to.
 * Only host and port are compared: behind a proxy that ends TLS a server cannot know the scheme.
 */
export function isSameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  const schemeEnd = origin.indexOf('//');
  if (schemeEnd === -1) return false;
  const scheme = origin.slice(0, schemeEnd).toLowerCase();
  const port = DEFAULT_PORT_BY_SCHEME[scheme];
  return withoutPort(origin.slice(schemeEnd + 2), port) === withoutPort(host, port);
}

function withoutPort(host: string, port: string | undefined): string {
  const lower = host.toLowerCase();
  return port !== undefined && lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}
