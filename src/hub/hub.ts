/**
 * What: all namespaces of a server, and the connections that enter them: a Server without HTTP.
 * Must not know: HTTP servers, files, ports; src/server puts those around it.
 */
import { EventEmitter } from 'node:events';
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
import type { OutgoingPacket } from '../wire/engine/packet.ts';
import { encodePacket } from '../wire/events/codec.ts';
import type { Packet } from '../wire/events/packet.ts';
import {
  jsonParser,
  type LooselyTypedParser,
  type PacketDecoder,
  type PacketEncoder,
  type Parser,
} from '../wire/events/parser.ts';
import { Adapter, type Room, type SocketId } from './adapter.ts';
import type { BroadcastOperator, RemoteSocket } from './broadcast-operator.ts';
import { Client } from './client.ts';
import { StrictEventEmitter } from './emitter.ts';
import { type ClientConnection, EmitterPeer, type EmitterSession } from './emitter-peer.ts';
import type { EventGuard } from './event-guard.ts';
import type { HistoryLimits, HistoryOptions, RoomHistory } from './history.ts';
import {
  type AnyNamespace,
  Namespace,
  type NamespaceMiddleware,
  type ServerReservedEventsMap,
} from './namespace.ts';
import { type EntryRefusal, type NamespaceLimits, resolveNamespaceLimits } from './namespace-limits.ts';
import { type OutboxOptions, OutboxReceipts } from './outbox-receipts.ts';
import { toOutgoing } from './outgoing.ts';
import { ParentNamespace } from './parent-namespace.ts';
import type { PresenceOptions, RoomPresence } from './presence.ts';
import { SessionAwareAdapter } from './session-aware-adapter.ts';
import type { Socket } from './socket.ts';

/** A class of adapters, or a function that makes one. */
export type AdapterConstructor = typeof Adapter | ((nsp: AnyNamespace) => Adapter);

/** Decides whether a namespace may be made for a client: `next(null, true)`. */
export type ParentNamespaceMatcher = (
  name: string,
  auth: Record<string, Untyped>,
  next: (err: Error | null, success: boolean) => void,
) => void;

/** Whether and how long a client may come back to its state. */
export interface ConnectionStateRecoveryOptions {
  /** How long sessions and packets are kept, in milliseconds; 120,000 by default. */
  maxDisconnectionDuration?: number;
  /** Whether middlewares are skipped for those who come back; true by default: they have passed before. */
  skipMiddlewares?: boolean;
  /** Most sessions that are kept in memory; 100,000 by default. Above it the oldest start afresh when they come back. */
  sessions?: number;
  /**
   * Most bytes of packets that are kept in memory, for each namespace; 64 MiB by default. Who has missed more starts
   * afresh.
   */
  bufferBytes?: number;
}

/** The options that concern namespaces and packets. */
export interface HubOptions {
  /** What keeps the rooms; in memory by default. */
  adapter: AdapterConstructor;
  /** How packets are written and read; JSON with attachments by default. */
  parser: Parser | LooselyTypedParser;
  /** How long a connection may stay in no namespace, in milliseconds; 45,000 by default. */
  connectTimeout: number;
  /** Off by default. */
  connectionStateRecovery: ConnectionStateRecoveryOptions;
  /** Whether namespaces made for a pattern go with their last socket; false by default. */
  cleanupEmptyChildNamespaces: boolean;
  /** How many namespaces clients may ask for, and how. */
  namespaceLimits: Partial<NamespaceLimits>;
  /**
   * How far outboxes of clients (`tautline/client/outbox`) are remembered to have been received; on by default, and free
   * of cost until a client has one. `false`: clients send without being told apart.
   */
  outbox: OutboxOptions | false;
  /** Where presence is kept; in memory by default. */
  presence: PresenceOptions;
  /** Where history is kept, and how much of it; in memory by default. */
  history: HistoryOptions;
}

/** A hub whose events are not known here. */
export type AnyHub = Hub<Untyped, Untyped, Untyped, Untyped>;

/** As long as socket.io waits: a phone on a bad network may need many seconds for its second request. */
const defaultConnectTimeoutMs = 45_000;

