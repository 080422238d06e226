/**
 * What: an EventEmitter with typed events that knows cheaply whether anybody ever listened.
 * Must not know: which events there are.
 */
import { EventEmitter } from 'node:events';
import type { Untyped } from '../../base/typed-events.ts';

/**
 * Node's emitter makes its table of listeners, a quarter of a kilobyte, when it is constructed. Its methods do not
 * depend on that: the first listener makes the table. Most sessions never have one.
 */
const BareEmitter = function BareEmitter() {} as unknown as typeof EventEmitter;
Object.setPrototypeOf(BareEmitter, EventEmitter);
Object.setPrototypeOf(BareEmitter.prototype, EventEmitter.prototype);

type EventTuples<Events> = { [E in keyof Events]: unknown[] };

/** Names to argument tuples in `Events`; other names are allowed and untyped, as with any emitter. */
export class ObservedEmitter<Events extends EventTuples<Events>> extends BareEmitter {
  /**
   * @internal Whether a listener was ever added. On paths taken for each message this is asked first: looking
   * names up among the listeners costs more than all else that a session does with a message.
   */
  isObserved = false;

  override on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): this;
  override on(event: string | symbol, listener: (...args: Untyped[]) => void): this;
  override on(event: string | symbol, listener: (...args: Untyped[]) => void): this {
    this.isObserved = true;
    return super.on(event, listener);
  }

  override addListener<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): this;
  override addListener(event: string | symbol, listener: (...args: Untyped[]) => void): this;
  override addListener(event: string | symbol, listener: (...args: Untyped[]) => void): this {
    return this.on(event, listener);
  }

  override once<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): this;
  override once(event: string | symbol, listener: (...args: Untyped[]) => void): this;
  override once(event: string | symbol, listener: (...args: Untyped[]) => void): this {
    this.isObserved = true;
    return super.once(event, listener);
  }

  override prependListener<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): this;
  override prependListener(event: string | symbol, listener: (...args: Untyped[]) => void): this;
  override prependListener(event: string | symbol, listener: (...args: Untyped[]) => void): this {
    this.isObserved = true;
    return super.prependListener(event, listener);
  }
}
