/**
 * What: Node's EventEmitter with the events of a class and their arguments known to the compiler.
 * Must not know: any event. It is types only: at run time it is the EventEmitter itself.
 */
import { EventEmitter } from 'node:events';

/** Names of events and the arguments of their listeners. */
type EventArguments<Events> = { [E in keyof Events]: unknown[] };

/**
 * A listener of a known event. Written as a method, so that it may ask for more than it is promised, as programs do that
 * know more: `(socket: Live) => ...` for a subtype `Live` of the socket, or `(data: Buffer) => ...` where `binaryType` is
 * left as it is. What cannot be at all, such as `(data: number) => ...`, still does not compile.
 */
type Listener<This, Arguments extends unknown[]> = {
  listen(this: This, ...args: Arguments): void;
}['listen'];

/** An event that the class does not know: a program's own. Its listener says what it takes. */
type OtherEvent<Events, E> = E extends keyof Events ? never : E;
type OtherListener<This> = (this: This, ...args: never[]) => void;
type EventName = string | symbol;

/** The methods of EventEmitter, for `Events`. */
export interface TypedEmitter<Events extends EventArguments<Events>> {
  /** Calls `listener` for each such event. */
  on<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  on<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** Calls `listener` for the next such event only. */
  once<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  once<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** Removes a listener; one of them, if it was added several times. */
  off<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  off<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** The same as {@link on}. */
  addListener<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  addListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** The same as {@link off}. */
  removeListener<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  removeListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** As {@link on}, before the listeners that are there. */
  prependListener<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  prependListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** As {@link once}, before the listeners that are there. */
  prependOnceListener<E extends keyof Events>(event: E, listener: Listener<this, Events[E]>): this;
  prependOnceListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  /** Calls the listeners of this program. @returns whether there were any. */
  emit<E extends keyof Events>(event: E, ...args: Events[E]): boolean;
  emit<E extends EventName>(event: OtherEvent<Events, E>, ...args: unknown[]): boolean;
  /** Removes the listeners of an event, or of all. */
  removeAllListeners(event?: EventName): this;
  /** How many listeners an event may have before Node warns of a leak; 0: any number. */
  setMaxListeners(count: number): this;
  /** What {@link setMaxListeners} has set; 10 by default. */
  getMaxListeners(): number;
  /** The listeners of an event, as they were given. */
  // biome-ignore lint/complexity/noBannedTypes: as Node's own declarations have it.
  listeners(event: EventName): Function[];
  /** The listeners of an event, those of {@link once} in their wrappers. */
  // biome-ignore lint/complexity/noBannedTypes: as Node's own declarations have it.
  rawListeners(event: EventName): Function[];
  /** How many listeners an event has, or how often it has this one. */
  // biome-ignore lint/complexity/noBannedTypes: as Node's own declarations have it.
  listenerCount(event: EventName, listener?: Function): number;
  /** The events that have listeners. */
  eventNames(): EventName[];
}

/** The EventEmitter, as a base class with typed events. */
export const TypedEmitter = EventEmitter as unknown as new <
  Events extends EventArguments<Events>,
>() => TypedEmitter<Events>;
