/**
 * What: a namespace that stands for a pattern of names: what is set up on it holds for the children it makes.
 * Must not know: when children are made (hub.ts).
 */
import type { DefaultEventsMap, EventsMap, Untyped } from '../base/typed-events.ts';
import type { EventArguments, EventPacket } from '../wire/events/packet.ts';
import { Adapter, type BroadcastOptions } from './adapter.ts';
import type { RemoteSocket } from './broadcast-operator.ts';
import type { Hub } from './hub.ts';
import { type AnyNamespace, Namespace } from './namespace.ts';
import { type EntryRefusal, tooManyDynamic } from './namespace-limits.ts';

/** Sends what is sent to the parent to each child. */
class ChildrenAdapter extends Adapter {
  readonly #children: ReadonlySet<AnyNamespace>;
  /** The packets that each child has sent for one of ours. */
  readonly #copies = new WeakMap<EventPacket, [AnyNamespace, EventPacket][]>();

  constructor(nsp: AnyNamespace, children: ReadonlySet<AnyNamespace>) {
    super(nsp);
    this.#children = children;
  }

  override broadcast(packet: EventPacket, opts: BroadcastOptions): void {
    for (const [child, copy] of this.#copy(packet)) child.adapter.broadcast(copy, opts);
  }

  override broadcastWithAck(
    packet: EventPacket,
    opts: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (...args: unknown[]) => void,
  ): void {
    const copies = this.#copy(packet);
    this.#copies.set(packet, copies);
    let total = 0;
    let isWaiting = copies.length;
    if (isWaiting === 0) clientCountCallback(0);
    for (const [child, copy] of copies) {
      const count = (clientCount: number): void => {
        total += clientCount;
        if (--isWaiting === 0) clientCountCallback(total);
      };
      child.adapter.broadcastWithAck(copy, opts, count, ack);
    }
  }

  forgetAcks(packet: EventPacket): void {
    for (const [child, copy] of this.#copies.get(packet) ?? []) child.forgetAcks(copy);
  }

  // Each child writes its name, its offset and its id into the packet.
  #copy(packet: EventPacket): [AnyNamespace, EventPacket][] {
    return [...this.#children].map((child) => {
      const data = [...packet.data] as EventArguments;
      return [child, { ...packet, data }];
    });
  }
}

let count = 0;

/** The parent of the namespaces whose names a pattern or a function lets through. */
export class ParentNamespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  readonly children = new Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
  /** Those of them that clients have asked for. */
  readonly #forClients = new Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();

  /** @internal */
  constructor(server: Hub<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) {
    super(server, `/_${count++}`);
    this.adapter = new ChildrenAdapter(this, this.children);
  }

  // Its sockets are its children's, and so are their adapters.
  override _initAdapter(): void {}

  override forgetAcks(packet: EventPacket): void {
    (this.adapter as ChildrenAdapter).forgetAcks(packet);
  }

  /** Makes a namespace with the middlewares and listeners that the parent has now. @internal */
  createChild(name: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const { server } = this;
    const child = new Namespace(server, name);
    for (const middleware of this.middlewares) child.use(middleware);
    for (const listener of this.listeners('connect')) child.on('connect', listener);
    for (const listener of this.listeners('connection')) child.on('connection', listener);
    for (const listener of this.listeners('violation')) child.on('violation', listener);
    child.intake = this.intake;
    this.children.add(child);
    if (server._opts.cleanupEmptyChildNamespaces) child.onEmpty = () => this.#giveUp(child);
    server.addNamespace(child);
    return child;
  }

  /**
   * Makes a namespace because a client asks for it. Whoever asks for ever new names must not fill the memory: where
   * there are too many, those without sockets go; what the program has made itself stays.
   * @returns why there can be no other one, where none is empty.
   * @internal
   */
  childForClient(
    name: string,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | EntryRefusal {
    const { _namespaceLimits: limits } = this.server;
    if (this.#forClients.size >= limits.dynamic) {
      for (const child of this.#forClients) if (child.isEmpty) this.#giveUp(child);
      if (this.#forClients.size >= limits.dynamic) return tooManyDynamic(limits);
    }
    const child = this.createChild(name);
    this.#forClients.add(child);
    return child;
  }

  #giveUp(child: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    child.onEmpty = null;
    this.server._nsps.delete(child.name);
    this.children.delete(child);
    this.#forClients.delete(child);
    void child.adapter.close();
  }

  /** @throws {Error} always: a parent has no sockets of its own. */
  override fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    throw new Error('fetchSockets() is not supported on parent namespaces');
  }
}
