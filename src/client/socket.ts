/**
 * What: a client's socket in one namespace: events with acknowledgements, buffers, retries, recovery.
 * Must not know: transports, how packets are written, or when the connection comes back.
 */
import { PeerError, UsageError } from '../base/errors.ts';
import type { Timer } from '../base/port.ts';
import type {
  AllButLast,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  Untyped,
} from '../base/typed-events.ts';
import type { WriteOptions } from '../engine/client/events.ts';
import {
  type EventArguments,
  OUTBOX,
  type Packet,
  PacketType,
  reservedEvents,
} from '../wire/events/packet.ts';
import { CatchAllEmitter } from './catch-all-emitter.ts';
import type { ExtendedError, SocketDisconnectReason, SocketReservedEvents } from './events.ts';
import type { Manager } from './manager.ts';
import type {
  Auth,
  DisconnectDescription,
  KeptSocket,
  OutgoingEvent,
  SocketOptions,
  SocketOutbox,
} from './options.ts';

interface Flags {
  compress?: boolean;
  volatile?: boolean;
  timeout?: number;
  fromQueue?: boolean;
}

/** What is called with an acknowledgement. @internal */
export type Ack = ((...args: unknown[]) => void) & {
  /** Whether the first argument is an error or null. */
  withError?: boolean;
};

/** Of `sendBufferLimit` by default, and at least of what waits in a session. */
const LEAST_LIMIT = 100_000;

type OutgoingPacket = Packet & { options?: WriteOptions };

interface QueuedPacket {
  readonly args: EventArguments;
  readonly flags: Flags;
  tryCount: number;
  isPending: boolean;
}

