/**
 * What: the server's side of the opening handshake over a Node socket or a stream of HTTP/2: check, negotiate, answer.
 * Must not know: who listens for upgrades, or what is done with the connection.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { UsageError } from '../../base/errors.ts';
import {
  checkUpgradeRequest,
  formatUpgradeAnswer,
  type HandshakePlan,
  type HandshakeRefusal,
} from '../../protocol/websocket/server-handshake.ts';
import { nodeByteCodec } from '../platform/node-byte-codec.ts';
import { NodeConnection } from './node-connection.ts';
import { answerConnect, isServerStream, refuseConnect } from './node-http2-accept.ts';
import {
  acceptableDeflate,
  type DeflateSettings,
  type ShellSettings,
  serverConnectionOptions,
} from './node-settings.ts';

/** Settings of all connections of a server. One object, kept: what is derived from it is kept with it. */
export interface AcceptSettings extends ShellSettings {
  /** What compression to accept. Default null: none. */
  readonly deflate?: DeflateSettings | null | undefined;
}

/** What is asked while a connection is accepted. */
export interface AcceptHooks {
  /** Chooses among the subprotocols offered; absent: the first. Called only when some are. */
  selectSubprotocol?: ((offered: Set<string>, request: IncomingMessage) => string | false) | undefined;
  /** Sees the lines of the answer before it is sent, and may push more. */
  onHeaders?: ((lines: string[], request: IncomingMessage) => void) | undefined;
}

export interface AcceptOptions extends AcceptSettings, AcceptHooks {}

/**
 * Refuses an upgrade: writes an HTTP answer and ends the socket, or the stream of HTTP/2.
 * @param message the body; default: the status' own text.
 */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  message: string = STATUS_CODES[status] ?? '',
  headers: OutgoingHttpHeaders = {},
): void {
  const all: OutgoingHttpHeaders = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(message),
    ...headers,
  };
  if (isServerStream(socket)) {
    refuseConnect(socket, status, message, all);
    return;
  }
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (const [name, value] of Object.entries(all)) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  // The socket comes without listeners: an error on the way is nobody's concern any more.
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${message}`);
}

/** A handshake that may be accepted, or must be refused; `isAcceptable` tells. */
export type { HandshakePlan, HandshakeRefusal } from '../../protocol/websocket/server-handshake.ts';

/**
 * Checks an upgrade request (RFC 6455 section 4.2.1) and negotiates compression.
 * @param isWanted asked when the request itself is right; false: refused with 400.
 */
export function checkUpgrade(
  request: IncomingMessage,
  settings: AcceptSettings,
  isWanted?: () => boolean,
): HandshakePlan | HandshakeRefusal {
  const { deflate } = settings;
  return checkUpgradeRequest(request, deflate ? acceptableDeflate(deflate) : null, isWanted);
}

/**
 * Answers 101, or 200 over HTTP/2, and makes the connection; call its `start` at once.
 * @throws {UsageError} `WS_NOT_A_STREAM`: over HTTP/2 the socket must be the request's stream.
 */
export function completeUpgrade(
  plan: HandshakePlan,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  settings: AcceptSettings,
  hooks: AcceptHooks,
): NodeConnection {
  const stream = isServerStream(socket) ? socket : null;
  if (plan.key === null && stream === null) {
    throw new UsageError('To accept a WebSocket over HTTP/2, pass request.stream as the socket', {
      code: 'WS_NOT_A_STREAM',
    });
  }
  let subprotocol: string | false = '';
  if (plan.subprotocols.size > 0) {
    const { selectSubprotocol } = hooks;
    subprotocol = selectSubprotocol
      ? selectSubprotocol(plan.subprotocols, request)
      : plan.subprotocols.values().next().value!;
  }
  const lines = formatUpgradeAnswer(plan, subprotocol || '', nodeByteCodec);
  hooks.onHeaders?.(lines, request);
  const deflate = plan.deflate && { agreement: plan.deflate.agreement, settings: settings.deflate ?? {} };
  const options = serverConnectionOptions(settings, deflate);
  if (stream !== null) return answerConnect(stream, lines, options, subprotocol || '');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  prepareSocket(socket, head);
  return new NodeConnection(socket, options, subprotocol || '');
}

/** Makes a request's socket one of long life, and puts back what came behind the head. */
export function prepareSocket(socket: Duplex, head: Uint8Array): void {
  const { setTimeout, setNoDelay } = socket as Partial<net.Socket>;
  setTimeout?.call(socket as net.Socket, 0);
  setNoDelay?.call(socket as net.Socket, true);
  if (head.length > 0) socket.unshift(head);
}

/**
 * Accepts an upgrade request, or refuses it with the right answer.
 * @returns the connection, whose `start` is to be called at once; null: refused, the socket ends.
 */
export function acceptUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  options: AcceptOptions,
): NodeConnection | null {
  const plan = checkUpgrade(request, options);
  if (!plan.isAcceptable) {
    refuseUpgrade(socket, plan.status, plan.message, plan.headers);
    return null;
  }
  if (!socket.readable || !socket.writable) {
    socket.destroy();
    return null;
  }
  return completeUpgrade(plan, request, socket, head, options, options);
}
