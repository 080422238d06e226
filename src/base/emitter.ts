/**
 * What: a small typed event emitter that runs everywhere, with the methods that users of component-emitter know.
 * Must not know: sockets, platforms, or which events there are.
 */
import type {
  EventNames,
  EventParams,
  EventsMap,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
} from './typed-events.ts';

type StoredListener = ((...args: unknown[]) => unknown) & {
  /** The function that was given to `once()`, so that `off()` finds it. */
  fn?: unknown;
};

/** No events at all: the map of an emitter whose users emit nothing, or which has no events of its own. */
export type NoEvents = Record<never, never>;

/**
 * Calls listeners by event name, in the order in which they were added.
 *
 * An exception in a listener goes to the caller of `emit`, and the listeners after it are not called.
 * Unlike Node's emitter, `error` is an event like any other.
 */
export class Emitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = NoEvents,
> {
  /** A Map, so that `__proto__` is a name like any other. */
  #listeners = new Map<unknown, StoredListener[]>();

  /** Adds a listener; the same function added twice is called twice. */
  on<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    const list = this.#listeners.get(event);
    if (list) list.push(listener);
    else this.#listeners.set(event, [listener]);
    return this;
  }

  /** Adds a listener that is removed before its first call. */
  once<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    const wrapper: StoredListener = (...args) => {
      this.off(event, wrapper as typeof listener);
      (listener as StoredListener).apply(this, args);
    };
    wrapper.fn = listener;
    return this.on(event, wrapper as typeof listener);
  }

  /** Removes one listener of an event (the oldest, if it was added twice), all of an event, or all. */
  off<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event?: Name,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    const list = this.#listeners.get(event);
    if (event === undefined) this.#listeners.clear();
    else if (list) {
      const index = list.findIndex((stored) => stored === listener || stored.fn === listener);
      if (listener && index >= 0) list.splice(index, 1);
      if (!listener || !list.length) this.#listeners.delete(event);
    }
    return this;
  }

  /** Calls the listeners of an event. */
  emit<Name extends EventNames<EmitEvents>>(event: Name, ...args: EventParams<EmitEvents, Name>): this {
    return this.dispatch(event, args);
  }

  /**
   * Calls the listeners of one of the emitter's own events.
   * @internal
   */
  protected emitReserved<Name extends EventNames<ReservedEvents>>(
    event: Name,
    ...args: EventParams<ReservedEvents, Name>
  ): this {
    return this.dispatch(event, args);
  }

  /**
   * Calls listeners whatever the type of the event; for names that came over the wire.
   * @internal
   */
  protected dispatch(event: unknown, args: readonly unknown[]): this {
    // A copy: listeners that are added or removed by a listener do not change who is called now.
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener.apply(this, args as unknown[]);
    return this;
  }

  /** The listeners of an event, those of `once()` wrapped. */
  listeners<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Name>[] {
    return (this.#listeners.get(event) ?? []) as ReservedOrUserListener<ReservedEvents, ListenEvents, Name>[];
  }

  /** Whether an event has listeners. */
  hasListeners<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(event: Name): boolean {
    return this.#listeners.has(event);
  }

  /** The same as {@link on}. */
  addEventListener<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return this.on(event, listener);
  }

  /** The same as {@link off}. */
  removeListener<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event?: Name,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return this.off(event, listener);
  }

  /** The same as {@link off}. */
  removeEventListener<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event?: Name,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return this.off(event, listener);
  }

  /** The same as {@link off} without a listener. */
  removeAllListeners<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event?: Name,
  ): this {
    return this.off(event);
  }
}