/** Namespaces and connections. Its emitter is that of the main namespace, as in Socket.IO. */
export class Hub<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends StrictEventEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  ServerReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** The main namespace, `/`. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Writes packets; adapters for many servers use it. */
  readonly encoder: PacketEncoder;
  /** The options as they were given. Read by adapters. @internal */
  readonly _opts: Partial<HubOptions>;
  /** The parser in use. @internal */
  readonly _parser: Parser;
  /** All namespaces by name. Read by tools such as the admin UI. @internal */
  readonly _nsps = new Map<string, Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
  /** Null when outboxes are not to be told apart. @internal */
  readonly _receipts: OutboxReceipts | null;
  /** @internal */
  readonly _namespaceLimits: NamespaceLimits;
  /** In milliseconds. @internal */
  _connectTimeout: number;
  readonly #parents = new Map<
    ParentNamespaceMatcher,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  >();
  readonly #patterns = new Map<
    RegExp,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  >();
  #adapter: AdapterConstructor;

  constructor(opts: Partial<HubOptions> = {}) {
    super();
    this._opts = opts;
    this._parser = (opts.parser as Parser | undefined) ?? jsonParser;
    this.encoder = new this._parser.Encoder();
    this._receipts = opts.outbox === false ? null : new OutboxReceipts(opts.outbox);
    this._namespaceLimits = resolveNamespaceLimits(opts.namespaceLimits);
    this._connectTimeout = opts.connectTimeout ?? defaultConnectTimeoutMs;
    this.#adapter = opts.adapter ?? (opts.connectionStateRecovery ? SessionAwareAdapter : Adapter);
    this.sockets = this.of('/');
  }

  /** How long a connection may stay in no namespace, in milliseconds. */
  connectTimeout(): number;
  connectTimeout(timeoutMs: number): this;
  connectTimeout(timeoutMs?: number): this | number {
    if (timeoutMs === undefined) return this._connectTimeout;
    this._connectTimeout = timeoutMs;
    return this;
  }

  /** What keeps the rooms. Setting it gives every namespace a new adapter: do it before clients come. */
  adapter(): AdapterConstructor;
  adapter(adapter: AdapterConstructor): this;
  adapter(adapter?: AdapterConstructor): this | AdapterConstructor {
    if (adapter === undefined) return this.#adapter;
    this.#adapter = adapter;
    for (const namespace of this._nsps.values()) namespace._initAdapter();
    return this;
  }

  /** @internal */
  createAdapter(namespace: AnyNamespace): Adapter {
    const make = this.#adapter;
    // Arrow functions have no prototype and cannot be constructed; other factories may return what they like.
    if (make.prototype === undefined) return (make as (nsp: AnyNamespace) => Adapter)(namespace);
    return new (make as typeof Adapter)(namespace);
  }

  /**
   * The namespace of this name, made if need be; or the parent of those that a pattern or a function lets through.
   * @param connectionListener added for `connect`.
   */
  of(
    name: string | RegExp | ParentNamespaceMatcher,
    connectionListener?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const namespace = typeof name === 'string' ? this.#ofName(name) : this.#ofPattern(name);
    if (connectionListener) namespace.on('connect', connectionListener);
    return namespace;
  }

  #ofName(given: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const name = given.startsWith('/') ? given : `/${given}`;
    const known = this._nsps.get(name);
    if (known !== undefined) return known;
    // One made by hand that a pattern covers belongs to the pattern's parent.
    for (const [pattern, parent] of this.#patterns) {
      if (matches(pattern, name)) return parent.createChild(name);
    }
    const namespace = new Namespace(this, name);
    this.addNamespace(namespace);
    return namespace;
  }

  #ofPattern(
    pattern: RegExp | ParentNamespaceMatcher,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const parent = new ParentNamespace(this);
    if (typeof pattern === 'function') {
      this.#parents.set(pattern, parent);
    } else {
      this.#parents.set((name, _auth, next) => next(null, matches(pattern, name)), parent);
      this.#patterns.set(pattern, parent);
    }
    return parent;
  }

  /** @internal */
  addNamespace(namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    this._nsps.set(namespace.name, namespace);
    // The main one is made before anybody can listen.
    if (namespace.name !== '/') this.sockets.emitUntyped(['new_namespace', namespace]);
  }

  /**
   * Finds the namespace that a client asks for, making it if a pattern or a function allows it.
   * @param done told null when there is none, or why there can be none.
   * @internal
   */
  findNamespace(
    name: string,
    auth: Record<string, Untyped>,
    done: (namespace: AnyNamespace | EntryRefusal | null) => void,
  ): void {
    const known = this._nsps.get(name);
    if (known !== undefined) {
      done(known as unknown as AnyNamespace);
      return;
    }
    const parents = [...this.#parents];
    const ask = (index: number): void => {
      const entry = parents[index];
      if (entry === undefined) {
        done(null);
        return;
      }
      const [matcher, parent] = entry;
      matcher(name, auth, (err, isAllowed) => {
        // While a function thought, another client may have had the same namespace made.
        if (err || !isAllowed) ask(index + 1);
        else done((this._nsps.get(name) ?? parent.childForClient(name)) as AnyNamespace | EntryRefusal);
      });
    };
    ask(0);
  }

  /** Takes a connection in. @internal */
  addConnection(connection: ClientConnection | EmitterSession): void {
    const peer = 'sendPackets' in connection ? connection : new EmitterPeer(connection);
    new Client(this as unknown as AnyHub, peer);
  }

  /** The packets of the session for one packet; share them between receivers. @internal */
  encodePacket(packet: Packet, compress = true): readonly OutgoingPacket[] {
    const isDefault = this._parser === jsonParser;
    return toOutgoing(isDefault ? encodePacket(packet) : this.encoder.encode(packet), compress);
  }

  /** A decoder for one connection; null for the default format, which needs none. @internal */
  createDecoder(): PacketDecoder | null {
    return this._parser === jsonParser ? null : new this._parser.Decoder();
  }

  /** Ends all sockets and closes all adapters; does not wait for clients. @internal */
  async closeNamespaces(): Promise<void> {
    const closings = [...this._nsps.values()].map(async (namespace) => {
      for (const socket of namespace.sockets.values()) {
        socket.end('server shutting down', socket.client.outcomeOf(namespace.name));
      }
      namespace._presence?.close();
      await namespace.adapter.close();
    });
    await Promise.allSettled(closings);
  }

  /** Adds a function that decides whether a socket may enter the main namespace. */
  use(middleware: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this.sockets.use(middleware);
    return this;
  }

  /** Adds what looks at the events of the main namespace before anybody else does. */
  guard(guard: EventGuard): this {
    this.sockets.guard(guard);
    return this;
  }

  /** Selects the sockets in a room. */
  to(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.to(room);
  }

  /** The same as {@link to}. */
  in(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.in(room);
  }

  /** Selects the sockets that are not in a room. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.except(room);
  }

  /** Who is in a room of the main namespace. */
  presence<Meta = unknown>(room: Room): RoomPresence<Meta> {
    return this.sockets.presence<Meta>(room);
  }

  /** The latest of what was said in a room of the main namespace, for those who come later. */
  history(room: Room, limits?: Partial<HistoryLimits>): RoomHistory<EmitEvents> {
    return this.sockets.history(room, limits);
  }

  /** Whether what follows may be compressed; it may by default. */
  compress(
    compress: boolean,
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.compress(compress);
  }

  /** What follows is dropped for clients that cannot take it at once. */
  get volatile(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.volatile;
  }

  /** What follows concerns the sockets of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.local;
  }

  /** Waits `timeout` milliseconds for the acknowledgements of what follows. */
  timeout(
    timeout: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.sockets.timeout(timeout);
  }

  /** Sends an event to every socket of the main namespace. */
  override emit<Name extends EventNamesWithoutAck<EmitEvents>>(
    event: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean {
    return this.sockets.emit(event, ...args);
  }

  /** Sends a `message` event to every socket of the main namespace. */
  send(...args: EventParams<EmitEvents, 'message'>): this {
    this.sockets.send(...args);
    return this;
  }

  /** The same as {@link send}. */
  write(...args: EventParams<EmitEvents, 'message'>): this {
    return this.send(...args);
  }

  /** Sends an event to the other servers of the cluster. */
  serverSideEmit<Name extends EventNames<ServerSideEvents>>(
    event: Name,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Name>
  ): boolean {
    return this.sockets.serverSideEmit(event, ...args);
  }

  /** The same, with the answers as a promise. */
  serverSideEmitWithAck<Name extends EventNamesWithAck<ServerSideEvents>>(
    event: Name,
    ...args: AllButLast<EventParams<ServerSideEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Name>>>[]> {
    return this.sockets.serverSideEmitWithAck(event, ...args);
  }

  /**
   * The ids of the sockets in the main namespace.
   * @deprecated As in Socket.IO: `fetchSockets()` tells more.
   */
  allSockets(): Promise<Set<SocketId>> {
    return this.sockets.allSockets();
  }

  /** The sockets of the main namespace, those of other servers as `RemoteSocket`. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    return this.sockets.fetchSockets();
  }

  /** Makes all sockets join rooms. */
  socketsJoin(room: Room | Room[]): void {
    this.sockets.socketsJoin(room);
  }

  /** Makes all sockets leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    this.sockets.socketsLeave(room);
  }

  /** Disconnects all sockets; with `close` their whole connections. */
  disconnectSockets(close = false): void {
    this.sockets.disconnectSockets(close);
  }
}

// Listening to the server is listening to its main namespace, whichever of the emitter's methods is used.
for (const name of Object.keys(EventEmitter.prototype)) {
  const method: unknown = Reflect.get(EventEmitter.prototype, name);
  if (typeof method !== 'function' || name === 'emit') continue;
  Object.defineProperty(Hub.prototype, name, {
    value(this: AnyHub, ...args: unknown[]): unknown {
      const result: unknown = Reflect.apply(Reflect.get(this.sockets, name), this.sockets, args);
      return result === this.sockets ? this : result;
    },
    configurable: true,
    writable: true,
  });
}

/** Patterns with the flags `g` or `y` remember where they stopped; names are looked at from their beginning. */
function matches(pattern: RegExp, name: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(name);
}
