// What: what is seen of a moment only: strokes while they are drawn and pointers, sent to others and taken from them.
// Must not know: finished strokes, how anything is drawn.

import { LIMITS } from './limits.js';

/** Often enough to look alive, seldom enough to be cheap on a phone. */
const SEND_EVERY_MS = 40;
/** A pointer that has not moved for so long is no longer shown. */
const REST_MS = 20_000;

/** Sends the pen's moves: pieces of the stroke being drawn, else where the pen is. */
export class DraftSender {
  #pen;
  #send;
  #key;
  #sent = 0;
  #at = null;
  #timer;

  constructor(pen, send) {
    this.#pen = pen;
    this.#send = send;
    pen.addEventListener('change', () => this.#soon());
    pen.addEventListener('move', () => this.#soon());
  }

  /** Somebody has come who has not seen the beginning: the next piece begins with the first point. */
  again() {
    this.#sent = 0;
    this.#soon();
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, SEND_EVERY_MS);
  }

  #flush() {
    const { stroke, at } = this.#pen;
    if (stroke === undefined) {
      if (String(at) !== String(this.#at)) this.#send('cursor', at);
      this.#at = at;
      return;
    }
    if (stroke.stroke !== this.#key) this.#sent = 0;
    this.#key = stroke.stroke;
    const points = stroke.points.slice(this.#sent, this.#sent + LIMITS.draftPoints * 2);
    if (points.length === 0) return;
    this.#send('draft', { ...stroke, from: this.#sent, points });
    this.#sent += points.length;
    this.#at = points.slice(-2);
    if (this.#sent < stroke.points.length) this.#soon();
  }
}

/** What others are drawing and where their pointers are. A `change` event tells that something is different. */
export class Drafts extends EventTarget {
  /** Unfinished strokes by key. */
  strokes = new Map();
  /** Where each person's pointer is, by the person's id. */
  cursors = new Map();

  takeDraft({ stroke, by, ink, width, from, points }) {
    const draft = this.strokes.get(stroke) ?? { stroke, by, ink, width, points: [] };
    if (points === null) {
      this.strokes.delete(stroke);
      return this.#changed();
    }
    // Pieces may overlap; one that leaves a gap is of no use, and the finished stroke will come.
    if (from > draft.points.length) return;
    draft.points.splice(from, points.length, ...points);
    this.strokes.set(stroke, draft);
    this.takeCursor({ by, at: points.slice(-2) });
  }

  takeCursor({ by, at }) {
    if (at === null) this.cursors.delete(by);
    else this.cursors.set(by, { at, movedMs: Date.now() });
    this.#changed();
  }

  /** These strokes are finished now and come from elsewhere. */
  finish(keys) {
    for (const key of keys) this.strokes.delete(key);
    this.#changed();
  }

  /** Only these people are still here. */
  keep(ids) {
    for (const [key, { by }] of this.strokes) if (!ids.has(by)) this.strokes.delete(key);
    for (const by of this.cursors.keys()) if (!ids.has(by)) this.cursors.delete(by);
    this.#changed();
  }

  /** Forgets pointers that rest, to be called now and then. */
  tidy() {
    for (const [by, { movedMs }] of this.cursors) {
      if (Date.now() - movedMs > REST_MS) this.cursors.delete(by);
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
