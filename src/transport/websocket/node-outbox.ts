/**
 * What: gathers what is sent on sockets in one turn of the event loop, so that each socket is written to once.
 * Must not know: WebSocket frames; it carries bytes.
 */
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
// By import, not the global: fake timers in a user's tests must not stop the writing.
import { setImmediate } from 'node:timers';

/** Called when the bytes were taken by the operating system (no argument), or never will be (the error). */
export type SendCallback = (error?: Error) => void;

/** Frames are written one behind the other into memory of this size; a frame above it gets memory of its own. */
const SLAB_BYTES = 65_536;
/** Up to this much is joined to one buffer for one `write`; above, the pieces go out by one `writev`, uncopied. */
const JOIN_BYTES = 65_536;
/** Larger pieces are not copied; smaller ones are joined, since an entry of `writev` costs more than the copy. */
const SMALL_BYTES = 4_096;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;
/** Where the last `reserve` made room. */
let target: Buffer = slab;

/** The array in which the last {@link Outbox.reserve} made room. */
export function reservedTarget(): Buffer {
  return target;
}

/** The list that was joined last, and its result: receivers of the same broadcasts hold equal lists. */
let lastParts: Uint8Array[] = [];
let lastJoined: Buffer | null = null;

function isLastList(parts: Uint8Array[]): boolean {
  const { length } = parts;
  if (length !== lastParts.length) return false;
  for (let i = 0; i < length; i++) if (parts[i] !== lastParts[i]) return false;
  return true;
}

/** What one connection has to write this turn. Lent to a connection while it has something, then reused. */
export class Outbox {
  #parts: Uint8Array[] = [];
  #callbacks: SendCallback[] | null = null;
  /** The part of a slab that is still growing. */
  #slab: Buffer | null = null;
  #start = 0;
  #end = 0;
  /** What comes as characters that are bytes, and is still growing. */
  #text = '';
  /** Whether there is a piece that is not worth copying. */
  #hasLarge = false;
  /** Bytes for the wire. */
  bytes = 0;
  /** Bytes of payload as the application counts them. */
  payloadBytes = 0;

