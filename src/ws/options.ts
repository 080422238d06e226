/**
 * What: the options of client and server under the names of `ws`, and their translation for the floors below.
 * Must not know: what is done with them.
 */
import type { ZlibOptions } from 'node:zlib';
import { UsageError } from '../base/errors.ts';
import { NodeDeflate } from '../transport/platform/node-deflate.ts';
import type { DeflateSettings, ShellSettings } from '../transport/websocket/node-settings.ts';
import type { SendStatistics, SlowReaderOptions } from './held-messages.ts';
import type { SessionOptions } from './session.ts';

/** Finds peers that have gone without a word. */
export interface HeartbeatOptions {
  /** How long nothing may come before a ping is sent, in ms. */
  readonly intervalMs: number;
  /** How long after the ping anything must have come, in ms; then the socket is destroyed. */
  readonly timeoutMs: number;
}

/** How messages are compressed (RFC 7692), where the peer agrees. */
export interface PerMessageDeflateOptions {
  readonly serverNoContextTakeover?: boolean | undefined;
  readonly clientNoContextTakeover?: boolean | undefined;
  readonly serverMaxWindowBits?: number | undefined;
  /** A client may give `true`: the server may choose. */
  readonly clientMaxWindowBits?: number | boolean | undefined;
  readonly zlibDeflateOptions?: ZlibOptions | undefined;
  readonly zlibInflateOptions?: ZlibOptions | undefined;
  /** Messages shorter than this are not compressed when this side keeps no context. Default 1024 bytes. */
  readonly threshold?: number | undefined;
  /**
   * Whether messages are sent as they are for a while after some that did not shrink, text and binary apart; one in
   * 64 is tried again at the least. Not in `ws`. Default true: pictures and sound would cost the time of `threshold`'s
   * long messages for nothing. `false` tries each.
   */
  readonly adaptive?: boolean | undefined;
  /**
   * What the windows of all connections of this server, or of this client, may take together, in bytes; not in `ws`.
   * A server agrees on `client_no_context_takeover` with new clients once half of it is promised (not with
   * `clientNoContextTakeover: false`), and forgets the sending window that was used longest ago when the rest is full;
   * messages only get longer. Default: 128 MiB for all servers and clients of the process that say nothing of it.
   */
  readonly budgetBytes?: number | undefined;
  /** Of `ws`, for its thread pool. Compression is done in place here; accepted and not used. */
  readonly concurrencyLimit?: number | undefined;
}

/** What client and server have in common. */
export interface CommonOptions {
  /** False: one event a turn of the event loop. Default true. */
  readonly allowSynchronousEvents?: boolean | undefined;
  /** Whether pings are answered. Default true. */
  readonly autoPong?: boolean | undefined;
  /** How long the peer may take to close, in ms. Default 30000. */
  readonly closeTimeout?: number | undefined;
  /** Most chunks in which one frame may come. Default 0: none, since `maxPayload` and the memory budget hold. */
  readonly maxBufferedChunks?: number | undefined;
  /** Most frames of one message. Default 0: none, since the memory budget counts what a fragment costs. */
  readonly maxFragments?: number | undefined;
  /** Largest message in bytes, after inflation. Default 100 MiB; 0: no limit. */
  readonly maxPayload?: number | undefined;
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  readonly skipUTF8Validation?: boolean | undefined;
  /** Finds half-open connections; not in `ws`. Default: none. */
  readonly heartbeat?: HeartbeatOptions | null | undefined;
  /** Bounds what waits for a peer that reads slowly; not in `ws`. Default: no bound. */
  readonly slowReader?: SlowReaderOptions | null | undefined;
}

const slowReaderPolicies: readonly string[] = ['close', 'drop-newest', 'drop-oldest', 'keep-latest'];

// What is misspelt here would not fail, it would not protect.

/** @throws {UsageError} `WS_INVALID_SLOW_READER`. */
function checkedSlowReader(option: SlowReaderOptions | null | undefined): SlowReaderOptions | null {
  if (!option) return null;
  if (option.limitBytes > 0 && slowReaderPolicies.includes(option.policy)) return option;
  throw new UsageError(
    `slowReader needs limitBytes above 0 and a policy: one of ${slowReaderPolicies.join(', ')}`,
    { code: 'WS_INVALID_SLOW_READER' },
  );
}

/** @throws {UsageError} `WS_INVALID_HEARTBEAT`. */
function checkedHeartbeat(option: HeartbeatOptions | null | undefined): HeartbeatOptions | null {
  if (!option) return null;
  if (option.intervalMs > 0 && option.timeoutMs > 0) return option;
  throw new UsageError('heartbeat needs intervalMs and timeoutMs, both above 0', {
    code: 'WS_INVALID_HEARTBEAT',
  });
}

/** @param counters where a server counts what its slow readers cost. */
export function toSessionOptions(
  options: CommonOptions,
  counters: readonly SendStatistics[] = [],
): SessionOptions {
  return {
    isSynchronous: options.allowSynchronousEvents !== false,
    slowReader: checkedSlowReader(options.slowReader),
    counters,
  };
}

function nonNegative(value: number | undefined, fallback: number): number {
  return value === undefined ? fallback : Math.max(0, Math.floor(value) || 0);
}

/** The settings of connections that have these options. */
export function toShellSettings(options: CommonOptions): ShellSettings {
  return {
    limits: {
      payloadLimitBytes: nonNegative(options.maxPayload, 100 * 1024 * 1024),
      fragmentLimit: nonNegative(options.maxFragments, 0),
      chunkLimit: nonNegative(options.maxBufferedChunks, 0),
    },
    checkUtf8: options.skipUTF8Validation !== true,
    autoPong: options.autoPong !== false,
    closeTimeoutMs: options.closeTimeout ?? 30_000,
    heartbeat: checkedHeartbeat(options.heartbeat),
  };
}

/** @param byDefault what an absent option means. */
export function toDeflateSettings(
  option: boolean | PerMessageDeflateOptions | undefined,
  byDefault: boolean,
): DeflateSettings | null {
  const chosen = option ?? byDefault;
  if (!chosen) return null;
  if (chosen === true) return {};
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } =
    chosen;
  const { zlibDeflateOptions, zlibInflateOptions, threshold, adaptive, budgetBytes } = chosen;
  const hasOwnPort = zlibDeflateOptions || zlibInflateOptions || budgetBytes !== undefined;
  return {
    serverNoContextTakeover,
    clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
    thresholdBytes: threshold,
    isAdaptive: adaptive,
    port: hasOwnPort ? new NodeDeflate(zlibDeflateOptions, zlibInflateOptions, budgetBytes) : undefined,
  };
}
