/**
 * What: hands events on past a namespace's guards, each socket's in the order in which they came.
 * Must not know: what guards look for, or what happens to events behind them.
 */
import { RefusedError } from '../base/refusal.ts';
import type { Untyped } from '../base/typed-events.ts';
import type { EventArguments } from '../wire/events/packet.ts';
import { throwLater } from './client.ts';
import {
  type EventGuard,
  type GuardedAnswer,
  type GuardedAuth,
  type GuardedEvent,
  refuseEvent,
} from './event-guard.ts';
import { valveOf } from './reading-valve.ts';
import type { AnySocket } from './socket.ts';
import type { Ack } from './socket-sender.ts';

/** Events of one socket that may wait for a guard. Above it they are refused: a client that floods pays for it. */
const WAITING_LIMIT = 1000;
/** From here on the connection is not read, where it can be held up. */
const HOLD_AT = 64;

interface Queue {
  readonly events: Promise<GuardedEvent>[];
  isHolding: boolean;
}

/** The guards of a namespace. */
export class GuardedIntake {
  readonly #guards: EventGuard[] = [];
  /** Sockets of which something waits. */
  readonly #queues = new WeakMap<AnySocket, Queue>();

  add(guard: EventGuard): void {
    this.#guards.push(guard);
  }

  /** Whether any guard looks at credentials. */
  get checksAuth(): boolean {
    return this.#guards.some(({ checkAuth }) => checkAuth !== undefined);
  }

  /** What the guards make of credentials, one after the other. */
  checkAuth(auth: Record<string, Untyped>, first = 0): GuardedAuth | Promise<GuardedAuth> {
    let current = auth;
    for (let i = first; i < this.#guards.length; i++) {
      const checked = this.#guards[i]!.checkAuth?.(current) ?? current;
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
    const queue = this.#queues.get(socket);
    if (queue !== undefined && queue.events.length >= WAITING_LIMIT) {
      const name = String(event[0]);
      const message = `${WAITING_LIMIT} events wait to be looked at; "${name}" was not taken.`;
      refuseEvent(socket, event, { code: 'EVENT_ERR_BACKLOG', message, event: name });
      return;
    }
    const checked = this.#check(socket, event, 0);
    if (queue === undefined && !(checked instanceof Promise)) {
      if (checked !== null) socket.passEvent(checked);
      return;
    }
    // An exception of a guard ends where those of listeners do, and nothing waits for it.
    const settled = Promise.resolve(checked).catch((error) => {
      throwLater(error);
      return null;
    });
    if (queue !== undefined) this.#append(socket, queue, settled);
    else void this.#begin(socket, settled);
  }

  #check(socket: AnySocket, event: EventArguments, first: number): GuardedEvent | Promise<GuardedEvent> {
    let current = event;
    for (let i = first; i < this.#guards.length; i++) {
      const checked = this.#guards[i]!.checkEvent(socket, current);
      if (checked === null) return null;
      if (checked instanceof Promise) {
        return checked.then((later) => (later === null ? null : this.#check(socket, later, i + 1)));
      }
      current = checked;
    }
    return current;
  }

  #append(socket: AnySocket, queue: Queue, event: Promise<GuardedEvent>): void {
    queue.events.push(event);
    if (queue.isHolding || queue.events.length < HOLD_AT) return;
    queue.isHolding = true;
    valveOf(socket.client).hold();
  }

  async #begin(socket: AnySocket, first: Promise<GuardedEvent>): Promise<void> {
    const queue: Queue = { events: [first], isHolding: false };
    this.#queues.set(socket, queue);
    for (let next = queue.events[0]; next !== undefined; next = queue.events[0]) {
      const event = await next;
      queue.events.shift();
      if (queue.isHolding && queue.events.length < HOLD_AT / 2) {
        queue.isHolding = false;
        valveOf(socket.client).release();
      }
      try {
        if (event !== null) socket.passEvent(event);
      } catch (error) {
        throwLater(error);
      }
    }
    this.#queues.delete(socket);
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
      const checked = this.#guards[i]!.checkAnswer?.(socket, event, current) ?? current;
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
