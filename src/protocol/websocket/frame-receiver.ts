/**
 * What: the receiving half of a connection: bytes in, frames judged, messages handed to the sink (RFC 6455
 * sections 5 and 6.2).
 * Must not know: how frames are sent, the closing handshake; the class that extends this does.
 */
import { ByteQueue } from '../../base/byte-queue.ts';
import { copyBytes, viewBytes } from '../../base/bytes.ts';
import type { PeerError } from '../../base/errors.ts';
import type { Inflater } from '../../base/port.ts';
import { FrameHeader } from '../../wire/websocket/frame-header.ts';
import { mask, maskInto, readKey, rotateKey } from '../../wire/websocket/mask.ts';
import { finBit, lengthBits, maskBit, Opcode, opcodeBits, rsv1Bit } from '../../wire/websocket/opcode.ts';
import type { ConnectionOptions, ConnectionSink, Delivery } from './connection-port.ts';
import { FrameIntake, IntakeStage } from './frame-intake.ts';
import { judgeHeader, judgeLength } from './frame-rules.ts';
import { MessageAssembler } from './message-assembler.ts';
import { invalidUtf8, tooManyParts } from './violation.ts';

/*
 * Why `receive` may not go straight ahead, as bits of one number, so that the hot path asks once.
 * busy: a call of it is under way. paused: `pauseReceiving`. stopped: nothing is parsed any more. held: earlier bytes
 * wait. ending: `receiveEnd` waits behind them. ended: it was reported.
 */
const busy = 1;
const paused = 2;
const stopped = 4;
const held = 8;
const ending = 16;
const ended = 32;

const finalText = finBit | Opcode.text;
const finalBinary = finBit | Opcode.binary;

/** With delivery `stream`, inflated in parts so small that a part of the worst case stays below 16 MiB. */
const inflateStepBytes = 16_384;
/** Up to this length the copy that unmasks is faster; above, masking by words in place and the platform's copy. */
const maskIntoUpToBytes = 128;

/** Filled anew for each header; nothing is kept in it. */
const header = new FrameHeader();

/** Parses what comes from the peer. See `WebSocketConnection`, which is this and the sending half. */
export abstract class FrameReceiver {
  /** @internal */ protected readonly options: ConnectionOptions;
  /** @internal */ protected readonly sink: ConnectionSink;
  #gate = 0;
  /** How far the chunk in `receive` was consumed. Moved before each call of the sink, which may throw. */
  #position = 0;
  #delivery: Delivery = 'whole';
  // What an idle connection does not need is null.
  #intake: FrameIntake | null = null;
  #message: MessageAssembler | null = null;
  #held: ByteQueue | null = null;

  constructor(options: ConnectionOptions, sink: ConnectionSink) {
    this.options = options;
    this.sink = sink;
  }

  /** A rule or a limit was broken; receiving has stopped. */
  protected abstract fail(error: PeerError): void;
  /** A complete control frame. `payload` is valid during the call. */
  protected abstract receiveControl(opcode: number, payload: Uint8Array): void;
  /** The inflater for a message that begins. */
  protected abstract beginInflating(): Inflater;
  /** The compressed message is complete. */
  protected abstract endInflating(): void;
  /** Everything was parsed that came before the peer's end. */
  protected abstract receivedAll(): void;

