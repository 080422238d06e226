/**
 * What: the interface `WebSocket` of the WHATWG standard (https://websockets.spec.whatwg.org/).
 * Must not know: frames, sockets, HTTP.
 */

import { CloseEvent, ErrorEvent, expose, MessageEvent } from '../base/event.ts';
import { EventHandlers } from '../base/event-handler.ts';
import {
  isSequence,
  requireArguments,
  toClampedUnsignedShort,
  toDictionary,
  toDomString,
  toStrings,
  toUsvString,
} from '../base/web-idl.ts';
import { queueNetworkTask } from '../transport/platform/node-task-queue.ts';
import { SendQueue } from '../transport/websocket/send-queue.ts';
import { checkSubprotocols, toAddress } from './address.ts';
import { toBytes } from './buffer-source.ts';
import { BufferedAmount } from './buffered-amount.ts';
import { Channel, type ChannelClosed, ReadyState } from './channel.ts';
import { checkClose } from './close-info.ts';
import { isInit, type WebSocketInit } from './init.ts';

/** In which shape binary messages come. */
export type BinaryType = 'blob' | 'arraybuffer';

/** The events of a `WebSocket`. */
export interface WebSocketEventMap {
  open: Event;
  message: MessageEvent;
  /** Deviation: an `ErrorEvent`, with the cause in `error`, where browsers must hide it in a plain `Event`. */
  error: ErrorEvent;
  close: CloseEvent;
}

type Handler<E extends Event> = ((this: WebSocket, event: E) => unknown) | null;
type Listener<E extends Event> =
  | ((this: WebSocket, event: E) => unknown)
  | { handleEvent(event: E): unknown }
  | null;
type RemoveOptions = boolean | { capture?: boolean };
type AddOptions = boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal };

/** Listeners by event. */
export interface WebSocket {
  /** Calls `listener` for each event of this type. */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: Listener<WebSocketEventMap[Type]>,
    options?: AddOptions,
  ): void;
  addEventListener(type: string, listener: Listener<Event>, options?: AddOptions): void;
  /** Removes a listener that was added with the same `capture`. */
  removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: Listener<WebSocketEventMap[Type]>,
    options?: RemoveOptions,
  ): void;
  removeEventListener(type: string, listener: Listener<Event>, options?: RemoveOptions): void;
}

