// What: the checks of everything that arrives from a page: its types, sizes and counts.
// Must not know: rooms, sockets, files.

import { createHash } from 'node:crypto';
import { BOARD, ERASER, INKS, LIMITS, personName, roomName, WIDTHS } from './public/limits.js';

/** `writer.n`: 8 to 16 characters for a page load, then a count from 1. */
const LOCAL_ID = /^[\w-]{8,16}\.[1-9]\d{0,8}$/;
const KEY = /^[\w-]{16,64}$/;

const isIndex = (value, end) => Number.isInteger(value) && value >= 0 && value < end;
const isInk = (value) => value === ERASER || isIndex(value, INKS);
const isLocalId = (value) => typeof value === 'string' && LOCAL_ID.test(value);

function isPoints(value, limit) {
  if (!Array.isArray(value) || value.length === 0 || value.length % 2 !== 0 || value.length > limit * 2) {
    return false;
  }
  return value.every((number, i) => isIndex(number, (i % 2 === 0 ? BOARD.width : BOARD.height) + 1));
}

/**
 * Who wants to enter which room, or undefined if that can't be told from `auth`.
 *
 * A page proves who it is with a key that it made and shows to nobody. Others see the key's hash: enough to know
 * a person again, not enough to be them.
 */
export function checkEntry(auth) {
  const room = roomName(auth?.room);
  const name = personName(auth?.name);
  if (room === undefined || name === undefined || typeof auth.key !== 'string' || !KEY.test(auth.key)) {
    return undefined;
  }
  const id = createHash('sha256').update(auth.key).digest('base64url').slice(0, 10);
  return { room, person: { id, name } };
}

/** The operation as the server understands it, or undefined if it is none. Whatever else it carries is left out. */
export function checkOperation(op) {
  if (typeof op !== 'object' || op === null || !isLocalId(op.id)) return undefined;
  const { id, type } = op;
  if (type === 'say') {
    if (typeof op.text !== 'string' || op.text.length > LIMITS.textLength) return undefined;
    const text = op.text.trim();
    return text === '' ? undefined : { id, type, text };
  }
  if (type === 'stroke') {
    if (!isLocalId(op.stroke) || !isInk(op.ink) || !isIndex(op.width, WIDTHS.length)) return undefined;
    if (!isPoints(op.points, LIMITS.strokePoints)) return undefined;
    return { id, type, stroke: op.stroke, ink: op.ink, width: op.width, points: op.points };
  }
  if (type === 'undo') return isLocalId(op.stroke) ? { id, type, stroke: op.stroke } : undefined;
  if (type === 'clear') return Number.isSafeInteger(op.seen) ? { id, type, seen: op.seen } : undefined;
  return undefined;
}

/** A piece of a stroke that is being drawn, from its `from`th number on; without points, the stroke is given up. */
export function checkDraft(draft) {
  if (typeof draft !== 'object' || draft === null || !isLocalId(draft.stroke)) return undefined;
  const { stroke, ink, width, from, points } = draft;
  if (points === null) return { stroke, points };
  if (!isInk(ink) || !isIndex(width, WIDTHS.length) || !isIndex(from, LIMITS.strokePoints * 2))
    return undefined;
  if (from % 2 !== 0 || !isPoints(points, LIMITS.draftPoints)) return undefined;
  return { stroke, ink, width, from, points };
}

/** Where a pointer is, null if it left the board, or undefined if that is not what it says. */
export function checkCursor(at) {
  if (at === null) return null;
  return Array.isArray(at) && at.length === 2 && isPoints(at, 1) ? [at[0], at[1]] : undefined;
}
