// What: the page's files over HTTP: a fixed list, read at the start, and one page for all rooms.
// Must not know: rooms' contents, sockets.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { roomName } from './public/limits.js';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing but our own files may run, load or frame this page. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

/** A request listener that serves the files of `directory` (a URL), the page at /r/<room>, and / as the lobby. */
export function serveFiles(directory) {
  // No path is ever made from a request: what is not in this map is not there.
  const files = new Map();
  for (const file of readdirSync(directory)) {
    const body = readFileSync(new URL(file, directory));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
    files.set(`/${file}`, { body, etag, type: TYPES[extname(file)] ?? 'application/octet-stream' });
  }
  const page = files.get('/index.html');

  return (request, response) => {
    const path = request.url.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(405, { body: 'Only GET is served here.' });
    if (path === '/') return send(302, { location: '/r/lobby' });
    if (!path.startsWith('/r/')) return files.has(path) ? send(200, files.get(path)) : notFound();
    const asked = decode(path.slice(3));
    const room = roomName(asked);
    if (room === undefined) return notFound();
    // One spelling for each room, so that two people who mean the same room meet.
    return room === asked ? send(200, page) : send(302, { location: `/r/${encodeURIComponent(room)}` });

    function notFound() {
      send(404, { body: 'There is nothing here. Rooms are at /r/ and a name of letters and digits.' });
    }

    function send(status, { body = '', type = 'text/plain; charset=utf-8', etag, location }) {
      const fresh = etag !== undefined && request.headers['if-none-match'] === etag;
      response.writeHead(fresh ? 304 : status, {
        ...HEADERS,
        'Content-Type': type,
        ...(etag && { ETag: etag }),
        ...(location && { Location: location }),
      });
      response.end(fresh || request.method === 'HEAD' ? undefined : body);
    }
  };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
