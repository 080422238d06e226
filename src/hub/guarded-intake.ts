/**
 * What: hands events on past a namespace's guards, each socket's in the order in which they came.
 * Must not know: what guards look for, or what happens to events behind them.
 */
import { UsageError } from '../base/errors.ts';
import { type EventRefusal, RefusedError } from '../base/refusal.ts';
import type { Untyped } from '../base/typed-events.ts';
import { STREAM_EVENT } from '../streams/message.ts';
import type { EventArguments } from '../wire/events/packet.ts';
import { throwLater } from './client.ts';
import {
  type EventGuard,
  type GuardedAnswer,
  type GuardedAuth,
  type GuardedEvent,
  refuseEvent,
} from './event-guard.ts';
import { IntakeLane } from './intake-lane.ts';
import type { AnySocket } from './socket.ts';
import type { Ack } from './socket-sender.ts';

/** The lane of all events that no guard has given another. */
const IN_ORDER = '';
/** What streams say once they are asked for: in its order, but not behind events. */
const STREAMS = `${STREAM_EVENT}|`;

/** The guards of a namespace. */
export class GuardedIntake {
  readonly #guards: EventGuard[] = [];
  /** By socket and name, where something waits. */
  readonly #lanes = new WeakMap<AnySocket, Map<string, IntakeLane>>();
  /** Guards of which a failure was told. */
  readonly #told = new WeakSet<EventGuard>();
  readonly #failed: () => void;

  /** @param failed told each failure of a guard. */
  constructor(failed: () => void) {
    this.#failed = failed;
  }

  add(guard: EventGuard): void {
    if (typeof guard?.checkEvent !== 'function') {
      throw new UsageError('A guard has a method checkEvent(socket, event).', { code: 'GUARD_ERR_SHAPE' });
    }
    this.#guards.push(guard);
  }

