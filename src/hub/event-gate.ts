/**
 * What: where events of one name of one socket wait, in order, while somebody who listens cannot take more.
 * Must not know: who listens, or how many bytes may wait (backlog.ts).
 */
import type { Valve, ValveHolder } from '../streams/event-socket.ts';
import type { EventArguments } from '../wire/events/packet.ts';
import type { Backlog } from './backlog.ts';
import { throwLater } from './client.ts';
import { eventBytes } from './event-size.ts';

interface WaitingEvent {
  readonly event: EventArguments;
  readonly bytes: number;
}

/** What a gate belongs to. */
export interface GatedSocket {
  readonly backlog: Backlog;
  /** Calls the listeners. */
  pass(event: EventArguments): void;
  /** So much waits that this one may not; the client is told. */
  refuse(event: EventArguments): void;
}

/** Closed as long as somebody holds it. */
export class EventGate implements Valve {
  readonly #socket: GatedSocket;
  readonly #holders = new Set<ValveHolder>();
  #waiting: WaitingEvent[] = [];
  /** What of `#waiting` has been passed on. */
  #passed = 0;
  #isPassing = false;
  isEnding = false;

  constructor(socket: GatedSocket) {
    this.#socket = socket;
  }

  get #isEmpty(): boolean {
    return this.#passed === this.#waiting.length;
  }

  hold(holder: ValveHolder): void {
    this.#holders.add(holder);
  }

  release(holder: ValveHolder): void {
    if (this.#holders.delete(holder)) this.#passOn();
  }

  moved(): void {
    this.#socket.backlog.moved();
  }

  /** @returns whether the event waits, or was refused: it is not to be passed on by the caller. */
  take(event: EventArguments): boolean {
    if ((this.#holders.size === 0 && this.#isEmpty) || this.isEnding) return false;
    const { backlog } = this.#socket;
    if (backlog.isFull) {
      this.#socket.refuse(event);
      for (const holder of [...this.#holders]) holder.valveOverflowed();
    } else {
      const bytes = eventBytes(event);
      this.#waiting.push({ event, bytes });
      backlog.add(bytes);
    }
    return true;
  }

  /** The client is gone: everything that came before is passed on, whoever can take it. */
  end(): void {
    this.isEnding = true;
    this.#passOn();
  }

  /** The socket is gone by the program's will: nothing more is passed on. */
  drop(): void {
    this.isEnding = true;
    for (const { bytes } of this.#waiting.slice(this.#passed)) this.#socket.backlog.remove(bytes);
    this.#waiting = [];
    this.#passed = 0;
  }

  #passOn(): void {
    // A listener may let go of the gate while an event is passed.
    if (this.#isPassing) return;
    this.#isPassing = true;
    while (!this.#isEmpty && (this.#holders.size === 0 || this.isEnding)) {
      const { event, bytes } = this.#waiting[this.#passed++]!;
      try {
        this.#socket.pass(event);
      } catch (error) {
        throwLater(error);
      }
      // Behind: it may have more of the client's events read at once.
      this.#socket.backlog.remove(bytes);
    }
    // Cut now and then: to shift each one costs as much as all that wait.
    if (this.#isEmpty || this.#passed > this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#passed);
      this.#passed = 0;
    }
    this.#isPassing = false;
  }
}
