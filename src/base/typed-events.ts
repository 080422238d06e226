/**
 * What: types by which an event map (name to handler signature) types `on`, `emit` and acknowledgements on both ends.
 * Must not know: any emitter, socket or platform; nothing here exists at run time.
 */

/**
 * A value that nobody has described: what `JSON.parse` gives.
 *
 * Programs without an event map get their arguments so, as in Socket.IO, or they could not move over by changing
 * the import. With an event map it appears nowhere.
 */
export type Untyped = ReturnType<typeof JSON.parse>;

/** Any function, whatever its parameters. */
type AnyFunction = (...args: never[]) => unknown;

/** What every event map is: names to handler signatures. */
export interface EventsMap {
  [event: string]: Untyped;
}

/** The map of a program that declares no events: every name, any arguments. */
export interface DefaultEventsMap {
  [event: string]: (...args: Untyped[]) => void;
}

/** Whether a type is not known at all. */
export type IsAny<T> = 0 extends 1 & T ? true : false;

/** The parameters of a function; none of anything else. */
type ParametersOf<F> = F extends (...args: infer Args) => unknown ? Args : never;

/** The names in a map. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol);

/** The arguments of one event, the acknowledgement callback included. */
export type EventParams<Map extends EventsMap, Name extends EventNames<Map>> = ParametersOf<Map[Name]>;

/** The last member of a tuple; the member type of an array; never for an empty tuple. */
export type Last<List extends readonly unknown[]> = List extends readonly []
  ? never
  : Required<List> extends readonly [...unknown[], infer Tail]
    ? Tail
    : List[number];

/** A tuple without its last member; an untyped array stays one. */
export type AllButLast<List extends readonly unknown[]> =
  Required<List> extends readonly [...infer Head, unknown] ? Head : Untyped[];

/** Whether a handler takes an acknowledgement: `true`, `false`, or `unknown` when the handler is untyped. */
type TakesAck<Handler> =
  IsAny<Handler> extends true
    ? unknown
    : ParametersOf<Handler> extends readonly []
      ? false
      : IsAny<Last<ParametersOf<Handler>>> extends true
        ? unknown
        : NonNullable<Last<ParametersOf<Handler>>> extends AnyFunction
          ? true
          : false;

/** The names whose handler takes an acknowledgement callback as its last argument. */
export type EventNamesWithAck<
  Map extends EventsMap,
  Name extends EventNames<Map> = EventNames<Map>,
> = Name extends unknown ? (TakesAck<Map[Name]> extends false ? never : Name) : never;

/** The names whose handler takes no acknowledgement callback. */
export type EventNamesWithoutAck<
  Map extends EventsMap,
  Name extends EventNames<Map> = EventNames<Map>,
> = Name extends unknown ? (TakesAck<Map[Name]> extends true ? never : Name) : never;

/** The names whose acknowledgement starts with an Error, as it does after `timeout()`. */
export type EventNamesWithError<
  Map extends EventsMap,
  Name extends EventNamesWithAck<Map> = EventNamesWithAck<Map>,
> = Name extends unknown
  ? unknown extends TakesAck<Map[Name]>
    ? Name
    : ParametersOf<NonNullable<Last<ParametersOf<Map[Name]>>>>[0] extends Error
      ? Name
      : never
  : never;

/** A map without the events that want an acknowledgement: what `io.emit()` can send. */
export type RemoveAcknowledgements<Map extends EventsMap> = {
  [Name in EventNamesWithoutAck<Map>]: Map[Name];
};

/** The value that `emitWithAck()` resolves to: an acknowledgement's first argument after its error, if any. */
export type FirstNonErrorArg<Ack> =
  IsAny<Ack> extends true
    ? Untyped
    : NonNullable<Ack> extends (...args: infer Args) => unknown
      ? IsAny<Args[0]> extends true
        ? Untyped
        : Args[0] extends Error
          ? Args[1]
          : Args[0]
      : Untyped;

