/**
 * What: event handler attributes (`onopen` and its kin) as HTML section 8.1.8.1 has them.
 * Must not know: which events there are.
 */
import { isObject } from './web-idl.ts';

interface Handler {
  callback: object;
  readonly listener: (event: Event) => void;
}

/** The event handlers of one target. */
export class EventHandlers {
  readonly #target: EventTarget;
  readonly #handlers = new Map<string, Handler>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  /** What the attribute gives: the object that it was set to, or null. */
  get(type: string): object | null {
    return this.#handlers.get(type)?.callback ?? null;
  }

  /**
   * Sets the attribute. The first handler takes its place behind the listeners that are there; a handler that
   * replaces another keeps its place; null gives the place up. An object that cannot be called is kept and does
   * nothing; everything else counts as null (`LegacyTreatNonObjectAsNull`).
   */
  set(type: string, value: unknown): void {
    const handler = this.#handlers.get(type);
    if (!isObject(value)) {
      if (handler === undefined) return;
      this.#handlers.delete(type);
      EventTarget.prototype.removeEventListener.call(this.#target, type, handler.listener);
    } else if (handler !== undefined) {
      handler.callback = value;
    } else {
      const created: Handler = { callback: value, listener: (event) => run(created, event) };
      this.#handlers.set(type, created);
      EventTarget.prototype.addEventListener.call(this.#target, type, created.listener);
    }
  }
}

/** "The event handler processing algorithm". */
function run({ callback }: Handler, event: Event): void {
  if (typeof callback !== 'function') return;
  const result: unknown = callback.call(event.currentTarget, event);
  // Handlers say by `false` what listeners say by `preventDefault()`. What an async one returns is not looked at.
  if (result === false) event.preventDefault();
}
