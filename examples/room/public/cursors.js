// What: the marks that move over the board: other people's pointers with their names, and one's own nib.
// Must not know: the network, strokes.

import { setHue } from './hue.js';
import { nibWidth } from './ink.js';
import { BOARD, ERASER } from './limits.js';

const sheet = document.getElementById('sheet');
const layer = document.getElementById('cursors');
const nib = document.getElementById('nib');
const marks = new Map();

/** Shows these pointers, given by person; `nameOf` tells the person's name. */
export function showCursors(cursors, nameOf) {
  for (const [by, mark] of marks) {
    if (cursors.has(by)) continue;
    mark.remove();
    marks.delete(by);
  }
  for (const [by, { at }] of cursors) {
    const name = nameOf(by);
    if (name === undefined) continue;
    const mark = marks.get(by) ?? newMark(by);
    mark.textContent = name;
    place(mark, at);
  }
}

function newMark(by) {
  const mark = document.createElement('bdi');
  mark.className = 'cursor';
  setHue(mark, by);
  marks.set(by, mark);
  layer.append(mark);
  return mark;
}

/** Shows one's own nib where nothing else does: held by the arrow keys, and the eraser, whose size matters. */
export function showNib({ at, byKeys, stroke }, { ink, width }) {
  nib.hidden = at === null || !(byKeys || ink === ERASER);
  if (nib.hidden) return;
  nib.classList.toggle('by-keys', byKeys);
  nib.classList.toggle('down', stroke !== undefined);
  nib.dataset.ink = ink;
  nib.style.width = `${(nibWidth(ink, width) / BOARD.width) * 100}%`;
  place(nib, at);
}

/** In parts of the board, so that nothing has to be moved when the window changes. */
function place(mark, [x, y]) {
  mark.style.left = `${(x / BOARD.width) * 100}%`;
  mark.style.top = `${(y / BOARD.height) * 100}%`;
}

/** Hides the browser's own pointer where the nib is in its place. */
export function setPointer(ink) {
  sheet.classList.toggle('erasing', ink === ERASER);
}
