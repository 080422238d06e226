// What: the room as this page shows it: what the server has confirmed, and on top of it what is on its way there.
// Must not know: how messages travel, the page's elements.

import { RoomState } from './room-state.js';

export class RoomCopy extends EventTarget {
  /** The id by which others know this person; undefined until the server has told it. */
  me = undefined;
  #state = new RoomState();
  #outbox;

  constructor(outbox) {
    super();
    this.#outbox = outbox;
    outbox.addEventListener('change', () => this.#changed());
  }

  /** The number of the newest entry that this page has. */
  get seq() {
    return this.#state.seq;
  }

  /** Takes the whole room, as it is told on every connection: whatever was missed meanwhile is in it. */
  replace({ you, ...view }) {
    this.me = you;
    this.#state = RoomState.from(view);
    this.#changed();
  }

  add(entries) {
    for (const entry of entries) if (entry.seq > this.#state.seq) this.#state.apply(entry);
    this.#changed();
  }

  /** All that was said; with `waiting` what the server has not confirmed. */
  messages() {
    const confirmed = this.#state.messages;
    const known = new Set(confirmed.slice(-50).map(({ id }) => id));
    const waiting = this.#outbox.operations
      .filter(({ type, id }) => type === 'say' && !known.has(this.#own(id)))
      .map(({ id, text }) => ({ id: this.#own(id), by: this.me, text, waiting: true }));
    return [...confirmed, ...waiting];
  }

  /** All strokes that lie on the board, lowest first. */
  strokes() {
    const { strokes } = this.#state;
    if (this.#outbox.operations.length === 0) return [...strokes.values()];
    const shown = new Map(strokes);
    for (const op of this.#outbox.operations) {
      if (op.type === 'stroke' && !shown.has(this.#own(op.stroke))) {
        shown.set(this.#own(op.stroke), { ...op, stroke: this.#own(op.stroke), by: this.me });
      } else if (op.type === 'undo') {
        shown.delete(this.#own(op.stroke));
      } else if (op.type === 'clear') {
        shown.clear();
      }
    }
    return [...shown.values()];
  }

  /** The server's name for something of this person's. */
  #own(id) {
    return `${this.me ?? ''}.${id}`;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
