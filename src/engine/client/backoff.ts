/**
 * What: how long to wait before the next attempt to reconnect: exponential, bounded, with jitter.
 * Must not know: time, or what is attempted.
 */
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
 * @param chance from 0 up to 1.
 */
export function backoffDelayMs(attempts: number, settings: BackoffSettings, chance: number): number {
  const { reconnectionDelay, reconnectionDelayMax, randomizationFactor } = settings;
  const stray = 1 + randomizationFactor * (chance * 2 - 1);
  return Math.min(Math.floor(reconnectionDelay * 2 ** attempts * stray), reconnectionDelayMax);
}
