/**
 * What: gives a client's socket `events()`, `stream()` and `onStream()`, which the server's sockets have by themselves.
 * Must not know: how sockets work; one of socket.io-client, or of another server, is as good as ours.
 */
import type { DefaultEventsMap, EventNames, EventsMap } from '../base/typed-events.ts';
import type { AskedStream } from '../streams/asked-stream.ts';
import { EventIterator, type EventsOptions } from '../streams/event-iterator.ts';
import type { EventSocket } from '../streams/event-socket.ts';
import { type AnyStreamHandler, type OnStreamOptions, StreamPeer } from '../streams/stream-peer.ts';
import type {
  IteratedArgs,
  StreamHandler,
  StreamNames,
  StreamPart,
  StreamRequest,
} from '../streams/typed-streams.ts';
import type { Socket } from './socket.ts';

/** What {@link withStreams} adds to a socket. */
export interface StreamMethods<ListenEvents extends EventsMap, EmitEvents extends EventsMap> {
  /**
   * The other side's events of one name for `for await`, from now on, each as the list of its arguments.
   *
   * At most `limit` of them wait to be read; a client cannot make a server wait, so `holdAt` means nothing here.
   * @throws {UsageError} `EVENTS_ERR_LIMIT`: an option is wrong.
   */
  events<Name extends EventNames<ListenEvents>>(
    event: Name,
    options?: EventsOptions,
  ): EventIterator<IteratedArgs<ListenEvents, Name>>;
  /**
   * Asks the other side for a stream, which answers with `onStream(event, ...)`; it is asked when the iteration begins.
   * @param args what it is asked with, and {@link StreamOptions} behind, if any.
   * @returns for `for await`; `break` and the signal cancel it on the other side too.
   * @throws {UsageError} `STREAM_ERR_CREDIT`: an option is wrong.
   */
  stream<Name extends StreamNames<EmitEvents>>(
    event: Name,
    ...args: StreamRequest<EmitEvents, Name>
  ): AskedStream<StreamPart<EmitEvents, Name>>;
  /**
   * Answers the other side's `stream(event, ...)`: what the handler yields goes there, as fast as it is read.
   * @param handler given the arguments and `{ signal }`, which is aborted when the other side wants no more.
   */
  onStream<Name extends StreamNames<ListenEvents>>(
    event: Name,
    handler: StreamHandler<ListenEvents, Name>,
    options?: OnStreamOptions,
  ): this;
}

/** Adds the methods to a socket and returns it; on the other side is a Tautline server, or whoever did the same. */
export function withStreams<ListenEvents extends EventsMap, EmitEvents extends EventsMap>(
  socket: Socket<ListenEvents, EmitEvents>,
): Socket<ListenEvents, EmitEvents> & StreamMethods<ListenEvents, EmitEvents>;
/** The same for a socket of socket.io-client or socket.io; its events are not known here. */
export function withStreams<Given extends EventSocket>(
  socket: Given,
): Given & StreamMethods<DefaultEventsMap, DefaultEventsMap>;
export function withStreams(given: object): unknown {
  const socket = given as EventSocket;
  return Object.assign(socket, {
    events: (event: string, options?: EventsOptions) => new EventIterator(socket, event, options),
    stream: (event: string, ...args: unknown[]) => StreamPeer.of(socket).ask(event, args),
    onStream(event: string, handler: AnyStreamHandler, options?: OnStreamOptions) {
      StreamPeer.of(socket).answer(event, handler, options);
      return socket;
    },
  });
}
