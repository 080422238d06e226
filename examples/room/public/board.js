// What: the board on the screen: finished strokes, and on top of them those that are being drawn.
// Must not know: the network, where strokes come from, pointers and keys.

import { drawStroke, readInks } from './ink.js';
import { BOARD } from './limits.js';

export class Board {
  #canvas;
  #context;
  /** The finished strokes as a picture, so that a frame costs one copy and the few unfinished ones. */
  #finished = document.createElement('canvas').getContext('2d');
  #strokes = [];
  #drawn = [];
  #unfinished = [];
  #inks = readInks();
  #frame = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    this.#watchSize();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#inks = readInks();
      this.#redraw();
    });
  }

  /** Shows these finished strokes, in this order. */
  show(strokes) {
    this.#strokes = strokes;
    this.#request();
  }

  /** Shows these strokes that are still being drawn. */
  showUnfinished(strokes) {
    this.#unfinished = strokes;
    this.#request();
  }

  /** One pixel of the picture for each pixel of the screen, also on a dense one, when zoomed, on another monitor. */
  #watchSize() {
    const observer = new ResizeObserver(([{ contentRect, devicePixelContentBoxSize }]) => {
      const width = Math.round(contentRect.width * devicePixelRatio);
      const height = Math.round(contentRect.height * devicePixelRatio);
      // The exact size is at most a pixel off, by where the edges lie. Safari does not tell it; a browser that only
      // plays a phone tells that of its own screen.
      const exact = devicePixelContentBoxSize?.[0];
      const isExact = exact !== undefined && Math.abs(exact.inlineSize - width) <= 1;
      this.#fit(isExact ? exact.inlineSize : width, isExact ? exact.blockSize : height);
    });
    try {
      observer.observe(this.#canvas, { box: 'device-pixel-content-box' });
    } catch {
      observer.observe(this.#canvas);
    }
  }

  #fit(width, height) {
    if (width === 0 || height === 0 || (width === this.#canvas.width && height === this.#canvas.height))
      return;
    for (const canvas of [this.#canvas, this.#finished.canvas]) {
      canvas.width = width;
      canvas.height = height;
    }
    this.#redraw();
    // The size change has emptied the canvas; waiting for the next frame would let it flash.
    this.#paint();
  }

  #redraw() {
    this.#drawn = [];
    this.#request();
  }

  #request() {
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#finish();
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'copy';
    context.drawImage(this.#finished.canvas, 0, 0);
    this.#scale(context);
    for (const stroke of this.#unfinished) drawStroke(context, stroke, this.#inks);
  }

  /** Brings the picture of the finished strokes up to date: mostly by one stroke more, else anew. */
  #finish() {
    const context = this.#finished;
    const isMore = this.#drawn.every((stroke, i) => sameStroke(stroke, this.#strokes[i]));
    if (!isMore || this.#drawn.length === 0) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      this.#drawn = [];
    }
    this.#scale(context);
    for (const stroke of this.#strokes.slice(this.#drawn.length)) drawStroke(context, stroke, this.#inks);
    this.#drawn = this.#strokes;
  }

  #scale(context) {
    context.setTransform(this.#canvas.width / BOARD.width, 0, 0, this.#canvas.height / BOARD.height, 0, 0);
  }
}

/** A stroke never changes, so one that has the same key is the same, whether it is still on its way or back. */
const sameStroke = (a, b) => b !== undefined && a.stroke === b.stroke;
