/**
 * What: a server of node:http2 with a WebSocketServer on it, sessions to it, and handshakes made by hand.
 * Must not know: single tests.
 */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from '../../../src/entry/ws.ts';
import { Authority } from '../websocket/certificate.ts';

type ServerOptions = NonNullable<ConstructorParameters<typeof WebSocketServer>[0]>;
export type ClientOptions = NonNullable<ConstructorParameters<typeof WebSocket>[2]>;
export type AnswerHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

export const authority = new Authority();
const identity = authority.issue({ dns: 'localhost', ip: '127.0.0.1' });

export interface Listening {
  readonly http: Http2Server | Http2SecureServer;
  readonly port: number;
  /** `https://127.0.0.1:1234`, as `http2.connect` takes it. */
  readonly origin: string;
  /** `wss://127.0.0.1:1234` */
  readonly url: string;
  /** The server's sessions, in the order in which they came. */
  readonly sessions: ServerHttp2Session[];
  /** A session of a client, open when it is given. */
  connect(): Promise<ClientHttp2Session>;
}

/** The two kinds of servers that node:http2 has. */
export const kinds = ['secure', 'cleartext'] as const;
export type Kind = (typeof kinds)[number];

export function makeHttp2Server(kind: Kind): Http2Server | Http2SecureServer {
  return kind === 'secure' ? createSecureServer({ ...identity, allowHTTP1: true }) : createServer();
}

/** Listens on loopback until the end of the test. */
export async function listen(http: Http2Server | Http2SecureServer): Promise<Listening> {
  const sessions: ServerHttp2Session[] = [];
  http.on('session', (session) => sessions.push(session));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    http.close();
    await once(http, 'close');
  });
  const { port } = http.address() as AddressInfo;
  const isSecure = 'setSecureContext' in http;
  const origin = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`;
  return {
    http,
    port,
    origin,
    url: `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}`,
    sessions,
    async connect() {
      const session = openSession(origin);
      await once(session, 'remoteSettings');
      return session;
    },
  };
}

/** A session that is still being connected. */
export function openSession(origin: string, ca = authority.cert): ClientHttp2Session {
  const session = connect(origin, { ca });
  // That a session ends is what some tests are about.
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

export interface Scene extends Listening {
  readonly wss: WebSocketServer;
}

/** A WebSocketServer on a server of node:http2; every other request is answered with its path. */
export async function serve(options: ServerOptions = {}, kind: Kind = 'secure'): Promise<Scene> {
  const http = makeHttp2Server(kind);
  http.on('request', (request, response) => response.end(`the page ${request.url}`));
  const wss = new WebSocketServer({ server: http, ...options });
  return { ...(await listen(http)), wss };
}

/** Sends back whatever comes. */
export function echo(wss: WebSocketServer): void {
  wss.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary })),
  );
}

export const handshake: OutgoingHttpHeaders = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':path': '/',
  'sec-websocket-version': '13',
};

/** Sends an extended CONNECT, or what else the headers say. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  endStream = false,
): ClientHttp2Stream {
  const stream = session.request({ ...handshake, ...headers }, { endStream });
  stream.on('error', () => {});
  return stream;
}

export interface Answer {
  readonly headers: AnswerHeaders;
  readonly body: string;
  /** How the stream was closed (RFC 9113 section 7). */
  readonly rstCode: number;
}

/** The whole answer; resolves when the stream is closed by the server, or by both, as Node's own answers want it. */
export async function answerTo(stream: ClientHttp2Stream, by: 'server' | 'both' = 'server'): Promise<Answer> {
  const closed = once(stream, 'close');
  if (by === 'both') stream.on('end', () => stream.end());
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [headers] = (await once(stream, 'response')) as [AnswerHeaders];
  await closed;
  return { headers, body: Buffer.concat(chunks).toString(), rstCode: stream.rstCode };
}

/** Header fields alone: Node puts symbols beside them. */
export function fieldsOf(headers: AnswerHeaders): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers));
}

/** The bytes that come until there are `length` of them. */
export async function read(stream: ClientHttp2Stream, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let count = 0;
  while (count < length) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    chunks.push(chunk);
    count += chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Our client on a session, and its peer on the server, both open. */
export async function open(
  scene: Scene,
  session: ClientHttp2Session,
  { path = '/', protocols, ...options }: ClientOptions & { path?: string; protocols?: string[] } = {},
): Promise<{ client: WebSocket; peer: WebSocket }> {
  const connected = once(scene.wss, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(`${scene.url}${path}`, protocols ?? [], { ...options, http2Session: session });
  const [[peer]] = await Promise.all([connected, once(client, 'open')]);
  return { client, peer };
}

/** The arguments of `close`, as they can be compared. */
export async function closing(socket: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}
