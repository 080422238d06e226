/**
 * What: says whether the next message is worth compressing, by what compressing the last ones has gained.
 * Must not know: compressors, frames, or what the messages are.
 */

/** A message that loses less than this part of its length was not worth the time. */
const leastGain = 1 / 16;
/** After so many such messages in a row the pauses get no longer: 2 to the power of this less 2, so 64 messages. */
const mostMisses = 8;

/**
 * Pictures, sound and what is encrypted do not shrink, and the time to find that out is the same for each. After two
 * messages that gained nothing one is passed over, then two, four, and so on up to 64; one that gains ends it.
 */
export class DeflateGain {
  #misses = 0;
  /** Messages still to be passed over. */
  #pause = 0;

  /** Asked once for each message, in order. */
  isWorthTrying(): boolean {
    if (this.#pause === 0) return true;
    this.#pause -= 1;
    return false;
  }

  /** What trying has come to, in bytes. */
  tell(before: number, after: number): void {
    if (before - after >= before * leastGain) {
      this.#misses = 0;
      return;
    }
    this.#misses = Math.min(this.#misses + 1, mostMisses);
    this.#pause = this.#misses < 2 ? 0 : 1 << (this.#misses - 2);
  }
}
