/**
 * What: the sending half of a client's session: the write buffer, what is kept until it is confirmed, and when it leaves.
 * Must not know: how connections come and go, or what is received.
 */
import { toBytes } from '../../base/bytes.ts';
import { Emitter, type NoEvents } from '../../base/emitter.ts';
import type { UsageError } from '../../base/errors.ts';
import type { Clock } from '../../base/port.ts';
import type { Session } from '../../protocol/session/session.ts';
import type { Transport } from '../../transport/port.ts';
import type { Handshake } from '../../wire/engine/handshake.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { countWithin } from '../../wire/engine/payload.ts';
import type {
  CloseDetails,
  EngineCloseReason,
  EngineData,
  EngineEvents,
  EngineReadyState,
  WriteOptions,
} from './events.ts';
import type { EngineOptions, EnginePlatform } from './options.ts';
import { refuse } from './payload-limit.ts';

/** By its type, what the events `packet` and `packetCreate` call a packet. */
export const packetNames = 'open close ping pong message upgrade noop count'.split(
  ' ',
) as (keyof typeof PacketType)[];

const isMessage = ({ type }: OutgoingPacket) => type === PacketType.message;

/** A packet that knows what it was made for. */
export interface OriginalPacket extends OutgoingPacket {
  readonly origin?: unknown;
}

/** What a session does to send. Fields that need no first value are only declared: browsers load no line for them. */
export abstract class EngineSender extends Emitter<NoEvents, EngineEvents, EngineEvents> {
  /** The connection in use. */
  declare transport: Transport;
  readyState: EngineReadyState = 'opening';
  /** What is not yet confirmed to have left: first what is no message, then messages in order. */
  writeBuffer: OutgoingPacket[] = [];
  declare readonly opts: EngineOptions;

  /** @internal */ declare protected readonly platform: EnginePlatform;
  /** @internal */ declare protected readonly clock: Clock;
  /** Where both ends have the session extension. @internal */
  declare protected session: Session<OriginalPacket> | undefined;
  /** Set once the server has opened the session. @internal */
  declare protected handshake: Handshake | undefined;
  /** Set while the session has no connection. @internal */
  declare protected interrupted:
    | { reason: EngineCloseReason; description?: CloseDetails | Error; atMs: number }
    | undefined;
  /** Whether a candidate is about to take over, and nothing may be sent. @internal */
  declare protected upgrading: boolean | undefined;
  /** How many packets of the write buffer the transport has been given; and when. @internal */
  protected handedOver = 0;
  /** @internal */ declare protected handedOverAtMs: number;
  /**
   * How many messages at the end of the write buffer no transport was ever given: there is none, or the session has no
   * room for them.
   * @internal
   */
  _waiting = 0;
  /** While a Blob is read, what is written must wait; and how much of it does. */
  #reading = Promise.resolve();
  #readings = 0;

  constructor(platform: EnginePlatform, opts: EngineOptions) {
    super();
    this.opts = opts;
    this.platform = platform;
    this.clock = platform.clock(opts.useNativeTimers, opts.autoUnref);
  }

  /** The session is over. @internal */
  protected abstract end(reason: EngineCloseReason, description?: CloseDetails | Error): void;

  /** The connection is of no use any more. @internal */
  protected abstract lost(reason: EngineCloseReason, description?: CloseDetails | Error): void;

  /** Whether the server has the session extension, as far as is known. @internal */
  get _isResumable(): boolean {
    return !!this.session;
  }

  /** Whether a message would leave at once. @internal */
  get _isWritable(): boolean {
    return !this.interrupted && !this._waiting && this.transport?.isWritable;
  }

  /**
   * Why the server would not take a message of this size, as far as is known now; `undefined` when it would.
   * @internal
   */
  _refusal(data: EngineData): UsageError | undefined {
    const isTextOnly = this.transport.name !== 'websocket' || !!this.opts.forceBase64;
    return refuse(data, this.handshake?.maxPayload, isTextOnly, this.platform.codec);
  }

  /**
   * Sends a message; before the session is open it waits.
   * @param callback called when the message has been given to a transport, or with the reason why the server would
   * not take it (code `ENGINE_ERR_PAYLOAD_LIMIT`), which the event `sendError` tells too.
   */
  write(data: EngineData, options?: WriteOptions, callback?: (error?: UsageError) => void): this {
    return this._write(data, options, callback);
  }

