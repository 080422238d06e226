/**
 * What: the one interface that every transport offers to the engine, on the server and on the client.
 * Must not know: sessions, namespaces, or which transport stands behind it.
 */
import type { Clock, TextCodec } from '../base/port.ts';
import type { OutgoingPacket, PacketType } from '../wire/engine/packet.ts';

/** The names on the wire, in the `transport` query parameter. */
export const TransportName = {
  websocket: 'websocket',
  sse: 'sse',
  polling: 'polling',
  shortPolling: 'short-polling',
} as const;
export type TransportName = (typeof TransportName)[keyof typeof TransportName];

/** The close code of a connection to a session that the server does not know (docs/protocol/session.md, "Attaching"). */
export const SESSION_UNKNOWN = 4001;

/** Why a transport ended. */
export interface TransportClosed {
  /**
   * `byUs`: after our `close()`. `byPeer`: the other side ended it in an orderly way.
   * `failed`: it broke, or the peer broke the protocol; `error` says how.
   */
  readonly by: 'byUs' | 'byPeer' | 'failed';
  readonly error?: Error;
  /** WebSocket close code and reason, where there are any; {@link SESSION_UNKNOWN} for HTTP transports too. */
  readonly closeCode?: number;
  readonly closeReason?: string;
  /** For users, who are otherwise told that it was closed. */
  readonly description?: string;
  /** The platform's own event or response, handed to users as the `description` of a disconnect. */
  readonly context?: unknown;
}

/** What a transport tells the one who uses it. Never called from within the transport's constructor. */
export interface TransportSink {
  /** The transport can carry packets (client side; a server's transport is open when it is made). */
  transportOpened(): void;
  /** `data` is owned by the receiver; bytes are not changed later. */
  transportReceived(type: PacketType, data: string | Uint8Array): void;
  /** `isWritable` went from false to true. */
  transportDrained(): void;
  /** Exactly once, last. */
  transportClosed(closed: TransportClosed): void;
}

/** Told everything, does nothing: for a transport that nobody listens to, not yet or no more. */
export const deafSink: TransportSink = {
  transportOpened() {},
  transportReceived() {},
  transportDrained() {},
  transportClosed() {},
};

/**
 * One connection of a session. Delivery: in order, each packet at most once; a packet handed over while the
 * transport dies may be lost (the session above knows how to replay it).
 */
export interface Transport {
  /** A {@link TransportName}, unless the program brought the transport along. */
  readonly name: string;
  /**
   * False while the transport cannot pass on packets at once (no poll is waiting, or the peer reads slowly).
   * `send` while false is a usage error for polling; for stream transports it queues.
   */
  readonly isWritable: boolean;
  /** Bytes handed over and not yet taken by the operating system, as far as is known. */
  readonly bufferedBytes: number;
  /** Who is told; replaced when the transport changes hands during an upgrade. */
  sink: TransportSink;
  /** Starts connecting (client side). No-op on the server. */
  open(): void;
  /** Passes packets on in order. They are shared between receivers and must not be changed. */
  send(packets: readonly OutgoingPacket[]): void;
  /**
   * Passes on what was sent, tells the peer, then reports `closed`. Idempotent.
   * @param code for WebSockets: the close code, and the reason beside it; other transports have no words for them.
   */
  close(code?: number, reason?: string): void;
  /** Ends at once without telling the peer. Idempotent. */
  terminate(): void;
  /** Stops reading what the peer sends, or goes on. A peer that is not read has to wait. WebSockets in Node have it. */
  holdReading?(isHeld: boolean): void;
  /**
   * Client polling before an upgrade: finish the request under way and start no other, then call back.
   * Transports that need no pause call back at once.
   */
  pause(callback: () => void): void;
}

/** What a program may say about a client's connections. Names are those of engine.io-client. */
export interface ClientTransportOptions {
  /** Headers of every request; browsers send them with HTTP transports only. */
  extraHeaders?: Record<string, string>;
  /** Whether cookies go along to another origin; in Node, whether cookies are kept at all. Default: no. */
  withCredentials?: boolean;
  /** Time limit of one HTTP request in ms; 0 (default): none. */
  requestTimeout?: number;
  /**
   * Most bytes of one answer to a GET or POST, an event stream's apart (Node); the connection ends with the code
   * `TRANSPORT_ERR_LIMIT` above it. Default 100 MiB, as much as a WebSocket message may have; 0: no limit.
   */
  answerLimitBytes?: number;
  /** Short polling: time between an answer and the next request if nothing is sent meanwhile, in ms. Default 1000. */
  shortPollingIntervalMs?: number;
  /** Whether bytes travel as base64 even where the transport could carry them. Default: no. */
  forceBase64?: boolean;
  /** WebSocket subprotocols to offer. */
  protocols?: string | readonly string[];
  /** Whether sockets and timers let the process end (Node). Default: no. */
  autoUnref?: boolean;
  /** Offer of permessage-deflate (Node; browsers decide by themselves). */
  perMessageDeflate?: boolean | { readonly threshold?: number };
  /** An agent of node:http or node:https (Node). */
  agent?: object | string | boolean;
  /** TLS options of node:tls (Node). */
  pfx?: string | Uint8Array;
  key?: string | Uint8Array;
  passphrase?: string;
  cert?: string | Uint8Array;
  ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  ciphers?: string;
  rejectUnauthorized?: boolean;
}

/** Keeps the cookies that a server sets, where the platform does not (Node). */
export interface CookieStore {
  /** The value of the `Cookie` header; `undefined` when there is none to send. */
  header(): string | undefined;
  /** Takes the values of `Set-Cookie` headers. */
  store(setCookie: readonly string[]): void;
}

/** Where a client's transport connects to, and how. */
export interface ClientTarget {
  /**
   * The absolute URL of the next request with its query: `http:` or `https:`, for WebSocket too. Ask once a request.
   * @param isPost whether the request brings messages; all others fetch them. A session counts them apart.
   */
  url(isPost?: boolean): string;
  /** Whether the session extension was negotiated: packet `7` is one, and its rules for requests hold. */
  readonly isExtended?: boolean;
  readonly options: ClientTransportOptions;
  readonly codec: TextCodec;
  readonly clock: Clock;
  /** Shared by the transports of one session. */
  readonly cookies?: CookieStore;
}

/** Makes one kind of transport for clients; nothing is connected before `open()`. A class can be one. */
export interface ClientTransportFactory {
  new (target: ClientTarget): Transport;
  /** The name on the wire. */
  readonly transportName: string;
}

/**
 * What engine.io-client calls its transport over WebTransport. There is none here: in `transports` the name is passed over.
 */
export const webTransport = 'webtransport';

/** Names what makes a transport. */
export function transportFactory(
  transportName: TransportName,
  create: (target: ClientTarget) => Transport,
): ClientTransportFactory {
  // ECMA-262, "[[Construct]]": what is called with `new` and returns an object has made that one.
  function Factory(target: ClientTarget): Transport {
    return create(target);
  }
  return Object.assign(Factory, { transportName }) as unknown as ClientTransportFactory;
}
