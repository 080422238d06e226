/**
 * What: an emitter with listeners for every event, in both directions, as sockets have them.
 * Must not know: where events come from or go to.
 */
import type { CatchAllListener, EventsMap } from '../base/typed-events.ts';
import { StrictEventEmitter } from './emitter.ts';

type AnyListener = (...args: unknown[]) => void;

/** The lists are replaced, never changed: who is listening when an event comes is told of it. */
export abstract class CatchAllEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
> extends StrictEventEmitter<ListenEvents, EmitEvents, ReservedEvents> {
  #anyListeners: AnyListener[] | null = null;
  #anyOutgoingListeners: AnyListener[] | null = null;

  /** Adds a listener for every event that arrives. */
  onAny(listener: CatchAllListener<ListenEvents>): this {
    this.#anyListeners = [...(this.#anyListeners ?? []), listener as AnyListener];
    return this;
  }

  /** The same, before those that are there. */
  prependAny(listener: CatchAllListener<ListenEvents>): this {
    this.#anyListeners = [listener as AnyListener, ...(this.#anyListeners ?? [])];
    return this;
  }

  /** Removes a catch-all listener, or all of them. */
  offAny(listener?: CatchAllListener<ListenEvents>): this {
    this.#anyListeners = without(this.#anyListeners, listener as AnyListener | undefined);
    return this;
  }

  /** The catch-all listeners. */
  listenersAny(): CatchAllListener<ListenEvents>[] {
    return (this.#anyListeners ?? []) as CatchAllListener<ListenEvents>[];
  }

  /** Adds a listener for every event that is sent to the client, broadcasts among them. */
  onAnyOutgoing(listener: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoingListeners = [...(this.#anyOutgoingListeners ?? []), listener as AnyListener];
    return this;
  }

  /** The same, before those that are there. */
  prependAnyOutgoing(listener: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoingListeners = [listener as AnyListener, ...(this.#anyOutgoingListeners ?? [])];
    return this;
  }

  /** Removes such a listener, or all of them. */
  offAnyOutgoing(listener?: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoingListeners = without(this.#anyOutgoingListeners, listener as AnyListener | undefined);
    return this;
  }

  /** The listeners for what is sent. */
  listenersAnyOutgoing(): CatchAllListener<EmitEvents>[] {
    return (this.#anyOutgoingListeners ?? []) as CatchAllListener<EmitEvents>[];
  }

  /** Tells the listeners for what arrives. @internal */
  notifyIncomingListeners(data: unknown[]): void {
    if (this.#anyListeners === null) return;
    for (const listener of this.#anyListeners) listener.apply(this, data);
  }

  /** Tells the listeners for what is sent. @internal */
  notifyOutgoingListeners(packet: { data?: unknown }): void {
    if (this.#anyOutgoingListeners === null) return;
    for (const listener of this.#anyOutgoingListeners) listener.apply(this, packet.data as unknown[]);
  }
}

function without(listeners: AnyListener[] | null, listener: AnyListener | undefined): AnyListener[] | null {
  if (listeners === null || listener === undefined) return null;
  const index = listeners.indexOf(listener);
  const rest = index === -1 ? listeners : listeners.filter((_, i) => i !== index);
  return rest.length === 0 ? null : rest;
}
