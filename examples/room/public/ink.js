// What: how a stroke looks: its path, its width, its colour in the theme of the moment.
// Must not know: who drew it, where it is kept, the network.

import { ERASER, ERASER_WIDTHS, INKS, WIDTHS } from './limits.js';

/** The theme's colours, one an ink, from the style sheet. */
export function readInks() {
  const style = getComputedStyle(document.documentElement);
  return Array.from({ length: INKS }, (_, i) => style.getPropertyValue(`--ink-${i}`).trim());
}

/** Diameter of the nib, in board units. */
export const nibWidth = (ink, width) => (ink === ERASER ? ERASER_WIDTHS : WIDTHS)[width];

/**
 * Draws a stroke in board units. The points are the corners of a smooth line: it runs from the middle between two
 * of them to the next middle, bent towards the corner.
 */
export function drawStroke(context, { ink, width, points }, inks) {
  context.globalCompositeOperation = ink === ERASER ? 'destination-out' : 'source-over';
  context.strokeStyle = ink === ERASER ? '#000' : inks[ink];
  context.lineWidth = nibWidth(ink, width);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  const last = points.length - 2;
  context.beginPath();
  context.moveTo(points[0], points[1]);
  for (let i = 2; i < last; i += 2) {
    const middleX = (points[i] + points[i + 2]) / 2;
    const middleY = (points[i + 1] + points[i + 3]) / 2;
    context.quadraticCurveTo(points[i], points[i + 1], middleX, middleY);
  }
  // A line of no length is drawn as a dot, because of its round caps.
  context.lineTo(points[last], points[last + 1]);
  context.stroke();
}
