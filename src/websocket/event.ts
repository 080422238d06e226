/**
 * What: the events that a WebSocket fires, as the standards define them.
 * Must not know: when they are fired.
 */
import { requireArguments, toDictionary, toDomString, toUnsigned, toUsvString } from './conversion.ts';

/** What a message is: text, or binary as `binaryType` says. */
export type MessageData = string | Blob | ArrayBuffer;

/** The members of `EventInit`. */
export interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

/** A message came. */
export interface MessageEvent<Data = MessageData> extends Event {
  readonly data: Data;
  /** The origin of the WebSocket's URL, such as `wss://example.com`. */
  readonly origin: string;
  /** Empty: for server-sent events only. */
  readonly lastEventId: string;
  /** Null: for messages between windows only. */
  readonly source: unknown;
  /** Empty: for messages between windows only. */
  readonly ports: readonly unknown[];
}

export interface MessageEventInit<Data = unknown> extends EventInit {
  data?: Data;
  origin?: string;
  lastEventId?: string;
}

export interface CloseEventInit extends EventInit {
  wasClean?: boolean;
  code?: number;
  reason?: string;
}

/** The WebSocket is closed. */
export interface CloseEvent extends Event {
  /** Whether both sides exchanged close frames before the connection ended. */
  readonly wasClean: boolean;
  /** The peer's close code; 1005 when its close frame had none, 1006 when there was no close frame. */
  readonly code: number;
  /** The peer's reason; empty when it gave none. */
  readonly reason: string;
}

export interface ErrorEventInit extends EventInit {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  error?: unknown;
}

/** Something failed. */
export interface ErrorEvent extends Event {
  readonly message: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  /** The cause. */
  readonly error: unknown;
}

type EventClass<E, Init> = {
  readonly prototype: E;
  new (type: string, init?: Init): E;
};

/** The events that this Node has; `CloseEvent` came with 23, `ErrorEvent` with 24 or 25. */
const platform = globalThis as {
  readonly MessageEvent?: unknown;
  readonly CloseEvent?: unknown;
  readonly ErrorEvent?: unknown;
};

const OwnCloseEvent = class CloseEvent extends Event {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, init: CloseEventInit = {}) {
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    requireArguments("Failed to construct 'CloseEvent'", arguments.length, 1);
    const members = toDictionary("Failed to construct 'CloseEvent': the second argument", init);
    super(toDomString(type), init);
    const { code, reason, wasClean } = members;
    this.#code = code === undefined ? 0 : toUnsigned(code, 16);
    this.#reason = reason === undefined ? '' : toUsvString(reason);
    this.#wasClean = Boolean(wasClean);
  }
  get wasClean(): boolean {
    return this.#wasClean;
  }
  get code(): number {
    return this.#code;
  }
  get reason(): string {
    return this.#reason;
  }
};

const OwnErrorEvent = class ErrorEvent extends Event {
  readonly #message: string;
  readonly #filename: string;
  readonly #lineno: number;
  readonly #colno: number;
  readonly #error: unknown;

  constructor(type: string, init: ErrorEventInit = {}) {
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    requireArguments("Failed to construct 'ErrorEvent'", arguments.length, 1);
    const members = toDictionary("Failed to construct 'ErrorEvent': the second argument", init);
    super(toDomString(type), init);
    const { colno, error, filename, lineno, message } = members;
    this.#colno = colno === undefined ? 0 : toUnsigned(colno, 32);
    this.#error = error;
    this.#filename = filename === undefined ? '' : toUsvString(filename);
    this.#lineno = lineno === undefined ? 0 : toUnsigned(lineno, 32);
    this.#message = message === undefined ? '' : toDomString(message);
  }
  get message(): string {
    return this.#message;
  }
  get filename(): string {
    return this.#filename;
  }
  get lineno(): number {
    return this.#lineno;
  }
  get colno(): number {
    return this.#colno;
  }
  get error(): unknown {
    return this.#error;
  }
};

expose(OwnCloseEvent.prototype, 'CloseEvent', ['wasClean', 'code', 'reason']);
expose(OwnErrorEvent.prototype, 'ErrorEvent', ['message', 'filename', 'lineno', 'colno', 'error']);

/** Gives a prototype what Web IDL gives it: enumerable members and a class string. */
export function expose(prototype: object, name: string, members: readonly string[]): void {
  for (const member of members) Object.defineProperty(prototype, member, { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/** For the tests: what is exported where the platform has none. */
export const ownEvents: {
  readonly CloseEvent: EventClass<CloseEvent, CloseEventInit>;
  readonly ErrorEvent: EventClass<ErrorEvent, ErrorEventInit>;
} = { CloseEvent: OwnCloseEvent, ErrorEvent: OwnErrorEvent };

// The platform's own class where there is one, so that `instanceof` with the global holds.

/** The platform's `MessageEvent`. */
export const MessageEvent = platform.MessageEvent as EventClass<MessageEvent, MessageEventInit>;
/** The platform's `CloseEvent`, or its equal where the platform has none. */
export const CloseEvent = (platform.CloseEvent ?? OwnCloseEvent) as EventClass<CloseEvent, CloseEventInit>;
/** The platform's `ErrorEvent`, or its equal where the platform has none. */
export const ErrorEvent = (platform.ErrorEvent ?? OwnErrorEvent) as EventClass<ErrorEvent, ErrorEventInit>;
