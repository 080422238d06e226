/**
 * What: the events that a WebSocket fires, as the standards define them.
 * Must not know: when they are fired.
 *
 * Node's own classes are not used: 20 has no `CloseEvent` and no `ErrorEvent`, and its `MessageEvent` cannot be
 * cancelled and has the class string of `Event`.
 */
import {
  isSequence,
  type Members,
  requireArguments,
  toDictionary,
  toDomString,
  toUnsigned,
  toUsvString,
} from './web-idl.ts';

/** What a message is: text, or binary as `binaryType` says. */
export type MessageData = string | Blob | ArrayBuffer;

/** The members of `EventInit`. */
export interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

/** The members of `MessageEventInit`. */
export interface MessageEventInit extends EventInit {
  data?: unknown;
  origin?: string;
  lastEventId?: string;
  source?: unknown;
  ports?: Iterable<unknown>;
}

/** The members of `CloseEventInit`. */
export interface CloseEventInit extends EventInit {
  wasClean?: boolean;
  code?: number;
  reason?: string;
}

/** The members of `ErrorEventInit`. */
export interface ErrorEventInit extends EventInit {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  error?: unknown;
}

/** A message came. */
export class MessageEvent<Data = MessageData> extends Event {
  readonly #data: Data;
  readonly #origin: string;
  readonly #lastEventId: string;
  readonly #source: unknown;
  readonly #ports: readonly unknown[];

  constructor(type: string, init: MessageEventInit & { data?: Data } = {}) {
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    const members = toInit('MessageEvent', arguments.length, init);
    super(toDomString(type), init);
    const { data, lastEventId, origin, ports, source } = members;
    this.#data = (data === undefined ? null : data) as Data;
    this.#lastEventId = lastEventId === undefined ? '' : toDomString(lastEventId);
    this.#origin = origin === undefined ? '' : toUsvString(origin);
    if (ports !== undefined && !isSequence(ports)) throw new TypeError('ports is not a sequence');
    this.#ports = ports === undefined ? noPorts : Object.freeze([...ports]);
    this.#source = source === undefined ? null : source;
  }
  get data(): Data {
    return this.#data;
  }
  /** The origin of the WebSocket's URL, such as `wss://example.com`. */
  get origin(): string {
    return this.#origin;
  }
  /** Empty: it is for server-sent events. */
  get lastEventId(): string {
    return this.#lastEventId;
  }
  /** Null: it is for messages between windows. */
  get source(): unknown {
    return this.#source;
  }
  /** Empty: it is for messages between windows. */
  get ports(): readonly unknown[] {
    return this.#ports;
  }
}

/** The WebSocket is closed. */
export class CloseEvent extends Event {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, init: CloseEventInit = {}) {
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    const members = toInit('CloseEvent', arguments.length, init);
    super(toDomString(type), init);
    const { code, reason, wasClean } = members;
    this.#code = code === undefined ? 0 : toUnsigned(code, 16);
    this.#reason = reason === undefined ? '' : toUsvString(reason);
    this.#wasClean = Boolean(wasClean);
  }
  /** Whether both sides exchanged close frames before the connection ended. */
  get wasClean(): boolean {
    return this.#wasClean;
  }
  /** The peer's close code; 1005 when its close frame had none, 1006 when there was no close frame. */
  get code(): number {
    return this.#code;
  }
  /** The peer's reason; empty when it gave none. */
  get reason(): string {
    return this.#reason;
  }
}

/** Something failed. */
export class ErrorEvent extends Event {
  readonly #message: string;
  readonly #filename: string;
  readonly #lineno: number;
  readonly #colno: number;
  readonly #error: unknown;

  constructor(type: string, init: ErrorEventInit = {}) {
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    const members = toInit('ErrorEvent', arguments.length, init);
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
  /** The cause. */
  get error(): unknown {
    return this.#error;
  }
}

const noPorts: readonly unknown[] = Object.freeze([]);

function toInit(name: string, present: number, init: unknown): Members {
  const failed = `Failed to construct '${name}'`;
  requireArguments(failed, present, 1);
  return toDictionary(`${failed}: the second argument`, init);
}

/** Gives a prototype what Web IDL gives it: enumerable members and a class string. */
export function expose(prototype: object, name: string, members: readonly string[]): void {
  for (const member of members) Object.defineProperty(prototype, member, { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}

expose(MessageEvent.prototype, 'MessageEvent', ['data', 'origin', 'lastEventId', 'source', 'ports']);
expose(CloseEvent.prototype, 'CloseEvent', ['wasClean', 'code', 'reason']);
expose(ErrorEvent.prototype, 'ErrorEvent', ['message', 'filename', 'lineno', 'colno', 'error']);
