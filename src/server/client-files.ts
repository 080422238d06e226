/**
 * What: gives out the built client script at the server's own path: variants, maps, caching, compression.
 * Must not know: sessions, namespaces, or what is in the files.
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { version } from '../../package.json';
import { applyCors, type CorsOptions, type CorsOptionsDelegate } from '../engine/server/cors.ts';

/** The names that are given out; nothing else of the folder is. */
const names: ReadonlySet<string> = new Set(
  ['socket.io.js', 'socket.io.min.js', 'socket.io.msgpack.min.js', 'socket.io.esm.min.js'].flatMap((name) => [
    name,
    `${name}.map`,
  ]),
);

/** Where the build puts them, seen from dist/*.mjs, and from this file when it runs unbuilt. */
const folders = ['./browser/', '../../dist/browser/'];

const compressors = { br: promisify(brotliCompress), gzip: promisify(gzip) };
type Encoding = keyof typeof compressors;

/** Strong, and the same for all variants: they change with the version only. */
const etag = `"${version}"`;

/** The file that a request asks for; null when it asks for something else. */
export function clientFileOf(url: string | undefined, path: string): string | null {
  if (url === undefined || !url.startsWith(`${path}/`)) return null;
  const end = url.indexOf('?');
  const name = url.slice(path.length + 1, end === -1 ? undefined : end);
  return names.has(name) ? name : null;
}

/** The best compression that the peer takes (RFC 9110 section 12.5.3); null for none. */
export function chooseEncoding(header: string | undefined): Encoding | null {
  const accepted = new Set<string>();
  for (const part of (header ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    // A weight of zero means "not acceptable".
    const isRefused = parameters.some((text) => text.startsWith('q=') && Number(text.slice(2)) === 0);
    if (!isRefused) accepted.add(name);
  }
  if (accepted.has('br')) return 'br';
  return accepted.has('gzip') ? 'gzip' : null;
}

/** RFC 9110 section 13.1.2: weak comparison, so `W/"1"` and `"1"` are the same. */
export function matchesEtag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((part) => {
    const text = part.trim();
    return text === '*' || (text.startsWith('W/') ? text.slice(2) : text) === tag;
  });
}

/** The built client, read once and kept. */
export class ClientFiles {
  readonly #cors: CorsOptions | CorsOptionsDelegate | boolean | undefined;
  readonly #folders: readonly URL[];
  readonly #contents = new Map<string, Promise<Buffer>>();

  /** @param folder where the files are; found beside this module when not given. */
  constructor(cors?: CorsOptions | CorsOptionsDelegate | boolean, folder?: URL) {
    this.#cors = cors;
    this.#folders = folder ? [folder] : folders.map((each) => new URL(each, import.meta.url));
  }

  /** Answers a request for one of the files. */
  serve(name: string, request: IncomingMessage, response: ServerResponse): void {
    if (this.#cors === undefined) {
      this.#answer(name, request, response);
      return;
    }
    applyCors(this.#cors, request, (error, { headers, preflightStatus }) => {
      if (error !== null) {
        end(response, 500, 'The cors option could not decide');
        return;
      }
      for (const [header, value] of headers) response.appendHeader(header, value);
      if (preflightStatus === null) this.#answer(name, request, response);
      else end(response, preflightStatus);
    });
  }

  #answer(name: string, request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      end(response, 405);
      return;
    }
    response.setHeader('ETag', etag);
    response.setHeader('Cache-Control', 'public, max-age=0');
    response.appendHeader('Vary', 'Accept-Encoding');
    const encoding = chooseEncoding(request.headers['accept-encoding']);
    this.#read(name, encoding).then(
      (content) => {
        // RFC 9110 section 13.2.1: conditions are looked at only where the answer would be 200 without them.
        if (matchesEtag(request.headers['if-none-match'], etag)) {
          response.writeHead(304).end();
          return;
        }
        const isMap = name.endsWith('.map');
        response.setHeader('Content-Type', `application/${isMap ? 'json' : 'javascript'}; charset=utf-8`);
        if (encoding !== null) response.setHeader('Content-Encoding', encoding);
        response.setHeader('Content-Length', content.length);
        response.writeHead(200);
        response.end(request.method === 'HEAD' ? undefined : content);
      },
      () => {
        response.removeHeader('ETag');
        end(
          response,
          404,
          `${name} is not there: build the package (npm run build), or set serveClient to false`,
        );
      },
    );
  }

  #read(name: string, encoding: Encoding | null): Promise<Buffer> {
    const key = `${name} ${encoding}`;
    let content = this.#contents.get(key);
    if (content === undefined) {
      content = encoding === null ? this.#find(name) : this.#read(name, null).then(compressors[encoding]);
      this.#contents.set(key, content);
      // What is not there may be built later.
      content.catch(() => this.#contents.delete(key));
    }
    return content;
  }

  async #find(name: string): Promise<Buffer> {
    let failure: unknown;
    for (const folder of this.#folders) {
      try {
        return await readFile(new URL(name, folder));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

function end(response: ServerResponse, status: number, text = ''): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
