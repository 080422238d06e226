/**
 * What: what a program may say about a client's session, and what the platform must bring along.
 * Must not know: how sessions work, namespaces, or any platform.
 */
import type { Clock, TextCodec } from '../../base/port.ts';
import type { SessionLimits } from '../../protocol/session/session.ts';
import type { ClientTransportFactory, ClientTransportOptions, CookieStore } from '../../transport/port.ts';
import type { BackoffSettings } from './backoff.ts';

/** A transport by its name on the wire; names that the platform does not know are passed over. */
export type TransportName =
  | 'websocket'
  | 'sse'
  | 'polling'
  | 'short-polling'
  | 'webtransport'
  | (string & {});

/** A transport by its name, or one that the program brings along. */
export type TransportChoice = TransportName | ClientTransportFactory;

/** Options of a session, with the names and defaults of engine.io-client. */
export interface EngineOptions extends ClientTransportOptions, Partial<BackoffSettings> {
  /** Host with port, where no URI is given. */
  host?: string;
  /** Host without port. Default: the page's, else `localhost`. */
  hostname?: string;
  /** Whether to use TLS. Default: as the page does. */
  secure?: boolean;
  /** Default: the page's for the page's host, else 443 or 80. */
  port?: string | number;
  /** Parameters that every request carries. */
  query?: string | Record<string, unknown>;
  /** Path of the endpoint. Default `/engine.io`, and `/socket.io` below a Manager. */
  path?: string;
  /** Whether the path ends with a slash. Default true. */
  addTrailingSlash?: boolean;
  /**
   * Which transports to use, the first one first. Default: WebSocket, beside it an HTTP transport if it takes long;
   * whichever opens first, until a better one does.
   */
  transports?: readonly TransportChoice[];
  /** Implementations to use instead of the platform's, in the order in which they are tried. */
  transportImplementations?: readonly ClientTransportFactory[];
  /** Options for one transport, by name; they win over the general ones. */
  transportOptions?: Readonly<Record<string, ClientTransportOptions>>;
  /** Whether to move to a better transport once connected. Default true. */
  upgrade?: boolean;
  /**
   * Whether to start with WebSocket when it worked the last time. Default false. Without `transports` the last winner is
   * always started first; then this says whether browsers remember it beyond the page.
   */
  rememberUpgrade?: boolean;
  /** Whether to go on with the next transport when one cannot connect. Default false. */
  tryAllTransports?: boolean;
  /**
   * Whether the session outlives its connections where the server offers it (docs/protocol/session.md), and what it may
   * keep unconfirmed. Default: 16 MiB and 100,000 messages.
   */
  session?: boolean | Partial<Pick<SessionLimits, 'bufferBytes' | 'bufferMessages'>>;
  /** Whether a session that has lost its connection looks for another one; if not, it ends. Default true. */
  reconnection?: boolean;
  /** Whether requests carry a unique parameter. Default: HTTP transports do. */
  timestampRequests?: boolean;
  /** Name of that parameter. Default `t`. */
  timestampParam?: string;
  /** Whether to ignore replaced timers (fake clocks in tests). Default false. */
  useNativeTimers?: boolean;
  /** Whether to close silently when the page is left. Default false. */
  closeOnBeforeunload?: boolean;
}

/** What bytes become before a program sees them. */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'blob';

/** What happens to a page, as the browser names it; `visible`: the user sees it again. */
export type PageEvent = 'offline' | 'online' | 'visible' | 'beforeunload';

/** What the composition root puts in: the platform, as far as a session needs it. */
export interface EnginePlatform {
  readonly codec: TextCodec;
  /** From 0 up to 1; nobody has to be unable to guess it. */
  chance(): number;
  /** @param isUnref whether waiting timers let the process end. */
  clock(isNative?: boolean, isUnref?: boolean): Clock;
  /** In the order in which they are tried. */
  readonly transports: readonly ClientTransportFactory[];
  readonly binaryType: BinaryType;
  /** Hands bytes to the program as it wants them. */
  present(bytes: Uint8Array, binaryType: BinaryType): unknown;
  /** The URL of the page, if there is a page. */
  readonly page?: string;
  /** Listens to the page, if there is one; returns what stops it. */
  watch(event: PageEvent, listener: () => void): () => void;
  /** What is remembered beyond the page, where there is such a place. @throws when the user does not allow it. */
  memory?(): Record<string, string>;
  /** Keeps cookies, where the platform does not. */
  createCookies?(): CookieStore;
}
