/**
 * What: `tautline/client/stream`: iterators over events, and requests that stream their answer, for clients' sockets.
 * Must not know: anything but the names that users import.
 */
export { type StreamMethods, withStreams } from '../client/streams.ts';
export type { AskedStream } from '../streams/asked-stream.ts';
export type { EventIterator, EventsOptions, EventsOverflow } from '../streams/event-iterator.ts';
export type { EventSocket } from '../streams/event-socket.ts';
export { StreamError, type StreamErrorDetails } from '../streams/stream-error.ts';
export type { OnStreamOptions } from '../streams/stream-peer.ts';
export type {
  StreamContext,
  StreamHandler,
  StreamNames,
  StreamOptions,
  StreamPart,
} from '../streams/typed-streams.ts';
