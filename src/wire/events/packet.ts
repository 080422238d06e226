/**
 * What: the packets of the Socket.IO protocol 5 as values: what a namespace's two sides say to each other.
 * Must not know: how packets are written (codec.ts), who sends them, or what carries them.
 */

/** Socket.IO protocol 5, "Packet types". The value is the first character on the wire. */
export const PacketType = {
  connect: 0,
  disconnect: 1,
  event: 2,
  ack: 3,
  connectError: 4,
  binaryEvent: 5,
  binaryAck: 6,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** The revision of the Socket.IO protocol that these packets belong to. */
export const protocol = 5;

/** Bytes inside of a message, sent beside its text. A Blob is read by the transport, in browsers only. */
export type Attachment = Uint8Array | Blob;

/** Bytes of a message that comes in: what the platform gives its programs (a Buffer, in browsers an ArrayBuffer). */
export type IncomingBytes = Uint8Array | ArrayBuffer | Blob;

/** An event's name and its arguments. Numbers are names too in Socket.IO. */
export type EventArguments = [name: string | number, ...args: unknown[]];

/** Asks to enter a namespace (data: the credentials), or says that one was entered (data: the socket's id). */
export interface ConnectPacket {
  type: typeof PacketType.connect;
  nsp: string;
  data?: Record<string, unknown>;
  id?: undefined;
  attachments?: undefined;
}

/** Leaves a namespace. */
export interface DisconnectPacket {
  type: typeof PacketType.disconnect;
  nsp: string;
  data?: undefined;
  id?: undefined;
  attachments?: undefined;
}

/** An event; with an `id` it wants an acknowledgement. */
export interface EventPacket {
  type: typeof PacketType.event | typeof PacketType.binaryEvent;
  nsp: string;
  data: EventArguments;
  id?: number;
  /** How many attachments follow the text. */
  attachments?: number;
}

/** The answer to the event that had the same `id`. */
export interface AckPacket {
  type: typeof PacketType.ack | typeof PacketType.binaryAck;
  nsp: string;
  data: unknown[];
  id: number;
  attachments?: number;
}

/** Says that the namespace may not be entered, and why. */
export interface ConnectErrorPacket {
  type: typeof PacketType.connectError;
  nsp: string;
  /** An object with `message` and `data`; a text from servers of version 2. */
  data?: unknown;
  id?: undefined;
  attachments?: undefined;
}

/** What the two sides of a namespace say to each other. */
export type Packet = ConnectPacket | DisconnectPacket | EventPacket | AckPacket | ConnectErrorPacket;

/**
 * The event in which a client's outbox wraps others, so that the server can tell those that it has
 * (docs/protocol/outbox.md). Only sent between two Tautline ends.
 */
export const OUTBOX = 'tautline:outbox';

/**
 * Event names that no peer may send and no program may emit: they are what the sockets report themselves, and what
 * Node's emitters report.
 */
export const reservedEvents: ReadonlySet<unknown> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);