  /**
   * As {@link write}.
   * @param origin by which {@link _undelivered} names the message.
   * @internal
   */
  _write(
    data: EngineData,
    options?: WriteOptions,
    callback?: (error?: UsageError) => void,
    origin?: unknown,
  ): this {
    if (/^clos/.test(this.readyState)) return this;
    if (this.#readings || data instanceof Blob) {
      this.#readings++;
      this.#reading = this.#reading.then(async () => {
        const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
        this.#readings--;
        this.sendPacket(PacketType.message, bytes, options, callback, origin);
        this.settle();
      });
    } else this.sendPacket(PacketType.message, data, options, callback, origin);
    return this;
  }

  /** The same as {@link write}. */
  send(data: EngineData, options?: WriteOptions, callback?: (error?: UsageError) => void): this {
    return this._write(data, options, callback);
  }

  /** Writes a packet behind all others. @internal */
  protected sendPacket(
    type: PacketType,
    data?: Exclude<EngineData, Blob>,
    options?: WriteOptions,
    callback?: (error?: UsageError) => void,
    origin?: unknown,
  ): void {
    if (this.readyState === 'closed') return;
    const refusal = data && this._refusal(data);
    if (refusal) {
      this.emitReserved('sendError', refusal);
      callback?.(refusal);
      return;
    }
    const bytes = typeof data === 'object' ? toBytes(data) : data;
    const compress = options?.compress !== false;
    const packet = Object.assign(new OutgoingPacket(type, bytes, compress), { origin });
    this.emitReserved('packetCreate', { type: packetNames[+type]!, data, options: { compress } });
    this.#enqueue(packet);
    if (callback) this.once('flush', callback);
    this.flush();
  }

  /** Behind all others; what is no message must not wait for messages that there is no room for. */
  #enqueue(packet: OutgoingPacket): void {
    if (isMessage(packet)) {
      this.writeBuffer.push(packet);
      this._waiting++;
    } else this.writeBuffer.splice(-this._waiting || Infinity, 0, packet);
  }

  /** Gives the transport what it takes. @internal */
  protected flush(): void {
    const { handshake, session, transport, writeBuffer } = this;
    const isHeld = this.readyState === 'closed' || this.upgrading || this.interrupted || this.handedOver;
    if (isHeld || !handshake || !transport.isWritable) return;
    const limit = handshake.maxPayload;
    const { length } = writeBuffer;
    // One request may carry no more than one message may.
    const most =
      limit && transport.name !== 'websocket' ? countWithin(writeBuffer, limit, this.platform.codec) : length;
    let end = length - this._waiting;
    while (end < most && session?.send(writeBuffer[end]!, writeBuffer[end]!.data.length) !== false) end++;
    this._waiting = length - end;
    const count = Math.min(end, most);
    if (!count) return;
    this.handedOver = count;
    this.handedOverAtMs = this.clock.nowMs();
    transport.send(writeBuffer.slice(0, count));
    this.emitReserved('flush');
  }

  /** What the transport was given has left. @internal */
  protected forget(): void {
    this.writeBuffer.splice(0, this.handedOver);
    this.handedOver = 0;
  }

  /** The transport takes packets again. @internal */
  protected drained(): void {
    this.forget();
    const { session, transport } = this;
    // docs/protocol/session.md, "polling": the answer to a POST confirms what was in it, or nothing of it was taken.
    if (session && transport.name !== 'websocket') {
      if (session.confirmed < this.nextUnsent) {
        this.lost('transport error', { description: 'nothing taken' });
        return;
      }
    }
    if (this.writeBuffer.length) this.flush();
    else {
      this.emitReserved('drain');
      this.settle();
    }
  }

  /** Ends a closing session once nothing is under way. @internal */
  protected settle(): void {
    if (this.readyState === 'closing' && !this.writeBuffer.length && !this.#readings && !this.upgrading) {
      this.end('forced close');
    }
  }

  /** Where each request for messages tells it, there is no need to. @internal */
  protected tellCount(): void {
    if (/poll/.test(this.transport.name)) return;
    this.#enqueue(new OutgoingPacket(PacketType.count, String(this.session!.tellCount())));
  }

  /** Index of the first message that the transport has not passed on; only in a session. @internal */
  protected get nextUnsent(): number {
    const { session, writeBuffer, _waiting: waiting } = this;
    return session!.nextIndex - writeBuffer.slice(0, writeBuffer.length - waiting).filter(isMessage).length;
  }

  /** What no transport was ever given. @internal */
  protected get unsent(): OutgoingPacket[] {
    return this.writeBuffer.slice(-this._waiting || Infinity);
  }

  /**
   * What was sent and is not confirmed, and what never left, in order; only in a session.
   * @internal
   */
  _undelivered(): [sent: OriginalPacket[], unsent: OriginalPacket[]] | undefined {
    const { session } = this;
    return session && [session.messagesFrom(session.confirmed), this.unsent];
  }
}
