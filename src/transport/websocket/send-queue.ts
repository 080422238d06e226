/**
 * What: keeps the order of sending while the bytes of a Blob are being read, or a message of many parts is sent.
 * Must not know: frames; entries are functions that send.
 */
import type { SendCallback } from './node-outbox.ts';

/** What is used of a Blob, of whatever realm and declaration. */
export interface BlobLike {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface Entry {
  readonly bytes: number;
  readonly callback: SendCallback | undefined;
  readonly blob: BlobLike | null;
  /** Sends a message that takes its time; never rejects. */
  readonly task: (() => Promise<void>) | null;
  readonly run: (bytes: Uint8Array) => void;
}

const NOTHING = new Uint8Array(0);

/** There only while something waits. */
export class SendQueue {
  /** Payload bytes that wait, by the Blob's size where it is one. */
  bytes = 0;
  #entries: Entry[] = [];
  #isReading = false;
  readonly #isGone: () => boolean;
  readonly #onEmpty: () => void;
  readonly #onUnreadable: (error: Error) => void;

  /**
   * @param isGone whether the socket is destroyed.
   * @param onEmpty nothing waits any more; the queue is not used again.
   * @param onUnreadable a Blob could not be read; what waited was given up.
   */
  constructor(isGone: () => boolean, onEmpty: () => void, onUnreadable: (error: Error) => void) {
    this.#isGone = isGone;
    this.#onEmpty = onEmpty;
    this.#onUnreadable = onUnreadable;
  }

  add(bytes: number, callback: SendCallback | undefined, run: () => void): void {
    this.#push({ bytes, callback, blob: null, task: null, run });
  }

  addBlob(blob: BlobLike, callback: SendCallback | undefined, run: (bytes: Uint8Array) => void): void {
    this.#push({ bytes: blob.size, callback, blob, task: null, run });
  }

  /**
   * Keeps everything else back until `task` has sent its message.
   * @param task never rejects.
   * @param abandoned called when it was given up before it began.
   */
  addTask(task: () => Promise<void>, abandoned: (error?: Error | null) => void): void {
    this.#push({ bytes: 0, callback: abandoned, blob: null, task, run: () => {} });
  }

  /** Whether a task is under way; control frames may go out between its parts. */
  get hasTask(): boolean {
    return this.#isReading && this.#entries[0]?.task !== null;
  }

  #push(entry: Entry): void {
    this.bytes += entry.bytes;
    this.#entries.push(entry);
    if (!this.#isReading) this.#run();
  }

  #run(): void {
    while (!this.#isReading) {
      const entry = this.#entries[0];
      if (entry === undefined) {
        this.#onEmpty();
        return;
      }
      if (entry.task !== null) {
        this.#isReading = true;
        entry.task().then(() => this.#finishTask(entry));
      } else if (entry.blob === null) {
        this.#shift(entry);
        entry.run(NOTHING);
      } else {
        this.#isReading = true;
        entry.blob.arrayBuffer().then(
          (buffer) => this.#finish(entry, new Uint8Array(buffer)),
          (error: Error) => this.#fail(error),
        );
      }
    }
  }

  #shift(entry: Entry): void {
    this.#entries.shift();
    this.bytes -= entry.bytes;
  }

  #finish(entry: Entry, bytes: Uint8Array): void {
    this.#isReading = false;
    if (this.#isGone()) {
      this.#giveUp(new Error('The socket was closed while the blob was being read'));
      return;
    }
    this.#shift(entry);
    entry.run(bytes);
    this.#run();
  }

  #finishTask(entry: Entry): void {
    this.#isReading = false;
    if (this.#isGone()) {
      this.#giveUp(new Error('The socket was closed before the message was sent'));
      return;
    }
    this.#shift(entry);
    this.#run();
  }

  #fail(error: Error): void {
    this.#isReading = false;
    this.#giveUp(error);
    // From a turn of its own: what a listener throws is the program's failure, not a rejected promise.
    process.nextTick(this.#onUnreadable, error);
  }

  #giveUp(error: Error): void {
    const entries = this.#entries;
    this.#entries = [];
    this.bytes = 0;
    this.#onEmpty();
    for (const { callback } of entries) if (callback !== undefined) process.nextTick(callback, error);
  }
}