/**
 * A socket in a namespace of a server. `io()` makes them.
 *
 * What is emitted before it is connected waits, in order.
 */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends CatchAllEmitter<ListenEvents, EmitEvents, SocketReservedEvents> {
  declare readonly io: Manager<ListenEvents, EmitEvents>;
  /** The name of the namespace. */
  declare readonly nsp: string;
  /** Known while connected; a new one after each reconnection that was not recovered. */
  id: string | undefined;
  connected = false;
  /** Whether the last reconnection brought back the socket's rooms and missed events. */
  recovered = false;
  declare auth: Auth | undefined;
  /** What came before the socket was connected. */
  receiveBuffer: (readonly unknown[])[] = [];
  /** What was emitted while the socket was not connected. */
  sendBuffer: OutgoingPacket[] = [];
  /** How many of them have left, while they are being sent. */
  #sentFromBuffer = 0;
  /** Callbacks of acknowledgements by packet id. @internal */
  readonly acks: Record<number, Ack> = {};
  /** With `retries`: what is not yet acknowledged, in order; the first one is under way. @internal */
  readonly _queue: QueuedPacket[] = [];

  /** Told of each event that wants an answer, by what looks at answers. @internal */
  declare _asked?: (packet: OutgoingPacket) => void;
  readonly #opts: Partial<SocketOptions>;
  readonly #outbox: SocketOutbox | undefined;
  #flags: Flags = {};
  #ids = 0;
  #pid: string | undefined;
  #lastOffset: string | undefined;

  constructor(io: Manager<ListenEvents, EmitEvents>, nsp: string, opts?: Partial<SocketOptions>) {
    super();
    this.io = io;
    this.nsp = nsp;
    this.#opts = { ...opts };
    this.auth = opts?.auth;
    this.#outbox = opts?.outbox?.attach(this as unknown as KeptSocket);
    if (io._autoConnect) this.connect();
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  /** Whether the socket connects by itself when its connection is (re)established. */
  get active(): boolean {
    return this.io._active.has(this);
  }

  /** Connects, if it was disconnected or `autoConnect` is off. */
  connect(): this {
    const { io } = this;
    if (this.connected) return this;
    io._active.add(this);
    if (!io._reconnecting) io.open();
    if (io._readyState === 'open') this._opened();
    return this;
  }

  /** The same as {@link connect}. */
  open(): this {
    return this.connect();
  }

  /** Sends an event named `message`. */
  send(...args: unknown[]): this {
    return this.#emit(['message', ...args]);
  }

  /**
   * Sends an event; a function as last argument is called with the server's acknowledgement.
   * @throws {Error} when the name is reserved; what JSON.stringify throws.
   */
  override emit<Name extends EventNames<EmitEvents>>(
    event: Name,
    ...args: EventParams<EmitEvents, Name>
  ): this {
    return this.#emit([event as string, ...args]);
  }

  /**
   * Sends an event and resolves to the first argument of its acknowledgement.
   * Rejects when the time limit passes, or when the connection is lost before the acknowledgement came.
   */
  emitWithAck<Name extends EventNamesWithAck<EmitEvents>>(
    event: Name,
    ...args: AllButLast<EventParams<EmitEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>> {
    return new Promise((resolve, reject) => {
      const ack: Ack = (error, value) => {
        if (error) reject(error);
        else resolve(value as never);
      };
      ack.withError = true;
      this.#emit([event as string, ...args, ack]);
    });
  }

  #emit(args: EventArguments): this {
    if (reservedEvents.has(args[0])) throw new Error(`"${args[0]}" is a reserved event name`);
    const flags = this.#flags;
    const outbox = !flags.volatile && args[0] !== OUTBOX && this.#outbox;
    if (this.#opts.retries && !this.#outbox && !flags.fromQueue && !flags.volatile) {
      this.#enqueue(args);
      return this;
    }
    this.#flags = {};
    const packet: OutgoingPacket = {
      type: PacketType.event,
      nsp: this.nsp,
      data: args,
      options: { compress: flags.compress !== false },
    };
    if (typeof args.at(-1) === 'function') {
      packet.id = this.#ids++;
      this.#registerAck(packet.id, args.pop() as Ack, flags.timeout ?? this.#opts.ackTimeout);
      this._asked?.(packet);
    }
    if (outbox) {
      const refusal = outbox.push(packet);
      if (refusal) this.#refuse(packet, refusal);
      return this;
    }
    const { engine } = this.io;
    const isLive = this.connected && !engine._hasPingExpired();
    if (flags.volatile && !(isLive && engine._isWritable)) return this;
    const { sendBufferLimit = LEAST_LIMIT } = this.#opts;
    // What is emitted in one turn waits for its end, and must not be refused for that.
    const value = isLive ? Math.max(sendBufferLimit, LEAST_LIMIT) : sendBufferLimit;
    if ((isLive ? engine._waiting : this.sendBuffer.length) >= value) {
      const limit = { name: 'sendBufferLimit', value };
      const message = `${value} messages wait for the connection already (sendBufferLimit).`;
      this.#refuse(packet, new UsageError(message, { code: 'EMIT_ERR_BUFFER_FULL', limit }));
    } else if (isLive) this.#sendEvent(packet);
    else this.sendBuffer.push(packet);
    return this;
  }

  #registerAck(id: number, ack: Ack, timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) {
      this.acks[id] = ack;
      return;
    }
    const timer: Timer = this.io._clock.setTimer(timeoutMs, () => {
      delete this.acks[id];
      // Nobody waits for it any more.
      this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
      ack.call(this, new Error('operation has timed out'));
    });
    const timed: Ack = (...args) => {
      timer.cancel();
      ack.apply(this, args);
    };
    timed.withError = true;
    this.acks[id] = timed;
  }

  /** With `retries`: one packet at a time, again under a new id until it is acknowledged. */
  #enqueue(args: EventArguments): void {
    const ack = typeof args.at(-1) === 'function' ? (args.pop() as Ack) : undefined;
    const flags = { ...this.#flags, fromQueue: true };
    const entry: QueuedPacket = { args, flags, tryCount: 0, isPending: false };
    const answered: Ack = (error, ...response) => {
      // The answer to an attempt that was given up before.
      if (entry !== this._queue[0]) return;
      const isTooLarge = !!(error as Partial<UsageError> | null)?.limit;
      if (!error || isTooLarge || entry.tryCount > this.#opts.retries!) {
        this._queue.shift();
        ack?.(error, ...response);
      }
      entry.isPending = false;
      this.#drainQueue();
    };
    answered.withError = true;
    args.push(answered);
    this.#flags = {};
    this._queue.push(entry);
    this.#drainQueue();
  }

  #drainQueue(isForced = false): void {
    const [first] = this._queue;
    if (!this.connected || !first || (first.isPending && !isForced)) return;
    first.isPending = true;
    first.tryCount++;
    this.#flags = first.flags;
    this.#emit([...first.args]);
  }

  #sendEvent(packet: OutgoingPacket): void {
    if (packet.data![0 as never] !== OUTBOX) this.tellOutgoing(packet.data as EventArguments);
    this.#send(packet);
  }

  /** @internal */
  _sendKept(packet: OutgoingEvent, head: readonly unknown[]): boolean {
    this.tellOutgoing(packet.data);
    return this.#send({ ...packet, data: [...head, ...packet.data] as EventArguments });
  }

  #send(packet: OutgoingPacket): boolean {
    const refusal = this.io._packet(packet);
    if (refusal) this.#refuse(packet, refusal);
    return !refusal;
  }

  #refuse(packet: OutgoingPacket, refusal: UsageError): void {
    const ack = this.acks[packet.id!];
    const isAnswer = packet.type === PacketType.ack;
    if (!isAnswer) delete this.acks[packet.id!];
    // Later: nobody expects an answer before `emit` has returned.
    queueMicrotask(() => {
      if (!isAnswer && ack?.withError) ack.call(this, refusal);
      else if (!this.hasListeners('send_error')) console.error(refusal);
      this.emitReserved('send_error', refusal, packet.data as readonly unknown[]);
    });
  }

  /** The connection is open: enter the namespace. @internal */
  _opened(): void {
    if (typeof this.auth === 'function') this.auth((data) => this.#sendConnect(data));
    else this.#sendConnect(this.auth);
  }

  #sendConnect(auth: object | undefined): void {
    // Connection state recovery: who we were, and what we have seen last.
    const data = this.#pid ? { pid: this.#pid, offset: this.#lastOffset, ...auth } : auth;
    this.#send({ type: PacketType.connect, nsp: this.nsp, data: data as Record<string, unknown> });
  }

  /** The connection could not be opened, or fails. @internal */
  _failed(error: Error): void {
    if (!this.connected) this.emitReserved('connect_error', error);
  }

  /** What was emitted and has never left goes before what was emitted later. @internal */
  _postpone(packets: readonly Packet[]): void {
    const events = packets.filter(({ type }) => type === PacketType.event || type === PacketType.binaryEvent);
    const later = this.sendBuffer.slice(this.#sentFromBuffer);
    this.sendBuffer = this.#outbox ? later : [...events, ...later];
    this.#sentFromBuffer = 0;
  }

  /** Sends what has waited. A listener that is told of it may disconnect; then the rest waits for the next session. */
  #emptyBuffer(): void {
    while (this.connected && this.#sentFromBuffer < this.sendBuffer.length) {
      const packet = this.sendBuffer[this.#sentFromBuffer++]!;
      try {
        this.#sendEvent(packet);
      } catch (error) {
        // It cannot be written, of which `emit` could not tell; what waits behind it can.
        this.#refuse(packet, error as UsageError);
      }
    }
    this._postpone([]);
  }

  /** What happens to the session. @internal */
  _tell(event: 'interrupted' | 'resumed' | 'violation', args: readonly unknown[]): void {
    this.dispatch(event, args);
  }

  /** The connection is closed. @internal */
  _closed(reason: string, description?: DisconnectDescription): void {
    this.connected = false;
    this.id = undefined;
    this.emitReserved('disconnect', reason as SocketDisconnectReason, description);
    // What was sent will not be acknowledged; what waits to be sent may be.
    for (const id of Object.keys(this.acks)) {
      if (this.#outbox?.holds(+id) || this.sendBuffer.some((packet) => packet.id === +id)) continue;
      const ack = this.acks[+id]!;
      delete this.acks[+id];
      if (ack.withError) ack.call(this, new Error('socket has been disconnected'));
    }
  }

  /** Takes a packet of this namespace. @internal */
  onpacket(packet: Packet): void {
    switch (packet.type) {
      case PacketType.connect:
        this.#connected(packet.data);
        break;
      case PacketType.event:
      case PacketType.binaryEvent:
        this.#received(packet.data, packet.id);
        break;
      case PacketType.ack:
      case PacketType.binaryAck: {
        const ack = this.acks[packet.id];
        if (typeof ack !== 'function') break;
        delete this.acks[packet.id];
        ack.apply(this, ack.withError ? [null, ...packet.data] : packet.data);
        break;
      }
      case PacketType.disconnect:
        this.#destroy();
        this._closed('io server disconnect');
        break;
      case PacketType.connectError: {
        this.#destroy();
        const { message, data } = packet.data as { message: string; data?: Untyped };
        // What is no text, nor ought to be one, may be what no text can be made of.
        const error: ExtendedError = new Error(typeof message === 'string' ? message : '');
        error.data = data;
        this.emitReserved('connect_error', error);
      }
    }
  }

  #connected(data: Readonly<Record<string, unknown>> | undefined): void {
    const { sid, pid } = (data ?? {}) as { sid?: string; pid?: string };
    if (!sid) {
      this.emitReserved(
        'connect_error',
        new PeerError(
          'It seems you are trying to reach a Socket.IO server in v2.x with a v3.x client, but they are not compatible (more information here: https://socket.io/docs/v3/migrating-from-2-x-to-3-0/)',
          { code: 'EVENT_ERR_VERSION' },
        ),
      );
      return;
    }
    this.id = sid;
    this.recovered = !!pid && this.#pid === pid;
    this.#pid = pid;
    this.connected = true;
    for (const args of this.receiveBuffer.splice(0)) this.#deliver(args);
    this.#emptyBuffer();
    if (!this.connected) return;
    this.#drainQueue(true);
    this.#outbox?.connected();
    this.emitReserved('connect');
  }

  #received(data: readonly unknown[], id: number | undefined): void {
    const args = [...data];
    if (id !== undefined) {
      let isSent = false;
      args.push((...answer: unknown[]) => {
        // Answering twice would confuse the server.
        if (isSent) return;
        isSent = true;
        this.#send({ type: PacketType.ack, nsp: this.nsp, id, data: answer });
      });
    }
    if (this.connected) this.#deliver(args);
    else this.receiveBuffer.push(Object.freeze(args));
  }

  #deliver(args: readonly unknown[]): void {
    this.tellAny(args);
    this.dispatch(args[0], args.slice(1));
    const offset = args.at(-1);
    if (this.#pid && typeof offset === 'string') this.#lastOffset = offset;
  }

  #destroy(): void {
    this.io._destroy(this);
  }

  /** Leaves the namespace; it is not entered again before `connect()`. */
  disconnect(): this {
    const { connected } = this;
    if (connected) this.#send({ type: PacketType.disconnect, nsp: this.nsp });
    this.#destroy();
    if (connected) this._closed('io client disconnect');
    return this;
  }

  /** The same as {@link disconnect}. */
  close(): this {
    return this.disconnect();
  }

  /** Whether the next event may be compressed. */
  compress(compress: boolean): this {
    this.#flags.compress = compress;
    return this;
  }

  /** The next event is dropped if it cannot leave at once. */
  get volatile(): this {
    this.#flags.volatile = true;
    return this;
  }

  /** The acknowledgement of the next event gets an error first: one after `timeoutMs`, else null. */
  timeout(timeoutMs: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>> {
    this.#flags.timeout = timeoutMs;
    return this as unknown as Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>>;
  }
}

// Named as in socket.io-client, where the type is a member of the class.
export declare namespace Socket {
  /** Why a socket was disconnected; after the first two it does not reconnect by itself. */
  type DisconnectReason = SocketDisconnectReason;
}
