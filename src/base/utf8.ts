/**
 * What: UTF-8 (RFC 3629) judged byte by byte, so that an error shows as soon as its byte is there.
 * Must not know: messages, frames.
 */
import type { ByteCodec } from './port.ts';

/**
 * Where a validator stands. `complete`: at a character boundary. `invalid`: for good. The others say what the next
 * byte must be: so many continuation bytes, or one from a narrowed range (RFC 3629 section 4).
 */
export const Utf8State = {
  complete: 0,
  invalid: 1,
  oneMore: 2,
  twoMore: 3,
  threeMore: 4,
  /** After E0: A0-BF, or the character would be overlong. */
  afterE0: 5,
  /** After ED: 80-9F, or it would be a surrogate. */
  afterED: 6,
  /** After F0: 90-BF, or it would be overlong. */
  afterF0: 7,
  /** After F4: 80-8F, or it would lie above U+10FFFF. */
  afterF4: 8,
} as const;
export type Utf8State = (typeof Utf8State)[keyof typeof Utf8State];

/** Below this many bytes a call into the platform costs more than the loop here. */
const nativeWorthBytes = 48;

function stateAfterLead(byte: number): Utf8State {
  if (byte < 0xc2) return Utf8State.invalid; // a continuation byte, or an overlong two-byte character
  if (byte < 0xe0) return Utf8State.oneMore;
  if (byte < 0xf0) {
    if (byte === 0xe0) return Utf8State.afterE0;
    return byte === 0xed ? Utf8State.afterED : Utf8State.twoMore;
  }
  if (byte === 0xf0) return Utf8State.afterF0;
  if (byte < 0xf4) return Utf8State.threeMore;
  return byte === 0xf4 ? Utf8State.afterF4 : Utf8State.invalid;
}

function stateAfter(state: Utf8State, byte: number): Utf8State {
  switch (state) {
    case Utf8State.complete:
      return byte < 0x80 ? Utf8State.complete : stateAfterLead(byte);
    case Utf8State.oneMore:
      return byte >> 6 === 2 ? Utf8State.complete : Utf8State.invalid;
    case Utf8State.twoMore:
      return byte >> 6 === 2 ? Utf8State.oneMore : Utf8State.invalid;
    case Utf8State.threeMore:
      return byte >> 6 === 2 ? Utf8State.twoMore : Utf8State.invalid;
    case Utf8State.afterE0:
      return byte >= 0xa0 && byte <= 0xbf ? Utf8State.oneMore : Utf8State.invalid;
    case Utf8State.afterED:
      return byte >= 0x80 && byte <= 0x9f ? Utf8State.oneMore : Utf8State.invalid;
    case Utf8State.afterF0:
      return byte >= 0x90 && byte <= 0xbf ? Utf8State.twoMore : Utf8State.invalid;
    case Utf8State.afterF4:
      return byte >= 0x80 && byte <= 0x8f ? Utf8State.twoMore : Utf8State.invalid;
    default:
      return Utf8State.invalid;
  }
}

/** Judges the bytes from `start` to `end` and returns the state behind them. */
export function judgeUtf8(state: Utf8State, bytes: Uint8Array, start: number, end: number): Utf8State {
  let current = state;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (current === Utf8State.complete && byte < 0x80) continue;
    current = stateAfter(current, byte);
    if (current === Utf8State.invalid) return current;
  }
  return current;
}

/** Where the last character begins if it is not complete, else `end`. */
function startOfIncompleteCharacter(bytes: Uint8Array, start: number, end: number): number {
  const first = Math.max(start, end - 3);
  for (let i = end - 1; i >= first; i--) {
    const byte = bytes[i]!;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return i + length > end ? i : end;
    }
  }
  return end;
}

/**
 * As {@link judgeUtf8}, with the platform's validator for what are whole characters. The verdict is the same, to
 * the byte: only a character that the end cuts is judged by the state machine.
 */
export function judgeUtf8Fast(
  state: Utf8State,
  bytes: Uint8Array,
  start: number,
  end: number,
  codec: ByteCodec,
): Utf8State {
  let current = state;
  let from = start;
  while (current > Utf8State.invalid && from < end) current = stateAfter(current, bytes[from++]!);
  if (current !== Utf8State.complete || end - from < nativeWorthBytes) {
    return judgeUtf8(current, bytes, from, end);
  }
  const cut = startOfIncompleteCharacter(bytes, from, end);
  if (!codec.isUtf8(bytes.subarray(from, cut))) return Utf8State.invalid;
  return judgeUtf8(Utf8State.complete, bytes, cut, end);
}

/** Whether the bytes are well-formed UTF-8, without help of the platform. */
export function isUtf8(bytes: Uint8Array): boolean {
  return judgeUtf8(Utf8State.complete, bytes, 0, bytes.length) === Utf8State.complete;
}

/** The number of bytes of `text` in UTF-8; a lone surrogate counts as U+FFFD does, three. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      length += 1;
      continue;
    }
    length += 2;
    // A pair has four bytes for its two units: two were counted by the length, two by this unit.
    if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
  }
  return length;
}

/** Writes `text` as UTF-8 at `offset` and returns the number of bytes; lone surrogates become U+FFFD. */
export function writeUtf8(target: Uint8Array, text: string, offset: number): number {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      target[at++] = code;
      continue;
    }
    if (code < 0x800) {
      target[at++] = 0xc0 | (code >> 6);
      target[at++] = 0x80 | (code & 0x3f);
      continue;
    }
    if ((code & 0xf800) === 0xd800) {
      const next = text.charCodeAt(i + 1);
      if (code < 0xdc00 && (next & 0xfc00) === 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        i++;
        target[at++] = 0xf0 | (code >> 18);
        target[at++] = 0x80 | ((code >> 12) & 0x3f);
        target[at++] = 0x80 | ((code >> 6) & 0x3f);
        target[at++] = 0x80 | (code & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    target[at++] = 0xe0 | (code >> 12);
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
    target[at++] = 0x80 | (code & 0x3f);
  }
  return at - offset;
}
