/**
 * What: the data of the open packet, the server's first words to a new session, to and from JSON.
 * Must not know: who chose the values, what a session does with them.
 */
import { PeerError } from '../../base/errors.ts';
import { EngineWireError } from './codec.ts';

/** What a server says to a client that announced the session extension (docs/protocol/session.md, "Announcement"). */
export interface SessionOffer {
  /** The version of the extension. */
  readonly version: number;
  /** For how long the server keeps a session that has no connection. */
  readonly windowMs: number;
  /** Which transports may be attached. */
  readonly transports: readonly string[];
}

/** Engine.IO protocol 4, "Handshake". Names are those on the wire; times are milliseconds, sizes bytes. */
export interface Handshake {
  readonly sid: string;
  /** Transports to which the client may upgrade from the one in use. */
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  /** Largest request body and message that the server takes; older servers do not say (0 here: unknown). */
  readonly maxPayload: number;
  /** Only where both ends have the session extension. */
  readonly session?: SessionOffer | undefined;
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
  const { upgrades, maxPayload, session } = value;
  const { version, windowMs, transports } = (session ?? {}) as Partial<Record<keyof SessionOffer, unknown>>;
  // An offer that cannot be read is none: the standard protocol is always there.
  const isOffer = version === 1 && typeof windowMs === 'number' && Array.isArray(transports);
  return {
    ...(value as Handshake),
    session: isOffer ? { version, windowMs, transports: namesIn(transports) } : undefined,
    upgrades: namesIn(upgrades),
    maxPayload: typeof maxPayload === 'number' ? maxPayload : 0,
  };
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
}
