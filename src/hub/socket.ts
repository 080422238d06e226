/**
 * What: a client in one namespace, on the server: how it enters and leaves, and what it receives.
 * Must not know: transports, encoding, the members of rooms, or how it sends (socket-sender.ts).
 */
import type { IncomingMessage } from 'node:http';
import type { DefaultEventsMap, EventNames, EventsMap, Untyped } from '../base/typed-events.ts';
import type { AuthBeside } from '../contract/contract-types.ts';
import type { Socket as EngineSocket } from '../engine/server/session.ts';
import { EventIterator, type EventsOptions } from '../streams/event-iterator.ts';
import type { EventSocket } from '../streams/event-socket.ts';
import { readStreamMessage, STREAM_EVENT } from '../streams/message.ts';
import { refusalOf } from '../streams/stream-error.ts';
import { type AnyStreamHandler, type OnStreamOptions, StreamPeer } from '../streams/stream-peer.ts';
import type { IteratedArgs, StreamHandler, StreamNames } from '../streams/typed-streams.ts';
import type { OutgoingPacket } from '../wire/engine/packet.ts';
import { isEvent } from '../wire/events/codec.ts';
import {
  type AckPacket,
  type EventArguments,
  type EventPacket,
  OUTBOX,
  type Packet,
  PacketType,
} from '../wire/events/packet.ts';
import type { Room, Session, SocketId } from './adapter.ts';
import { type Client, throwLater } from './client.ts';
import { type DisconnectReason, reasonsOfOurs, recoverableReasons } from './disconnect-reason.ts';
import { EventGate } from './event-gate.ts';
import { refuseBacklogged } from './event-guard.ts';
import { buildHandshake, type Handshake } from './handshake.ts';
import { createId } from './identifier.ts';
import type { Namespace } from './namespace.ts';
import { laneKey } from './outbox-receipts.ts';
import { type Ack, SocketSender } from './socket-sender.ts';

/** An event as middlewares see it: its name, then its arguments, the acknowledgement callback last. */
export type Event = [event: string, ...args: Untyped[]];

/** The events that a socket reports by itself. */
export interface SocketReservedEventsMap {
  /**
   * The client has lost its connection and may come back within the window of its session. Until then the socket
   * stays `connected`, with its rooms, and what is emitted waits for the client. Only with clients of Tautline's.
   */
  interrupted: (reason: DisconnectReason, description?: unknown) => void;
  /** The client is back, after `gapMs` milliseconds, and gets what has waited. */
  resumed: (gapMs: number) => void;
  /**
   * The socket has left, and its rooms with it. With a client of Tautline's, `description` is a `SessionOutcome` where
   * its session is over: it tells what the client has not confirmed.
   */
  disconnect: (reason: DisconnectReason, description?: unknown) => void;
  /** The socket is leaving; `rooms` still holds what it was in. */
  disconnecting: (reason: DisconnectReason, description?: unknown) => void;
  /** A middleware refused an event, or the peer sent what it may not. */
  error: (err: Error) => void;
}

/** A socket whose events are not known here. */
export type AnySocket = Socket<Untyped, Untyped, Untyped, Untyped>;

type Middleware = (event: Event, next: (err?: Error) => void) => void;

/** Where a socket stands: its middlewares run; it is in its namespace; its listeners are told; it is gone. */
const State = { entering: 0, connected: 1, leaving: 2, gone: 3 } as const;
type State = (typeof State)[keyof typeof State];

const loadedAt = Date.now();

