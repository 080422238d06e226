/**
 * What: how long to wait before the next attempt to reconnect: exponential, bounded, with jitter.
 * Must not know: time, or what is attempted.
 */
import type { Random } from '../../base/port.ts';

export interface BackoffSettings {
  /** Delay before the first attempt, in ms. */
  reconnectionDelay: number;
  /** No delay is longer, in ms. */
  reconnectionDelayMax: number;
  /** How far a delay may stray from its value, from 0 to 1: clients that were cut off together come back apart. */
  randomizationFactor: number;
}

/** Those of socket.io-client. */
export const defaultBackoff: BackoffSettings = {
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
};

/**
 * The delay before the next attempt.
 * @param attempts how many were made before.
 */
export function backoffDelayMs(attempts: number, settings: BackoffSettings, random: Random): number {
  const { reconnectionDelay, reconnectionDelayMax, randomizationFactor } = settings;
  const bytes = new Uint32Array(1);
  random.fill(new Uint8Array(bytes.buffer));
  const stray = 1 + randomizationFactor * (bytes[0]! / 2 ** 31 - 1);
  return Math.min(Math.floor(reconnectionDelay * 2 ** attempts * stray), reconnectionDelayMax);
}
