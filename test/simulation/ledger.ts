/**
 * What: who has sent what, who was given what, who was told what; and the first promise that was broken.
 * Must not know: networks, time, how messages travel.
 */

/** One direction of one session, from its sender's and from its receiver's view. */
export class Direction {
  readonly name: string;
  /** What the sender's program has sent, in order. */
  readonly sent: string[] = [];
  /** How many of these the receiver's program was given. */
  delivered = 0;
  /** The sender was told that the session is over, and what is unconfirmed; `null`: not yet. */
  told: readonly string[] | null = null;
  /** Of the first so many the sender was not told that they have never left. */
  mayArrive = Number.POSITIVE_INFINITY;
  /** The sender's process has died: there is nobody to be told. */
  isSenderDead = false;
  /** The receiver was told that the session is over. */
  isReceiverTold = false;
  readonly #fail: (text: string) => void;

  constructor(name: string, fail: (text: string) => void) {
    this.name = name;
    this.#fail = fail;
  }

  /** The receiver's program is given a message. */
  deliver(message: string): void {
    const { name, sent, delivered } = this;
    if (this.isReceiverTold) this.#fail(`${name}: ${short(message)} was delivered after the end was told`);
    if (sent[delivered] === message) {
      this.delivered++;
      if (this.delivered > this.mayArrive) {
        this.#fail(`${name}: ${short(message)} was delivered, though it was called unsent`);
      }
      return;
    }
    const index = sent.indexOf(message);
    if (index === -1) this.#fail(`${name}: ${short(message)} was delivered, but never sent`);
    else if (index < delivered) this.#fail(`${name}: message ${index} was delivered twice`);
    else this.#fail(`${name}: message ${index} was delivered before message ${delivered}`);
  }

  /**
   * The sender is told that the session is over.
   * @param unsent how many of the unconfirmed have never left; they are the last.
   */
  tell(unconfirmed: readonly string[], unsent: number): void {
    const { name, sent, delivered } = this;
    if (this.told !== null) this.#fail(`${name}: the end was told twice`);
    this.told = unconfirmed;
    const first = sent.length - unconfirmed.length;
    const isSuffix = first >= 0 && unconfirmed.every((message, i) => message === sent[first + i]);
    if (!isSuffix) {
      const list = unconfirmed.map(short).join(', ');
      this.#fail(`${name}: of ${sent.length} messages ${unconfirmed.length} are called unconfirmed: ${list}`);
    } else if (delivered < first) {
      this.#fail(`${name}: messages ${delivered} to ${first - 1} are lost, and the sender does not know it`);
    }
    this.mayArrive = sent.length - unsent;
    if (delivered > this.mayArrive) {
      this.#fail(`${name}: ${delivered} were delivered, but only ${this.mayArrive} are said to have left`);
    }
  }

  /** Whether all that was sent has arrived, or its sender knows that it may not have. */
  get isSettled(): boolean {
    return this.delivered === this.sent.length || this.told !== null || this.isSenderDead;
  }
}

const short = (message: string): string => message.replace(/_+$/, '');
