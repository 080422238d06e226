/**
 * What: the packets of a POST on their way to who takes them, as fast as those are taken; its answer waits for the last.
 * Must not know: what packets mean, what is answered, or why they are not taken.
 */
import type { ServerResponse } from 'node:http';
import type { Timer } from '../../base/port.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import type { PollingSettings } from './node-answer.ts';

/** Who takes the packets of a POST. */
export interface PacketTaker {
  /** Whether nothing more is taken for now. */
  readonly isHeld: boolean;
  take(packet: IncomingPacket): void;
  /** All were taken, or the client has given up the request: then there is nobody to answer. */
  taken(isGivenUp: boolean): void;
}

/**
 * A client sends its next POST when this one is answered, so it waits as long as nothing is taken. Not for ever: after
 * `answerWithinMs` the rest is passed on whoever can take it, since proxies and clients give up a request that takes long.
 */
export class PostTaking {
  readonly #packets: readonly IncomingPacket[];
  readonly #taker: PacketTaker;
  readonly #response: ServerResponse;
  #timer: Timer | null = null;
  #next = 0;
  #isTaking = false;
  #isOver = false;
  #isUrgent = false;
  #isGivenUp = false;

  constructor(
    settings: PollingSettings,
    packets: readonly IncomingPacket[],
    response: ServerResponse,
    taker: PacketTaker,
  ) {
    this.#packets = packets;
    this.#taker = taker;
    this.#response = response;
    this.goOn();
    if (this.#isOver) return;
    response.on('close', this.#givenUp);
    this.#timer = settings.clock.setTimer(settings.answerWithinMs, () => this.takeRest());
  }

  /** Whether there is nothing more to take. */
  get isOver(): boolean {
    return this.#isOver;
  }

  readonly #givenUp = (): void => {
    this.#isGivenUp = true;
    this.takeRest();
  };

  /** Passes on what is taken. */
  goOn(): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    try {
      while (this.#next < this.#packets.length && !this.#isOver) {
        if (this.#taker.isHeld && !this.#isUrgent) break;
        this.#taker.take(this.#packets[this.#next++]!);
      }
    } finally {
      this.#isTaking = false;
    }
    if (this.#isOver || this.#next < this.#packets.length) return;
    this.stop();
    this.#taker.taken(this.#isGivenUp);
  }

  /** Passes on the rest at once. */
  takeRest(): void {
    this.#isUrgent = true;
    this.goOn();
  }

  /** The rest is not wanted, and nobody is told. */
  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#response.off('close', this.#givenUp);
  }
}
