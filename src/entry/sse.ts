/**
 * What: `tautline/sse`, event streams for servers that only push, and the WHATWG EventSource for Node.
 * Must not know: how they work.
 */
export { PeerError, UsageError } from '../base/errors.ts';
export type { ErrorEventInit, EventInit, MessageEventInit } from '../base/event.ts';
export { ErrorEvent, MessageEvent } from '../base/event.ts';
export type { TransportErrorCode } from '../base/transport-error.ts';
export { TransportError } from '../base/transport-error.ts';
export { EncodedEvent, encodeEvent } from '../sse/encoded-event.ts';
export type { EventChannelOptions, JoinOptions } from '../sse/event-channel.ts';
export { EventChannel } from '../sse/event-channel.ts';
export type { EventHistoryOptions, MissedEvents } from '../sse/event-history.ts';
export { EventHistory } from '../sse/event-history.ts';
export type { EventSourceEventMap } from '../sse/event-source.ts';
export { EventSource } from '../sse/event-source.ts';
export type { EventSourceInit } from '../sse/event-source-init.ts';
export type {
  EventStreamEnd,
  EventStreamOptions,
  EventStreamRequest,
  EventStreamResponse,
} from '../sse/event-stream.ts';
export { createEventStream, EventStream } from '../sse/event-stream.ts';
export type { OverflowPolicy } from '../sse/send-buffer.ts';
export type { EventStreamMessage } from '../wire/sse/format.ts';
