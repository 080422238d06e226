/**
 * What: the rules on what may stand in a frame's header, for either role (RFC 6455 section 5, RFC 7692 section 6).
 * Must not know: payloads, or what happens to a frame that breaks a rule.
 */
import type { PeerError } from '../../base/errors.ts';
import type { FrameHeader } from '../../wire/websocket/frame-header.ts';
import {
  controlPayloadLimitBytes,
  finBit,
  lengthBits,
  maskBit,
  Opcode,
  opcodeBits,
  rsv1Bit,
  rsv23Bits,
} from '../../wire/websocket/opcode.ts';
import type { Role } from './connection-port.ts';
import {
  expectedFin,
  expectedMask,
  invalidControlLength,
  invalidOpcode,
  lengthNotExact,
  lengthNotShortest,
  unexpectedMask,
  unexpectedRsv1,
  unexpectedRsv23,
} from './violation.ts';

/**
 * Judges what the first two bytes tell, as soon as they are there.
 * @param second -1 while only the first byte is there.
 * @param role of this side: the peer has the other.
 * @param mayDeflate permessage-deflate was agreed on.
 * @param isContinued a message was begun and is not complete.
 */
export function judgeHeader(
  first: number,
  second: number,
  role: Role,
  mayDeflate: boolean,
  isContinued: boolean,
): PeerError | null {
  const opcode = first & opcodeBits;
  const isDeflated = (first & rsv1Bit) !== 0;
  // RFC 6455 section 5.2: reserved bits are 0 unless an extension that was agreed on gives them a meaning.
  if ((first & rsv23Bits) !== 0) return unexpectedRsv23();
  if (isDeflated && !mayDeflate) return unexpectedRsv1();
  if (opcode < Opcode.close) {
    // RFC 6455 section 5.4: a message goes on with opcode 0, and only then; the others begin one.
    // RFC 7692 section 6.2: RSV1 stands in the first frame of a message only.
    if (isDeflated && opcode === Opcode.continuation) return unexpectedRsv1();
    if (opcode > Opcode.binary || (opcode === Opcode.continuation) !== isContinued) {
      return invalidOpcode(opcode);
    }
  } else {
    // RFC 6455 section 5.2: opcodes B to F are reserved.
    if (opcode > Opcode.pong) return invalidOpcode(opcode);
    // RFC 6455 section 5.5: control frames are not fragmented.
    if ((first & finBit) === 0) return expectedFin();
    // RFC 7692 section 6.1: control frames are not compressed.
    if (isDeflated) return unexpectedRsv1();
  }
  if (second < 0) return null;
  const length = second & lengthBits;
  if (opcode >= Opcode.close) {
    // RFC 6455 section 5.5: at most 125 bytes. Section 5.5.1: if there is a close body, it begins with two bytes.
    if (length > controlPayloadLimitBytes || (opcode === Opcode.close && length === 1)) {
      return invalidControlLength(length);
    }
  }
  // RFC 6455 section 5.1: a client masks all frames, a server none.
  const isMasked = (second & maskBit) !== 0;
  if (role === 'server') return isMasked ? null : expectedMask();
  return isMasked ? unexpectedMask() : null;
}

/** Judges the length, once it is there. */
export function judgeLength(header: FrameHeader): PeerError | null {
  // RFC 6455 section 5.2: the minimal number of bytes encodes the length. (ws lets longer forms pass.)
  if (!header.isShortest) return lengthNotShortest(header.payloadLength);
  return header.payloadLength > Number.MAX_SAFE_INTEGER ? lengthNotExact() : null;
}
