/**
 * What: a stream as the side that answers sees it: reads a handler's iterator as fast as credit allows.
 * Must not know: sockets; it is told what came, and tells what to send.
 */
import { type AnsweringMessage, CREDIT_LIMIT, type StreamFailure } from './message.ts';
import { failureOf, isStreamError, StreamError } from './stream-error.ts';

/** Through which an answer speaks. */
export interface AnsweringPort {
  send(message: AnsweringMessage): void;
  /** An error that is the program's own, of which the other side learns nothing. */
  report(error: unknown): void;
}

type AnyIterable = AsyncIterable<unknown> | Iterable<unknown>;

/** One answer under way. */
export class AnsweredStream {
  readonly #port: AnsweringPort;
  readonly #id: number;
  readonly #controller = new AbortController();
  #credit: number;
  /** Nothing more is said: the end was, or the other side does not want to hear it. */
  #isOver = false;
  /** Called when there is credit again, or none is wanted any more. */
  #wake: (() => void) | null = null;

  constructor(port: AnsweringPort, id: number, credit: number) {
    this.#port = port;
    this.#id = id;
    this.#credit = Math.min(credit, CREDIT_LIMIT);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The other side has read parts. @internal */
  receiveMore(credit: number): void {
    if (this.#credit + credit > CREDIT_LIMIT) {
      const message = `A stream may have at most ${CREDIT_LIMIT} parts on their way.`;
      this.#end({ message, code: 'STREAM_ERR_CREDIT' });
      this.cancel();
      return;
    }
    this.#credit += credit;
    this.#wake?.();
  }

  /** The other side wants no more, or is gone. @internal */
  cancel(): void {
    this.#isOver = true;
    this.#controller.abort(
      new StreamError('The other side has cancelled the stream.', { code: 'STREAM_ERR_CANCELLED' }),
    );
    this.#wake?.();
  }

  #end(failure?: StreamFailure): void {
    if (this.#isOver) return;
    this.#port.send(failure === undefined ? ['end', this.#id] : ['end', this.#id, failure]);
    this.#isOver = true;
  }

  /** Gives the parts that `start` yields. Resolves when the handler has come to rest; never rejects. */
  async run(start: () => AnyIterable): Promise<void> {
    try {
      const iterator = iteratorOf(start());
      try {
        while (await this.#mayGoOn()) {
          const { done, value } = await iterator.next();
          if (this.#isOver) break;
          if (done) {
            this.#end();
            return;
          }
          this.#credit--;
          this.#port.send(['part', this.#id, value]);
        }
      } finally {
        await iterator.return?.();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #mayGoOn(): Promise<boolean> {
    while (this.#credit === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    return !this.#isOver;
  }

  #failed(error: unknown): void {
    if (isStreamError(error)) {
      this.#endWith(failureOf(error));
      return;
    }
    // A handler that stops because its signal says so throws the signal's reason, or an AbortError of its own.
    const isByOurSignal = this.signal.aborted && (error as Partial<Error> | null)?.name === 'AbortError';
    if (!isByOurSignal) this.#port.report(error);
    this.#endWith({ message: 'The other side of the stream failed.', code: 'STREAM_ERR_FAILED' });
  }

  #endWith(failure: StreamFailure): void {
    try {
      this.#end(failure);
    } catch (error) {
      // `data` that cannot be written.
      this.#port.report(error);
      const { message, code } = failure;
      this.#end({ message, code });
    }
  }
}

function iteratorOf(iterable: AnyIterable): AsyncIterator<unknown> | Iterator<unknown> {
  // Not by `in`: a text is iterable, and no object.
  const asynchronous = (iterable as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator];
  return asynchronous?.call(iterable) ?? (iterable as Iterable<unknown>)[Symbol.iterator]();
}
