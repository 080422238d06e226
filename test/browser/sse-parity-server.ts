/**
 * What: a page, and event streams as the path and the number of the visit say; twice, for two origins.
 * Must not know: the clients that talk to it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** 1 for the first with this `key`. */
  readonly number: number;
  /** The base URL of the other origin. */
  readonly other: string;
}

const stream = { 'content-type': 'text/event-stream' };
const soon = 'retry: 1\n';

/** Ends the response; the next visit is told to come no more. */
function once204({ number, response }: Visit, headers: Record<string, string>, body: string | Buffer): void {
  if (number > 1) response.writeHead(204).end();
  else response.writeHead(200, headers).end(body);
}

const handlers: Record<string, (visit: Visit) => void> = {
  /** `b`: the body, in base64. */
  body: (visit) => once204(visit, stream, Buffer.from(visit.query.get('b') ?? '', 'base64')),
  /** `b`: the pieces of the body, each in a chunk of its own, sent when the one before has left. */
  async pieces({ number, query, response }) {
    if (number > 1) {
      response.writeHead(204).end();
      return;
    }
    response.writeHead(200, stream);
    for (const piece of query.getAll('b')) {
      response.write(Buffer.from(piece, 'base64'));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    response.end();
  },
  gzip: (visit) =>
    once204(visit, { ...stream, 'content-encoding': 'gzip' }, gzipSync(`${soon}data: zipped\n\n`)),
  type: (visit) => once204(visit, { 'content-type': visit.query.get('type') ?? '' }, `${soon}data: x\n\n`),
  'no-type': (visit) => once204(visit, {}, `${soon}data: x\n\n`),
  status({ query, response }) {
    response.writeHead(Number(query.get('status')), stream).end(`${soon}data: x\n\n`);
  },
  /** Says what it was asked, three times. */
  echo({ number, request, query, response }) {
    if (number > 3) {
      response.writeHead(204).end();
      return;
    }
    const { headers } = request;
    const names = (query.get('names') ?? 'last-event-id').split(',');
    const seen = names.map((name) => Buffer.from(`${headers[name]}`, 'latin1').toString()).join(' | ');
    const id = query.has('id') && number < 3 ? `id: ${query.get('id')}${number}\n` : '';
    response.writeHead(200, stream).end(`${soon}${id}data: ${request.method} ${seen}\n\n`);
  },
  'id-without-data'({ number, request, response }) {
    if (number > 2) response.writeHead(204).end();
    else
      response
        .writeHead(200, stream)
        .end(`${soon}data: ${request.headers['last-event-id']}\n\nid: alone\n\nid: cut\ndata: x`);
  },
  'id-forgotten'({ number, request, response }) {
    const id = number === 1 ? 'id: a' : number === 2 ? 'id' : 'x';
    if (number > 3) response.writeHead(204).end();
    else response.writeHead(200, stream).end(`${soon}${id}\ndata: ${request.headers['last-event-id']}\n\n`);
  },
  /** `status`, and `to`: where to; afterwards everything is said by `landed`. */
  redirect({ query, number, response, other }) {
    const to = (query.get('to') ?? '/s/landed').replace('OTHER', other);
    const location = to === 'none' ? {} : { location: `${to}?${query}&from=${number}` };
    response.writeHead(Number(query.get('status') ?? 302), { ...stream, ...location }).end();
  },
  landed({ number, request, query, response }) {
    if (number > 4) response.writeHead(204).end();
    else
      response
        .writeHead(200, { ...stream, ...allow(request, query) })
        .end(`${soon}data: visit ${number} from ${query.get('from')}\n\n`);
  },
  loop({ number, query, response }) {
    response.writeHead(number > 40 ? 204 : 302, { location: `/s/loop?${query}` }).end();
  },
  'bad-location': ({ number, response }) => {
    response.writeHead(number > 2 ? 204 : 302, { location: 'http://[' }).end();
  },
  /** Cut in the middle of an event, then over. */
  cut({ number, response }) {
    if (number > 2) response.writeHead(204).end();
    else {
      response.writeHead(200, stream);
      response.write(`${soon}id: ${number}\ndata: whole\n\ndata: half`, () => {
        setTimeout(() => response.destroy(), 10);
      });
    }
  },
  /** The socket is closed before there is an answer, twice. */
  refuse({ number, response }) {
    if (number > 2) response.writeHead(204).end();
    else response.destroy();
  },
  /** Stays open. */
  open({ response }) {
    response.writeHead(200, stream);
    response.write('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  },
  quiet: ({ response }) => void response.writeHead(200, stream).flushHeaders(),
  hang: () => {},
  cors({ number, request, query, response }) {
    if (number > 1) response.writeHead(204, allow(request, query)).end();
    else {
      const { origin, cookie } = request.headers;
      response.writeHead(200, { ...stream, ...allow(request, query) });
      response.end(`${soon}data: origin ${origin !== undefined} cookie ${cookie !== undefined}\n\n`);
    }
  },
};

/** The headers of CORS that the query asks for. */
function allow(request: IncomingMessage, query: URLSearchParams): Record<string, string> {
  const headers: Record<string, string> = {};
  const origin = query.get('allow');
  if (origin !== null)
    headers['access-control-allow-origin'] = origin === 'own' ? `${request.headers.origin}` : origin;
  if (query.has('credentials')) headers['access-control-allow-credentials'] = query.get('credentials')!;
  return headers;
}

export class SseParityServer {
  readonly #servers: Server[] = [];
  readonly #visits = new Map<string, number>();

  async start(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const server = createServer((request, response) => this.#serve(i, request, response));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      this.#servers.push(server);
    }
  }

  /** The base URL of one of the two origins. */
  base(index: number): string {
    return `http://127.0.0.1:${(this.#servers[index]!.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
  }

  #serve(index: number, request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {});
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://x');
    const handler = handlers[pathname.replace('/s/', '')];
    if (handler === undefined) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>parity</title>');
      return;
    }
    const key = `${pathname} ${query.get('key')}`;
    const number = (this.#visits.get(key) ?? 0) + 1;
    this.#visits.set(key, number);
    handler({ request, response, query, number, other: this.base(1 - index) });
  }
}
