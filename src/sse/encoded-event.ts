/**
 * What: an event as bytes, made once and sent to any number of streams.
 * Must not know: streams, histories.
 */
import { Buffer } from 'node:buffer';
import { type EventStreamMessage, formatEvent } from '../wire/sse/format.ts';

/** An event that was encoded beforehand; see {@link encodeEvent}. */
export class EncodedEvent {
  /** Name of the event; `message` when it has none. */
  readonly name: string;
  /** As on the wire. Must not be changed. */
  readonly bytes: Uint8Array;

  /** @internal */
  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
  }
}

/**
 * Encodes an event once, to be sent to many streams.
 * @throws {UsageError} `SSE_FIELD_INVALID` when a field would break out of its line, or would be ignored by clients.
 */
export function encodeEvent(message: EventStreamMessage): EncodedEvent {
  return new EncodedEvent(message.event || 'message', Buffer.from(formatEvent(message)));
}
