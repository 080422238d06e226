/**
 * What: DEFLATE on Node, synchronous, with the window kept between messages; contexts are pooled and counted.
 * Must not know: WebSocket frames and negotiation; it sees bytes and window sizes.
 */
import { Buffer, kMaxLength } from 'node:buffer';
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  deflateRawSync,
  inflateRawSync,
  type ZlibOptions,
} from 'node:zlib';
import type { DeflatePort, Deflater, Inflater } from '../../base/port.ts';

const { Z_SYNC_FLUSH } = constants;

/** What of zlib's settings may be chosen; the window is negotiated. */
export interface ZlibSettings {
  /** -1 to 9; zlib's default (6). */
  readonly level?: number;
  /** 1 to 9; default 8: 256 kB a deflate context. */
  readonly memLevel?: number;
  readonly strategy?: number;
}

/** The part of zlib's native object that is used: it has been the same since Node 8. */
interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  reset(): void;
  close(): void;
  onerror: (message: string, errno: number, code: string) => void;
}

interface ZlibStream {
  readonly _handle?: ZlibHandle;
  /** After a write: room left in the output, input left. */
  readonly _writeState?: Uint32Array;
  close(): void;
}

/** What zlib says of bad input, with the code that programs match on. */
function zlibError(message: string, errno: number, code: string): Error {
  return Object.assign(new Error(message), { errno, code });
}

/** One for all: what zlib writes is copied out before anyone else can write. */
const scratch = Buffer.allocUnsafeSlow(65_536);

/** Joins what one call gave; a single piece is copied out of the scratch memory. */
function join(pieces: Buffer[], last: number): Buffer {
  const tail = Buffer.from(scratch.subarray(0, last));
  if (pieces.length === 0) return tail;
  pieces.push(tail);
  return Buffer.concat(pieces);
}

/** A zlib context driven without its stream: no event, no thread, no copy but the result. */
class NativeContext {
  readonly #stream: ZlibStream;
  readonly #handle: ZlibHandle;
  readonly #state: Uint32Array;
  readonly #isInflate: boolean;
  #error: Error | null = null;

  constructor(stream: ZlibStream, handle: ZlibHandle, state: Uint32Array, isInflate: boolean) {
    this.#stream = stream;
    this.#handle = handle;
    this.#state = state;
    this.#isInflate = isInflate;
    handle.onerror = (message, errno, code) => {
      this.#error = zlibError(message, errno, code);
    };
  }

  /** @returns the output, or null when it would pass `limit`. */
  run(input: Uint8Array, limit: number): Buffer | null {
    const pieces: Buffer[] = [];
    let offset = 0;
    let left = input.length;
    let total = 0;
    let wasReset = false;
    for (;;) {
      const room = Math.min(scratch.length, limit - total + 1);
      this.#handle.writeSync(Z_SYNC_FLUSH, input, offset, left, scratch, 0, room);
      if (this.#error !== null) {
        const error = this.#error;
        this.#error = null;
        throw error;
      }
      const roomLeft = this.#state[0]!;
      const inputLeft = this.#state[1]!;
      const got = room - roomLeft;
      const taken = left - inputLeft;
      total += got;
      if (total > limit) return null;
      offset += taken;
      left = inputLeft;
      if (roomLeft === 0) {
        pieces.push(Buffer.from(scratch.subarray(0, got)));
        continue;
      }
      if (left === 0 || !this.#isInflate) return join(pieces, got);
      // RFC 7692 section 7.2.3.4: a peer may end a message with a final block; what follows it is a new beginning.
      // Deviation: the window is empty after it, since zlib cannot keep it across the end of a stream.
      if (wasReset && taken === 0)
        throw zlibError('unexpected end of file', constants.Z_BUF_ERROR, 'Z_BUF_ERROR');
      if (got > 0) pieces.push(Buffer.from(scratch.subarray(0, got)));
      this.#handle.reset();
      wasReset = true;
    }
  }

  reset(): void {
    this.#handle.reset();
  }

  close(): void {
    this.#stream.close();
  }
}

/** Whether this Node still has the native object as described; told once. */
function openNative(stream: ZlibStream, isInflate: boolean): NativeContext | null {
  const { _handle: handle, _writeState: state } = stream;
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function') return null;
  if (!(state instanceof Uint32Array)) return null;
  return new NativeContext(stream, handle, state, isInflate);
}

/**
 * The same on zlib's public functions alone, for a Node whose inside has changed: the window is given back to
 * zlib as a preset dictionary on each call. Several times slower, equal on the wire.
 */
export class DictionaryContext {
  readonly #options: ZlibOptions;
  readonly #isInflate: boolean;
  readonly #windowBytes: number;
  #window: Buffer = Buffer.alloc(0);

