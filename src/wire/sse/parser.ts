/**
 * What: reads a `text/event-stream` as it arrives (WHATWG HTML, sections 9.2.5 and 9.2.6).
 * Must not know: HTTP, reconnection, who listens.
 */
import { PeerError } from '../../base/errors.ts';

/** An event as the client dispatches it. */
export interface ParsedEvent {
  /** `message` when the stream named none. */
  readonly type: string;
  readonly data: string;
  /** The last id that the stream has set, by this event or an earlier one. */
  readonly lastEventId: string;
}

/** Told what the stream holds, from within {@link EventStreamParser.receive}. */
export interface EventStreamSink {
  /** An event is complete. */
  eventReceived(event: ParsedEvent): void;
  /** The server sets the time after which to reconnect, in milliseconds. */
  retryReceived(retryMs: number): void;
}

/** Code of the {@link PeerError} that this file throws. */
export const SSE_EVENT_TOO_LARGE = 'SSE_EVENT_TOO_LARGE';

const BOM = '\uFEFF';
const ASCII_DIGITS = /^[0-9]+$/;

/** Parses text in pieces of any size; what is not complete is kept until it is. Linear in what arrives. */
export class EventStreamParser {
  readonly #sink: EventStreamSink;
  readonly #limitChars: number;
  /** Pieces of the line that is not complete yet. */
  #line = '';
  #isAtStart = true;
  /** The last piece ended in CR; a LF at the start of the next one belongs to it. */
  #skipLineFeed = false;
  #type = '';
  #data: string | null = null;
  #id: string;
  #lastEventId: string;

  /**
   * @param lastEventId the id to start from, when a stream is resumed.
   * @param limitChars most characters (UTF-16 code units) of one event; a peer cannot make us hold more. 0 = no limit.
   */
  constructor(sink: EventStreamSink, lastEventId = '', limitChars = 0) {
    this.#sink = sink;
    this.#limitChars = limitChars;
    this.#id = lastEventId;
    this.#lastEventId = lastEventId;
  }

  /** What to present as `Last-Event-ID` when the stream is resumed: the id as of the last event dispatched. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /**
   * Takes the next piece of the decoded stream.
   * @throws {PeerError} `SSE_EVENT_TOO_LARGE`
   */
  receive(text: string): void {
    let start = 0;
    if (this.#isAtStart && text !== '') {
      this.#isAtStart = false;
      // WHATWG HTML 9.2.5: one leading byte order mark is not part of the stream.
      if (text.startsWith(BOM)) start = 1;
    }
    if (this.#skipLineFeed && start < text.length) {
      this.#skipLineFeed = false;
      if (text.charCodeAt(start) === 0x0a) start++;
    }
    let nextFeed = text.indexOf('\n', start);
    let nextReturn = text.indexOf('\r', start);
    while (nextFeed !== -1 || nextReturn !== -1) {
      const isReturn = nextReturn !== -1 && (nextFeed === -1 || nextReturn < nextFeed);
      const end = isReturn ? nextReturn : nextFeed;
      const line = this.#line + text.slice(start, end);
      this.#line = '';
      start = end + 1;
      if (isReturn) {
        if (start === text.length) this.#skipLineFeed = true;
        else if (text.charCodeAt(start) === 0x0a) start++;
      }
      this.#checkSize(line.length);
      this.#receiveLine(line);
      if (nextFeed !== -1 && nextFeed < start) nextFeed = text.indexOf('\n', start);
      if (nextReturn !== -1 && nextReturn < start) nextReturn = text.indexOf('\r', start);
    }
    if (start < text.length) {
      this.#line += text.slice(start);
      this.#checkSize(this.#line.length);
    }
  }

  /** The stream has ended: what is not complete is dropped (WHATWG HTML 9.2.6, "end of file"). */
  receiveEnd(): void {
    this.#line = '';
    this.#data = null;
    this.#type = '';
    this.#id = this.#lastEventId;
    this.#isAtStart = true;
    this.#skipLineFeed = false;
  }

  #receiveLine(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    // WHATWG HTML 9.2.6: a line that begins with a colon is a comment.
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? '' : line.slice(colon + 1);
    if (value.charCodeAt(0) === 0x20) value = value.slice(1);
    switch (name) {
      case 'data':
        this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
        break;
      case 'event':
        this.#type = value;
        break;
      case 'id':
        if (!value.includes('\0')) this.#id = value;
        break;
      case 'retry':
        if (ASCII_DIGITS.test(value)) this.#sink.retryReceived(Number(value));
        break;
      default:
      // WHATWG HTML 9.2.6: other fields are ignored.
    }
  }

  #dispatch(): void {
    const data = this.#data;
    const type = this.#type || 'message';
    this.#data = null;
    this.#type = '';
    this.#lastEventId = this.#id;
    // WHATWG HTML 9.2.6: without data nothing is dispatched, but the id holds.
    if (data !== null) this.#sink.eventReceived({ type, data, lastEventId: this.#lastEventId });
  }

  #checkSize(lineLength: number): void {
    if (this.#limitChars === 0 || (this.#data?.length ?? 0) + lineLength <= this.#limitChars) return;
    throw new PeerError(`A server-sent event has more than ${this.#limitChars} characters.`, {
      code: SSE_EVENT_TOO_LARGE,
      limit: { name: 'limitChars', value: this.#limitChars },
    });
  }
}
