/**
 * What: as much of a socket as iterators and streams need: ours on both sides have it, and those of socket.io too.
 * Must not know: any of them.
 */
import type { Untyped } from '../base/typed-events.ts';

/** A socket whose events are not known here. */
export interface EventSocket {
  /** Calls `listener` for each such event. */
  on(event: string, listener: (...args: Untyped[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: Untyped[]) => void): unknown;
  /** Sends an event to the other side. */
  emit(event: string, ...args: Untyped[]): unknown;
}

/** One who holds a valve. */
export interface ValveHolder {
  /** So much waits already that an event was refused in its place. */
  valveOverflowed(): void;
}

/** Where events of one name can be held up, so that the peer has to wait. Each `hold` is followed by one `release`. */
export interface Valve {
  hold(holder: ValveHolder): void;
  release(holder: ValveHolder): void;
  /** Told while it is held: an event was taken. */
  moved(): void;
  /** Whether all that has waited is passed on now, held or not, since the socket ends behind it. */
  readonly isEnding: boolean;
}

type OnEnd = (reason: unknown) => void;

const endings = new WeakMap<EventSocket, Set<OnEnd>>();

/**
 * Calls back at each `disconnect` of a socket. All share one listener: Node warns of an emitter with more than ten.
 * @returns forgets the callback.
 */
export function whenDisconnected(socket: EventSocket, callback: OnEnd): () => void {
  let callbacks = endings.get(socket);
  if (callbacks === undefined) {
    const all = new Set<OnEnd>();
    callbacks = all;
    endings.set(socket, all);
    socket.on('disconnect', (reason: unknown) => {
      for (const each of [...all]) each(reason);
    });
  }
  const known = callbacks;
  known.add(callback);
  return () => void known.delete(callback);
}
