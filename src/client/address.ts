/**
 * What: completes the address that a program gave to `io()`, and tells connection and namespace apart.
 * Must not know: what is done with them.
 */
import type { EnginePlatform } from '../engine/client/options.ts';
import { splitUri } from '../engine/client/uri.ts';

export interface Address {
  /** The complete URL. */
  readonly source: string;
  /** Equal for all that can share a connection. */
  readonly id: string;
  readonly namespace: string;
}

/** Completes an address from where the page was loaded. @param path of the endpoint. */
export function resolveAddress(
  uri: string | undefined,
  path: string,
  location: EnginePlatform['location'],
): Address {
  const { protocol = 'http:', hostname = 'localhost', port = '' } = location ?? {};
  let source = uri || '/';
  if (source.startsWith('//')) source = protocol + source;
  else if (source.startsWith('/')) source = `${protocol}//${hostname}${port && `:${port}`}${source}`;
  else if (!/^[a-z]+:\/\//i.test(source)) source = `${location ? protocol : 'https:'}//${source}`;
  const parts = splitUri(source);
  const isSecure = /s$/.test(parts.protocol);
  return {
    source,
    id: `${parts.protocol}://${parts.hostname}:${parts.port || (isSecure ? 443 : 80)}${path}`,
    namespace: parts.path || '/',
  };
}
