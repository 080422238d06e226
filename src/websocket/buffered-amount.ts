/**
 * What: the count behind `bufferedAmount`.
 * Must not know: what is counted.
 */

/** Those with bytes that have left since the last turn. */
let settling: BufferedAmount[] = [];

function settleAll(): void {
  const amounts = settling;
  settling = [];
  for (const amount of amounts) amount.settle();
}

/**
 * Bytes given to `send()` that had not left when the event loop last began a turn: it falls between turns only,
 * not while the program runs. What was sent too late, or could not leave, is counted for ever.
 */
export class BufferedAmount {
  #value = 0;
  #left = 0;

  get value(): number {
    return this.#value;
  }

  add(bytes: number): void {
    this.#value += bytes;
  }

  /** Notes bytes that were passed to the operating system. */
  remove(bytes: number): void {
    if (this.#left === 0) {
      if (settling.length === 0) setImmediate(settleAll);
      settling.push(this);
    }
    this.#left += bytes;
  }

  /** @internal */
  settle(): void {
    this.#value -= this.#left;
    this.#left = 0;
  }
}
