// What: what a room holds, as the sum of the entries accepted so far; the server and every page keep a copy.
// Must not know: the network, the DOM, files, who may do what.

import { LIMITS } from './limits.js';

/**
 * The state of a room: what was said and what is on the board.
 *
 * It changes by `apply(entry)` alone, and the same entries give the same state everywhere: the server applies an
 * entry, writes it to the journal and sends it to all; a page applies what it is sent; a restarted server applies
 * its journal. What exceeds a bound is dropped here, so that it is dropped everywhere alike.
 *
 * Entries: `{ seq, id, by, type }` with
 * - `say`: `name`, `text`, `at` (milliseconds since 1970)
 * - `stroke`: `stroke` (its key), `ink`, `width`, `points` as [x, y, x, y, ...]
 * - `undo`: `stroke`
 * - `clear`: `name`, `seen` (the newest entry that the person had before them)
 *
 * `id` is `author.writer.n`: each page load is a writer and counts its operations from 1.
 */
export class RoomState {
  seq = 0;
  messages = [];
  /** Strokes by key, in the order in which they lie on the board. */
  strokes = new Map();
  points = 0;
  /** The highest count accepted of each writer, least recently used first. */
  #counts = new Map();

  static from({ seq = 0, messages = [], strokes = [], counts = [] } = {}) {
    const state = new RoomState();
    state.seq = seq;
    state.messages = messages;
    for (const stroke of strokes) state.#add(stroke);
    state.#counts = new Map(counts);
    return state;
  }

  /** Whether the operation with this id was accepted before: a repeat is to be confirmed, not to be done again. */
  has(id) {
    const [writer, n] = split(id);
    return n <= (this.#counts.get(writer) ?? 0);
  }

  apply(entry) {
    this.seq = entry.seq;
    this.#count(entry.id);
    if (entry.type === 'say') {
      const { seq, id, by, name, text, at } = entry;
      this.messages.push({ seq, id, by, name, text, at });
      if (this.messages.length > LIMITS.messages) this.messages.shift();
    } else if (entry.type === 'stroke') {
      const { seq, stroke, by, ink, width, points } = entry;
      this.#add({ seq, stroke, by, ink, width, points });
      this.#trim();
    } else if (entry.type === 'undo') {
      this.#remove(entry.stroke);
    } else if (entry.type === 'clear') {
      // A person who was offline clears what they saw and what they drew, not what others drew meanwhile.
      for (const { stroke, seq, by } of [...this.strokes.values()]) {
        if (seq <= entry.seen || by === entry.by) this.#remove(stroke);
      }
    }
  }

  /** What a page needs to show the room. */
  view() {
    return { seq: this.seq, messages: this.messages, strokes: [...this.strokes.values()] };
  }

  /** All of it, for the journal. */
  toJSON() {
    return { ...this.view(), counts: [...this.#counts] };
  }

  #add(stroke) {
    this.#remove(stroke.stroke);
    this.strokes.set(stroke.stroke, stroke);
    this.points += stroke.points.length / 2;
  }

  #remove(key) {
    const stroke = this.strokes.get(key);
    if (stroke === undefined) return;
    this.strokes.delete(key);
    this.points -= stroke.points.length / 2;
  }

  #trim() {
    for (const key of this.strokes.keys()) {
      if (this.strokes.size <= LIMITS.strokes && this.points <= LIMITS.points) return;
      this.#remove(key);
    }
  }

  #count(id) {
    const [writer, n] = split(id);
    this.#counts.delete(writer);
    this.#counts.set(writer, n);
    if (this.#counts.size > LIMITS.writers) this.#counts.delete(this.#counts.keys().next().value);
  }
}

function split(id) {
  const dot = id.lastIndexOf('.');
  return [id.slice(0, dot), Number(id.slice(dot + 1))];
}