/** An acknowledgement that gets an Error first, because it may never come. */
type AckWithError<Ack> = Ack extends (...args: infer Args) => infer Result
  ? IsAny<Args[0]> extends true
    ? (err: Error, ...args: Args) => Result
    : Args extends readonly []
      ? (err: Error) => Result
      : Args[0] extends Error
        ? Ack
        : (err: Error, ...args: Args) => Result
  : Ack;

type FirstAsList<Args extends readonly unknown[]> = Args extends readonly []
  ? []
  : Args extends readonly [(infer First)?, ...unknown[]]
    ? [responses: First[]]
    : [responses: Args[number][]];

/** An acknowledgement of many receivers: the first argument of each, gathered. */
type AckOfMany<Ack> = Ack extends (...args: infer Args) => infer Result
  ? Args extends readonly [infer First, ...infer Rest]
    ? IsAny<First> extends true
      ? (...args: FirstAsList<Args>) => Result
      : [First] extends [Error]
        ? (err: Error, ...args: FirstAsList<Rest>) => Result
        : (...args: FirstAsList<Args>) => Result
    : (...args: FirstAsList<Args>) => Result
  : Ack;

type MapArgs<Args extends readonly unknown[], Kind extends 'error' | 'many' | 'errorMany'> = {
  [I in keyof Args]: IsAny<Args[I]> extends true
    ? Args[I]
    : Kind extends 'error'
      ? AckWithError<Args[I]>
      : Kind extends 'many'
        ? AckOfMany<Args[I]>
        : AckOfMany<AckWithError<Args[I]>>;
};

type MapAcks<Map, Kind extends 'error' | 'many' | 'errorMany'> = {
  [Name in keyof Map]: IsAny<Map[Name]> extends true
    ? Map[Name]
    : Map[Name] extends (...args: infer Args) => infer Result
      ? (...args: MapArgs<Args, Kind>) => Result
      : Map[Name];
};

/** The map after `timeout()`: every acknowledgement gets an Error first. */
export type DecorateAcknowledgements<Map> = MapAcks<Map, 'error'>;

/** The map of a broadcast: every acknowledgement gets a list of responses. */
export type DecorateAcknowledgementsWithMultipleResponses<Map> = MapAcks<Map, 'many'>;

/** The map of a broadcast after `timeout()`: an Error, then a list of responses. */
export type DecorateAcknowledgementsWithTimeoutAndMultipleResponses<Map> = MapAcks<Map, 'errorMany'>;

/** The names that can be listened to: the emitter's own and the user's. */
export type ReservedOrUserEventNames<Reserved extends EventsMap, User extends EventsMap> =
  | EventNames<Reserved>
  | EventNames<User>;

/** The listener for a name; the emitter's own events win over the user's. */
export type ReservedOrUserListener<
  Reserved extends EventsMap,
  User extends EventsMap,
  Name extends ReservedOrUserEventNames<Reserved, User>,
> =
  Name extends EventNames<Reserved>
    ? Reserved[Name]
    : Name extends EventNames<User>
      ? User[Name]
      : (...args: Untyped[]) => void | Promise<void>;

/** Whether a map declares nothing, so that every name is allowed. */
export type IsUntypedMap<Map extends EventsMap> = string extends keyof Map ? true : false;

/** A catch-all listener: told the name, then the arguments, which are `unknown` once events are declared. */
export type CatchAllListener<Map extends EventsMap> =
  IsUntypedMap<Map> extends true
    ? (event: string, ...args: Untyped[]) => void
    : (event: EventNames<Map> & string, ...args: unknown[]) => void;

/** Something that events can be emitted to. */
export interface TypedEventBroadcaster<EmitEvents extends EventsMap> {
  emit<Name extends EventNames<EmitEvents>>(event: Name, ...args: EventParams<EmitEvents, Name>): boolean;
}
