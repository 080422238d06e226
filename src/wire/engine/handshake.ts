/**
 * What: the data of the open packet, the server's first words to a new session, to and from JSON.
 * Must not know: who chose the values, what a session does with them.
 */
import { PeerError } from '../../base/errors.ts';
import { EngineWireError } from './codec.ts';

/** Engine.IO protocol 4, "Handshake". Names are those on the wire; times are milliseconds, sizes bytes. */
export interface Handshake {
  readonly sid: string;
  /** Transports to which the client may upgrade from the one in use. */
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  /** Largest request body and message that the server takes; older servers do not say (0 here: unknown). */
  readonly maxPayload: number;
}

/** Writes the data of an open packet. */
export function formatHandshake(handshake: Handshake): string {
  return JSON.stringify(handshake);
}

/**
 * Reads the data of an open packet; members that it does not know are kept.
 * @throws {PeerError} `ENGINE_ERR_INVALID_HANDSHAKE`
 */
export function parseHandshake(text: string): Handshake {
  let value: Partial<Record<keyof Handshake, unknown>> | null = null;
  try {
    value = JSON.parse(text);
  } catch {
    // reported below, like every other shape that is not the one asked for
  }
  if (
    typeof value?.sid !== 'string' ||
    typeof value.pingInterval !== 'number' ||
    typeof value.pingTimeout !== 'number'
  ) {
    throw new PeerError('The open packet must hold JSON with sid, pingInterval and pingTimeout.', {
      code: EngineWireError.invalidHandshake,
    });
  }
  const { upgrades, maxPayload } = value;
  return {
    ...value,
    sid: value.sid,
    upgrades: Array.isArray(upgrades) ? upgrades.filter((name) => typeof name === 'string') : [],
    pingInterval: value.pingInterval,
    pingTimeout: value.pingTimeout,
    maxPayload: typeof maxPayload === 'number' ? maxPayload : 0,
  };
}
