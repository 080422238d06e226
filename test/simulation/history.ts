/**
 * What: one history: what the programs at both ends do, and what the network does to each connection. Plain data.
 * Must not know: how a history is played.
 */
import type { EngineOptions } from '../../src/engine/client/options.ts';

/** Who learns at once that a connection is cut. The others have their heartbeats. */
export type Noticed = 'both' | 'client' | 'server' | 'nobody';

/** What the network does to one connection: a WebSocket, or one HTTP request and its answer. */
export interface Fate {
  /** Milliseconds on the way to the server, and back. */
  readonly upMs: number;
  readonly downMs: number;
  readonly fault?: Fault;
  /** When the fault shows; see there. */
  readonly afterMs?: number;
  readonly noticed?: Noticed;
}

/**
 * `refused`: it never reaches the server, and the client is told. `hangs`: the same, but nobody is told.
 * `cut`: it breaks `afterMs` after it has reached the server. `answer lost`: the server believes that it has answered.
 * `twice`: a second copy of the request reaches the server `afterMs` later; nobody waits for its answer.
 * `late`: the client is told that it failed; it reaches the server `afterMs` later. `bad gateway`: a proxy answers 502.
 * `gateway timeout`: a proxy answers 504 in the server's place, which has taken the request.
 * `half a body`: a POST breaks off in the middle. `in pieces`: what is longer than a moment comes in two, `afterMs` apart.
 * `buffered`: a proxy keeps an event stream to itself until it ends.
 */
export const faults = [
  'refused',
  'hangs',
  'cut',
  'answer lost',
  'twice',
  'late',
  'bad gateway',
  'gateway timeout',
  'half a body',
  'in pieces',
  'buffered',
] as const;
export type Fault = (typeof faults)[number];

/** What happens at a time. */
export type Deed = { readonly atMs: number } & (
  | {
      readonly deed: 'send';
      readonly end: End;
      readonly messages: number;
      readonly bytes: number;
      /** Time between two messages; without, all are sent at once. */
      readonly everyMs?: number;
    }
  /** All connections that there are break. */
  | { readonly deed: 'cut'; readonly noticed: Noticed }
  /** The same, and new ones fail for so long: refused, or without a word. */
  | { readonly deed: 'outage'; readonly ms: number; readonly noticed: Noticed; readonly isSilent: boolean }
  /** Whoever receives reads nothing for so long. */
  | { readonly deed: 'slow'; readonly ms: number }
  /** The end does nothing for so long, and does not know it. */
  | { readonly deed: 'sleep'; readonly end: End; readonly ms: number }
  /** The process or page begins anew and knows nothing. */
  | { readonly deed: 'restart'; readonly end: End; readonly isOrderly: boolean }
  | { readonly deed: 'page'; readonly event: 'offline' | 'online' | 'visibilitychange' }
  | { readonly deed: 'close'; readonly end: End }
);
export type End = 'client' | 'server';

/** How both ends are set up. */
export interface Setting {
  /** `undefined`: the client's own choice. */
  readonly transports?: readonly string[];
  readonly tryAllTransports: boolean;
  readonly upgrade: boolean;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly windowMs: number;
  readonly bufferMessages: number;
  readonly bufferBytes: number;
  readonly maxPayload: number;
  readonly shortPollingIntervalMs: number;
  readonly requestTimeout: number;
  readonly bufferedBytes: number;
  readonly slowReader: 'close' | 'drop newest';
  /** Every so many messages the receiver answers with one, from within its handler; 0: never. */
  readonly answersEvery: number;
}

export interface History {
  readonly setting: Setting;
  readonly deeds: readonly Deed[];
  /** By the number of the connection, counted from the beginning; those that are not named have no fault. */
  readonly fates: readonly (readonly [number: number, fate: Fate])[];
}

export const calm: Fate = { upMs: 5, downMs: 5 };

/** The options of a client in this setting. */
export function clientOptions(setting: Setting): Partial<EngineOptions> {
  const { transports, tryAllTransports, upgrade, shortPollingIntervalMs, requestTimeout } = setting;
  const { bufferBytes, bufferMessages } = setting;
  return {
    ...(transports && { transports }),
    tryAllTransports,
    upgrade,
    shortPollingIntervalMs,
    requestTimeout,
    session: { bufferBytes, bufferMessages },
  };
}

/** Chance from a seed (mulberry32): a number from 0 to 1. */
export function chanceFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
