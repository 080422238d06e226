/**
 * What: completes the address that a program gave to `io()`, and tells connection and namespace apart.
 * Must not know: what is done with them.
 */

export interface Address {
  /** The complete URL. */
  readonly source: string;
  /** Equal for all that can share a connection. */
  readonly id: string;
  readonly namespace: string;
}

/**
 * Completes an address from where the page was loaded.
 * @param path of the endpoint.
 * @throws {TypeError} `ERR_INVALID_URL` when the address is none.
 */
export function resolveAddress(uri: string, path: string, page = `http${uri && 's'}://localhost`): Address {
  // `example.com/chat` is a host with a path.
  const address = /^(\w+:\/)?\//.test(uri) ? uri : uri && `//${uri}`;
  const { href, origin } = new URL(address || '/', page);
  // The namespace as it was written: a URL would encode its letters.
  const [, namespace] = /^(?:(?:\w+:)?\/\/[^/?#]*)?([^?#]*)/.exec(address)!;
  return { source: href, id: origin + path, namespace: namespace || '/' };
}
