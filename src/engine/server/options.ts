/**
 * What: the options of the engine's server, with engine.io's names and defaults.
 * Must not know: what is done with them.
 */
import type { IncomingMessage } from 'node:http';
import { UsageError } from '../../base/errors.ts';
import { defaultSessionLimits, type SessionLimits } from '../../protocol/session/session.ts';
import type { PollCompression } from '../../transport/long-polling/node-compression.ts';
import type { ZlibSettings } from '../../transport/platform/node-deflate.ts';
import { TransportName } from '../../transport/port.ts';
import type { LimitOptions } from './admission.ts';
import { carrierKinds } from './carriers.ts';
import type { CookieOptions } from './cookie.ts';
import type { CorsOptions, CorsOptionsDelegate } from './cors.ts';

/**
 * Lets a request in or not, before the session begins. Call back with an error text (or `null`) and whether it may
 * go on; the text is what the client reads.
 */
export type AllowRequest = (
  request: IncomingMessage,
  callback: (error: string | null | undefined, success: boolean) => void,
) => void;

/** permessage-deflate (RFC 7692); `true` means the defaults. */
export interface PerMessageDeflateOptions {
  /** Messages shorter than this many bytes are sent as they are. Default 1024. */
  readonly threshold?: number;
  readonly serverNoContextTakeover?: boolean;
  readonly clientNoContextTakeover?: boolean;
  readonly serverMaxWindowBits?: number;
  readonly clientMaxWindowBits?: number | boolean;
  /** `level`, `memLevel` and `strategy` of zlib. */
  readonly zlibDeflateOptions?: ZlibSettings;
  readonly zlibInflateOptions?: ZlibSettings;
  /** Accepted for compatibility: compression is synchronous here, so there is nothing to limit. */
  readonly concurrencyLimit?: number;
}

/** Options of {@link Server}. Times are in ms, sizes in bytes. */
export interface ServerOptions {
  /**
   * Transports that may be used. Default `['polling', 'websocket']`, and for clients of Tautline's all that there are.
   */
  readonly transports?: readonly string[];
  /** Time between a pong and the next ping. Default 25000, below the idle limits of common proxies (30 to 60 s). */
  readonly pingInterval?: number;
  /** Time within which the pong must come. Default 20000: a phone that wakes its radio may need seconds. */
  readonly pingTimeout?: number;
  /** Time within which a begun upgrade must be complete. Default 10000. */
  readonly upgradeTimeout?: number;
  /** Largest message and largest body of a request. Default 1000000, so that nobody fills the memory at once. */
  readonly maxHttpBufferSize?: number;
  readonly allowRequest?: AllowRequest;
  /** Whether clients may change from polling to a better transport. Default true. */
  readonly allowUpgrades?: boolean;
  /** Compression of WebSocket messages. Default off: it costs much memory and CPU for each client. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
  /** Compression of polling answers of 1024 bytes and more. Default on. */
  readonly httpCompression?: boolean | PollCompression;
  /** Accepted for compatibility; there is one WebSocket engine here. */
  readonly wsEngine?: unknown;
  /** A message that each client gets right after the handshake. */
  readonly initialPacket?: string | Uint8Array;
  /** A cookie with the session id, for load balancers. Default none. */
  readonly cookie?: boolean | CookieOptions;
  /**
   * Cross-origin access, for polling and WebSocket alike. Default: pages of the server's own origin only.
   * @see docs/decisions/0002-origin-check.md
   */
  readonly cors?: CorsOptions | CorsOptionsDelegate | boolean;
  /**
   * How long and how much a session of a Tautline client keeps that lost its connection; `false`: none does, and
   * every client gets the standard protocol. Default: a minute, 16 MiB, 100,000 messages.
   * @see docs/decisions/0007-the-end-of-a-session.md
   */
  readonly session?: Partial<SessionLimits> | false;
  /** How many clients there may be, and what may wait for one that reads slowly. */
  readonly limits?: LimitOptions;
  /** Protocol 3 is not spoken; `true` is refused by the constructor rather than ignored. */
  readonly allowEIO3?: boolean;
}

/** Options of `attach`. */
export interface AttachOptions {
  /** Where the engine answers. Default `/engine.io`. */
  readonly path?: string;
  /** Whether the path ends with a slash. Default true. */
  readonly addTrailingSlash?: boolean;
  /** Whether upgrade requests that nobody answers are ended. Default true. */
  readonly destroyUpgrade?: boolean;
  /** After how long. Default 1000. */
  readonly destroyUpgradeTimeout?: number;
}

/** What {@link resolveOptions} has filled in. */
export type ResolvedOptions = ServerOptions &
  Required<
    Pick<
      ServerOptions,
      | 'transports'
      | 'pingInterval'
      | 'pingTimeout'
      | 'upgradeTimeout'
      | 'maxHttpBufferSize'
      | 'allowUpgrades'
      | 'perMessageDeflate'
      | 'httpCompression'
    >
  >;

/** What only a resumable session can use. */
function extraTransports(): string[] {
  return Object.keys(carrierKinds).filter((name) => carrierKinds[name]?.isStandard === false);
}

const DEFAULTS = {
  transports: [TransportName.polling, TransportName.websocket, ...extraTransports()],
  pingInterval: 25_000,
  pingTimeout: 20_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1_000_000,
  allowUpgrades: true,
  perMessageDeflate: false,
  httpCompression: true,
} as const;

/**
 * The limits of resumable sessions; `null` when there are to be none.
 * @throws {UsageError} `ENGINE_ERR_INVALID_LIMIT`
 */
export function resolveSessionLimits({ session = {} }: ServerOptions): SessionLimits | null {
  if (session === false) return null;
  const given = Object.entries(session).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (typeof value === 'number' && value >= 0) continue;
    throw new UsageError(`session.${name} cannot be ${String(value)}.`, { code: 'ENGINE_ERR_INVALID_LIMIT' });
  }
  return { ...defaultSessionLimits, ...Object.fromEntries(given) };
}

/**
 * Fills in the defaults; an option given as `undefined` counts as not given.
 * @throws {UsageError} `ENGINE_ERR_UNSUPPORTED_PROTOCOL` for `allowEIO3`.
 */
export function resolveOptions(options: ServerOptions): ResolvedOptions {
  if (options.allowEIO3) {
    throw new UsageError(
      'allowEIO3: clients of Socket.IO 2 (Engine.IO protocol 3) are not served. Remove the option; such clients ' +
        'are told "Unsupported protocol version" (code 5) and must be updated',
      { code: 'ENGINE_ERR_UNSUPPORTED_PROTOCOL' },
    );
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, ...given };
}
