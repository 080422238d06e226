/**
 * What: gathers the bytes of an HTTP/1.1 head, which may come in any pieces, until its empty line.
 * Must not know: what stands in the head.
 */
import { PeerError } from '../../base/errors.ts';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** Looks at each byte once, however small the pieces are. */
export class HeadCollector {
  readonly #limitBytes: number;
  #text: string[] = [];
  #length = 0;
  /** How many bytes of CR LF CR LF the last bytes are. */
  #matched = 0;

  /** @param limitBytes of the head, its final empty line included. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Takes the next bytes.
   * @returns the offset in `chunk` behind the head when it is complete (see {@link head}), else -1.
   * @throws {PeerError} `HTTP_HEAD_TOO_LARGE` with the limit, as soon as it is passed.
   */
  receive(chunk: Uint8Array): number {
    const room = this.#limitBytes - this.#length;
    const stop = Math.min(chunk.length, room);
    for (let i = 0; i < stop; i++) {
      const byte = chunk[i]!;
      if (byte === (this.#matched % 2 === 0 ? carriageReturn : lineFeed)) {
        this.#matched += 1;
        if (this.#matched === 4) {
          this.#keep(chunk, i + 1);
          return i + 1;
        }
      } else {
        this.#matched = byte === carriageReturn ? 1 : 0;
      }
    }
    if (chunk.length >= room) {
      throw new PeerError('HTTP head too large', {
        code: 'HTTP_HEAD_TOO_LARGE',
        limit: { name: 'headLimitBytes', value: this.#limitBytes },
      });
    }
    this.#keep(chunk, chunk.length);
    return -1;
  }

  /** The head as text, one character a byte (RFC 9110 section 5.5: bytes above 127 have no known meaning). */
  get head(): string {
    return this.#text.join('');
  }

  #keep(chunk: Uint8Array, end: number): void {
    let text = '';
    for (let i = 0; i < end; i++) text += String.fromCharCode(chunk[i]!);
    this.#text.push(text);
    this.#length += end;
  }
}
