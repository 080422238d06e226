/**
 * What: an emitter with listeners for every event, whatever its name, in either direction.
 * Must not know: which events there are, or how they come and go.
 */
import { Emitter } from '../base/emitter.ts';
import type { CatchAllListener, EventsMap } from '../base/typed-events.ts';

type Listener = (event: never, ...args: never[]) => void;

/** Removes a listener once, or all. */
function remove(listeners: Listener[], listener: Listener | undefined): void {
  const index = listener ? listeners.indexOf(listener) : 0;
  if (index >= 0) listeners.splice(index, listener ? 1 : listeners.length);
}

/** An emitter that also has listeners for whatever comes in or goes out. */
export class CatchAllEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
> extends Emitter<ListenEvents, EmitEvents, ReservedEvents> {
  readonly #any: Listener[] = [];
  readonly #anyOutgoing: Listener[] = [];

  /** An event has come in: its name and arguments. @internal */
  protected tellAny(args: readonly unknown[]): void {
    for (const listener of [...this.#any]) listener.apply(this, args as never);
  }

  /** An event is about to go out: its name and arguments. @internal */
  protected tellOutgoing(args: readonly unknown[]): void {
    for (const listener of [...this.#anyOutgoing]) listener.apply(this, args as never);
  }

  /** Adds a listener for every event that comes in. */
  onAny(listener: CatchAllListener<ListenEvents>): this {
    this.#any.push(listener);
    return this;
  }

  /** As {@link onAny}, before the others. */
  prependAny(listener: CatchAllListener<ListenEvents>): this {
    this.#any.unshift(listener);
    return this;
  }

  /** Removes one such listener, or all. */
  offAny(listener?: CatchAllListener<ListenEvents>): this {
    remove(this.#any, listener);
    return this;
  }

  /** The listeners for every event that comes in. */
  listenersAny(): CatchAllListener<ListenEvents>[] {
    return this.#any as CatchAllListener<ListenEvents>[];
  }

  /** Adds a listener for every event that goes out; acknowledgements are not events. */
  onAnyOutgoing(listener: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoing.push(listener);
    return this;
  }

  /** As {@link onAnyOutgoing}, before the others. */
  prependAnyOutgoing(listener: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoing.unshift(listener);
    return this;
  }

  /** Removes one such listener, or all. */
  offAnyOutgoing(listener?: CatchAllListener<EmitEvents>): this {
    remove(this.#anyOutgoing, listener);
    return this;
  }

  /** The listeners for every event that goes out. */
  listenersAnyOutgoing(): CatchAllListener<EmitEvents>[] {
    return this.#anyOutgoing as CatchAllListener<EmitEvents>[];
  }
}
