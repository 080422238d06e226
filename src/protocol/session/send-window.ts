/**
 * What: the messages that this side has sent and the peer has not yet confirmed, in order, by index.
 * Must not know: connections, time, what a message is.
 */
import { PeerError } from '../../base/errors.ts';

/** Codes of the {@link PeerError}s that this folder throws. */
export const SessionError = {
  /** The peer confirmed messages that were never sent to it. */
  confirmedTooMuch: 'SESSION_ERR_CONFIRMED_TOO_MUCH',
  /** A message arrived whose predecessor did not. */
  gap: 'SESSION_ERR_GAP',
  /** The peer asks for messages that it had confirmed before. */
  countWentBack: 'SESSION_ERR_COUNT_WENT_BACK',
  /** What should be a count is no whole number from 0 on. */
  invalidCount: 'SESSION_ERR_INVALID_COUNT',
} as const;

/** What a window without messages holds: most of the time most of them. Never written to. */
const NONE: never[] = [];

/**
 * The sender's half of a session (as XEP-0198 numbers stanzas: by counting, with no number on each message).
 * Messages are held by reference, so that a broadcast costs one place in each receiver's window and no copy.
 */
export class SendWindow<Message> {
  /** The unconfirmed messages and, beside them, their sizes. */
  #messages: Message[] = NONE;
  #sizes: number[] = NONE;
  #confirmed = 0;
  #bytes = 0;

  /** Index of the first message that is not confirmed; so many the peer has received. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** How many messages are held. */
  get unconfirmed(): number {
    return this.#messages.length;
  }

  /** Index that the next message gets. */
  get next(): number {
    return this.#confirmed + this.unconfirmed;
  }

  /** Bytes held, as stated by {@link push}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message. */
  push(message: Message, bytes: number): void {
    if (this.#messages === NONE) {
      // A literal has room for just this one; an idle session has not more. A push would make room for seventeen.
      this.#messages = [message];
      this.#sizes = [bytes];
    } else {
      this.#messages.push(message);
      this.#sizes.push(bytes);
    }
    this.#bytes += bytes;
  }

  /**
   * The peer has received the first `count` messages of the session; they are let go.
   * A smaller count than before is an old word that was overtaken, and is passed over.
   * @throws {PeerError} `SESSION_ERR_CONFIRMED_TOO_MUCH`
   */
  confirm(count: number): void {
    const letGo = count - this.#confirmed;
    if (letGo <= 0) return;
    if (letGo % 1 || !(letGo <= this.unconfirmed)) {
      throw new PeerError(`The peer confirms ${count} messages, but only ${this.next} were sent.`, {
        code: SessionError.confirmedTooMuch,
      });
    }
    for (const size of this.#sizes.splice(0, letGo)) this.#bytes -= size;
    this.#messages.splice(0, letGo);
    this.#confirmed = count;
    if (!this.unconfirmed) {
      this.#messages = NONE;
      this.#sizes = NONE;
    }
  }

  /**
   * The unconfirmed messages from `index` on, in order.
   * @throws {PeerError} `SESSION_ERR_COUNT_WENT_BACK` when `index` was confirmed before: the message is gone.
   */
  from(index: number): Message[] {
    if (index < this.#confirmed) {
      throw new PeerError(`The peer asks for message ${index}, but confirmed ${this.#confirmed} before.`, {
        code: SessionError.countWentBack,
      });
    }
    return this.#messages.slice(index - this.#confirmed);
  }

  /** As {@link from}, but no more once `limitBytes` are reached, as stated by {@link push}; one at least. */
  within(index: number, limitBytes: number): Message[] {
    const messages = this.from(index);
    if (this.#bytes <= limitBytes) return messages;
    let count = 0;
    for (let bytes = 0; count < messages.length && bytes < limitBytes; count++) {
      bytes += this.#sizes[index - this.#confirmed + count]!;
    }
    return messages.slice(0, count);
  }
}