/**
 * A client in a namespace.
 *
 * There are as many as there are clients, so what an idle one does not need is made on first use.
 */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends SocketSender<ListenEvents, EmitEvents, SocketReservedEventsMap, ServerSideEvents, SocketData> {
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly client: Client;
  /** Identifies the socket, and is a room with only this socket in it. Not the session's id, which is a secret. */
  readonly id: SocketId;
  /** Whether the socket has come back with its id, rooms and data (connection state recovery). */
  readonly recovered: boolean;
  /** The client's secret for coming back; only with connection state recovery. */
  readonly #pid: string | undefined;
  readonly #auth: Record<string, Untyped> | undefined;
  /** Since this module was loaded, in ms: a number so small that it takes no memory of its own. */
  readonly #issuedMs = Math.trunc(Date.now() - loadedAt);
  #state: State = State.entering;
  #missed: Session | null;
  #handshake: Handshake | null = null;
  #data: SocketData | undefined;
  #middlewares: Middleware[] | null = null;
  /** By event name; where iterators were made. */
  #gates: Map<string, EventGate> | null = null;

  /** @internal */
  constructor(
    nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    client: Client,
    auth: Record<string, Untyped> | undefined,
    session: Session | null = null,
  ) {
    super();
    this.nsp = nsp;
    this.client = client;
    this.#auth = auth;
    this.recovered = session !== null;
    this.#missed = session;
    if (session !== null) {
      this.id = session.sid;
      this.#pid = session.pid;
      this.#data = session.data as SocketData;
      this.join(session.rooms);
    } else {
      this.id = createId();
      this.#pid = nsp.server._opts.connectionStateRecovery ? createId() : undefined;
      this.#data = undefined;
    }
  }

  /** What is known of the opening of the connection, and the credentials that the client gave. */
  get handshake(): Handshake<AuthBeside<SocketData>> {
    const { request, remoteAddress } = this.client.peer;
    this.#handshake ??= buildHandshake(request, remoteAddress, loadedAt + this.#issuedMs, this.#auth ?? {});
    return this.#handshake as Handshake<AuthBeside<SocketData>>;
  }

  /** Whatever the application wants to keep with the socket; `fetchSockets()` shows it. */
  get data(): SocketData {
    this.#data ??= {} as SocketData;
    return this.#data;
  }

  set data(value: SocketData) {
    this.#data = value;
  }

  /** Whether the socket is in its namespace. */
  get connected(): boolean {
    return this.#state === State.connected || this.#state === State.leaving;
  }

  /** The opposite of {@link connected}. */
  get disconnected(): boolean {
    return !this.connected;
  }

  /** The request that opened the connection. */
  get request(): IncomingMessage {
    return this.client.request;
  }

  /** The session under the socket. */
  get conn(): EngineSocket {
    return this.client.conn;
  }

  protected get isGone(): boolean {
    return this.#state === State.gone;
  }

  /** The rooms that the socket is in, its own id among them. */
  get rooms(): Set<Room> {
    return this.nsp.adapter.socketRooms(this.id) ?? new Set();
  }

  /** Joins rooms. With an adapter that asks others, the promise tells when it is done. */
  join(rooms: Room | Room[]): Promise<void> | void {
    // One who has left would be in rooms for ever.
    if (this.#state === State.gone) return;
    return this.nsp.adapter.addAll(this.id, new Set(Array.isArray(rooms) ? rooms : [rooms]));
  }

  /** Leaves a room. */
  leave(room: Room): Promise<void> | void {
    return this.nsp.adapter.del(this.id, room);
  }

  /** Leaves all rooms, its own among them. */
  leaveAll(): void {
    this.nsp.adapter.delAll(this.id);
  }

  /**
   * Leaves the namespace; with `close` every socket of the connection leaves, and the connection closes.
   * The client does not come back by itself.
   */
  disconnect(close = false): this {
    if (!this.connected) return this;
    if (close) {
      this.client.disconnect();
    } else {
      this.client.sendPacket({ type: PacketType.disconnect, nsp: this.nsp.name });
      this.end('server namespace disconnect', undefined);
    }
    return this;
  }

  /**
   * Adds a function that sees each event before its listeners, and may refuse it with `next(err)`. A stream that the
   * client asks for is seen as the event of its name; refused, it fails there with `STREAM_ERR_REFUSED`.
   */
  use(middleware: (event: Event, next: (err?: Error) => void) => void): this {
    this.#middlewares = [...(this.#middlewares ?? []), middleware];
    return this;
  }

  /**
   * The client's events of one name for `for await`, from now on, each as the list of its arguments.
   *
   * From `holdAt` unread ones on, those that follow are held up; other events, answers and streams pass them. Where much
   * waits, the client has to wait, too: its connection is not read then, or its POST not answered. It ends with the
   * socket, after what had come before.
   * @throws {UsageError} `EVENTS_ERR_LIMIT`: an option is wrong.
   */
  events<Name extends EventNames<ListenEvents>>(
    event: Name,
    options?: EventsOptions,
  ): EventIterator<IteratedArgs<ListenEvents, Name>> {
    const name = String(event);
    return new EventIterator(this as unknown as EventSocket, name, options, this.#gateOf(name));
  }

  #gateOf(name: string): EventGate {
    this.#gates ??= new Map();
    let gate = this.#gates.get(name);
    if (gate === undefined) {
      gate = new EventGate({
        backlog: this.client.backlog,
        pass: (event) => void this.emitUntyped(event),
        refuse: (event) => refuseBacklogged(this as unknown as AnySocket, event),
      });
      this.#gates.set(name, gate);
    }
    return gate;
  }

  /**
   * Answers the client's `stream(event, ...)`: what the handler yields goes there, as fast as it is read.
   * @param handler given the arguments and `{ signal }`, which is aborted when the client wants no more or is gone.
   */
  onStream<Name extends StreamNames<ListenEvents>>(
    event: Name,
    handler: StreamHandler<ListenEvents, Name>,
    options?: OnStreamOptions,
  ): this {
    StreamPeer.of(this as unknown as EventSocket).answer(
      String(event),
      handler as unknown as AnyStreamHandler,
      options,
    );
    return this;
  }

  /** Takes part in a broadcast that was encoded once for all. @internal */
  deliver(packet: EventPacket, packets: readonly OutgoingPacket[], isVolatile: boolean): void {
    // A listener for what is sent may have made others leave that were selected before.
    if (this.#state === State.gone) return;
    this.notifyOutgoingListeners(packet);
    this.client.sendEncoded(packets, isVolatile);
  }

  /** The middlewares have let the socket in: it joins its own room and tells the client. @internal */
  enter(): void {
    this.#state = State.connected;
    this.join(this.id);
    const missed = this.#missed;
    this.#missed = null;
    const { name } = this.nsp;
    // Socket.IO 4, "Connection state recovery": what was missed comes before the answer to CONNECT.
    for (const data of missed?.missedPackets ?? []) {
      this.client.sendPacket({ type: PacketType.event, nsp: name, data: data as EventArguments });
    }
    const data = this.#pid === undefined ? { sid: this.id } : { sid: this.id, pid: this.#pid };
    this.client.sendPacket({ type: PacketType.connect, nsp: name, data });
  }

  /** A middleware has refused the socket, or its connection is gone: nothing of it may stay. @internal */
  refuse(error: (Error & { data?: unknown }) | null): void {
    // Once: another socket may have taken up the session, and be in the rooms under the same id.
    if (this.#state !== State.gone) this.leaveAll();
    this.#state = State.gone;
    if (error === null) return;
    const data = { message: error.message, data: error.data };
    this.client.sendPacket({ type: PacketType.connectError, nsp: this.nsp.name, data });
  }

  /** A packet of this namespace from the client. @internal */
  receivePacket(packet: Packet): void {
    switch (packet.type) {
      case PacketType.event:
      case PacketType.binaryEvent:
        this.#receiveEvent(packet);
        break;
      case PacketType.ack:
      case PacketType.binaryAck:
        this.receiveAck(packet.id, packet.data);
        break;
      case PacketType.disconnect:
        this.end('client namespace disconnect', undefined);
    }
  }

  /** docs/protocol/outbox.md: a question for the count of a lane, or an event with its place in it. */
  #receiveKept(packet: EventPacket): void {
    const { nsp, client } = this;
    const receipts = nsp.server._receipts;
    const [, lane, index] = packet.data;
    const isQuestion = packet.data.length === 2;
    const key = laneKey(nsp.name, lane);
    const event: unknown = packet.data.slice(3);
    if (isQuestion && key !== null && packet.id !== undefined) {
      const answer = this.#createAck(packet.id);
      if (receipts === null) answer(false);
      else receipts.count(key).then(answer, throwLater);
    } else {
      const mayPass = key !== null && isEvent(event) && event[0] !== OUTBOX;
      const isNew = mayPass ? (receipts?.take(client, key, index) ?? null) : null;
      // This peer does not keep the protocol.
      if (isNew === null) client.close();
      else if (isNew) this.#receiveEvent({ ...packet, data: event as EventArguments });
    }
  }

  #receiveEvent(packet: EventPacket): void {
    const { data } = packet;
    if (data[0] === OUTBOX) {
      this.#receiveKept(packet);
      return;
    }
    if (packet.id !== undefined) data.push(this.#createAck(packet.id));
    const { intake } = this.nsp;
    if (intake === null) this.#pass(data);
    else intake.take(this as unknown as AnySocket, data);
  }

  /** An event that the namespace's guards have let through. @internal */
  passEvent(data: EventArguments): void {
    if (this.#state === State.connected) this.#pass(data);
  }

  #pass(data: EventArguments): void {
    if (data[0] === STREAM_EVENT) {
      this.#passStream(data);
      return;
    }
    this.notifyIncomingListeners(data);
    if (this.#middlewares === null) this.#dispatch(data);
    else this.#runMiddlewares(data, this.#middlewares, 0, () => this.#dispatch(data));
  }

  /** Who looks at events sees a stream that is asked for as the event of its name, and nothing of what it says then. */
  #passStream(data: EventArguments): void {
    const message = readStreamMessage(data.slice(1));
    if (message?.[0] !== 'open') {
      this.#dispatch(data);
      return;
    }
    const [, id, name, credit, args] = message;
    const event: EventArguments = [name, ...args];
    this.notifyIncomingListeners(event);
    if (this.#middlewares === null) {
      this.#dispatch(data);
      return;
    }
    const streams = StreamPeer.of(this as unknown as EventSocket);
    if (!streams.expect(id)) return;
    this.#runMiddlewares(
      event,
      this.#middlewares,
      0,
      // As with events, they may have changed what comes after them.
      () => this.#dispatch([STREAM_EVENT, 'open', id, String(event[0]), credit, event.slice(1)]),
      (error) => streams.fail(id, refusalOf(name, error)),
    );
  }

  #runMiddlewares(
    data: EventArguments,
    middlewares: readonly Middleware[],
    index: number,
    passed: () => void,
    refused?: (error: Error) => void,
  ): void {
    const middleware = middlewares[index];
    if (middleware === undefined) {
      passed();
      return;
    }
    middleware.call(this, data as Event, (err) => {
      if (err) {
        refused?.(err);
        this.reportError(err);
      } else this.#runMiddlewares(data, middlewares, index + 1, passed, refused);
    });
  }

  #dispatch(data: EventArguments): void {
    if (this.#state !== State.connected) return;
    // The peer may call an event `error`; Node's emitters throw when nobody listens to that.
    if (data[0] === 'error' && this.listenerCount('error') === 0) return;
    if (this.#gates?.get(String(data[0]))?.take(data)) return;
    this.emitUntyped(data);
  }

  #createAck(id: number): Ack {
    let isSent = false;
    return (...data) => {
      if (isSent || this.#state === State.gone) return;
      isSent = true;
      const packet: AckPacket = {
        type: PacketType.ack,
        nsp: this.nsp.name,
        data,
        id,
        attachments: undefined,
      };
      this.client.sendPacket(packet);
    };
  }

  /** Tells the application of an error that concerns this socket; without a listener nothing happens. @internal */
  reportError(error: Error): void {
    if (this.listenerCount('error') === 0) return;
    this.emitReserved('error', error);
  }

  /** @internal */
  interrupted(reason: DisconnectReason, description: unknown): void {
    this.nsp._presence?.interrupted(this, true);
    if (this.#state === State.connected) this.emitReserved('interrupted', reason, description);
  }

  /** @internal */
  resumed(gapMs: number): void {
    this.nsp._presence?.interrupted(this, false);
    if (this.#state === State.connected) this.emitReserved('resumed', gapMs);
  }

  /** Leaves the namespace without telling the client. Once only. @internal */
  end(reason: DisconnectReason, description: unknown): void {
    if (this.#state !== State.connected) return;
    const { adapter, server } = this.nsp;
    for (const gate of this.#gates?.values() ?? []) {
      if (reasonsOfOurs.has(reason)) gate.drop();
      else gate.end();
    }
    // A listener of what waited may have ended it.
    if (this.#state !== State.connected) return;
    this.#state = State.leaving;
    try {
      this.emitReserved('disconnecting', reason, description);
    } finally {
      if (this.#pid !== undefined && server._opts.connectionStateRecovery && recoverableReasons.has(reason)) {
        const rooms = [...this.rooms];
        adapter.persistSession({ sid: this.id, pid: this.#pid, rooms, data: this.data });
      }
      this.leaveAll();
      this.#state = State.gone;
      this.nsp.remove(this);
      this.client.remove(this as unknown as AnySocket);
    }
    this.emitReserved('disconnect', reason, description);
  }
}