  constructor(options: ZlibOptions, isInflate: boolean) {
    this.#options = options;
    this.#isInflate = isInflate;
    this.#windowBytes = 1 << (options.windowBits ?? 15);
  }

  run(input: Uint8Array, limit: number): Buffer | null {
    const options: ZlibOptions = { ...this.#options, finishFlush: Z_SYNC_FLUSH };
    if (this.#window.length > 0) options.dictionary = this.#window;
    if (!this.#isInflate) {
      const output = deflateRawSync(input, options);
      this.#remember(input);
      return output;
    }
    try {
      options.maxOutputLength = Math.min(Math.max(1, limit), kMaxLength);
      const output = inflateRawSync(input, options);
      if (output.length > limit) return null;
      this.#remember(output);
      return output;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return null;
      throw error;
    }
  }

  #remember(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#window, bytes]);
    this.#window = Buffer.from(all.subarray(Math.max(0, all.length - this.#windowBytes)));
  }

  reset(): void {
    this.#window = Buffer.alloc(0);
  }

  close(): void {
    this.reset();
  }
}

type Context = NativeContext | DictionaryContext;

/**
 * Contexts that nobody uses, by window size. To open one costs 30 microseconds and a 256 kB allocation, to reset one
 * costs one: a message without context takeover borrows and returns.
 */
const SPARE_CONTEXTS = 4;

/** What the windows of all connections with the same settings may hold together. */
const DEFAULT_BUDGET_BYTES = 128 * 1024 * 1024;

/** What zlib's manual says that a deflate context takes. */
function deflaterBytes(windowBits: number, memLevel: number): number {
  return (1 << (windowBits + 2)) + (1 << (memLevel + 9));
}

/** And an inflate context. */
function inflaterBytes(windowBits: number): number {
  return (1 << windowBits) + 7 * 1024;
}

/**
 * A sender's window. It may be taken away between messages when the budget is spent: a sender is free not to refer to
 * what it sent before, so the peer notices nothing but that the next message is longer.
 */
class BudgetedDeflater implements Deflater {
  readonly #port: NodeDeflate;
  readonly bits: number;
  /** Null until the first message, and when it was taken away. @internal */
  context: Context | null = null;

  constructor(port: NodeDeflate, bits: number) {
    this.#port = port;
    this.bits = bits;
  }

  deflate(input: Uint8Array): Uint8Array {
    return this.#port.contextOf(this).run(input, Number.MAX_SAFE_INTEGER)!;
  }

  reset(): void {
    this.context?.reset();
  }

  close(): void {
    this.#port.release(this);
  }
}

/** {@link DeflatePort} on Node's zlib. One instance for all connections with the same settings. */
export class NodeDeflate implements DeflatePort {
  readonly #deflateSettings: ZlibSettings;
  readonly #inflateSettings: ZlibSettings;
  readonly #budgetBytes: number;
  readonly #spareDeflate = new Map<number, Context[]>();
  readonly #spareInflate = new Map<number, Context[]>();
  /** Who holds a window, the one that was used longest ago first. */
  readonly #senders = new Set<BudgetedDeflater>();
  #senderBytes = 0;
  #inflaters = 0;
  /** What the inflaters take, or may come to take, of those whose peers refer to earlier messages. */
  #reservedBytes = 0;

