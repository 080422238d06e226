/**
 * What: chunks of bytes in the order in which they came, taken from the front, in part if need be.
 * Must not know: what the bytes mean, where they come from.
 */

/** Chunks dropped from the front before the array is shortened, so that taking is constant time on average. */
const compactAfter = 32;

/** First in, first out. The chunks are kept as they are, not copied. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #first = 0;
  #offset = 0;
  #byteLength = 0;

  /** Bytes in the queue. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Appends a chunk; it belongs to the queue from now on. An empty one leaves no trace. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#byteLength += chunk.length;
  }

  /** Puts a chunk before all others. Only while nothing of `front` is consumed. */
  pushFront(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.splice(this.#first, 0, chunk);
    this.#byteLength += chunk.length;
  }

  /** The chunk at the front, of which `frontOffset` bytes were consumed, or `undefined` if the queue is empty. */
  get front(): Uint8Array | undefined {
    return this.#chunks[this.#first];
  }

  /** How many bytes of `front` were consumed. */
  get frontOffset(): number {
    return this.#offset;
  }

  /** Consumes `front` up to `offset`; up to its length drops it. */
  consumeFront(offset: number): void {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return;
    this.#byteLength -= offset - this.#offset;
    this.#offset = offset;
    if (offset < chunk.length) return;
    this.#offset = 0;
    this.#first += 1;
    if (this.#first >= compactAfter || this.#first === this.#chunks.length) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
