/**
 * What: why a request is not let in, as a code that clients know, and the answer that says so.
 * Must not know: the checks themselves.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseUpgrade } from '../../transport/websocket/node-accept.ts';

/** Engine.IO's error codes, under engine.io's names. */
export const errors = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
} as const;
/** One of {@link errors}. */
export type ErrorCode = (typeof errors)[keyof typeof errors];

/** What each code says when there is nothing more exact to say. */
export const errorMessages: Readonly<Record<ErrorCode, string>> = {
  0: 'Transport unknown',
  1: 'Session ID unknown',
  2: 'Bad handshake method',
  3: 'Bad request',
  4: 'Forbidden',
  5: 'Unsupported protocol version',
};

/** Why a request was refused; `message` in it replaces the code's own text in the answer. */
export type RefusalContext = Readonly<Record<string, unknown>>;

export interface Refusal {
  readonly code: ErrorCode;
  /** The HTTP status, where it is not that of the code: 429 and 503 tell that later it may be different. */
  readonly status?: 429 | 503;
  readonly context: RefusalContext;
}

/** What the event `connection_error` tells. */
export interface ConnectionError {
  readonly req: IncomingMessage;
  readonly code: ErrorCode;
  readonly message: string;
  readonly context: RefusalContext;
}

function statusOf({ code, status }: Refusal): number {
  return status ?? (code === errors.FORBIDDEN ? 403 : 400);
}

function messageOf({ code, context }: Refusal): string {
  return typeof context.message === 'string' ? context.message : errorMessages[code];
}

/** Answers an HTTP request: JSON with the code and a message. */
export function refuseRequest(response: ServerResponse, refusal: Refusal): void {
  if (response.destroyed || response.headersSent) return;
  // docs/protocol/session.md, "End": a client that comes back too late reads how the session ended.
  const ended = refusal.context.ended as object | undefined;
  const body = JSON.stringify({ code: refusal.code, message: messageOf(refusal), ...ended });
  response.writeHead(statusOf(refusal), {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/**
 * Answers a WebSocket handshake and ends the connection.
 * Deviation: the official server says 400 for `FORBIDDEN` too; 403 is what it says to polling, and what is meant.
 */
export function refuseSocket(socket: Duplex, refusal: Refusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  // `text/plain`, because the message may repeat something that the peer has sent.
  refuseUpgrade(socket, statusOf(refusal), messageOf(refusal), {
    'Content-Type': 'text/plain; charset=utf-8',
  });
}
