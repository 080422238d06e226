/**
 * What: takes the address of a server apart, and puts the URLs of requests together.
 * Must not know: who connects, or how.
 */
import type { EngineOptions, EnginePlatform } from './options.ts';

/** The parts of an address; each is empty when it is missing. */
export interface UriParts {
  /** Without the colon. */
  readonly protocol: string;
  /** Without user and port; an IPv6 address keeps its brackets. */
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
}

/** Splits an address; nothing is decoded or completed, and anything is accepted. */
export function splitUri(uri: string): UriParts {
  // RFC 3986 appendix B, with the fragment dropped.
  const [, protocol = '', authority = '', path = '', query = ''] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#]*)([^?#]*)\??([^#]*)/i.exec(uri)!;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const [, hostname = host, port = ''] = /^(\[.*\]|[^:]*)(?::(\d*))?$/.exec(host) ?? [];
  return { protocol: protocol.toLowerCase(), hostname, port, path, query };
}

/** Query parameters as an object. */
export function parseQuery(query: EngineOptions['query']): Readonly<Record<string, unknown>> {
  return typeof query === 'string' ? Object.fromEntries(new URLSearchParams(query)) : { ...query };
}

/** Where a session's requests go: `http://host:port/path/?`, ready for the query. */
export function formatBase(
  uri: string | undefined,
  options: EngineOptions,
  { location }: EnginePlatform,
): string {
  const given = uri ?? options.host;
  const parts = given ? splitUri(given) : undefined;
  const isSecure = uri
    ? /^(https|wss)$/.test(parts!.protocol)
    : (options.secure ?? location?.protocol === 'https:');
  const named = parts?.hostname || options.hostname;
  // Another host's port is not the page's.
  const port = String(parts?.port || options.port || (named ? '' : (location?.port ?? '')));
  const path = (options.path ?? '/engine.io').replace(/\/$/, '');
  return `http${isSecure ? 's' : ''}://${named || location?.hostname || 'localhost'}${
    port && port !== (isSecure ? '443' : '80') ? `:${port}` : ''
  }${path}${options.addTrailingSlash === false ? '' : '/'}?`;
}
