/**
 * What: the class that a program extends to bring a transport of its own, with the members that engine.io-client's has.
 * Must not know: which transports there are, or when sessions use one.
 */
import { toBytes } from '../../base/bytes.ts';
import { Emitter, type NoEvents } from '../../base/emitter.ts';
import { TransportError } from '../../base/transport-error.ts';
import type { EventNames, EventParams } from '../../base/typed-events.ts';
import {
  type ClientTarget,
  type ClientTransportOptions,
  deafSink,
  type Transport as TransportPort,
  type TransportSink,
} from '../../transport/port.ts';
import { decodePacket } from '../../wire/engine/codec.ts';
import { type OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import type { CloseDetails, EnginePacket } from './events.ts';
import { packetNames } from './sender.ts';
import { installTimerFunctions } from './timers.ts';

/** Of Node's Buffers, too, which would be cut otherwise than other bytes. */
function plainBytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  const { buffer, byteOffset, byteLength } = toBytes(data);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The events of a {@link Transport}. */
export interface TransportReservedEvents {
  open: () => void;
  /** It broke; `close` need not follow. */
  error: (error: TransportError) => void;
  packet: (packet: EnginePacket) => void;
  close: (details?: CloseDetails) => void;
  poll: () => void;
  pollComplete: () => void;
  /** What `write` was given has left. */
  drain: () => void;
}

/**
 * A transport of the program's own: `transports: [Mine]`, where `Mine` extends this class.
 *
 * It has a `name`, which is the one on the wire, and says how to connect (`doOpen`), to send (`write`, after which it sets
 * `writable` again and emits `drain`) and to leave (`doClose`). What happens, it tells by `onOpen`, `onData` or `onPacket`,
 * `onClose` and `onError`. Its sessions are those of the standard: they end with their connection.
 */
export abstract class Transport
  extends Emitter<NoEvents, NoEvents, TransportReservedEvents>
  implements TransportPort
{
  /** Whether packets may be sent. */
  writable = false;
  /** @internal */
  readonly bufferedBytes = 0;
  /** Who uses the transport. @internal */
  sink: TransportSink = deafSink;
  protected readyState: 'opening' | 'open' | 'closed' | 'pausing' | 'paused' | undefined;
  protected readonly opts: ClientTransportOptions;
  /** Whether bytes may travel as they are. */
  protected readonly supportsBinary: boolean;
  declare protected setTimeoutFn: typeof globalThis.setTimeout;
  declare protected clearTimeoutFn: typeof globalThis.clearTimeout;
  readonly #target: ClientTarget;
  readonly #query: Record<string, string> = {};
  #isEnded = false;

  /** The name on the wire. */
  abstract readonly name: string;

  /** @param target what a session gives to its transports; a subclass passes it on as it is. */
  constructor(target: ClientTarget) {
    super();
    this.#target = target;
    this.opts = target.options;
    this.supportsBinary = !this.opts.forceBase64;
    installTimerFunctions(this as object, this.opts as object);
    this.on('drain', () => this.sink.transportDrained());
  }

  /** The name on the wire, of the class. @internal */
  static get transportName(): string {
    // biome-ignore lint/complexity/noThisInStatic: it is the subclass that has a name.
    return (this.prototype as Transport).name;
  }

  /** What carries a client's session is a transport, also if it was not made of this class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses have instances of their own.
    const isOwn = Function.prototype[Symbol.hasInstance].call(this, value);
    // biome-ignore lint/complexity/noThisInStatic: see above.
    if (isOwn || this !== Transport) return isOwn;
    return typeof (value as Partial<TransportPort> | null | undefined)?.sink === 'object';
  }

  /** The parameters of the next request. What is added to them stays. */
  get query(): Record<string, string> {
    const { searchParams } = new URL(this.#target.url());
    // docs/protocol/session.md, "Handshake": whoever is not asked does not offer the extension.
    searchParams.delete('tautline');
    return Object.assign(this.#query, Object.fromEntries(searchParams));
  }

  /** Whether a session may send. @internal */
  get isWritable(): boolean {
    return this.writable;
  }

  protected abstract doOpen(): unknown;
  protected abstract doClose(): unknown;
  /** Sends packets, of which the data of messages is text or bytes. */
  protected abstract write(packets: EnginePacket[]): unknown;

  /** Opens the transport. */
  open(): this {
    this.readyState = 'opening';
    this.doOpen();
    return this;
  }

  /** Closes the transport. */
  close(): this {
    if (this.readyState === 'opening' || this.readyState === 'open') {
      this.doClose();
      this.onClose();
    }
    return this;
  }

  /** The same as {@link close}. @internal */
  terminate(): void {
    this.close();
  }

  /** Passes packets on to `write`, while the transport is open. */
  send(packets: readonly OutgoingPacket[]): void {
    if (this.readyState !== 'open') return;
    this.write(
      packets.map(({ type, data, compress }) => ({ type: packetNames[+type]!, data, options: { compress } })),
    );
  }

  /** Calls back as soon as nothing can come over this transport any more, before another takes over. */
  pause(callback: () => void): void {
    callback();
  }

  /** The transport can carry packets. */
  protected onOpen(): void {
    this.readyState = 'open';
    this.writable = true;
    this.emitReserved('open');
    this.sink.transportOpened();
  }

  /** A packet has come as it was encoded: text, or the bytes of a binary message. */
  protected onData(data: string | ArrayBuffer | ArrayBufferView): void {
    const encoded = typeof data === 'string' ? data : plainBytes(data);
    const { codec, isExtended } = this.#target;
    let packet: ReturnType<typeof decodePacket>;
    try {
      packet = decodePacket(encoded, codec, isExtended);
    } catch (cause) {
      this.#fail('parser error', 'TRANSPORT_ERR_PROTOCOL', cause);
      return;
    }
    this.onPacket({ type: packetNames[+packet.type]!, data: packet.data });
  }

  /** A packet has come. */
  protected onPacket(packet: EnginePacket): void {
    this.emitReserved('packet', packet);
    const { type, data = '' } = packet;
    this.sink.transportReceived(
      PacketType[type],
      typeof data === 'string' ? data : plainBytes(data as ArrayBuffer | ArrayBufferView),
    );
  }

  /** Emits an event. In quotes, as browser builds shorten what is protected, and subclasses have the name. */
  // biome-ignore lint/complexity/useLiteralKeys: see above.
  protected override ['emitReserved']<Name extends EventNames<TransportReservedEvents>>(
    event: Name,
    ...args: EventParams<TransportReservedEvents, Name>
  ): this {
    return this.dispatch(event, args);
  }

  /** The transport is closed, by whom ever. */
  protected onClose(details?: CloseDetails): void {
    this.readyState = 'closed';
    this.writable = false;
    this.emitReserved('close', details);
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.sink.transportClosed({ by: 'byPeer', ...details });
  }

  /** The transport broke. */
  protected onError(reason: string, description?: unknown, context?: unknown): this {
    return this.#fail(reason, 'TRANSPORT_ERR_NETWORK', description, context);
  }

  #fail(reason: string, code: TransportError['code'], description: unknown, context?: unknown): this {
    const step = this.readyState === 'open' ? 'read' : 'open';
    const details = { transport: this.name, step, code, description, context, cause: description } as const;
    const error = new TransportError(reason, details);
    this.emitReserved('error', error);
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.sink.transportClosed({ by: 'failed', error, context });
    }
    return this;
  }

  /** The address of a request: `https`, `wss` or another scheme, and the query. */
  protected createUri(schema: string, query: Readonly<Record<string, unknown>> = {}): string {
    const { host, pathname } = new URL(this.#target.url());
    const search = String(new URLSearchParams(query as Record<string, string>));
    return `${schema}://${host}${pathname}${search && `?${search}`}`;
  }
}
