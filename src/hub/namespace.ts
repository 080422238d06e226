/**
 * What: a namespace: its sockets, the middlewares that let them in, and broadcasts to all of them.
 * Must not know: connections, transports, HTTP, or how a namespace is found by name (hub.ts).
 */

import { type EventRefusal, RefusedError } from '../base/refusal.ts';
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
  Untyped,
} from '../base/typed-events.ts';
import type { Contract } from '../contract/contract.ts';
import type { ContractSpec, DataOf, ServerEmits, ServerListens } from '../contract/contract-types.ts';
import { type EventPacket, PacketType } from '../wire/events/packet.ts';
import type { Adapter, Room, Session, SocketId } from './adapter.ts';
import { BroadcastOperator, type RemoteSocket } from './broadcast-operator.ts';
import { type Client, throwLater } from './client.ts';
import { ContractGuard, type ContractOptions } from './contract-guard.ts';
import { StrictEventEmitter } from './emitter.ts';
import type { EventGuard, GuardedAuth } from './event-guard.ts';
import { GuardedIntake } from './guarded-intake.ts';
import { History, type HistoryLimits, type RoomHistory } from './history.ts';
import type { Hub } from './hub.ts';
import { Presence, type RoomPresence } from './presence.ts';
import { Socket } from './socket.ts';

/** An error with which a middleware refuses a socket; `data` goes to the client. */
export interface ExtendedError extends Error {
  data?: Untyped;
}

/** The events that a namespace reports by itself. */
export interface NamespaceReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  /** A socket has entered. */
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  /** The same. */
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  /** A client sent an event or an answer that does not keep the contract. It went no further; the client was told. */
  violation: (
    socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    refusal: EventRefusal,
  ) => void;
}

