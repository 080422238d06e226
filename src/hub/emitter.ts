/**
 * What: Node's EventEmitter, typed by event maps: what can be listened to, what can be emitted, what is reserved.
 * Must not know: sockets, namespaces, or what emitting means (subclasses that send override `emit`).
 */
import { EventEmitter } from 'node:events';
import type {
  EventNames,
  EventParams,
  EventsMap,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
  TypedEventBroadcaster,
} from '../base/typed-events.ts';

type Listener = (...args: unknown[]) => void;

const emitLocally: (this: EventEmitter, event: string | symbol, ...args: unknown[]) => boolean =
  EventEmitter.prototype.emit;

/** Listeners by name. Its names inherit nothing, as in the table that Node's emitter makes for itself. */
const ListenerTable = function ListenerTable() {} as unknown as new () => object;
ListenerTable.prototype = Object.create(null);

/**
 * Node's emitter begins with a hash table and fields that are hardly used, for which a quarter of a kilobyte would go
 * with each client. Its methods do not depend on them: they take the table that is there.
 */
const CompactEmitter = function CompactEmitter(this: { _events: object; _eventsCount: number }) {
  this._events = new ListenerTable();
  this._eventsCount = 0;
} as unknown as typeof EventEmitter;
Object.setPrototypeOf(CompactEmitter, EventEmitter);
Object.setPrototypeOf(CompactEmitter.prototype, EventEmitter.prototype);

/** Node's emitter with typed names and arguments. */
export abstract class StrictEventEmitter<
    ListenEvents extends EventsMap,
    EmitEvents extends EventsMap,
    ReservedEvents extends EventsMap = Record<never, never>,
  >
  extends CompactEmitter
  implements TypedEventBroadcaster<EmitEvents>
{
  /** Calls `listener` for each such event. */
  override on<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return super.on(event, listener as Listener);
  }

  /** Calls `listener` for the next such event only. */
  override once<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return super.once(event, listener as Listener);
  }

  override emit<Name extends EventNames<EmitEvents>>(
    event: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean {
    return super.emit(event, ...args);
  }

  /** The listeners for an event, a copy. */
  override listeners<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Name>[] {
    return super.listeners(event) as ReservedOrUserListener<ReservedEvents, ListenEvents, Name>[];
  }

  /** Tells the listeners of this process, even where `emit` sends to peers. @internal */
  emitReserved<Name extends EventNames<ReservedEvents>>(
    event: Name,
    ...args: EventParams<ReservedEvents, Name>
  ): boolean {
    return emitLocally.call(this, event, ...args);
  }

  /** The same for names that only the peer knows. @internal */
  emitUntyped(args: readonly [name: string | number, ...args: unknown[]]): boolean {
    return emitLocally.apply(this, args as unknown as [string, ...unknown[]]);
  }
}
