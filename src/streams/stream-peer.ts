/**
 * What: all streams of one socket, both ways, over one ordinary event.
 * Must not know: what carries events; the socket may be ours or socket.io's, on either side.
 */
import { UsageError } from '../base/errors.ts';
import { argumentLimit } from '../wire/events/text.ts';
import { AnsweredStream } from './answered-stream.ts';
import { AskedStream } from './asked-stream.ts';
import { type EventSocket, whenDisconnected } from './event-socket.ts';
import {
  CREDIT_LIMIT,
  readStreamMessage,
  STREAM_EVENT,
  type StreamFailure,
  type StreamMessage,
} from './message.ts';
import { StreamError } from './stream-error.ts';
import type { StreamContext, StreamOptions } from './typed-streams.ts';

/** A handler whose arguments are not known here; the peer chooses them. */
export type AnyStreamHandler = (
  ...args: [...unknown[], StreamContext]
) => AsyncIterable<unknown> | Iterable<unknown>;

/** What may be said about the answering side of a socket. */
export interface OnStreamOptions {
  /** Told what a handler throws that is no `StreamError`. Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}

const DEFAULT_CREDIT = 16;
/** Answers that one socket may have under way, those included whose handlers do not stop when they are told to. */
const STREAMS_LIMIT = 100;

/** Streams that one socket may have waiting for guards and middlewares. */
const EXPECTED_LIMIT = 1000;

const peers = new WeakMap<EventSocket, StreamPeer>();

interface Answerer {
  readonly handler: AnyStreamHandler;
  readonly report: (error: unknown) => void;
}

/** The streams of a socket. It begins to listen when the first one is wanted. */
export class StreamPeer {
  readonly #socket: EventSocket;
  readonly #asked = new Map<number, AskedStream<unknown>>();
  readonly #answered = new Map<number, AnsweredStream>();
  readonly #handlers = new Map<string, Answerer>();
  /** Asked for by the other side and not let through yet; whether they were cancelled meanwhile. */
  readonly #expected = new Map<number, boolean>();
  #ids = 0;