  /** Makes room for `length` bytes next in order; they are to be written into `reservedTarget()` at the result. */
  reserve(length: number): number {
    this.bytes += length;
    if (this.#text !== '') this.#closeText();
    if (length > SLAB_BYTES) {
      target = Buffer.allocUnsafeSlow(length);
      this.#closeRange();
      this.#parts.push(target);
      return 0;
    }
    if (slabUsed + length > SLAB_BYTES) {
      slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      slabUsed = 0;
    }
    const offset = slabUsed;
    slabUsed += length;
    target = slab;
    if (this.#slab === slab && this.#end === offset) {
      this.#end = slabUsed;
    } else {
      this.#closeRange();
      this.#slab = slab;
      this.#start = offset;
      this.#end = slabUsed;
    }
    return offset;
  }

  /** Notes bytes that exist already, next in order. They must not change until they are written. */
  append(bytes: Uint8Array): void {
    this.#close();
    const { length } = bytes;
    this.bytes += length;
    if (length > SMALL_BYTES) this.#hasLarge = true;
    this.#parts.push(bytes);
  }

  /**
   * Notes bytes as the characters of a text, each below 256, next in order. Texts are joined by the engine, and the
   * socket takes one as it is: less than half of what it costs to write each into memory.
   */
  appendText(text: string): void {
    if (this.#slab !== null) this.#closeRange();
    this.bytes += text.length;
    this.#text += text;
  }

  /** Notes who wants to know when everything up to here was written. */
  notify(callback: SendCallback): void {
    this.#callbacks ??= [];
    this.#callbacks.push(callback);
  }

  #closeRange(): void {
    if (this.#slab === null) return;
    this.#parts.push(this.#slab.subarray(this.#start, this.#end));
    this.#slab = null;
  }

  #closeText(): void {
    this.#parts.push(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }

  #close(): void {
    if (this.#slab !== null) this.#closeRange();
    else if (this.#text !== '') this.#closeText();
  }

  /** Passes everything to the socket and empties the outbox. @returns what `write` returned. */
  flush(socket: Writable): boolean {
    const text = this.#parts.length === 0 ? this.#text : '';
    if (text !== '') this.#text = '';
    else this.#close();
    const parts = this.#parts;
    const callbacks = this.#callbacks;
    const hasLarge = this.#hasLarge;
    const { bytes } = this;
    this.#hasLarge = false;
    this.#callbacks = null;
    this.bytes = 0;
    this.payloadBytes = 0;
    const done = callbacks === null ? undefined : (error?: Error | null) => callAll(callbacks, error);
    if (text !== '') return socket.write(text, 'latin1', done);
    if (parts.length === 0) {
      if (done !== undefined) done();
      return true;
    }
    if (parts.length === 1) {
      const only = parts[0]!;
      parts.length = 0;
      return socket.write(only, done);
    }
    if (!hasLarge && bytes <= JOIN_BYTES) return socket.write(this.#join(bytes), done);
    this.#parts = [];
    return writeMany(socket, parts, done);
  }

  /** Gives up what was not written. */
  discard(error: Error): void {
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    this.#parts.length = 0;
    this.#slab = null;
    this.#text = '';
    this.#hasLarge = false;
    this.bytes = 0;
    this.payloadBytes = 0;
    if (callbacks !== null) callAll(callbacks, error);
  }

  #join(bytes: number): Buffer {
    const parts = this.#parts;
    if (lastJoined !== null && isLastList(parts)) {
      parts.length = 0;
      return lastJoined;
    }
    const joined = Buffer.allocUnsafeSlow(bytes);
    let offset = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      joined.set(part, offset);
      offset += part.length;
    }
    this.#parts = lastParts;
    this.#parts.length = 0;
    lastParts = parts;
    lastJoined = joined;
    return joined;
  }
}

function callAll(callbacks: SendCallback[], error?: Error | null): void {
  for (const callback of callbacks) {
    try {
      if (error === undefined || error === null) callback();
      else callback(error);
    } catch (thrown) {
      throwLater(thrown);
    }
  }
}

/** What an application's callback throws is the application's, in a tick of its own; others must be served meanwhile. */
function throwLater(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}

/** One `writev`: large pieces as they are, runs of small ones joined. */
function writeMany(
  socket: Writable,
  parts: Uint8Array[],
  done: ((error?: Error | null) => void) | undefined,
): boolean {
  socket.cork();
  let run: Uint8Array[] = [];
  let isReady = true;
  const lastIndex = parts.length - 1;
  for (let i = 0; i <= lastIndex; i++) {
    const part = parts[i]!;
    const isSmall = part.length <= SMALL_BYTES;
    if (isSmall) run.push(part);
    if (run.length > 0 && (!isSmall || i === lastIndex)) {
      const joined = run.length === 1 ? run[0]! : Buffer.concat(run);
      run = [];
      isReady = socket.write(joined, isSmall ? done : undefined);
    }
    if (!isSmall) isReady = socket.write(part, i === lastIndex ? done : undefined);
  }
  socket.uncork();
  return isReady;
}

/** Forgets the shared list, so that it does not hold memory between turns. */
function forgetShared(): void {
  lastParts = [];
  lastJoined = null;
}

/** Whoever has an outbox to be flushed at the end of the turn. */
export interface OutboxOwner {
  flush(): void;
}

let dirty: OutboxOwner[] = [];
let spareList: OutboxOwner[] = [];
let isScheduled = false;

/** Writes what all connections have gathered. Called at the end of the turn; harmless at any time. */
export function flushAll(): void {
  isScheduled = false;
  const owners = dirty;
  dirty = spareList;
  let done = 0;
  try {
    while (done < owners.length) owners[done++]!.flush();
  } finally {
    // Somebody's own kind of stream has thrown: the others still get their turn.
    for (; done < owners.length; done++) scheduleFlush(owners[done]!);
    owners.length = 0;
    spareList = owners;
    if (lastJoined !== null) forgetShared();
  }
}

let hasExitHook = false;

/** Notes that `owner` has something to write at the end of this turn. Called once per owner and turn. */
export function scheduleFlush(owner: OutboxOwner): void {
  dirty.push(owner);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(flushAll);
  if (hasExitHook) return;
  hasExitHook = true;
  // `ws.send(x); process.exit()`: what was sent in the last turn still leaves, as it does with one write per frame.
  process.on('exit', flushAll);
}

const spareOutboxes: Outbox[] = [];
const SPARE_OUTBOXES = 1_024;

export function borrowOutbox(): Outbox {
  return spareOutboxes.pop() ?? new Outbox();
}

export function returnOutbox(outbox: Outbox): void {
  if (spareOutboxes.length < SPARE_OUTBOXES) spareOutboxes.push(outbox);
}
