/**
 * What: an emitter with listeners for every event, whatever its name, in either direction.
 * Must not know: which events there are, or how they come and go.
 */
import { Emitter } from '../base/emitter.ts';
import type { CatchAllListener, EventsMap } from '../base/typed-events.ts';

type Listener = (event: never, ...args: never[]) => void;

/** Listeners that are told every event, in order. */
class CatchAll {
  list: Listener[] = [];

  remove(listener: Listener | undefined): void {
    if (!listener) this.list = [];
    else if (this.list.includes(listener)) this.list.splice(this.list.indexOf(listener), 1);
  }

  call(socket: unknown, args: readonly unknown[]): void {
    for (const listener of [...this.list]) listener.apply(socket, args as never);
  }
}

/** An emitter that also has listeners for whatever comes in or goes out. */
export class CatchAllEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
> extends Emitter<ListenEvents, EmitEvents, ReservedEvents> {
  readonly #any = new CatchAll();
  readonly #anyOutgoing = new CatchAll();

  /** An event has come in: its name and arguments. @internal */
  protected tellAny(args: readonly unknown[]): void {
    this.#any.call(this, args);
  }

  /** An event is about to go out: its name and arguments. @internal */
  protected tellOutgoing(args: readonly unknown[]): void {
    this.#anyOutgoing.call(this, args);
  }

  /** Adds a listener for every event that comes in. */
  onAny(listener: CatchAllListener<ListenEvents>): this {
    this.#any.list.push(listener);
    return this;
  }

  /** As {@link onAny}, before the others. */
  prependAny(listener: CatchAllListener<ListenEvents>): this {
    this.#any.list.unshift(listener);
    return this;
  }

  /** Removes one such listener, or all. */
  offAny(listener?: CatchAllListener<ListenEvents>): this {
    this.#any.remove(listener);
    return this;
  }

  /** The listeners for every event that comes in. */
  listenersAny(): CatchAllListener<ListenEvents>[] {
    return this.#any.list as CatchAllListener<ListenEvents>[];
  }

  /** Adds a listener for every event that goes out; acknowledgements are not events. */
  onAnyOutgoing(listener: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoing.list.push(listener);
    return this;
  }

  /** As {@link onAnyOutgoing}, before the others. */
  prependAnyOutgoing(listener: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoing.list.unshift(listener);
    return this;
  }

  /** Removes one such listener, or all. */
  offAnyOutgoing(listener?: CatchAllListener<EmitEvents>): this {
    this.#anyOutgoing.remove(listener);
    return this;
  }

  /** The listeners for every event that goes out. */
  listenersAnyOutgoing(): CatchAllListener<EmitEvents>[] {
    return this.#anyOutgoing.list as CatchAllListener<EmitEvents>[];
  }
}
