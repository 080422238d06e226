/**
 * What: how much of what a client sent waits in the server, and when its connection is therefore not read.
 * Must not know: for whom it waits, or how a transport stops reading.
 */
import type { Clock, Timer } from '../base/port.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';

/** More of it than this waits in the connection, so that the client has to wait. */
const STEP_BYTES = 1024 * 1024;
/** More than this never waits here. */
const LIMIT_BYTES = 16 * STEP_BYTES;
/** How often is looked whether what waits gets less, while the connection is not read. */
const TICK_MS = 250;
/** After so long without any progress more is read, so that a client that has gone is heard of. */
const DEAF_MS = 30_000;

/** A client, as far as its backlog needs it. */
export interface BackloggedClient {
  /** Stops or goes on with the reading of its connection, where that can be done. */
  holdReading(isHeld: boolean): void;
  /** Whether the program waits for an answer of the client's, which may stand behind what is not read. */
  readonly owesAnswer: boolean;
}

/**
 * What of one client's events waits. What is no event does not: answers, parts of streams, pongs and goodbyes are heard
 * past everything that waits here, since they are read.
 *
 * Above a bound the connection is not read. What is behind is not heard then, so the bound grows, by steps and to a
 * limit: soon where nothing moves and the client owes an answer, for which perhaps all the rest waits; late where
 * nothing moves, to find out whether the client is still there.
 */
export class Backlog {
  readonly #client: BackloggedClient;
  readonly #clock: Clock;
  #bytes = 0;
  #boundBytes = STEP_BYTES;
  #isShut = false;
  #timer: Timer | null = null;
  /** Whether anything was taken since the last look. */
  #hasMoved = false;
  #stillMs = 0;
  #isOver = false;

  constructor(client: BackloggedClient, clock: Clock = nodeClock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Whether so much waits that more may not. */
  get isFull(): boolean {
    return this.#bytes >= LIMIT_BYTES;
  }

  /** Something waits. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#isShut || this.#isOver || this.#bytes <= this.#boundBytes) return;
    this.#isShut = true;
    this.#hasMoved = false;
    this.#stillMs = 0;
    this.#client.holdReading(true);
    this.#lookLater();
  }

  /** It waits no more. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.#hasMoved = true;
    // By halves, so that reading does not stop and go on with each event.
    if (this.#bytes <= STEP_BYTES / 2) this.#boundBytes = STEP_BYTES;
    if (this.#bytes <= this.#boundBytes / 2) this.#open();
  }

  /** Somebody has taken an event: those for whom the others wait are at work. */
  moved(): void {
    this.#hasMoved = true;
  }

  /** The client has gone: what is still to be read is the end of its connection. */
  end(): void {
    this.#isOver = true;
    this.#open();
  }

  #open(): void {
    if (!this.#isShut) return;
    this.#isShut = false;
    this.#timer?.cancel();
    this.#timer = null;
    this.#client.holdReading(false);
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimer(TICK_MS, () => this.#look());
  }

  #look(): void {
    this.#stillMs = this.#hasMoved ? 0 : this.#stillMs + TICK_MS;
    this.#hasMoved = false;
    if (this.#client.owesAnswer && this.#stillMs > 0) {
      // At the limit too: what is too much is refused then, and the answer still heard.
      this.#boundBytes = this.isFull ? Infinity : Math.min(this.#bytes * 2, LIMIT_BYTES);
      this.#open();
    } else if (this.#stillMs >= DEAF_MS && !this.isFull) {
      this.#boundBytes = Math.min(this.#bytes + STEP_BYTES, LIMIT_BYTES);
      this.#open();
    } else this.#lookLater();
  }
}