  /** Whether `pauseReceiving` is in force. */
  get isPaused(): boolean {
    return (this.#gate & paused) !== 0;
  }

  /** Bytes that were received and wait unparsed because of `pauseReceiving`. */
  get heldBytes(): number {
    return this.#held === null ? 0 : this.#held.byteLength;
  }

  /**
   * Takes the next bytes from the peer. They are unmasked in place; the chunk is free for reuse on return.
   * Never throws by itself; what the sink throws passes through, and parsing goes on behind that message with
   * the next `receive` or `resumeReceiving`.
   */
  receive(chunk: Uint8Array): void {
    if (this.#gate !== 0) {
      this.#receiveLater(chunk);
      return;
    }
    this.#gate = busy;
    this.#position = 0;
    try {
      this.#parse(chunk);
    } finally {
      this.#gate &= ~busy;
      if (this.#position < chunk.length) this.#holdRest(chunk);
    }
    if (this.#gate !== 0) this.#parseHeld();
  }

  /** The peer has ended its side of the stream (TCP FIN). Nothing may be received after it. */
  receiveEnd(): void {
    if ((this.#gate & ended) !== 0) return;
    this.#gate |= ending;
    this.#parseHeld();
  }

  /**
   * Stops after the message (delivery `stream`: the part) that is being handed over. What has arrived is kept; the
   * shell stops reading from the socket.
   */
  pauseReceiving(): void {
    this.#gate |= paused;
  }

  /** Parses what was kept, until the next pause, and goes on. */
  resumeReceiving(): void {
    this.#gate &= ~paused;
    this.#parseHeld();
  }

  /** Changes how messages are handed over, from the next one on. */
  setDelivery(delivery: Delivery): void {
    this.#delivery = delivery;
  }

  /**
   * Nothing more is parsed; what was being received is dropped.
   * @param isEnded the end is not of interest either.
   */
  protected stopReceiving(isEnded = false): void {
    this.#gate = (this.#gate | stopped | (isEnded ? ended : 0)) & ~(isEnded ? held | ending : held);
    this.#intake = null;
    this.#message = null;
    this.#held = null;
  }

  // What is kept for later

  #receiveLater(chunk: Uint8Array): void {
    if ((this.#gate & (stopped | ending | ended)) !== 0) return;
    this.#held ??= new ByteQueue();
    this.#held.push(copyBytes(chunk, this.options.codec));
    this.#gate |= held;
    this.#parseHeld();
  }

  /** Keeps what `receive` did not come to. What came in the meantime, from within the sink, lies behind it. */
  #holdRest(chunk: Uint8Array): void {
    if ((this.#gate & stopped) !== 0) return;
    this.#held ??= new ByteQueue();
    this.#held.pushFront(copyBytes(viewBytes(chunk, this.#position, chunk.length), this.options.codec));
    this.#gate |= held;
  }

  /** Goes on with what was kept, if nothing forbids it, and then with the end. */
  #parseHeld(): void {
    while ((this.#gate & (held | busy | paused | stopped)) === held) {
      const queue = this.#held!;
      const chunk = queue.front!;
      this.#gate |= busy;
      this.#position = queue.frontOffset;
      try {
        this.#parse(chunk);
      } finally {
        this.#gate &= ~busy;
        // Not twice the same byte, whatever happened; `stopReceiving` has dropped the queue.
        if (this.#held === queue) {
          queue.consumeFront(this.#position);
          if (queue.byteLength === 0) {
            this.#held = null;
            this.#gate &= ~held;
          }
        }
      }
    }
    if ((this.#gate & (ending | held | busy)) === ending) {
      this.#gate = (this.#gate & ~ending) | ended;
      this.#intake = null;
      this.#message = null;
      this.receivedAll();
    }
  }

  // Frames

  #parse(chunk: Uint8Array): void {
    const end = chunk.length;
    if (this.#intake !== null && this.#position === 0) this.#countChunk(this.#intake);
    while (this.#position < end && (this.#gate & (paused | stopped)) === 0) {
      const intake = this.#intake;
      if (intake === null) {
        const first = chunk[this.#position]!;
        if (
          (first !== finalText && first !== finalBinary) ||
          this.#delivery !== 'whole' ||
          !this.#readWholeMessage(chunk, this.#position, first)
        ) {
          this.#readHeader(chunk, this.#position, end);
        }
      } else if (intake.stage === IntakeStage.between) {
        this.#readHeader(chunk, this.#position, end);
      } else {
        this.#continueFrame(chunk, intake);
      }
    }
  }

  /**
   * The hot path: a message in one frame, all of it in the chunk, not compressed, nothing unusual about it.
   * @returns false when it is not that; nothing was consumed then.
   */
  #readWholeMessage(chunk: Uint8Array, offset: number, first: number): boolean {
    const options = this.options;
    const isMasked = options.role === 'server';
    // The few bytes of the shortest messages at a chunk's end are left to the general way.
    if (chunk.length - offset < (isMasked ? 8 : 4)) return false;
    const second = chunk[offset + 1]!;
    let at = offset + 2;
    let length = second & lengthBits;
    if (((second & maskBit) !== 0) !== isMasked || length === 127) return false;
    if (length === 126) {
      length = (chunk[at]! << 8) | chunk[at + 1]!;
      if (length < 126) return false;
      at += 2;
    }
    let key = 0;
    if (isMasked) {
      key = readKey(chunk, at);
      at += 4;
    }
    const stop = at + length;
    if (stop > chunk.length || (options.payloadLimitBytes !== 0 && length > options.payloadLimitBytes)) {
      return false;
    }
    this.#position = stop;
    const mustCheck = first === finalText && options.checkUtf8;
    if (length > options.ownedUpToBytes) {
      const seen = isMasked ? mask(chunk, at, stop, key) : 1;
      if (mustCheck && seen !== 0 && !options.codec.isUtf8(viewBytes(chunk, at, stop))) {
        this.fail(invalidUtf8());
        return true;
      }
      this.sink.connectionMessage(chunk, at, stop, first === finalBinary, false);
      return true;
    }
    const message = options.codec.allocate(length);
    let seen = 1;
    if (length <= maskIntoUpToBytes) {
      seen = maskInto(message, 0, chunk, at, length, key);
    } else {
      if (isMasked) seen = mask(chunk, at, stop, key);
      message.set(viewBytes(chunk, at, stop));
    }
    if (mustCheck && seen !== 0 && !options.codec.isUtf8(message)) {
      this.fail(invalidUtf8());
      return true;
    }
    this.sink.connectionMessage(message, 0, length, first === finalBinary, true);
    return true;
  }

  /** A frame begins at `offset`; its header may be cut by the end of the chunk. */
  #readHeader(chunk: Uint8Array, offset: number, end: number): void {
    const headerLength = header.read(chunk, offset, end);
    if (headerLength !== 0) {
      this.#position = offset + headerLength;
      this.#beginFrame(chunk);
      return;
    }
    const error = this.#judge(chunk[offset]!, end - offset > 1 ? chunk[offset + 1]! : -1);
    if (error !== null) {
      this.fail(error);
      return;
    }
    this.#intake ??= new FrameIntake();
    this.#intake.beginHeader();
    this.#continueFrame(chunk, this.#intake);
  }

  #countChunk(intake: FrameIntake): void {
    const { chunkLimit } = this.options;
    intake.chunkCount += 1;
    if (chunkLimit !== 0 && intake.chunkCount > chunkLimit) {
      this.fail(tooManyParts('buffered chunks', { name: 'chunkLimit', value: chunkLimit }));
    }
  }

  /** Goes on with a frame that an earlier chunk has begun. */
  #continueFrame(chunk: Uint8Array, intake: FrameIntake): void {
    if (intake.stage === IntakeStage.payload) this.#takePayload(chunk, intake);
    else if (intake.stage === IntakeStage.control) this.#takeControl(chunk, intake);
    else this.#takeHeader(chunk, intake);
  }

  #takeHeader(chunk: Uint8Array, intake: FrameIntake): void {
    // Byte by byte: there are at most 14 of them, and those behind the header must stay in the chunk.
    while (this.#position < chunk.length) {
      this.#position = intake.fill(chunk, this.#position, chunk.length, intake.filled + 1);
      if (intake.filled === 2) {
        const error = this.#judge(intake.bytes[0]!, intake.bytes[1]!);
        if (error !== null) {
          this.fail(error);
          return;
        }
      }
      if (header.read(intake.bytes, 0, intake.filled) !== 0) {
        intake.stage = IntakeStage.between;
        if (this.#message === null) this.#intake = null;
        this.#beginFrame(chunk);
        return;
      }
    }
  }

  /** The header was read into `header`; its payload begins at the position. */
  #beginFrame(chunk: Uint8Array): void {
    const { firstByte, payloadLength, maskKey } = header;
    const error = this.#judge(firstByte, header.secondByte) ?? judgeLength(header);
    if (error !== null) {
      this.fail(error);
      return;
    }
    const opcode = firstByte & opcodeBits;
    if (opcode >= Opcode.close) {
      const start = this.#position;
      if (chunk.length - start >= payloadLength) {
        this.#position = start + payloadLength;
        mask(chunk, start, this.#position, maskKey);
        this.receiveControl(opcode, viewBytes(chunk, start, this.#position));
        return;
      }
      this.#intake ??= new FrameIntake();
      this.#intake.beginControl(firstByte, payloadLength, maskKey);
      return;
    }
    this.#message ??= this.#newMessage(opcode, (firstByte & rsv1Bit) !== 0);
    const message = this.#message;
    const tooMuch = message.beginFrame(payloadLength);
    if (tooMuch !== null) {
      this.fail(tooMuch);
      return;
    }
    this.#intake ??= new FrameIntake();
    const intake = this.#intake;
    intake.beginPayload(firstByte, payloadLength, maskKey);
    if (opcode !== Opcode.continuation && message.isStream) {
      this.sink.connectionStreamStart(opcode === Opcode.binary);
    }
    // The sink was told and may have ended everything.
    if (payloadLength === 0 && this.#message === message) this.#endFrame(intake);
  }

  #judge(first: number, second: number): PeerError | null {
    const { role, deflate } = this.options;
    return judgeHeader(first, second, role, deflate !== null, this.#message !== null);
  }

  // Data frames

  #newMessage(opcode: number, isDeflated: boolean): MessageAssembler {
    const inflater = isDeflated ? this.beginInflating() : null;
    const isBinary = opcode === Opcode.binary;
    return new MessageAssembler(this.options, this.sink, isBinary, this.#delivery, inflater);
  }

  #takePayload(chunk: Uint8Array, intake: FrameIntake): void {
    const message = this.#message!;
    const start = this.#position;
    const expected = intake.remaining;
    let taken = Math.min(expected, chunk.length - start);
    if (message.isStream && message.isInflating) taken = Math.min(taken, inflateStepBytes);
    const stop = start + taken;
    this.#position = stop;
    let seen = 1;
    if (this.options.role === 'server') {
      seen = mask(chunk, start, stop, intake.maskKey);
      intake.maskKey = rotateKey(intake.maskKey, taken);
    }
    intake.remaining = expected - taken;
    const isLastFrame = (intake.firstByte & finBit) !== 0;
    const error = message.append(chunk, start, stop, expected, isLastFrame, seen === 0);
    if (error !== null) this.fail(error);
    else if (intake.remaining === 0 && this.#message === message) this.#endFrame(intake);
  }

  #endFrame(intake: FrameIntake): void {
    intake.stage = IntakeStage.between;
    if ((intake.firstByte & finBit) === 0) return;
    const message = this.#message!;
    const error = message.finish();
    if (error !== null) {
      this.fail(error);
      return;
    }
    // With delivery `stream`, the last part was handed over just now; the sink may have ended everything.
    if (this.#message !== message) return;
    if (message.isInflating) this.endInflating();
    // The state first: the sink may throw, pause, or send.
    this.#intake = null;
    this.#message = null;
    message.deliver();
  }

  #takeControl(chunk: Uint8Array, intake: FrameIntake): void {
    const { bytes } = intake;
    this.#position = intake.fill(chunk, this.#position, chunk.length, bytes.length);
    if (intake.filled < bytes.length) return;
    const { firstByte, maskKey } = intake;
    intake.stage = IntakeStage.between;
    if (this.#message === null) this.#intake = null;
    mask(bytes, 0, bytes.length, maskKey);
    this.receiveControl(firstByte & opcodeBits, bytes);
  }
}
