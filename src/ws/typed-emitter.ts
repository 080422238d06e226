/**
 * What: Node's EventEmitter with the events of a class and their arguments known to the compiler.
 * Must not know: any event. It is types only: at run time it is the EventEmitter itself.
 */
import { EventEmitter } from 'node:events';

/** Names of events and the arguments of their listeners. */
type EventArguments<Events> = { [E in keyof Events]: unknown[] };

/** An event that the class does not know: a program's own. Its listener says what it takes. */
type OtherEvent<Events, E> = E extends keyof Events ? never : E;
type OtherListener<This> = (this: This, ...args: never[]) => void;
type EventName = string | symbol;

/** The methods of EventEmitter, for `Events`. */
export interface TypedEmitter<Events extends EventArguments<Events>> {
  on<E extends keyof Events>(event: E, listener: (this: this, ...args: Events[E]) => void): this;
  on<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  once<E extends keyof Events>(event: E, listener: (this: this, ...args: Events[E]) => void): this;
  once<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  off<E extends keyof Events>(event: E, listener: (this: this, ...args: Events[E]) => void): this;
  off<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  addListener<E extends keyof Events>(event: E, listener: (this: this, ...args: Events[E]) => void): this;
  addListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  removeListener<E extends keyof Events>(event: E, listener: (this: this, ...args: Events[E]) => void): this;
  removeListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  prependListener<E extends keyof Events>(event: E, listener: (this: this, ...args: Events[E]) => void): this;
  prependListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  prependOnceListener<E extends keyof Events>(
    event: E,
    listener: (this: this, ...args: Events[E]) => void,
  ): this;
  prependOnceListener<E extends EventName>(event: OtherEvent<Events, E>, listener: OtherListener<this>): this;
  emit<E extends keyof Events>(event: E, ...args: Events[E]): boolean;
  emit<E extends EventName>(event: OtherEvent<Events, E>, ...args: unknown[]): boolean;
  removeAllListeners(event?: EventName): this;
  setMaxListeners(count: number): this;
  getMaxListeners(): number;
  // biome-ignore lint/complexity/noBannedTypes: as Node's own declarations have it.
  listeners(event: EventName): Function[];
  // biome-ignore lint/complexity/noBannedTypes: as Node's own declarations have it.
  rawListeners(event: EventName): Function[];
  // biome-ignore lint/complexity/noBannedTypes: as Node's own declarations have it.
  listenerCount(event: EventName, listener?: Function): number;
  eventNames(): EventName[];
}

/** The EventEmitter, as a base class with typed events. */
export const TypedEmitter = EventEmitter as unknown as new <
  Events extends EventArguments<Events>,
>() => TypedEmitter<Events>;
