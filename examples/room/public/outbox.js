// What: the operations that the server has not confirmed yet: kept through a reload, sent in order until they are.
// Must not know: how a message is sent, what an operation does, the page's elements.

import { kept, randomText, room } from './identity.js';
import { LIMITS } from './limits.js';

const KEY = `outbox.${room}`;
const REST_MS = 1000;

/**
 * Each operation gets the id `writer.n`: the writer is this page load, n counts from 1. The server remembers each
 * writer's count and takes an operation once, however often it arrives; for that, one batch is under way at a time.
 *
 * `send(operations)` resolves with an array that has null, or the reason of a refusal, for each operation taken.
 * Events: `change`, and `refused` with the reason.
 */
export class Outbox extends EventTarget {
  #send;
  #operations = kept.get(KEY) ?? [];
  #writer = randomText(10);
  #count = 0;
  #strokes = 0;
  /** The connection that may send now, or undefined. An answer on an earlier one counts for nothing. */
  #turn;

  constructor(send) {
    super();
    this.#send = send;
  }

  /** All that waits, oldest first. */
  get operations() {
    return this.#operations;
  }

  /** A key for a stroke that begins now, so that it is the same from its first point to its last place. */
  strokeKey() {
    this.#strokes += 1;
    return `${this.#writer}.${this.#strokes}`;
  }

  /** Takes an operation, to be sent now or later; returns false if too much waits already. */
  add(operation) {
    if (this.#operations.length >= LIMITS.outbox) return false;
    this.#count += 1;
    this.#set([...this.#operations, { id: `${this.#writer}.${this.#count}`, ...operation }]);
    if (this.#turn?.resting) this.#flush(this.#turn);
    return true;
  }

  /** The server is there: what waits is sent. */
  resume() {
    this.#turn = { resting: true };
    this.#flush(this.#turn);
  }

  /** The server is gone: what is not confirmed will be sent again. */
  pause() {
    this.#turn = undefined;
  }

  async #flush(turn) {
    turn.resting = false;
    while (this.#turn === turn && this.#operations.length > 0) {
      const batch = this.#operations.slice(0, LIMITS.batch);
      let taken = [];
      try {
        taken = await this.#send(batch);
      } catch {}
      if (this.#turn !== turn) return;
      this.#confirm(batch.slice(0, taken.length));
      for (const reason of taken) {
        if (reason !== null) this.dispatchEvent(new CustomEvent('refused', { detail: reason }));
      }
      // The server asks for a rest, or did not answer.
      if (taken.length < batch.length) await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    turn.resting = true;
  }

  #confirm(batch) {
    const confirmed = new Set(batch.map(({ id }) => id));
    this.#set(this.#operations.filter(({ id }) => !confirmed.has(id)));
  }

  #set(operations) {
    this.#operations = operations;
    kept.set(KEY, operations);
    this.dispatchEvent(new Event('change'));
  }
}
