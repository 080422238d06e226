/**
 * What: types of what a server of ours tells clients of rooms beside the program's events: history and presence.
 * Must not know: how either is kept; nothing here exists at run time.
 */

/** What every event of a history carries as its last argument. */
export interface HistoryMark {
  readonly room: string;
  /** What a client gives as `since` when it comes back. */
  readonly id: string;
  /** When it was said, in milliseconds since 1970. */
  readonly atMs: number;
}

/** Stands in front of what a socket is given on joining; the event `history`. */
export interface HistoryStart {
  readonly room: string;
  /** Whether the client is to forget what it has of the room: what follows does not continue it. */
  readonly isReset: boolean;
  /** How many events of the room come now that were said before. Those after them are new. */
  readonly count: number;
  /** What a client gives as `since` when nothing new has come. */
  readonly id: string;
}

/** What clients get from histories beside the events. Add it to the events that the server emits. */
export interface HistoryEvents {
  history: (start: HistoryStart) => void;
}

/** Somebody who is in a room, with however many sockets. */
export interface PresenceMember<Meta = unknown> {
  /** Who it is: the key given on joining, or the socket's id. */
  readonly key: string;
  /** What was given on joining or by an update; that of the socket which said something last. Null by default. */
  readonly meta: Meta;
  /** Whether all connections of the member are lost for now; its session may still resume. */
  readonly isInterrupted: boolean;
}

/** What clients get for the rooms that they watch. Add it to the events that the server emits. */
export interface PresenceEvents<Meta = unknown> {
  /** Who is here: the first that a socket gets for a room, before any difference. */
  'presence:state': (state: { room: string; members: PresenceMember<Meta>[] }) => void;
  /** Somebody came, with its first socket. */
  'presence:join': (change: { room: string; member: PresenceMember<Meta> }) => void;
  /** Somebody's meta changed, or its connection was lost (`isInterrupted`) or found again. */
  'presence:update': (change: { room: string; member: PresenceMember<Meta> }) => void;
  /** Somebody left, with its last socket; `member` is how it was last. */
  'presence:leave': (change: { room: string; member: PresenceMember<Meta> }) => void;
}
