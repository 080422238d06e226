/**
 * What: reads the header of a frame (RFC 6455 section 5.2) out of bytes that may end within it.
 * Must not know: what may stand in a header when; that is the connection's to judge.
 */
import { readKey } from './mask.ts';
import { lengthBits, maskBit } from './opcode.ts';

const two32 = 0x1_0000_0000;

/** The fields of a header. One instance serves any number of frames: `read` overwrites it. */
export class FrameHeader {
  firstByte = 0;
  secondByte = 0;
  payloadLength = 0;
  /** Whether the length was in the shortest form that holds it. */
  isShortest = true;
  /** As `readKey` gives it; 0 without a mask. */
  maskKey = 0;

  /**
   * Reads the header at `start`.
   * @returns its length, or 0 when `end` comes before the header's end (the fields then have no meaning).
   */
  read(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 2) return 0;
    const second = bytes[start + 1]!;
    let at = start + 2;
    const short = second & lengthBits;
    const needed = (short < 126 ? 0 : short === 126 ? 2 : 8) + ((second & maskBit) === 0 ? 0 : 4);
    if (end - at < needed) return 0;
    this.firstByte = bytes[start]!;
    this.secondByte = second;
    if (short < 126) {
      this.payloadLength = short;
      this.isShortest = true;
    } else if (short === 126) {
      this.payloadLength = (bytes[at]! << 8) | bytes[at + 1]!;
      this.isShortest = this.payloadLength > 125;
      at += 2;
    } else {
      // Above 2^53 a number is no longer exact. It is compared with limits only, all of which lie below.
      this.payloadLength = readUint32(bytes, at) * two32 + readUint32(bytes, at + 4);
      this.isShortest = this.payloadLength > 0xffff;
      at += 8;
    }
    this.maskKey = 0;
    if ((second & maskBit) !== 0) {
      this.maskKey = readKey(bytes, at);
      at += 4;
    }
    return at - start;
  }
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset]! * 0x1000000 + ((bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!)
  );
}
