/**
 * What: an engine server on a free port of loopback, and a client that speaks plain HTTP to it.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AttachOptions, ServerOptions } from '../../../src/engine/server/options.ts';
import type { ConnectionError } from '../../../src/engine/server/refusal.ts';
import { Server } from '../../../src/engine/server/server.ts';
import type { Socket } from '../../../src/engine/server/session.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export interface Scene {
  readonly engine: Server;
  readonly http: HttpServer;
  readonly port: number;
  /** What `connection_error` told. */
  readonly refusals: ConnectionError[];
  ask(path: string, options?: RequestOptions): Promise<Answer>;
  /** Begins a session by polling, and gives both ends of it. */
  begin(options?: RequestOptions): Promise<Session>;
}

export interface Session {
  readonly sid: string;
  readonly socket: Socket;
  readonly url: string;
  poll(options?: RequestOptions): Promise<Answer>;
  post(body: string | Buffer, options?: RequestOptions): Promise<Answer>;
}

export const HANDSHAKE = '/engine.io/?EIO=4&transport=polling';

export function ask(port: number, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const req = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: bytes.toString(), bytes });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Started and, at the end of the test, closed. */
export async function startEngine(
  options: ServerOptions = {},
  attach: AttachOptions = {},
  http: HttpServer = createServer((_req, res) => res.writeHead(404).end('the application')),
): Promise<Scene> {
  const engine = new Server(options);
  engine.attach(http, attach);
  engine.on('connection', (socket) => {
    const end = new Promise<End>((resolve) => {
      socket.once('close', (reason, description) => resolve([reason, description]));
    });
    ends.set(socket, end);
  });
  const refusals: ConnectionError[] = [];
  engine.on('connection_error', (error) => refusals.push(error));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    engine.close();
    http.closeAllConnections();
    if (http.listening) {
      http.close();
      await once(http, 'close');
    }
  });
  const { port } = http.address() as AddressInfo;
  return {
    engine,
    http,
    port,
    refusals,
    ask: (path, request) => ask(port, path, request),
    async begin(request) {
      const { body, status } = await ask(port, HANDSHAKE, request);
      if (status !== 200) throw new Error(`The handshake was answered with ${status}: ${body}`);
      const { sid } = JSON.parse(body.slice(1)) as { sid: string };
      const url = `${HANDSHAKE}&sid=${sid}`;
      return {
        sid,
        url,
        socket: engine.clients[sid]!,
        poll: (more) => ask(port, url, more),
        post: (data, more) => ask(port, url, { method: 'POST', body: data, ...more }),
      };
    },
  };
}

/** The arguments of the next `event`. */
export function next(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return once(emitter, event);
}

type End = [reason: string, description: unknown];
const ends = new WeakMap<Socket, Promise<End>>();

/** The arguments of the event `close`, however early it came. */
export function closing(socket: Socket): Promise<End> {
  return ends.get(socket) ?? Promise.reject(new Error('The session is not of an engine of this scene.'));
}

/** Resolves once a poll of the session waits on the server. */
export async function pollWaits(socket: Socket): Promise<void> {
  while (!socket.transport.isWritable) await new Promise((resolve) => setImmediate(resolve));
}