/**
 * A WebSocket connection, as browsers have it.
 *
 * Deviations, where the standard has no word for a program that is no page: a relative URL has no base and is a
 * `SyntaxError`; options may stand in place of the second argument or behind it; the `error` event tells the cause;
 * `isTrusted` is false, because only Node itself can make it true; an open WebSocket is not collected as garbage.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above.
export class WebSocket extends EventTarget {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  readonly #url: string;
  readonly #origin: string;
  readonly #channel: Channel;
  readonly #handlers = new EventHandlers(this);
  readonly #buffered = new BufferedAmount();
  #binaryType: BinaryType = 'blob';
  /** There while a Blob is being read: what is sent after it must wait for it. */
  #queue: SendQueue | null = null;

  /**
   * Starts connecting; `open`, or `error` and `close`, follow.
   * @param url absolute, with the scheme `ws`, `wss`, `http` or `https`.
   * @param protocols one subprotocol or several, of which the server must choose one; or the options.
   * @param init options; see {@link WebSocketInit}.
   * @throws {DOMException} `SyntaxError` for a URL or subprotocol that is not allowed.
   */
  constructor(
    url: string | URL,
    protocols: string | Iterable<string> | WebSocketInit | undefined = undefined,
    init: WebSocketInit = {},
  ) {
    const failed = "Failed to construct 'WebSocket'";
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    requireArguments(failed, arguments.length, 1);
    super();
    const text = toUsvString(url);
    const options: WebSocketInit = isInit(protocols)
      ? { ...init, ...protocols }
      : toDictionary(`${failed}: the third argument`, init);
    const isGiven = protocols !== undefined && !isInit(protocols);
    const wanted = toSubprotocols(isGiven ? protocols : (options.protocols ?? []));
    const address = toAddress(text);
    checkSubprotocols(wanted);
    this.#url = address.href;
    this.#origin = address.origin;
    const owner = {
      channelOpened: () => void this.dispatchEvent(new Event('open')),
      channelReceived: (data: string | Uint8Array<ArrayBuffer>) => this.#received(data),
      channelDrained: () => {},
      channelClosed: (closed: ChannelClosed) => this.#closed(closed),
    };
    this.#channel = new Channel(address, wanted, options, owner, { holdsMessages: false });
  }

  /** The URL, serialized. */
  get url(): string {
    return this.#url;
  }

  /** {@link WebSocket.CONNECTING}, `OPEN`, `CLOSING` or `CLOSED`. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#channel.readyState;
  }

  /** Bytes of payload given to `send()` that have not left; what is sent after closing stays in it. */
  get bufferedAmount(): number {
    return this.#buffered.value;
  }

  /** The extensions in use, as the server named them; empty before `open`. */
  get extensions(): string {
    return this.#channel.extensions;
  }

  /** The subprotocol that the server chose; empty before `open`, or when none was asked for. */
  get protocol(): string {
    return this.#channel.protocol;
  }

  /** How binary messages are given to listeners: `blob` (default) or `arraybuffer`; other values are ignored. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }
  set binaryType(value: BinaryType) {
    const type = toDomString(value);
    // Web IDL: what is no value of an enumeration is ignored.
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  get onopen(): Handler<Event> {
    return this.#handlers.get('open') as Handler<Event>;
  }
  set onopen(handler: Handler<Event>) {
    this.#handlers.set('open', handler);
  }
  get onmessage(): Handler<MessageEvent> {
    return this.#handlers.get('message') as Handler<MessageEvent>;
  }
  set onmessage(handler: Handler<MessageEvent>) {
    this.#handlers.set('message', handler);
  }
  get onerror(): Handler<ErrorEvent> {
    return this.#handlers.get('error') as Handler<ErrorEvent>;
  }
  set onerror(handler: Handler<ErrorEvent>) {
    this.#handlers.set('error', handler);
  }
  get onclose(): Handler<CloseEvent> {
    return this.#handlers.get('close') as Handler<CloseEvent>;
  }
  set onclose(handler: Handler<CloseEvent>) {
    this.#handlers.set('close', handler);
  }

  /**
   * Sends a message: text as text, everything binary as binary. Discarded when the WebSocket is closing or closed.
   * @throws {DOMException} `InvalidStateError` before `open`.
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    const failed = "Failed to execute 'send' on 'WebSocket'";
    const channel = this.#channel;
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    requireArguments(failed, arguments.length, 1);
    const message = data instanceof Blob ? data : (toBytes(data) ?? toDomString(data));
    if (channel.readyState === ReadyState.connecting) {
      throw new DOMException(`${failed}: still connecting`, 'InvalidStateError');
    }
    const bytes = sizeOf(message);
    this.#buffered.add(bytes);
    if (!channel.canSend) return;
    const sent = (error?: Error | null): void => {
      if (!error) this.#buffered.remove(bytes);
    };
    if (message instanceof Blob) {
      this.#openQueue().addBlob(message, sent, (content) => void channel.send(content, true, sent));
    } else if (this.#queue === null) {
      channel.send(message, typeof message !== 'string', sent);
    } else {
      // The program may change the bytes while they wait.
      const kept = typeof message === 'string' ? message : message.slice();
      this.#queue.add(bytes, sent, () => void channel.send(kept, typeof kept !== 'string', sent));
    }
  }

  /**
   * Starts the closing handshake behind everything that was sent; before `open`, gives up connecting.
   * @param code 1000 or 3000 to 4999; none: the close frame is empty.
   * @param reason at most 123 bytes of UTF-8.
   * @throws {DOMException} `InvalidAccessError` for the code, `SyntaxError` for the reason.
   */
  close(code: number | undefined = undefined, reason: string | undefined = undefined): void {
    const channel = this.#channel;
    const closeCode = code === undefined ? null : toClampedUnsignedShort(code);
    const closeReason = reason === undefined ? '' : toUsvString(reason);
    checkClose(closeCode, closeReason);
    const queue = this.#queue;
    if (queue === null) channel.close(closeCode, closeReason);
    else {
      channel.close(closeCode, closeReason, () =>
        queue.add(0, undefined, () => channel.closeNow(closeCode, closeReason)),
      );
    }
  }

  #openQueue(): SendQueue {
    this.#queue ??= new SendQueue(
      () => !this.#channel.isConnected,
      () => {
        this.#queue = null;
      },
      // As in browsers: a message that cannot be sent must not be missing in silence.
      (error) => this.#channel.terminate(error),
    );
    return this.#queue;
  }

  #received(received: string | Uint8Array<ArrayBuffer>): void {
    let data: string | Blob | ArrayBuffer;
    if (typeof received === 'string') data = received;
    else data = this.#binaryType === 'blob' ? new Blob([received]) : received.buffer;
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#origin }));
  }

  #closed({ wasClean, code, reason, error }: ChannelClosed): void {
    const close = () => void this.dispatchEvent(new CloseEvent('close', { wasClean, code, reason }));
    if (error === null) {
      close();
      return;
    }
    this.dispatchEvent(new ErrorEvent('error', { message: error.message, error }));
    // With the microtasks of the listeners in between, as where the platform calls the listeners.
    queueNetworkTask(close);
  }
}

expose(WebSocket.prototype, 'WebSocket', [
  'url',
  'readyState',
  'bufferedAmount',
  'onopen',
  'onerror',
  'onclose',
  'extensions',
  'protocol',
  'onmessage',
  'binaryType',
  'close',
  'send',
]);
for (const [name, value] of [
  ['CONNECTING', 0],
  ['OPEN', 1],
  ['CLOSING', 2],
  ['CLOSED', 3],
] as const) {
  Object.defineProperty(WebSocket, name, { value, enumerable: true });
  Object.defineProperty(WebSocket.prototype, name, { value, enumerable: true });
}

/** `(DOMString or sequence<DOMString>)`. */
function toSubprotocols(value: unknown): string[] {
  return isSequence(value) ? toStrings('protocols', value) : [toDomString(value)];
}

function sizeOf(message: string | Uint8Array | Blob): number {
  if (typeof message === 'string') return Buffer.byteLength(message);
  return message instanceof Blob ? message.size : message.byteLength;
}
