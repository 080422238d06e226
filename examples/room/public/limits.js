// What: the bounds of a room and the shapes of its small values, known to the server and to the page alike.
// Must not know: the network, the DOM, files.

/** Every bound that the server enforces. The page keeps to them so that nothing it sends is refused. */
export const LIMITS = {
  /** Characters of a room's name, a person's name, one message. */
  roomNameLength: 40,
  nameLength: 24,
  textLength: 2000,
  /** What a room keeps; the oldest go first. */
  messages: 500,
  strokes: 2000,
  points: 60_000,
  /** Points of one stroke; a longer one is drawn as several. */
  strokePoints: 1000,
  /** Points in one message of a stroke that is still being drawn. */
  draftPoints: 200,
  /** Operations sent in one message, and kept by a page while it is offline. */
  batch: 16,
  outbox: 300,
  /** Writers (page loads) whose counts a room remembers, to know a repeated operation. */
  writers: 2000,
  people: 50,
};

/** The board in its own units: a fixed aspect, so that everybody sees the same picture at any size. */
export const BOARD = { width: 4000, height: 3200 };

/** Stroke widths in board units; the eraser is wider. A stroke carries the index. */
export const WIDTHS = [12, 26, 56];
export const ERASER_WIDTHS = [48, 110, 220];

/** Inks are numbers from 0; each theme gives them its own colours. The eraser is one more ink. */
export const INKS = 6;
export const ERASER = -1;

/** Letters and digits of any language, with - and _ between them. */
const ROOM_NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*$/u;

/** A room's name as it is kept, or undefined if it can't be one. */
export function roomName(value) {
  if (typeof value !== 'string' || value.length > LIMITS.roomNameLength * 2) return undefined;
  const name = value.normalize('NFC').toLowerCase();
  return name.length <= LIMITS.roomNameLength && ROOM_NAME.test(name) ? name : undefined;
}

/** Control characters, and those that would turn the direction of the text around them. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A person's name as it is shown, or undefined if nothing is left of it. */
export function personName(value) {
  if (typeof value !== 'string' || value.length > 200) return undefined;
  const name = value.normalize('NFC').replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim();
  return name === '' ? undefined : Array.from(name).slice(0, LIMITS.nameLength).join('');
}
