// What: what this person can take back and do again on the board.
// Must not know: how strokes are drawn or sent.

/** Undo takes back this person's newest stroke, also one from before a reload; redo draws it again. */
export class StrokesOfMine {
  #copy;
  #outbox;
  #undone = [];

  constructor(copy, outbox) {
    this.#copy = copy;
    this.#outbox = outbox;
  }

  get canUndo() {
    return this.#newest() !== undefined;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Takes a finished stroke; returns false if it can't be kept. */
  add(stroke) {
    this.#undone = [];
    return this.#outbox.add({ type: 'stroke', ...stroke });
  }

  undo() {
    const newest = this.#newest();
    if (newest === undefined) return;
    // Known everywhere by `author.writer.n`, to its author by `writer.n`.
    const stroke = newest.stroke.slice(newest.stroke.indexOf('.') + 1);
    if (this.#outbox.add({ type: 'undo', stroke })) this.#undone.push(newest);
  }

  redo() {
    const undone = this.#undone.at(-1);
    if (undone === undefined) return;
    const { ink, width, points } = undone;
    const stroke = this.#outbox.strokeKey();
    if (this.#outbox.add({ type: 'stroke', stroke, ink, width, points })) this.#undone.pop();
  }

  #newest() {
    return this.#copy.strokes().findLast(({ by }) => by === this.#copy.me);
  }
}