  /**
   * @param budgetBytes for the windows of all connections. Up to half of it is promised to peers that refer to
   *   earlier messages, since what they refer to cannot be forgotten; when it is gone, `hasRoomForPeer` says so. The
   *   rest is for senders; the window that was used longest ago is forgotten. Default 128 MiB: some 1,680 of the
   *   one kind and 250 of the other.
   */
  constructor(
    deflateSettings: ZlibSettings = {},
    inflateSettings: ZlibSettings = {},
    budgetBytes: number = DEFAULT_BUDGET_BYTES,
  ) {
    this.#deflateSettings = deflateSettings;
    this.#inflateSettings = inflateSettings;
    this.#budgetBytes = budgetBytes;
  }

  /** Contexts that hold a window for somebody. */
  get contextsInUse(): number {
    return this.#senders.size + this.#inflaters;
  }

  hasRoomForPeer(windowBits: number): boolean {
    return this.#reservedBytes + inflaterBytes(windowBits) <= this.#budgetBytes / 2;
  }

  reserveForPeer(windowBits: number): void {
    this.#reservedBytes += inflaterBytes(windowBits);
  }

  releaseForPeer(windowBits: number): void {
    this.#reservedBytes -= inflaterBytes(windowBits);
  }

  createDeflater(windowBits: number): Deflater {
    // zlib cannot deflate raw with a window of 256 bytes. With 512 it looks back 250 bytes at most, which is legal.
    return new BudgetedDeflater(this, Math.max(9, windowBits));
  }

  /** @internal The context of `sender`, who becomes the last to be forgotten. */
  contextOf(sender: BudgetedDeflater): Context {
    if (this.#senders.delete(sender)) {
      this.#senders.add(sender);
      return sender.context!;
    }
    const bytes = this.#bytesOf(sender);
    for (const oldest of this.#senders) {
      if (this.#senderBytes + bytes <= this.#budgetBytes - this.#reservedBytes) break;
      this.release(oldest);
    }
    const context = this.#spareDeflate.get(sender.bits)?.pop() ?? this.#open(sender.bits, false);
    sender.context = context;
    this.#senders.add(sender);
    this.#senderBytes += bytes;
    return context;
  }

  /** @internal */
  release(sender: BudgetedDeflater): void {
    const { context } = sender;
    if (context === null) return;
    sender.context = null;
    this.#senders.delete(sender);
    this.#senderBytes -= this.#bytesOf(sender);
    keepSpare(this.#spareDeflate, sender.bits, context);
  }

  #bytesOf({ bits }: BudgetedDeflater): number {
    return deflaterBytes(bits, this.#deflateSettings.memLevel ?? 8);
  }

  createInflater(windowBits: number): Inflater {
    const context = this.#spareInflate.get(windowBits)?.pop() ?? this.#open(windowBits, true);
    this.#inflaters++;
    return {
      inflate: (input, limitBytes) => context.run(input, limitBytes),
      reset: () => context.reset(),
      close: () => {
        this.#inflaters--;
        keepSpare(this.#spareInflate, windowBits, context);
      },
    };
  }

  #open(windowBits: number, isInflate: boolean): Context {
    const options: ZlibOptions = {
      ...(isInflate ? this.#inflateSettings : this.#deflateSettings),
      windowBits,
    };
    const stream = isInflate ? createInflateRaw(options) : createDeflateRaw(options);
    return (
      openNative(stream as unknown as ZlibStream, isInflate) ?? new DictionaryContext(options, isInflate)
    );
  }
}

/** Keeps a context for the next who needs one, if there are not enough of them. */
function keepSpare(spare: Map<number, Context[]>, windowBits: number, context: Context): void {
  const list = spare.get(windowBits) ?? [];
  spare.set(windowBits, list);
  if (list.length >= SPARE_CONTEXTS) {
    context.close();
    return;
  }
  context.reset();
  list.push(context);
}
