/**
 * What: the server's side of the opening handshake over a Node socket: check, negotiate, answer.
 * Must not know: who listens for upgrades, or what is done with the connection.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { acceptOf, parseProtocols } from './handshake-draft.ts';
import { NodeConnection } from './node-connection.ts';
import {
  type DeflateChoice,
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
  /** Sees the lines of the 101 before it is sent, and may push more. */
  onHeaders?: ((lines: string[], request: IncomingMessage) => void) | undefined;
}

export interface AcceptOptions extends AcceptSettings, AcceptHooks {}

/**
 * Refuses an upgrade: writes an HTTP answer and ends the socket.
 * @param message the body; default: the status' own text.
 */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  message: string = STATUS_CODES[status] ?? '',
  headers: OutgoingHttpHeaders = {},
): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  const all: OutgoingHttpHeaders = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(message),
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  // The socket comes without listeners: an error on the way is nobody's concern any more.
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${message}`);
}

/** A handshake that may be accepted. */
export interface UpgradePlan {
  readonly version: number;
  readonly key: string;
  /** What the client offers; empty when nothing. */
  readonly protocols: Set<string>;
  /** What was agreed on, and the text that says so in the answer. */
  readonly deflate: { readonly choice: DeflateChoice; readonly header: string } | null;
}

/** A handshake that must be refused. */
export interface UpgradeRefusal {
  readonly status: number;
  /** What is wrong with the request; absent when the request is right and we do not want it. */
  readonly message?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/**
 * Checks an upgrade request (RFC 6455 section 4.2.1) and negotiates compression.
 * @param isWanted asked when the request itself is right; false: refused with 400.
 */
export function checkUpgrade(
  request: IncomingMessage,
  settings: AcceptSettings,
  isWanted?: () => boolean,
): UpgradePlan | UpgradeRefusal {
  const { headers } = request;
  if (request.method !== 'GET') return { status: 405, message: 'Invalid HTTP method' };
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, message: 'Invalid Upgrade header' };
  const key = headers['sec-websocket-key'];
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key)) {
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' };
  }
  const version = Number(headers['sec-websocket-version']);
  if (version !== 13 && version !== 8) {
    return {
      status: 400,
      message: 'Missing or invalid Sec-WebSocket-Version header',
      headers: { 'Sec-WebSocket-Version': '13, 8' },
    };
  }
  if (isWanted?.() === false) return { status: 400 };
  let protocols = new Set<string>();
  const offered = headers['sec-websocket-protocol'];
  if (offered !== undefined) {
    const parsed = parseProtocols(offered);
    if (parsed === null) return { status: 400, message: 'Invalid Sec-WebSocket-Protocol header' };
    protocols = parsed;
  }
  const deflate = settings.deflate ? negotiate(settings.deflate, headers['sec-websocket-extensions']) : null;
  return { version, key, protocols, deflate };
}

function negotiate(settings: DeflateSettings, offer: string | undefined): UpgradePlan['deflate'] {
  if (!offer?.includes('permessage-deflate')) return null;
  return {
    choice: {
      agreement: {
        ownWindowBits: 15,
        peerWindowBits: 15,
        ownContextTakeover: true,
        peerContextTakeover: true,
      },
      settings,
    },
    header: 'permessage-deflate',
  };
}

/** Answers 101 and makes the connection; call its `start` at once. */
export function completeUpgrade(
  plan: UpgradePlan,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  settings: AcceptSettings,
  hooks: AcceptHooks,
): NodeConnection {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(plan.key)}`,
  ];
  let subprotocol: string | false = '';
  if (plan.protocols.size > 0) {
    const { selectSubprotocol } = hooks;
    subprotocol = selectSubprotocol
      ? selectSubprotocol(plan.protocols, request)
      : (plan.protocols.values().next().value ?? '');
    if (subprotocol) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
  }
  if (plan.deflate !== null) lines.push(`Sec-WebSocket-Extensions: ${plan.deflate.header}`);
  hooks.onHeaders?.(lines, request);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  prepareSocket(socket, head);
  const options = serverConnectionOptions(settings, plan.deflate === null ? null : plan.deflate.choice);
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
  if ('status' in plan) {
    refuseUpgrade(socket, plan.status, plan.message, plan.headers);
    return null;
  }
  if (!socket.readable || !socket.writable) {
    socket.destroy();
    return null;
  }
  return completeUpgrade(plan, request, socket, head, options, options);
}
