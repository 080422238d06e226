/**
 * What: the events of a WebSocket, what comes with them, and the table in which its listeners are kept.
 * Must not know: when they occur.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

/** A message as it comes: text and `nodebuffer` as a Buffer, otherwise as `binaryType` says. */
export type RawData = Buffer | ArrayBuffer | Buffer[];

/** What `binaryType` may be. */
export const binaryTypes = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const;
/** In which shape binary messages come; the bytes are the same. */
export type BinaryType = (typeof binaryTypes)[number];

/** The events of a {@link WebSocket} and the arguments of their listeners. */
export interface WebSocketEvents {
  /** The handshake is done. */
  open: [];
  /** A message; text comes as a Buffer with `isBinary` false. */
  message: [data: RawData, isBinary: boolean];
  /** Last. 1005: an empty close frame; 1006: no closing handshake. */
  close: [code: number, reason: Buffer];
  /** At most once, never after `close`. */
  error: [error: Error];
  ping: [data: Buffer];
  pong: [data: Buffer];
  /** `send` may go on: it had returned false. Not in `ws`. */
  drain: [];
  /** With `streamMessages`: a message begins; it is read while it arrives. Not in `ws`. */
  stream: [message: Readable, isBinary: boolean];
  /** The server's answer to the handshake, before it is checked. */
  upgrade: [response: IncomingMessage];
  redirect: [url: string, request: ClientRequest];
  /** Any answer but 101. With a listener, the request is the listener's to end. */
  'unexpected-response': [request: ClientRequest, response: IncomingMessage];
}

/**
 * The EventEmitter's table of listeners, with a place for each event that a program is likely to listen to. The
 * emitter's own is a hash table, which costs three times as much on each of thousands of connections.
 */
export class ListenerTable {
  open = undefined;
  message = undefined;
  close = undefined;
  error = undefined;
  ping = undefined;
  pong = undefined;
}
// No inherited names: `constructor` is an event like any other.
Object.setPrototypeOf(ListenerTable.prototype, null);
Reflect.deleteProperty(ListenerTable.prototype, 'constructor');
