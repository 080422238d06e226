/**
 * What: the reasons for which a socket on the server ends, as programs match on them.
 * Must not know: who closes what.
 */

/** Socket.IO 4 documentation, "disconnect": the closed set of reasons. */
export type DisconnectReason =
  | 'transport error'
  | 'transport close'
  | 'forced close'
  | 'ping timeout'
  | 'parse error'
  | 'server shutting down'
  | 'forced server close'
  | 'client namespace disconnect'
  | 'server namespace disconnect';

/** Reasons that are the program's: it wants to hear no more. */
export const reasonsOfOurs: ReadonlySet<DisconnectReason> = new Set([
  'server shutting down',
  'forced server close',
  'server namespace disconnect',
]);

/**
 * Reasons after which the client may come back and find its state (Socket.IO 4, "Connection state recovery"):
 * nobody has left on purpose.
 */
export const recoverableReasons: ReadonlySet<DisconnectReason> = new Set([
  'transport error',
  'transport close',
  'forced close',
  'ping timeout',
  'server shutting down',
  'forced server close',
]);
