/**
 * What: an HTTP response that carries an event stream: its headers, writing, backpressure, flushing, and its end.
 * Must not know: events, sessions, who is written to.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';

/** A response of node:http, node:https or the compatibility API of node:http2, or a framework's that extends one. */
export type AnyResponse = ServerResponse | Http2ServerResponse;

/** Told what happens to the response. Never from within a call of its methods, but for `end` and `destroy`. */
export interface ResponseListener {
  /** `isWritable` went from false to true. */
  responseDrained(): void;
  /** Exactly once, last: the client has gone, or everything has left after `end`. */
  responseClosed(): void;
}

/** What every event stream is sent with. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  // WHATWG HTML 9.2.5: the type has no parameter that matters, since it is always UTF-8.
  'Content-Type': 'text/event-stream',
  // Nobody on the way may keep it, nor compress it: what compresses gathers before it lets anything through.
  'Cache-Control': 'no-cache, no-transform',
  // nginx gathers responses unless it is told not to.
  'X-Accel-Buffering': 'no',
};

/** Compressing middlewares (such as Express's `compression`) put this method on responses. */
interface Flushable {
  flush?: unknown;
}

/** Sends the headers of an event stream, then bytes. Plain fields: there are thousands of these. */
export class ResponseStream {
  readonly response: AnyResponse;
  /** @internal */ readonly listener: ResponseListener;
  /** @internal The kernel and Node's own buffer are full. */ isFull = false;
  /** @internal */ isOver: boolean;
  /** @internal */ flushIsDue = false;

  /**
   * Sends the headers at once, so that the client's `open` event does not wait for the first event.
   * @param headers win over {@link eventStreamHeaders}, whatever their case.
   */
  constructor(response: AnyResponse, headers: OutgoingHttpHeaders, listener: ResponseListener) {
    this.response = response;
    this.listener = listener;
    this.isOver = hasGone(response);
    if (this.isOver) return;
    // `close` follows each error, and is what is acted on.
    response.on('error', ignore);
    response.on('close', () => this.closed());
    response.on('drain', () => this.drained());
    const all: OutgoingHttpHeaders = { ...eventStreamHeaders };
    for (const [name, value] of Object.entries(headers)) {
      for (const known of Object.keys(eventStreamHeaders)) {
        if (known.toLowerCase() === name.toLowerCase()) delete all[known];
      }
      all[name] = value;
    }
    writeHead(response, 200, all);
    // Both have it; the types of HTTP/2's do not say so.
    (response as ServerResponse).flushHeaders();
  }

  /** Whether what is written leaves at once, as far as can be known. */
  get isWritable(): boolean {
    return !this.isFull && !this.isOver && !this.response.writableEnded;
  }

  /** Bytes that Node holds for the client. */
  get bufferedBytes(): number {
    return this.response.writableLength;
  }

  /** Writes in order. The bytes are shared between receivers and must not be changed. */
  write(data: Uint8Array | string): void {
    const { response } = this;
    if (this.isOver || response.writableEnded) return;
    // The two classes take the same arguments, but TypeScript sees overloads that differ.
    if (!(response as ServerResponse).write(data)) this.isFull = true;
    if (typeof (response as Flushable).flush === 'function' && !this.flushIsDue) {
      // Once for all that is written in this turn: each flush costs bytes.
      this.flushIsDue = true;
      queueMicrotask(() => this.flush());
    }
  }

  /** The last bytes leave, then the response is over. */
  end(): void {
    if (!this.isOver && !this.response.writableEnded) this.response.end();
  }

  /** Cuts the connection, or the stream of HTTP/2: for a client that reads nothing, who would never see an end. */
  destroy(): void {
    if (!this.isOver) (this.response as ServerResponse).destroy();
  }

  /** @internal */
  flush(): void {
    this.flushIsDue = false;
    const { response } = this;
    if (!this.isOver) (response as { flush?(): void }).flush?.();
  }

  /** @internal */
  drained(): void {
    if (!this.isFull || this.isOver) return;
    this.isFull = false;
    this.listener.responseDrained();
  }

  /** @internal */
  closed(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener.responseClosed();
  }
}

/** Sends status and headers on either kind of response. */
export function writeHead(response: AnyResponse, status: number, headers: OutgoingHttpHeaders): void {
  // As with `write`: the same arguments, different overloads.
  (response as ServerResponse).writeHead(status, headers);
}

/** Whether the client has left before the stream began, as it may while a program looks something up. */
function hasGone(response: AnyResponse): boolean {
  if (response.writableEnded) return true;
  // A response of HTTP/2 does not say `destroyed`; its stream does, and there is none when it is gone.
  return 'stream' in response ? (response.stream?.destroyed ?? true) : response.destroyed;
}

function ignore(): void {}
