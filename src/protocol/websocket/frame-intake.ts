/**
 * What: what must be remembered of a frame that the end of a chunk has cut.
 * Must not know: what happens with the frame; the connection fills and reads this.
 */
import { emptyBytes } from '../../base/bytes.ts';
import { frameHeaderLimitBytes } from '../../wire/websocket/frame.ts';

/** Where the next byte belongs. `between`: no frame is cut, but its message goes on. */
export const IntakeStage = { between: 0, header: 1, payload: 2, control: 3 } as const;
export type IntakeStage = (typeof IntakeStage)[keyof typeof IntakeStage];

/** Exists only while a frame is cut or a message is not complete. */
export class FrameIntake {
  stage: IntakeStage = IntakeStage.between;
  /** The frame's first byte: FIN and opcode. */
  firstByte = 0;
  /** Bytes of payload still to come. */
  remaining = 0;
  /** The masking key as it applies to the next byte. */
  maskKey = 0;
  /** Chunks in which the frame has come; begins anew behind the header. */
  chunkCount = 0;
  /** Stage `header`: the header's bytes. Stage `control`: the payload's. */
  bytes: Uint8Array = emptyBytes;
  /** How many of `bytes` are there. */
  filled = 0;

  /** A header is cut. */
  beginHeader(): void {
    this.stage = IntakeStage.header;
    this.bytes = new Uint8Array(frameHeaderLimitBytes);
    this.filled = 0;
    this.chunkCount = 1;
  }

  /** A control frame is cut within its payload. The few bytes are kept until it is complete. */
  beginControl(firstByte: number, payloadLength: number, maskKey: number): void {
    this.stage = IntakeStage.control;
    this.firstByte = firstByte;
    this.maskKey = maskKey;
    this.chunkCount = 1;
    this.bytes = new Uint8Array(payloadLength);
    this.filled = 0;
  }

  /** The payload of a data frame follows. */
  beginPayload(firstByte: number, payloadLength: number, maskKey: number): void {
    this.stage = IntakeStage.payload;
    this.firstByte = firstByte;
    this.remaining = payloadLength;
    this.maskKey = maskKey;
    this.chunkCount = 1;
    this.bytes = emptyBytes;
  }

  /** Takes as many bytes as are missing and there; returns the offset behind them. */
  fill(source: Uint8Array, start: number, end: number, needed: number): number {
    const taken = Math.min(needed - this.filled, end - start);
    for (let i = 0; i < taken; i++) this.bytes[this.filled + i] = source[start + i]!;
    this.filled += taken;
    return start + taken;
  }
}
