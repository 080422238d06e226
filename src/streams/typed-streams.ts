/**
 * What: types by which an event map declares streams: a handler that returns an async iterable is one.
 * Must not know: any socket; nothing here exists at run time.
 */
import type { EventNames, EventParams, EventsMap, IsUntypedMap, Untyped } from '../base/typed-events.ts';

type PartsOf<Handler> = Handler extends (...args: never[]) => infer Result
  ? Result extends AsyncIterable<infer Part>
    ? Part
    : never
  : never;

type IsStream<Handler> = Handler extends (...args: never[]) => infer Result
  ? Result extends AsyncIterable<unknown>
    ? true
    : false
  : false;

/** The names of the streams in a map; every name where the map declares nothing. */
export type StreamNames<Map extends EventsMap> =
  IsUntypedMap<Map> extends true
    ? string
    : { [Name in EventNames<Map>]: IsStream<Map[Name]> extends true ? Name : never }[EventNames<Map>];

/** What a stream is asked with. */
export type StreamArgs<Map extends EventsMap, Name> =
  IsUntypedMap<Map> extends true ? Untyped[] : Name extends EventNames<Map> ? EventParams<Map, Name> : never;

/** What a stream gives. */
export type StreamPart<Map extends EventsMap, Name> =
  IsUntypedMap<Map> extends true ? Untyped : Name extends EventNames<Map> ? PartsOf<Map[Name]> : never;

/** What an iteration over events gives: the arguments of one. */
export type IteratedArgs<Map extends EventsMap, Name extends EventNames<Map>> =
  IsUntypedMap<Map> extends true ? Untyped : EventParams<Map, Name>;

/** Options of `socket.stream()`, told from an argument by having a `signal`, be it undefined. */
export interface StreamOptions {
  /** Cancels the stream: the iteration rejects with its reason, and the other side's `signal` is aborted. */
  readonly signal: AbortSignal | undefined;
  /** How many parts may be on their way or unread. Default 16; at most 1024. */
  readonly credit?: number;
}

/** What a handler of `onStream()` gets behind the arguments. */
export interface StreamContext {
  /** Aborted when the other side does not want the rest, or its session has ended. */
  readonly signal: AbortSignal;
}

/** Gives the parts of a stream; its iterator is asked for the next one only when the other side wants it. */
export type StreamHandler<Map extends EventsMap, Name> =
  IsUntypedMap<Map> extends true
    ? (...args: Untyped[]) => AsyncIterable<Untyped> | Iterable<Untyped>
    : (
        ...args: [...StreamArgs<Map, Name>, context: StreamContext]
      ) => AsyncIterable<StreamPart<Map, Name>> | Iterable<StreamPart<Map, Name>>;

/** Options may follow arguments of which those at the end are left out. */
type WithoutOptional<Args extends readonly unknown[]> = Args extends readonly [infer First, ...infer Rest]
  ? [First, ...WithoutOptional<Rest>]
  : [];

/** The arguments of `socket.stream()`. */
export type StreamRequest<Map extends EventsMap, Name> =
  | [...StreamArgs<Map, Name>]
  | [...StreamArgs<Map, Name>, options: StreamOptions]
  | [...WithoutOptional<StreamArgs<Map, Name>>, options: StreamOptions];
