/**
 * What: puts one message together from the payloads of its frames as their bytes arrive: inflates, judges UTF-8,
 * keeps the limits (RFC 6455 sections 5.4 and 8.1, RFC 7692 section 7.2.2).
 * Must not know: frame headers, masks, the state of the connection.
 */
import { joinBytes, viewBytes } from '../../base/bytes.ts';
import type { PeerError } from '../../base/errors.ts';
import type { Inflater } from '../../base/port.ts';
import { judgeUtf8Fast, Utf8State } from '../../base/utf8.ts';
import type { ConnectionOptions, ConnectionSink, Delivery } from './connection-port.ts';
import { deflateTail } from './permessage-deflate.ts';
import { inflateFailed, invalidUtf8, memoryExhausted, payloadTooBig, tooManyParts } from './violation.ts';

/**
 * Memory that may be taken on a peer's mere word about a length. Above it, what is taken is at most as much again
 * as has arrived: a header that lies about 64 bits costs nothing.
 */
const trustedBytes = 65_536;
/** The least that is taken for a fragment when more are to follow, so that tiny ones share one block. */
const leastBlockBytes = 256;
/** An array that the inflater gives is kept as it is from this length on; smaller ones are copied together. */
const keepInflatedBytes = 4_096;
/** What a block costs beyond its bytes: array object, buffer object, bookkeeping of the allocator. */
const blockOverheadBytes = 256;

/** One message on its way in. Made for messages that do not come as one whole frame in one chunk. */
export class MessageAssembler {
  readonly #options: ConnectionOptions;
  readonly #sink: ConnectionSink;
  readonly #isBinary: boolean;
  readonly #delivery: Delivery;
  /** `null`: the message is not compressed. */
  readonly #inflater: Inflater | null;
  #utf8: Utf8State = Utf8State.complete;
  #frameCount = 0;
  /** Payload on the wire, of all frames announced so far. */
  #wireLength = 0;
  /** The message's bytes so far, inflated. */
  #length = 0;
  /** Blocks that are full (the last one perhaps not), in order. */
  #blocks: Uint8Array[] = [];
  /** Bytes used of the last block. */
  #filled = 0;
  /** Memory of all blocks. */
  #heldBytes = 0;

  constructor(
    options: ConnectionOptions,
    sink: ConnectionSink,
    isBinary: boolean,
    delivery: Delivery,
    inflater: Inflater | null,
  ) {
    this.#options = options;
    this.#sink = sink;
    this.#isBinary = isBinary;
    this.#delivery = delivery;
    this.#inflater = inflater;
  }

  /** Whether a pause is to take effect within a frame. */
  get isStream(): boolean {
    return this.#delivery === 'stream';
  }

  get isInflating(): boolean {
    return this.#inflater !== null;
  }

