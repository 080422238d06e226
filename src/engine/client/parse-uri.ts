/**
 * What: takes an address apart as the `parse` of engine.io-client does, for programs that use it.
 * Must not know: sessions; inside of Tautline addresses are URLs.
 */

/** The parts of an address; the text parts are empty when they are missing. */
export interface ParsedUri {
  source: string;
  protocol: string;
  authority: string;
  userInfo: string;
  user: string;
  password: string;
  host: string;
  port: string;
  relative: string;
  path: string;
  directory: string;
  file: string;
  query: string;
  anchor: string;
  /** The host was an IPv6 address in brackets, which `host` has not. */
  ipv6uri?: boolean;
  pathNames: string[];
  queryKey: Record<string, string>;
}

/** The longest address that is looked at. */
const limit = 8000;

/**
 * Takes an address apart. A scheme may be missing.
 * @throws {Error} `URI too long` above 8000 characters.
 */
export function parseUri(source: string): ParsedUri {
  if (source.length > limit) throw new Error('URI too long');
  // RFC 3986 appendix B, with the scheme optional.
  const [, protocol = '', authority = '', path = '', query = '', anchor = ''] =
    /^(?:(https?|wss?):\/\/)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/i.exec(source) ?? [];
  const at = authority.lastIndexOf('@');
  const userInfo = at === -1 ? '' : authority.slice(0, at);
  const colon = userInfo.indexOf(':');
  const [, hostname = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority.slice(at + 1)) ?? [];
  const isIpv6 = hostname.startsWith('[');
  const lastSlash = path.lastIndexOf('/') + 1;
  // What has no extension counts as a directory.
  const isFile = path.includes('.', lastSlash);
  return {
    source,
    protocol,
    authority: isIpv6 ? authority.replace(/[[\]]/g, '') : authority,
    userInfo,
    user: colon === -1 ? userInfo : userInfo.slice(0, colon),
    password: colon === -1 ? '' : userInfo.slice(colon + 1),
    host: isIpv6 ? hostname.slice(1, -1) : hostname,
    port,
    relative: `${path}${query && `?${query}`}${anchor && `#${anchor}`}`,
    path,
    directory: isFile ? path.slice(0, lastSlash) : path,
    file: isFile ? path.slice(lastSlash) : '',
    query,
    anchor,
    ...(isIpv6 && { ipv6uri: true }),
    pathNames: path.split('/').filter((name) => name !== ''),
    queryKey: Object.fromEntries(
      query
        .split('&')
        .filter((pair) => pair !== '')
        .map((pair) => {
          const equals = pair.indexOf('=');
          return equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
        }),
    ),
  };
}