  /**
   * A guard has thrown. Whatever it is to look at goes no further, for nobody has looked at it; and a fault that a client
   * can reach must not end the server.
   */
  #refusalAfter(error: unknown, guard: EventGuard, event: string | number): EventRefusal {
    this.#failed();
    if (!this.#told.has(guard)) {
      this.#told.add(guard);
      const text = `A guard has thrown at "${event}", which is refused: ${describe(error)}`;
      process.emitWarning(`${text}. Others of this guard are only counted, in guardFailures`, {
        code: 'GUARD_FAILED',
      });
    }
    return {
      code: 'EVENT_ERR_GUARD_FAILED',
      message: `"${event}" could not be checked.`,
      event: String(event),
    };
  }

  /** Whether any guard looks at credentials. */
  get checksAuth(): boolean {
    return this.#guards.some(({ checkAuth }) => checkAuth !== undefined);
  }

  /** What the guards make of credentials, one after the other. */
  checkAuth(auth: Record<string, Untyped>, first = 0): GuardedAuth | Promise<GuardedAuth> {
    let current = auth;
    for (let i = first; i < this.#guards.length; i++) {
      const guard = this.#guards[i]!;
      const looksAt = current;
      const failed = (error: unknown) => new RefusedError(this.#refusalAfter(error, guard, 'connect'));
      const checked = settled(() => guard.checkAuth?.(looksAt) ?? looksAt, failed);
      if (checked instanceof RefusedError) return checked;
      if (checked instanceof Promise) {
        return checked.then((later) =>
          later instanceof RefusedError ? later : this.checkAuth(later, i + 1),
        );
      }
      current = checked;
    }
    return current;
  }

  /** An event has come; it is passed to the socket's listeners now, later, or never. */
  take(socket: AnySocket, event: EventArguments): void {
    const lanes = this.#lanes.get(socket);
    if (lanes !== undefined) {
      const name = this.#laneOf(event);
      const lane = lanes.get(name);
      if (lane !== undefined) {
        lane.add(event);
        return;
      }
    }
    const checked = this.#check(socket, event, 0);
    if (checked instanceof Promise) this.#begin(socket, event, checked);
    else if (checked !== null) socket.passEvent(checked);
  }

  #laneOf(event: EventArguments): string {
    const [first, kind, , stream] = event;
    if (first === STREAM_EVENT && kind !== 'open') return STREAMS;
    const name = String(first === STREAM_EVENT ? stream : first);
    for (const [i, guard] of this.#guards.entries()) {
      let lane: string | null = null;
      try {
        lane = guard.laneOf?.(name) ?? null;
      } catch (error) {
        this.#refusalAfter(error, guard, name);
      }
      if (lane !== null) return `${i}|${lane}`;
    }
    return IN_ORDER;
  }

  #begin(socket: AnySocket, event: EventArguments, checked: Promise<GuardedEvent>): void {
    const lanes = this.#lanes.get(socket) ?? new Map<string, IntakeLane>();
    this.#lanes.set(socket, lanes);
    const name = this.#laneOf(event);
    const lane = new IntakeLane(
      socket,
      name === IN_ORDER,
      (next) => this.#check(socket, next, 0),
      () => {
        lanes.delete(name);
        if (lanes.size === 0) this.#lanes.delete(socket);
      },
    );
    lanes.set(name, lane);
    lane.begin(event, checked);
  }

  #check(socket: AnySocket, event: EventArguments, first: number): GuardedEvent | Promise<GuardedEvent> {
    let current = event;
    for (let i = first; i < this.#guards.length; i++) {
      const guard = this.#guards[i]!;
      let checked: GuardedEvent | Promise<GuardedEvent>;
      try {
        checked = guard.checkEvent(socket, current);
      } catch (error) {
        return this.#refuseAfter(error, guard, socket, event);
      }
      if (checked === null) return null;
      if (checked instanceof Promise) {
        return checked
          .catch((error) => this.#refuseAfter(error, guard, socket, event))
          .then((later) => (later === null ? null : this.#check(socket, later, i + 1)));
      }
      current = checked;
    }
    return current;
  }

  #refuseAfter(error: unknown, guard: EventGuard, socket: AnySocket, event: EventArguments): null {
    refuseEvent(socket, event, this.#refusalAfter(error, guard, event[0]));
    return null;
  }

  /**
   * What is to be called with the client's answer in place of `answered`; `this` is the socket then.
   * @param refused told why, where the answer is not let through and there is somebody to tell.
   */
  guardAnswer(event: string | number, answered: Ack, refused: ((error: Error) => void) | undefined): Ack {
    const check = (socket: AnySocket, answer: readonly unknown[]) =>
      this.#checkAnswer(socket, event, answer, 0);
    const decide = (socket: AnySocket, answer: GuardedAnswer): void => {
      if (answer instanceof Error) refused?.(answer);
      else answered.apply(socket, answer as unknown[]);
    };
    return function (this: unknown, ...answer: unknown[]): void {
      const socket = this as AnySocket;
      const checked = check(socket, answer);
      if (!(checked instanceof Promise)) decide(socket, checked);
      else checked.then((later) => decide(socket, later)).catch(throwLater);
    };
  }

  #checkAnswer(
    socket: AnySocket,
    event: string | number,
    answer: readonly unknown[],
    first: number,
  ): GuardedAnswer | Promise<GuardedAnswer> {
    let current = answer;
    for (let i = first; i < this.#guards.length; i++) {
      const guard = this.#guards[i]!;
      const looksAt = current;
      const failed = (error: unknown) => new RefusedError(this.#refusalAfter(error, guard, event));
      const checked = settled(() => guard.checkAnswer?.(socket, event, looksAt) ?? looksAt, failed);
      if (checked instanceof Error) return checked;
      if (checked instanceof Promise) {
        return checked.then((later) =>
          later instanceof Error ? later : this.#checkAnswer(socket, event, later, i + 1),
        );
      }
      current = checked;
    }
    return current;
  }
}

/** What `check` gives, or resolves to; what `failed` makes of its error where it throws, or rejects. */
function settled<Checked, Failure>(
  check: () => Checked | Promise<Checked>,
  failed: (error: unknown) => Failure,
): Checked | Failure | Promise<Checked | Failure> {
  try {
    const checked = check();
    return checked instanceof Promise ? checked.catch(failed) : checked;
  } catch (error) {
    return failed(error);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
