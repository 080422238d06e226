// What: the pen on the board, moved by a mouse, a finger, a stylus or the arrow keys; it makes strokes.
// Must not know: the network, other people's strokes, how a stroke is drawn.

import { BOARD, LIMITS } from './limits.js';

/** Points closer than this, in board units, add nothing that could be seen. */
const NEAREST = 5;
/** One press of an arrow key, in board units; with Shift the smaller one. */
const STEP = 40;
const FINE_STEP = 8;

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Events: `move` when the nib has moved (`at` is where, or null when it left the board), `change` when the stroke
 * being drawn has (`stroke`, or undefined when it ended), `finish` with the finished stroke, `down` and `up` when
 * the pen was put down or lifted by key.
 */
export class Pen extends EventTarget {
  at = null;
  stroke = undefined;
  /** Whether the arrow keys hold the pen: then the page has to show where it is. */
  byKeys = false;
  #canvas;
  #tool;
  #newKey;
  #pointer;
  #held = new Set();
  #home = [BOARD.width / 2, BOARD.height / 2];

  /** `tool()` returns the ink and width of the moment; `newKey()` a key for the next stroke. */
  constructor(canvas, tool, newKey) {
    super();
    this.#canvas = canvas;
    this.#tool = tool;
    this.#newKey = newKey;
    this.#listenToPointers();
    this.#listenToKeys();
    // A page that is closed while the pen is down keeps what was drawn: it is sent now, or after the reload.
    addEventListener('pagehide', () => this.#finish());
  }

  #listenToPointers() {
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || this.stroke !== undefined) return;
      event.preventDefault();
      this.#pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      this.#move(this.#place(event), false);
      this.#begin();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.stroke !== undefined && event.pointerId !== this.#pointer) return;
      // The browser gathers what happened since the last frame; a fast line needs every point of it.
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length > 0 ? events : [event]) this.#move(this.#place(one), false);
    });
    const end = (event) => {
      if (event.pointerId !== this.#pointer) return;
      this.#pointer = undefined;
      this.#finish();
      if (event.pointerType !== 'mouse') this.#leave();
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', end);
    canvas.addEventListener('pointerleave', () => {
      if (this.#pointer === undefined && !this.byKeys) this.#leave();
    });
  }

  #listenToKeys() {
    const canvas = this.#canvas;
    canvas.addEventListener('focus', () => {
      if (canvas.matches(':focus-visible') && this.#pointer === undefined) this.#move(this.#home, true);
    });
    canvas.addEventListener('blur', () => {
      this.#held.clear();
      if (this.#pointer !== undefined) return;
      this.#finish();
      this.#leave();
    });
    canvas.addEventListener('keyup', (event) => this.#held.delete(event.key));
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || this.#pointer !== undefined) return;
      if (event.key in ARROWS) {
        event.preventDefault();
        this.#held.add(event.key);
        const step = event.shiftKey ? FINE_STEP : STEP;
        let [x, y] = this.at ?? this.#home;
        // Two arrows held together draw a slope.
        for (const key of this.#held) {
          x += ARROWS[key][0] * step;
          y += ARROWS[key][1] * step;
        }
        this.#move(clamp(x, y), true);
      } else if (event.key === ' ') {
        event.preventDefault();
        if (event.repeat) return;
        if (this.stroke === undefined) {
          this.#move(this.at ?? this.#home, true);
          this.#begin();
          this.dispatchEvent(new Event('down'));
        } else {
          this.#lift();
        }
      } else if (event.key === 'Escape' && this.stroke !== undefined) {
        this.#lift();
      }
    });
  }

  #lift() {
    this.#finish();
    this.dispatchEvent(new Event('up'));
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * BOARD.width;
    const y = ((event.clientY - box.top) / box.height) * BOARD.height;
    return clamp(x, y);
  }

  #move(at, byKeys) {
    this.at = at;
    this.#home = at;
    this.byKeys = byKeys;
    this.dispatchEvent(new Event('move'));
    if (this.stroke !== undefined) this.#extend(at);
  }

  #leave() {
    this.at = null;
    this.byKeys = false;
    this.dispatchEvent(new Event('move'));
  }

  #begin() {
    this.stroke = { stroke: this.#newKey(), ...this.#tool(), points: [...this.at] };
    this.dispatchEvent(new Event('change'));
  }

  #extend([x, y]) {
    const { points } = this.stroke;
    if (Math.hypot(x - points.at(-2), y - points.at(-1)) < NEAREST) return;
    points.push(x, y);
    this.dispatchEvent(new Event('change'));
    if (points.length < LIMITS.strokePoints * 2) return;
    this.#finish();
    this.#begin();
  }

  #finish() {
    if (this.stroke === undefined) return;
    const { stroke } = this;
    this.stroke = undefined;
    this.dispatchEvent(new CustomEvent('finish', { detail: stroke }));
    this.dispatchEvent(new Event('change'));
  }
}

const clamp = (x, y) => [
  Math.round(Math.min(Math.max(x, 0), BOARD.width)),
  Math.round(Math.min(Math.max(y, 0), BOARD.height)),
];