  /** A frame of the message was announced. Lengths are judged here, before memory is taken or bytes are read. */
  beginFrame(payloadLength: number): PeerError | null {
    const { fragmentLimit, payloadLimitBytes } = this.#options;
    this.#frameCount += 1;
    if (fragmentLimit !== 0 && this.#frameCount > fragmentLimit) {
      return tooManyParts('message fragments', { name: 'fragmentLimit', value: fragmentLimit });
    }
    this.#wireLength += payloadLength;
    if (payloadLimitBytes !== 0 && this.#wireLength > payloadLimitBytes) return this.#tooBig();
    return null;
  }

  /**
   * Takes payload, unmasked, from `start` to `end` of `bytes`.
   * @param expected bytes of the frame still to come, these included.
   * @param isLastFrame no frame follows in this message.
   * @param isAscii known to be ASCII; spares the check of a text.
   */
  append(
    bytes: Uint8Array,
    start: number,
    end: number,
    expected: number,
    isLastFrame: boolean,
    isAscii: boolean,
  ): PeerError | null {
    if (start === end) return null;
    if (this.#inflater !== null) return this.#inflate(viewBytes(bytes, start, end));
    if (!(isAscii && this.#utf8 === Utf8State.complete) && !this.#judge(bytes, start, end)) {
      return invalidUtf8();
    }
    this.#length += end - start;
    if (this.#delivery === 'stream') {
      this.#sink.connectionStreamData(viewBytes(bytes, start, end));
      return null;
    }
    return this.#keep(bytes, start, end, expected, isLastFrame);
  }

  /**
   * The last frame is complete.
   * @returns what makes the message invalid, else `null`: then {@link deliver} it.
   */
  finish(): PeerError | null {
    if (this.#inflater !== null) {
      // RFC 7692 section 7.2.2: append the four bytes that the sender cut off.
      const error = this.#inflate(deflateTail);
      if (error !== null) return error;
    }
    // RFC 6455 section 8.1: a character that the message's end cuts is as invalid as any other error.
    return this.#utf8 === Utf8State.complete ? null : invalidUtf8();
  }

  /** Hands the message over. */
  deliver(): void {
    if (this.#delivery === 'stream') {
      this.#sink.connectionStreamEnd();
      return;
    }
    const blocks = this.#blocks;
    const last = blocks.length - 1;
    if (last >= 0 && this.#filled < blocks[last]!.length)
      blocks[last] = blocks[last]!.subarray(0, this.#filled);
    if (this.#delivery === 'pieces' && this.#isBinary) {
      this.#sink.connectionPieces(blocks);
      return;
    }
    const message =
      last < 0 ? this.#options.codec.allocate(0) : joinBytes(blocks, this.#length, this.#options.codec);
    this.#sink.connectionMessage(message, 0, message.length, this.#isBinary, true);
  }

  #judge(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isBinary || !this.#options.checkUtf8) return true;
    this.#utf8 = judgeUtf8Fast(this.#utf8, bytes, start, end, this.#options.codec);
    return this.#utf8 !== Utf8State.invalid;
  }

  /** Inflates a part, at most up to the limits: a bomb is stopped before it is unpacked. */
  #inflate(part: Uint8Array): PeerError | null {
    const { payloadLimitBytes, memoryBudgetBytes } = this.#options;
    const payloadRoom = payloadLimitBytes === 0 ? Number.MAX_SAFE_INTEGER : payloadLimitBytes - this.#length;
    const memoryRoom =
      memoryBudgetBytes === 0 || this.#delivery === 'stream'
        ? Number.MAX_SAFE_INTEGER
        : Math.max(0, memoryBudgetBytes - this.#heldBytes);
    let inflated: Uint8Array | null;
    try {
      inflated = this.#inflater!.inflate(part, Math.min(payloadRoom, memoryRoom));
    } catch (error) {
      return inflateFailed(error);
    }
    if (inflated === null) {
      return payloadRoom <= memoryRoom ? this.#tooBig() : memoryExhausted(memoryBudgetBytes);
    }
    const { length } = inflated;
    if (length === 0) return null;
    if (!this.#judge(inflated, 0, length)) return invalidUtf8();
    this.#length += length;
    if (this.#delivery === 'stream') {
      this.#sink.connectionStreamData(inflated);
      return null;
    }
    // Most compressed messages are one part: its array is the message, uncopied.
    if (length >= keepInflatedBytes || this.#blocks.length === 0) return this.#adopt(inflated);
    return this.#keep(inflated, 0, length, length, false);
  }

  #adopt(block: Uint8Array): PeerError | null {
    const last = this.#blocks.length - 1;
    if (last >= 0) this.#blocks[last] = this.#blocks[last]!.subarray(0, this.#filled);
    return this.#charge(block.length) ?? this.#push(block, block.length);
  }

  #push(block: Uint8Array, filled: number): null {
    this.#blocks.push(block);
    this.#filled = filled;
    return null;
  }

  /** Copies bytes behind what is there, into a new block where the last one is full. */
  #keep(
    bytes: Uint8Array,
    start: number,
    end: number,
    expected: number,
    isLastFrame: boolean,
  ): PeerError | null {
    let from = start;
    const last = this.#blocks.length - 1;
    if (last >= 0) {
      const block = this.#blocks[last]!;
      const taken = Math.min(end - from, block.length - this.#filled);
      if (taken > 0) {
        block.set(viewBytes(bytes, from, from + taken), this.#filled);
        this.#filled += taken;
        from += taken;
      }
    }
    const rest = end - from;
    if (rest === 0) return null;
    // The rest of the frame, or twice as much each time while frames of unknown number follow; but never more than
    // has arrived beyond what is trusted.
    const missing = expected - (from - start);
    const wanted = isLastFrame ? missing : Math.max(missing, this.#length, leastBlockBytes);
    const size = Math.min(wanted, Math.max(rest, this.#length, trustedBytes));
    const error = this.#charge(size);
    if (error !== null) return error;
    const block = this.#options.codec.allocate(size);
    block.set(viewBytes(bytes, from, end), 0);
    return this.#push(block, rest);
  }

  /** Real memory: what is allocated, not what is filled. */
  #charge(blockBytes: number): PeerError | null {
    const { memoryBudgetBytes } = this.#options;
    this.#heldBytes += blockBytes + blockOverheadBytes;
    if (memoryBudgetBytes !== 0 && this.#heldBytes > memoryBudgetBytes)
      return memoryExhausted(memoryBudgetBytes);
    return null;
  }

  #tooBig(): PeerError {
    return payloadTooBig({ name: 'payloadLimitBytes', value: this.#options.payloadLimitBytes });
  }
}
