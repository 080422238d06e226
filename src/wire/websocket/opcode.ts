/**
 * What: the opcodes and the bits of the first two header bytes of a frame (RFC 6455 sections 5.2 and 11.8).
 * Must not know: which opcode may come when; that is the connection's to judge.
 */

/** What a frame is. */
export const Opcode = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** First header byte: the last frame of its message. */
export const finBit = 0x80;
/** First header byte: of the first frame of a compressed message (RFC 7692 section 6). */
export const rsv1Bit = 0x40;
/** First header byte: bits that no extension known here has given a meaning. */
export const rsv23Bits = 0x30;
/** First header byte: where the opcode stands. */
export const opcodeBits = 0x0f;
/** Second header byte: a masking key follows the length. */
export const maskBit = 0x80;
/** Second header byte: where the length stands. */
export const lengthBits = 0x7f;
/** RFC 6455 section 5.5: a control frame carries at most so many bytes. */
export const controlPayloadLimitBytes = 125;
