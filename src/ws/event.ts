/**
 * What: the four DOM-style events, and the listeners for them that live in an EventEmitter.
 * Must not know: sockets, frames, or how the events come about.
 */
import type { WebSocket } from './websocket.ts';

/** What a message can be for a DOM-style listener: text as a string, binary as `binaryType` says. */
export type Data = string | Buffer | ArrayBuffer | Buffer[];

/** An event as DOM-style listeners get it. */
export class Event {
  readonly #type: string;
  readonly #target: WebSocket;

  constructor(type: string, target: WebSocket) {
    this.#type = type;
    this.#target = target;
  }
  get target(): WebSocket {
    return this.#target;
  }
  get type(): string {
    return this.#type;
  }
}

/** The connection is closed. */
export class CloseEvent extends Event {
  readonly #code: number;
  readonly #reason: string;
  readonly #wasClean: boolean;

  constructor(type: string, target: WebSocket, code = 0, reason = '', wasClean = false) {
    super(type, target);
    this.#code = code;
    this.#reason = reason;
    this.#wasClean = wasClean;
  }
  /** The close code of RFC 6455 section 7.4; 1006 when there was no closing handshake. */
  get code(): number {
    return this.#code;
  }
  get reason(): string {
    return this.#reason;
  }
  /** Whether both sides exchanged close frames. */
  get wasClean(): boolean {
    return this.#wasClean;
  }
}

/** Something failed; `close` follows. */
export class ErrorEvent extends Event {
  readonly #error: Error | null;
  readonly #message: string;

  constructor(type: string, target: WebSocket, error: Error | null = null, message = '') {
    super(type, target);
    this.#error = error;
    this.#message = message;
  }
  get error(): Error | null {
    return this.#error;
  }
  get message(): string {
    return this.#message;
  }
}

/** A message came. */
export class MessageEvent extends Event {
  readonly #data: Data;

  constructor(type: string, target: WebSocket, data: Data = '') {
    super(type, target);
    this.#data = data;
  }
  get data(): Data {
    return this.#data;
  }
}

const enumerable = { enumerable: true };
Object.defineProperties(Event.prototype, { target: enumerable, type: enumerable });
Object.defineProperties(CloseEvent.prototype, { code: enumerable, reason: enumerable, wasClean: enumerable });
Object.defineProperties(ErrorEvent.prototype, { error: enumerable, message: enumerable });
Object.defineProperties(MessageEvent.prototype, { data: enumerable });

/** What DOM-style listeners get, by the event's type. */
export interface WebSocketEventMap {
  open: Event;
  error: ErrorEvent;
  close: CloseEvent;
  message: MessageEvent;
}

/** A DOM-style listener: a function, or an object with `handleEvent`. */
export type DomListener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/** What `addEventListener()` can be told. */
export interface EventListenerOptions {
  /** Remove the listener after its first call. */
  once?: boolean | undefined;
}

type AnyListener = (this: WebSocket, event: never) => void;

/** The emitter's listener that stands for a DOM-style one, and what it was made of. */
interface Wrapper {
  (...args: never[]): void;
  [kWrapped]?: { readonly listener: unknown; readonly isAttribute: boolean };
}
const kWrapped = Symbol('tautline.listener');

function call(listener: unknown, target: WebSocket, event: Event): void {
  if (typeof listener === 'object' && listener !== null) {
    const { handleEvent } = listener as { handleEvent?: (event: Event) => void };
    if (handleEvent !== undefined) handleEvent.call(listener, event);
  } else {
    (listener as (this: WebSocket, event: Event) => void).call(target, event);
  }
}

function wrap(target: WebSocket, type: string, listener: unknown): Wrapper | null {
  switch (type) {
    case 'open':
      return () => call(listener, target, new Event('open', target));
    case 'message':
      return (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) =>
        call(listener, target, new MessageEvent('message', target, isBinary ? data : data.toString()));
    case 'close':
      return (code: number, reason: Buffer) =>
        call(
          listener,
          target,
          new CloseEvent('close', target, code, reason.toString(), target.wasClosedCleanly),
        );
    case 'error':
      return (error: Error) => call(listener, target, new ErrorEvent('error', target, error, error.message));
    default:
      return null;
  }
}

function wrappersOf(target: WebSocket, type: string): Wrapper[] {
  return target.listeners(type) as Wrapper[];
}

/** Adds a DOM-style listener; types other than the four of the standard, and duplicates, are ignored. */
export function addDomListener(
  target: WebSocket,
  type: string,
  listener: unknown,
  isOnce: boolean,
  isAttribute: boolean,
): void {
  if (!isAttribute) {
    for (const other of wrappersOf(target, type)) {
      const wrapped = other[kWrapped];
      if (wrapped !== undefined && wrapped.listener === listener && !wrapped.isAttribute) return;
    }
  }
  const wrapper = wrap(target, type, listener);
  if (wrapper === null) return;
  wrapper[kWrapped] = { listener, isAttribute };
  if (isOnce) target.once(type, wrapper as AnyListener);
  else target.on(type, wrapper as AnyListener);
}

/** Removes what `addDomListener` added, and nothing else. */
export function removeDomListener(target: WebSocket, type: string, listener: unknown): void {
  for (const wrapper of wrappersOf(target, type)) {
    const wrapped = wrapper[kWrapped];
    if (wrapped !== undefined && wrapped.listener === listener && !wrapped.isAttribute) {
      target.removeListener(type, wrapper as AnyListener);
      return;
    }
  }
}

/** The handler set by `onopen` and its kin, or null. */
export function attributeListener(target: WebSocket, type: string): unknown {
  for (const wrapper of wrappersOf(target, type)) {
    const wrapped = wrapper[kWrapped];
    if (wrapped?.isAttribute) return wrapped.listener;
  }
  return null;
}

/** Replaces the handler set by `onopen` and its kin; what is not a function clears it. */
export function setAttributeListener(target: WebSocket, type: string, handler: unknown): void {
  for (const wrapper of wrappersOf(target, type)) {
    if (wrapper[kWrapped]?.isAttribute) {
      target.removeListener(type, wrapper as AnyListener);
      break;
    }
  }
  if (typeof handler === 'function') addDomListener(target, type, handler, false, true);
}