/** The events that a server reports by itself. */
export interface ServerReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** A namespace other than `/` was made. */
  new_namespace: (namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/** Lets a socket in with `next()`, or refuses it with `next(err)`. */
export type NamespaceMiddleware<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> = (
  socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  next: (err?: ExtendedError) => void,
) => void;

/** A namespace whose events are not known here. */
export type AnyNamespace = Namespace<Untyped, Untyped, Untyped, Untyped>;

/** What other servers may not be told under the name of one's own events. */
const reservedServerEvents: ReadonlySet<unknown> = new Set(['connect', 'connection', 'new_namespace']);

/** Clients that talk about one thing; one connection can be in many namespaces. */
export class Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends StrictEventEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** The name, with its slash. */
  readonly name: string;
  readonly server: Hub<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The sockets that the middlewares have let in, by id. */
  readonly sockets = new Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
  /** Who is in which room. */
  adapter!: Adapter;
  /** The id of the next packet that wants an answer; adapters count on with it. @internal */
  _ids = 0;
  /** What looks at events first; null where nothing does. @internal */
  intake: GuardedIntake | null = null;
  /** How many events and answers of clients did not keep the contract. */
  violations = 0;
  /** How often a guard has thrown, so that an event, an answer or a client was refused: `EVENT_ERR_GUARD_FAILED`. */
  guardFailures = 0;
  /** Told when the last socket has gone, those that are entering included. @internal */
  onEmpty: (() => void) | null = null;
  /** Who is here, once somebody has asked. @internal */
  _presence: Presence | null = null;
  #history: History | null = null;
  #middlewares: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>[] = [];
  #entering = 0;

  /** @internal */
  constructor(server: Hub<ListenEvents, EmitEvents, ServerSideEvents, SocketData>, name: string) {
    super();
    this.server = server;
    this.name = name;
    this._initAdapter();
  }

  /** Makes the adapter, anew when the server was given another kind. @internal */
  _initAdapter(): void {
    this.adapter = this.server.createAdapter(this as unknown as AnyNamespace);
    const ready = this.adapter.init();
    if (ready instanceof Promise) ready.catch(throwLater);
  }

  /** Adds a function that decides whether a socket may enter. */
  use(middleware: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this.#middlewares.push(middleware);
    return this;
  }

  /**
   * Adds what looks at clients' events before anybody else does, behind those that are there.
   * @throws {UsageError} `GUARD_ERR_SHAPE`: it is no guard.
   */
  guard(guard: EventGuard): this {
    this.intake ??= new GuardedIntake(() => {
      this.guardFailures++;
    });
    this.intake.add(guard);
    return this;
  }

  /**
   * Types the namespace by a contract, and validates what its clients send before anybody sees it: events, answers to
   * ours, streams. Who breaks it is told; it is counted in {@link violations}, and `violation` is emitted.
   */
  contract<Spec extends ContractSpec>(
    contract: Contract<Spec>,
    options?: ContractOptions,
  ): Namespace<ServerListens<Spec>, ServerEmits<Spec>, ServerSideEvents, DataOf<Spec>> {
    this.guard(new ContractGuard(contract, options));
    return this as unknown as Namespace<
      ServerListens<Spec>,
      ServerEmits<Spec>,
      ServerSideEvents,
      DataOf<Spec>
    >;
  }

  /** The middlewares, for the children of a parent. @internal */
  get middlewares(): readonly NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>[] {
    return this.#middlewares;
  }

  /**
   * Lets a client enter: its session is looked up, the middlewares are asked.
   * @param done told the socket, or null when it was refused or its connection has gone.
   * @internal
   */
  admit(
    client: Client,
    auth: Record<string, Untyped> | undefined,
    done: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | null) => void,
  ): void {
    this.#entering++;
    const { intake } = this;
    if (!intake?.checksAuth) {
      this.#restore(client, auth, auth, done);
      return;
    }
    const decide = (checked: GuardedAuth): void => {
      if (!(checked instanceof RefusedError)) {
        this.#restore(client, auth, checked, done);
        return;
      }
      this.violations++;
      const data = { message: checked.message, data: checked.refusal };
      client.sendPacket({ type: PacketType.connectError, nsp: this.name, data });
      this.#entering--;
      done(null);
      this.#checkEmpty();
    };
    // Who comes back puts the words of connection state recovery beside the program's.
    const { pid: _pid, offset: _offset, ...own } = auth ?? {};
    const isOurs = Boolean(this.server._opts.connectionStateRecovery);
    const checked = intake.checkAuth(isOurs ? own : (auth ?? {}));
    if (checked instanceof Promise) checked.then(decide).catch(throwLater);
    else decide(checked);
  }

  /** @param auth what the program gets to see of the credentials that were `given`. */
  #restore(
    client: Client,
    given: Record<string, Untyped> | undefined,
    auth: Record<string, Untyped> | undefined,
    done: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | null) => void,
  ): void {
    const { pid, offset } = given ?? {};
    const recovery = this.server._opts.connectionStateRecovery;
    if (!recovery || typeof pid !== 'string' || typeof offset !== 'string') {
      this.#ask(client, auth, null, done);
      return;
    }
    Promise.resolve(this.adapter.restoreSession(pid, offset))
      // Without the session the client starts afresh, which is what it would do against a server that forgot.
      .catch(() => null)
      .then((session) => this.#ask(client, auth, session ?? null, done))
      .catch(throwLater);
  }

  #ask(
    client: Client,
    auth: Record<string, Untyped> | undefined,
    session: Session | null,
    done: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | null) => void,
  ): void {
    const socket = new Socket(this, client, auth, session);
    // An adapter gives a session out once. Who does not get in with it, whatever the reason, may come back for it; and
    // who loses the connection comes back long before a middleware has found out that there is nobody to let in.
    let mayReturn = session !== null;
    const giveBack = (): void => {
      if (session === null || !mayReturn) return;
      mayReturn = false;
      socket.refuse(null);
      const { sid, pid, rooms, data } = session;
      this.adapter.persistSession({ sid, pid, rooms, data });
    };
    if (session !== null) client.ifEndsEntering(this.name, giveBack);
    const decide = (err?: ExtendedError | null): void => {
      this.#entering--;
      if (err || !client.peer.isOpen) {
        giveBack();
        socket.refuse(err ?? null);
        done(null);
        this.#checkEmpty();
        return;
      }
      this.sockets.set(socket.id, socket);
      done(socket);
      socket.enter();
      this.emitReserved('connect', socket);
      this.emitReserved('connection', socket);
    };
    const { skipMiddlewares = true } = this.server._opts.connectionStateRecovery || {};
    if (this.#middlewares.length === 0 || (session !== null && skipMiddlewares)) decide();
    else this.#run(socket, [...this.#middlewares], 0, decide);
  }

  #run(
    socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    middlewares: readonly NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>[],
    index: number,
    decide: (err?: ExtendedError | null) => void,
  ): void {
    const middleware = middlewares[index];
    if (middleware === undefined) {
      decide();
      return;
    }
    let hasAnswered = false;
    middleware.call(this, socket, (err) => {
      // Who calls twice would let the socket in twice.
      if (hasAnswered) return;
      hasAnswered = true;
      if (err) decide(err);
      else this.#run(socket, middlewares, index + 1, decide);
    });
  }

  /** Forgets a socket that has left. @internal */
  remove(socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    // A client that came back under its old id has taken the place.
    if (this.sockets.get(socket.id) === socket) {
      this.sockets.delete(socket.id);
      this._presence?.forget(socket);
    }
    this.#checkEmpty();
  }

  /** Whether no socket is in it, nor on the way. @internal */
  get isEmpty(): boolean {
    return this.sockets.size === 0 && this.#entering === 0;
  }

  #checkEmpty(): void {
    if (this.isEmpty) this.onEmpty?.();
  }

  /** Gives up waiting for the answers to a broadcast. @internal */
  forgetAcks(packet: EventPacket): void {
    const { id } = packet;
    if (id === undefined) return;
    for (const socket of this.sockets.values()) socket.forgetAck(id);
  }

  #operator(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return new BroadcastOperator(this.adapter);
  }

  /** Selects the sockets in a room. */
  to(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#operator().to(room);
  }

  /** The same as {@link to}. */
  in(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#operator().in(room);
  }

  /** Selects the sockets that are not in a room. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#operator().except(room);
  }

  /** Whether what follows may be compressed; it may by default. */
  compress(
    compress: boolean,
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#operator().compress(compress);
  }

  /** What follows is dropped for clients that cannot take it at once. */
  get volatile(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#operator().volatile;
  }

  /** What follows concerns the sockets of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#operator().local;
  }

  /** Waits `timeout` milliseconds for the acknowledgements of what follows. */
  timeout(
    timeout: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.#operator().timeout(timeout);
  }

  /** Who is in a room: joins it to be seen there, lists who is here, tells who comes and goes. */
  presence<Meta = unknown>(room: Room): RoomPresence<Meta> {
    this._presence ??= new Presence(this as unknown as AnyNamespace);
    return this._presence.room<Meta>(room);
  }

  /**
   * The latest of what was said in a room, for those who come later.
   * @param limits what is kept of this room, from now on, by whichever call: they are the room's, on this server, until
   * others are given. What is left out stays; of rooms for which nothing was given the option `history` says it.
   * @throws {UsageError} `HISTORY_ERR_LIMIT`: a limit is no number.
   */
  history(room: Room, limits?: Partial<HistoryLimits>): RoomHistory<EmitEvents> {
    this.#history ??= new History(this as unknown as AnyNamespace);
    return this.#history.room<EmitEvents>(room, limits);
  }

  /**
   * Sends an event to every socket of the namespace.
   * @returns true.
   * @throws {Error} for a reserved name such as `connect`.
   */
  override emit<Name extends EventNamesWithoutAck<EmitEvents>>(
    event: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean {
    return new BroadcastOperator<EmitEvents, SocketData>(this.adapter).emit(event, ...args);
  }

  /** Sends a `message` event to every socket. */
  send(...args: EventParams<EmitEvents, 'message'>): this {
    new BroadcastOperator<Untyped, SocketData>(this.adapter).emit('message', ...(args as Untyped[]));
    return this;
  }

  /** The same as {@link send}. */
  write(...args: EventParams<EmitEvents, 'message'>): this {
    return this.send(...args);
  }

  /**
   * Sends an event to this namespace on the other servers, whose `on` sees it. The function given last gets
   * their answers.
   * @throws {Error} for a reserved name such as `connection`.
   */
  serverSideEmit<Name extends EventNames<ServerSideEvents>>(
    event: Name,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Name>
  ): boolean {
    if (reservedServerEvents.has(event)) throw new Error(`"${String(event)}" is a reserved event name`);
    this.adapter.serverSideEmit([event, ...(args as unknown[])]);
    return true;
  }

  /** The same, with the answers as a promise, which rejects with `responses` when one is missing. */
  serverSideEmitWithAck<Name extends EventNamesWithAck<ServerSideEvents>>(
    event: Name,
    ...args: AllButLast<EventParams<ServerSideEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Name>>>[]> {
    return new Promise((resolve, reject) => {
      const ack = (
        err: Error | null,
        responses: FirstNonErrorArg<Last<EventParams<ServerSideEvents, Name>>>[],
      ): void => {
        if (err) reject(Object.assign(err, { responses }));
        else resolve(responses);
      };
      this.serverSideEmit(event, ...([...(args as unknown[]), ack] as Untyped));
    });
  }

  /** An event from another server: this namespace's listeners see it. Called by adapters. @internal */
  _onServerSideEmit(args: [event: string, ...args: unknown[]]): void {
    this.emitUntyped(args);
  }

  /**
   * The ids of the sockets.
   * @deprecated As in Socket.IO: `fetchSockets()` tells more.
   */
  allSockets(): Promise<Set<SocketId>> {
    return this.#operator().allSockets();
  }

  /** The sockets, those of other servers as {@link RemoteSocket}. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    return new BroadcastOperator<EmitEvents, SocketData>(this.adapter).fetchSockets();
  }

  /** Makes all sockets join rooms. */
  socketsJoin(room: Room | Room[]): void {
    this.#operator().socketsJoin(room);
  }

  /** Makes all sockets leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    this.#operator().socketsLeave(room);
  }

  /** Disconnects all sockets; with `close` their whole connections. */
  disconnectSockets(close = false): void {
    this.#operator().disconnectSockets(close);
  }
}
