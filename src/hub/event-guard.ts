/**
 * What: the port of what looks at events before anybody else does: contracts, rate limits, a program's own.
 * Must not know: what is looked for, or in which order events are handed on (guarded-intake.ts).
 */
import { type EventRefusal, REFUSED_EVENT, RefusedError } from '../base/refusal.ts';
import type { Untyped } from '../base/typed-events.ts';
import type { EventSocket } from '../streams/event-socket.ts';
import { STREAM_EVENT } from '../streams/message.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import { type EventArguments, PacketType } from '../wire/events/packet.ts';
import type { AnySocket } from './socket.ts';

/** What a guard says of an event: what goes on, or null where nothing does. */
export type GuardedEvent = EventArguments | null;

/** What a guard says of an answer: what goes on, or why nothing does. */
export type GuardedAnswer = readonly unknown[] | Error;

/** What a guard says of credentials: what goes on, or why their client may not enter. */
export type GuardedAuth = Record<string, Untyped> | RefusedError;

/**
 * Looks at what clients send before listeners, catch-all listeners and middlewares see it.
 *
 * Guards are asked in the order in which they were added, each event as it comes, but at most 64 of a socket at a time
 * that have given promises and not kept them. Where one gives a promise, what comes after from the same socket waits for
 * it, so that the order stays (see `laneOf`). Where one throws, what it was to look at is refused
 * (`EVENT_ERR_GUARD_FAILED`) and counted in `namespace.guardFailures`; the first time is a warning, `GUARD_FAILED`.
 */
export interface EventGuard {
  /**
   * @param event name and arguments; the acknowledgement callback, if the client wants an answer, is the last one.
   * @returns null when it does not go on. The guard has told the sender then, with {@link refuseEvent} or not at all.
   */
  checkEvent(socket: AnySocket, event: EventArguments): GuardedEvent | Promise<GuardedEvent>;
  /**
   * Where a check of such events may take its time though what comes after need not wait: who they queue up with. All
   * others keep the order in which they came. Asked for streams by their names, too.
   */
  laneOf?(event: string): string | null;
  /** The client's answer to `event`. An error goes to whoever waits, where it can be told of one. */
  checkAnswer?(
    socket: AnySocket,
    event: string | number,
    answer: readonly unknown[],
  ): GuardedAnswer | Promise<GuardedAnswer>;
  /**
   * What a client gives as `auth`, before the middlewares are asked. Who is not let in gets a `connect_error` with the
   * refusal as its `data`.
   */
  checkAuth?(auth: Record<string, Untyped>): GuardedAuth | Promise<GuardedAuth>;
}

/**
 * Tells the sender: as the answer `{ error: refusal }` where it wants one, else by the event `tautline:refused`; one who
 * asked for a stream, by the stream's end. What itself tells of a refusal is not answered, or two ends would refuse
 * each other's for ever.
 */
export function refuseEvent(socket: AnySocket, event: EventArguments, refusal: EventRefusal): void {
  const [name, kind, id] = event;
  if (name === STREAM_EVENT && kind === 'open') {
    StreamPeer.of(socket as unknown as EventSocket).refuse(id as number, refusal);
    return;
  }
  if (name === STREAM_EVENT && kind === 'part') {
    StreamPeer.of(socket as unknown as EventSocket).refusePart(id as number, new RefusedError(refusal));
    return;
  }
  const ack = event.at(-1);
  if (typeof ack === 'function') ack({ error: refusal });
  else if (name !== REFUSED_EVENT) sendRefusal(socket, refusal);
}

/** Tells the sender that so much of it waits that this one does not. */
export function refuseBacklogged(socket: AnySocket, event: EventArguments): void {
  const name = String(event[0]);
  const message = `Too many events wait to be handled; "${name}" was not taken.`;
  refuseEvent(socket, event, { code: 'EVENT_ERR_BACKLOG', message, event: name });
}

/** Tells the client of a refusal by the event `tautline:refused`. */
export function sendRefusal(socket: AnySocket, refusal: EventRefusal): void {
  if (!socket.connected) return;
  socket.client.sendPacket({
    type: PacketType.event,
    nsp: socket.nsp.name,
    data: [REFUSED_EVENT, refusal],
    id: undefined,
    attachments: undefined,
  });
}