  private constructor(socket: EventSocket) {
    this.#socket = socket;
    socket.on(STREAM_EVENT, (...args: unknown[]) => {
      const message = readStreamMessage(args);
      if (message !== null) this.#receive(message);
    });
    whenDisconnected(socket, (reason) => this.#disconnected(reason));
  }

  /** The streams of a socket. */
  static of(socket: EventSocket): StreamPeer {
    let peer = peers.get(socket);
    if (peer === undefined) {
      peer = new StreamPeer(socket);
      peers.set(socket, peer);
    }
    return peer;
  }

  /**
   * Asks for a stream; the last argument may be {@link StreamOptions}.
   * @throws {UsageError} `STREAM_ERR_CREDIT`: the credit is no integer from 1 to 1024.
   */
  ask<Part>(name: string, args: readonly unknown[]): AskedStream<Part> {
    const last = args.at(-1);
    const options = isOptions(last) ? last : undefined;
    const { credit = DEFAULT_CREDIT, signal } = options ?? { signal: undefined };
    if (!Number.isInteger(credit) || credit < 1 || credit > CREDIT_LIMIT) {
      throw new UsageError(`credit is an integer from 1 to ${CREDIT_LIMIT}.`, { code: 'STREAM_ERR_CREDIT' });
    }
    const port = {
      open: (stream: AskedStream<unknown>) => {
        this.#asked.set(++this.#ids, stream);
        return this.#ids;
      },
      send: (message: StreamMessage) => this.#send(message),
      forget: (id: number) => void this.#asked.delete(id),
    };
    return new AskedStream<Part>(port, name, options ? args.slice(0, -1) : args, credit, signal);
  }

  /** Whether a socket has asked for streams that have not ended. */
  static isAsking(socket: EventSocket): boolean {
    const peer = peers.get(socket);
    return peer !== undefined && peer.#asked.size > 0;
  }

  /** Answers streams of a name; the handler takes the place of an earlier one. */
  answer(name: string, handler: AnyStreamHandler, { onError }: OnStreamOptions = {}): void {
    // A program that says nothing else should still find out.
    this.#handlers.set(name, { handler, report: onError ?? ((error) => console.error(error)) });
  }

  /** The name of a stream that was asked for here; undefined if it is none, or over. */
  nameOf(id: number): string | undefined {
    return this.#asked.get(id)?.name;
  }

  /**
   * A stream was asked for, which somebody may open or refuse later, or {@link forget}; until then it can be cancelled.
   * @returns whether it may be opened; if not, the other side has been told.
   */
  expect(id: number): boolean {
    if (this.#expected.has(id)) return true;
    if (this.#expected.size >= EXPECTED_LIMIT) {
      const message = `${EXPECTED_LIMIT} streams wait to be let through already.`;
      this.#send(['end', id, { message, code: 'STREAM_ERR_TOO_MANY' }]);
      return false;
    }
    this.#expected.set(id, false);
    return true;
  }

  /** An expected stream will not be opened. */
  forget(id: number): void {
    this.#expected.delete(id);
  }

  /** Does not answer a stream: the other side is told why. */
  refuse(id: number, { message, code, ...data }: StreamFailure & object): void {
    this.fail(id, { message, code, data });
  }

  /** The same, in the words of a stream. */
  fail(id: number, failure: StreamFailure): void {
    this.#expected.delete(id);
    this.#send(['end', id, failure]);
  }

  /** A part of a stream that was asked for here is not acceptable: it is cancelled, and fails. */
  refusePart(id: number, reason: Error): void {
    this.#asked.get(id)?.cancel(reason);
  }

  #send(message: StreamMessage): void {
    this.#socket.emit(STREAM_EVENT, ...message);
  }

  #receive(message: StreamMessage): void {
    const [kind, id] = message;
    switch (kind) {
      case 'open':
        this.#opened(id, message[2], message[3], message[4]);
        break;
      case 'more':
        this.#answered.get(id)?.receiveMore(message[2]);
        break;
      case 'cancel':
        if (this.#expected.has(id)) this.#expected.set(id, true);
        else this.#answered.get(id)?.cancel();
        break;
      case 'part':
        this.#asked.get(id)?.receivePart(message[2]);
        break;
      case 'end':
        this.#asked.get(id)?.receiveEnd(message[2]);
    }
  }

  #opened(id: number, name: string, credit: number, args: readonly unknown[]): void {
    const isCancelled = this.#expected.get(id) === true;
    this.#expected.delete(id);
    if (isCancelled) return;
    const answerer = this.#handlers.get(name);
    const refusal =
      answerer === undefined
        ? { message: `There is no stream "${name}" here.`, code: 'STREAM_ERR_UNKNOWN' }
        : this.#answered.size >= STREAMS_LIMIT
          ? { message: `There are ${STREAMS_LIMIT} streams under way already.`, code: 'STREAM_ERR_TOO_MANY' }
          : this.#answered.has(id)
            ? { message: `Stream ${id} is under way already.`, code: 'STREAM_ERR_ID' }
            : args.length > argumentLimit
              ? // They go on the stack of the handler's call.
                {
                  message: `A stream may have ${argumentLimit} arguments.`,
                  code: 'EVENT_ERR_TOO_MANY_ARGUMENTS',
                }
              : null;
    if (answerer === undefined || refusal !== null) {
      if (refusal !== null) this.#send(['end', id, refusal]);
      return;
    }
    const { handler, report } = answerer;
    const port = { send: (message: StreamMessage) => this.#send(message), report };
    const stream = new AnsweredStream(port, id, credit);
    this.#answered.set(id, stream);
    const { signal } = stream;
    void stream
      .run(() => handler.call(this.#socket, ...args, { signal }))
      .then(() => {
        // In the next session the id may be another one's.
        if (this.#answered.get(id) === stream) this.#answered.delete(id);
      });
  }

  #disconnected(reason: unknown): void {
    for (const stream of this.#answered.values()) stream.cancel();
    // The next session counts from the beginning.
    this.#answered.clear();
    this.#expected.clear();
    for (const stream of this.#asked.values()) {
      const message = `The session ended before the stream did: ${String(reason)}.`;
      stream.fail(new StreamError(message, { code: 'STREAM_ERR_DISCONNECTED' }));
    }
  }
}

function isOptions(value: unknown): value is StreamOptions {
  if (typeof value !== 'object' || value === null || !('signal' in value)) return false;
  return value.signal === undefined || value.signal instanceof AbortSignal;
}
