/**
 * What: who is in a room of a namespace, told to those who watch it: a snapshot, then each difference.
 * Must not know: where entries are kept (the store does), or how packets reach a socket.
 */
import { UsageError } from '../base/errors.ts';
import type { Timer } from '../base/port.ts';
import type { PresenceMember } from '../base/room-events.ts';
import type { Untyped } from '../base/typed-events.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import type { Adapter, Room, SocketId } from './adapter.ts';
import { throwLater } from './client.ts';
import { MemoryPresenceStore } from './memory-presence-store.ts';
import type { AnyNamespace } from './namespace.ts';
import { type PresenceEventName, PresenceMembers } from './presence-members.ts';
import type { PresenceChange, PresenceStore } from './presence-store.ts';
import { channelOf, deliver } from './room-delivery.ts';
import type { AnySocket } from './socket.ts';

export type { PresenceEvents, PresenceMember } from '../base/room-events.ts';

/** How presence is kept. */
export interface PresenceOptions {
  /** Where; in memory by default, which is right for one server. */
  store?: PresenceStore;
  /** Most bytes of a member's meta as JSON. Default 4096: every member's goes to everybody who joins. */
  metaLimitBytes?: number;
}

type Listener = (member: PresenceMember<Untyped>) => void;

const defaultMetaLimitBytes = 4096;

/** After a removal that failed: soon, for most failures are short; then seldom, for all may be in the same case. */
const firstRetryMs = 1000;
const lastRetryMs = 30_000;
/** Removals that wait to be tried again. What is beyond them is left to the store's lease. */
const retriesLimit = 100_000;

/** A socket of the namespace, whatever its events. */
export interface SocketReference {
  readonly id: SocketId;
  readonly nsp: { readonly name: string };
}

/** What a socket said of itself, and how its connection is. */
interface Said {
  readonly key: string;
  meta: unknown;
  isInterrupted: boolean;
}

/** What this server knows of one room, as long as anybody here is in it, watches it, or listens to it. */
class Watched {
  readonly room: Room;
  readonly members = new PresenceMembers();
  /** What this server's program wants to know. */
  readonly listeners = new Map<PresenceEventName, Set<Listener>>();
  /** The sockets of this server that are present. */
  readonly present = new Map<SocketId, Said>();
  /** Who is told differences. */
  readonly watchers = new Map<SocketId, AnySocket>();
  /** Who waits for the snapshot. */
  readonly waiting = new Map<SocketId, AnySocket>();
  isKnown = false;
  unsubscribe: () => void = () => {};

  constructor(room: Room) {
    this.room = room;
  }

  has(id: SocketId): boolean {
    return this.present.has(id) || this.watchers.has(id) || this.waiting.has(id);
  }

  get isIdle(): boolean {
    return this.present.size + this.watchers.size + this.waiting.size + this.listeners.size === 0;
  }
}

/** Presence in the rooms of one namespace. Made when it is first asked for. @internal */
export class Presence {
  readonly #nsp: AnyNamespace;
  readonly #store: PresenceStore;
  readonly #metaLimitBytes: number;
  readonly #rooms = new Map<Room, Watched>();
  /** The rooms that each socket is in or watches, so that nobody's end costs a look at all rooms. */
  readonly #roomsOf = new Map<SocketId, Set<Watched>>();
  /** Removals that failed, by channel and id. */
  readonly #retries = new Map<string, Timer>();
  #isClosed = false;
  #adapter: Adapter | null = null;

  constructor(nsp: AnyNamespace) {
    const { store = new MemoryPresenceStore(), metaLimitBytes = defaultMetaLimitBytes } =
      nsp.server._opts.presence ?? {};
    this.#nsp = nsp;
    this.#store = store;
    this.#metaLimitBytes = metaLimitBytes;
  }

  /** The presence in one room; light, and as good as any other of the same room. */
  room<Meta>(room: Room): RoomPresence<Meta> {
    if (this.#adapter !== this.#nsp.adapter) {
      this.#adapter = this.#nsp.adapter;
      this.#adapter.on('leave-room', (left: Room, id: SocketId) => this.#left(this.#rooms.get(left), id));
    }
    return new RoomPresence<Meta>(this, room);
  }

  async join(room: Room, reference: SocketReference, meta: unknown, key: string): Promise<boolean> {
    const socket = this.#find(reference);
    const copy = this.#copy(meta);
    if (socket === undefined) return false;
    this.#isClosed = false;
    const { id } = socket;
    const watched = this.#watch(room, id);
    const said = { key, meta: copy, isInterrupted: watched.present.get(id)?.isInterrupted ?? false };
    watched.present.set(id, said);
    const put = this.#store.put(this.#channel(room), { id, ...said });
    // After its own entry, so that whoever joins finds itself in the snapshot, where the store is that fast.
    this.#begin(watched, socket);
    try {
      await Promise.all([put, socket.join(room)]);
    } catch (error) {
      if (watched.present.get(id) === said) this.#drop(watched, id);
      throw error;
    }
    return watched.present.has(id);
  }

  async update(room: Room, reference: SocketReference, meta: unknown): Promise<boolean> {
    const { id } = reference;
    this.#find(reference);
    const copy = this.#copy(meta);
    const said = this.#rooms.get(room)?.present.get(id);
    if (said === undefined) return false;
    said.meta = copy;
    await this.#store.put(this.#channel(room), { id, ...said });
    return true;
  }

  leave(room: Room, reference: SocketReference): Promise<void> | void {
    return this.#find(reference)?.leave(room);
  }

  watch(room: Room, reference: SocketReference): void {
    const socket = this.#find(reference);
    if (socket !== undefined) this.#begin(this.#watch(room, socket.id), socket);
  }

  unwatch(room: Room, { id }: SocketReference): void {
    const watched = this.#rooms.get(room);
    if (watched !== undefined && !watched.present.has(id)) this.#left(watched, id);
  }

  async list(room: Room): Promise<PresenceMember[]> {
    const members = new PresenceMembers();
    members.apply({ type: 'state', entries: await this.#store.list(this.#channel(room)) }, () => {});
    return members.list();
  }

  on(room: Room, event: PresenceEventName, listener: Listener): void {
    const { listeners } = this.#watch(room);
    const known = listeners.get(event);
    if (known === undefined) listeners.set(event, new Set([listener]));
    else known.add(listener);
  }

  off(room: Room, event: PresenceEventName, listener: Listener): void {
    const watched = this.#rooms.get(room);
    const known = watched?.listeners.get(event);
    if (watched === undefined || !known?.delete(listener)) return;
    if (known.size === 0) watched.listeners.delete(event);
    this.#forgetIfIdle(watched);
  }

  /** A socket has lost its connection, or is back. */
  interrupted({ id }: SocketReference, isInterrupted: boolean): void {
    for (const { room, present } of this.#roomsOf.get(id) ?? []) {
      const said = present.get(id);
      if (said === undefined) continue;
      said.isInterrupted = isInterrupted;
      this.#inBackground(this.#store.mark(this.#channel(room), id, isInterrupted));
    }
  }

  /** A socket is gone. Its rooms it has left before; it may still watch others. */
  forget({ id }: SocketReference): void {
    for (const watched of [...(this.#roomsOf.get(id) ?? [])]) this.#left(watched, id);
  }

  /** A socket is told nothing more of a room, nor seen in it. */
  #left(watched: Watched | undefined, id: SocketId): void {
    if (!watched?.has(id)) return;
    watched.watchers.delete(id);
    watched.waiting.delete(id);
    this.#drop(watched, id);
    const rooms = this.#roomsOf.get(id);
    rooms?.delete(watched);
    if (rooms?.size === 0) this.#roomsOf.delete(id);
    this.#forgetIfIdle(watched);
  }

  /** Ends the presence of a socket. It may go on watching. */
  #drop({ present, room }: Watched, id: SocketId): void {
    if (present.delete(id)) this.#remove(room, id, firstRetryMs);
  }

  /** Asks the store until it has removed the entry: nobody else would, as long as this server lives. */
  #remove(room: Room, id: SocketId, retryMs: number): void {
    const removed = this.#store.remove(this.#channel(room), id);
    this.#inBackground(removed);
    removed.catch(() => {
      const key = `${this.#channel(room)} ${id}`;
      if (this.#isClosed || this.#retries.has(key) || this.#retries.size >= retriesLimit) return;
      const timer = nodeClock.setTimer(retryMs, () => {
        this.#retries.delete(key);
        // It may have come back meanwhile.
        if (!this.#rooms.get(room)?.present.has(id))
          this.#remove(room, id, Math.min(2 * retryMs, lastRetryMs));
      });
      this.#retries.set(key, timer);
    });
  }

  /** The server closes: what the store has not taken is left to its lease. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  #watch(room: Room, id?: SocketId): Watched {
    let watched = this.#rooms.get(room);
    if (watched === undefined) {
      const made = new Watched(room);
      watched = made;
      this.#rooms.set(room, made);
      made.unsubscribe = this.#store.subscribe(this.#channel(room), (change) => this.#changed(made, change));
    }
    if (id !== undefined) {
      const rooms = this.#roomsOf.get(id);
      if (rooms === undefined) this.#roomsOf.set(id, new Set([watched]));
      else rooms.add(watched);
    }
    return watched;
  }

  #forgetIfIdle(watched: Watched): void {
    if (!watched.isIdle || this.#rooms.get(watched.room) !== watched) return;
    this.#rooms.delete(watched.room);
    watched.unsubscribe();
  }

  #changed(watched: Watched, change: PresenceChange): void {
    const { room, members, watchers, waiting, listeners } = watched;
    members.apply(change, (event, member) => {
      // What the first state holds is no news.
      if (!watched.isKnown) return;
      if (watchers.size > 0) deliver(this.#nsp, watchers.values(), [`presence:${event}`, { room, member }]);
      for (const listener of [...(listeners.get(event) ?? [])]) callApart(listener, member);
    });
    watched.isKnown = true;
    const sockets = [...waiting.values()];
    waiting.clear();
    for (const socket of sockets) this.#begin(watched, socket);
  }

  /** The snapshot, at once or as soon as it is known; from then on each difference. */
  #begin({ room, members, watchers, waiting, isKnown }: Watched, socket: AnySocket): void {
    if (isKnown) {
      watchers.set(socket.id, socket);
      deliver(this.#nsp, [socket], ['presence:state', { room, members: members.list() }]);
    } else {
      waiting.set(socket.id, socket);
    }
  }

  #channel(room: Room): string {
    return channelOf(this.#nsp, room);
  }

  /** @returns undefined when it is gone, or still with the middlewares. */
  #find({ id, nsp }: SocketReference): AnySocket | undefined {
    if (nsp.name !== this.#nsp.name) {
      const message = `The socket is in ${nsp.name}. Use io.of('${nsp.name}').presence(room)`;
      throw new UsageError(message, { code: 'PRESENCE_ERR_NAMESPACE' });
    }
    return this.#nsp.sockets.get(id);
  }

  /** Metas are JSON, so that every store gives the same back. */
  #copy(meta: unknown): unknown {
    const text = JSON.stringify(meta) ?? 'null';
    const bytes = Buffer.byteLength(text);
    const value = this.#metaLimitBytes;
    if (bytes > value) {
      throw new UsageError(
        `The meta has ${bytes} bytes as JSON. Keep what is large elsewhere, or raise presence.metaLimitBytes`,
        { code: 'PRESENCE_ERR_META_TOO_LARGE', limit: { name: 'metaLimitBytes', value } },
      );
    }
    return JSON.parse(text);
  }

  /** Nobody waits for these. Removals that fail are tried again. */
  #inBackground(done: Promise<void>): void {
    done.catch((error: unknown) => {
      const text = `The presence store has failed: ${error instanceof Error ? error.message : String(error)}`;
      process.emitWarning(text, { code: 'PRESENCE_STORE_FAILED' });
    });
  }
}

/** An exception of the application must not end in the store that told the change. */
function callApart(listener: Listener, member: PresenceMember): void {
  try {
    listener(member);
  } catch (error) {
    throwLater(error);
  }
}

/** Who is in one room: `io.presence(room)`. Light; make one whenever you need it. */
export class RoomPresence<Meta = unknown> {
  readonly #presence: Presence;
  /** The room's name. */
  readonly room: Room;

  /** @internal */
  constructor(presence: Presence, room: Room) {
    this.#presence = presence;
    this.room = room;
  }

  /**
   * Makes a socket join the room and be seen there; it is told who is here, then what changes.
   *
   * It ends when the socket leaves the room or is gone. A lost connection does not end it while the session lasts.
   * @param meta what others see, as JSON; null by default.
   * @param options `key`: who it is, so that several sockets of one user count once; the socket's id by default.
   * @returns resolves to true when the store has it; to false where the socket is not in the namespace, or has left
   * the room meanwhile.
   * @throws {UsageError} `PRESENCE_ERR_META_TOO_LARGE`, `PRESENCE_ERR_NAMESPACE`; what the store rejects with: the
   * socket is in the room then, but not seen.
   */
  join(socket: SocketReference, meta?: Meta, { key = socket.id }: { key?: string } = {}): Promise<boolean> {
    return this.#presence.join(this.room, socket, meta, key);
  }

  /**
   * Changes what others see of a socket that has joined.
   * @returns resolves to false where it is not here.
   * @throws {UsageError} `PRESENCE_ERR_META_TOO_LARGE`; what the store rejects with.
   */
  update(socket: SocketReference, meta: Meta): Promise<boolean> {
    return this.#presence.update(this.room, socket, meta);
  }

  /** The same as `socket.leave(room)`: it is no longer here, and told nothing more. */
  leave(socket: SocketReference): Promise<void> | void {
    return this.#presence.leave(this.room, socket);
  }

  /** Tells a socket who is here and what changes, without its being here. */
  watch(socket: SocketReference): void {
    this.#presence.watch(this.room, socket);
  }

  /** Ends {@link watch}; whoever is here goes on being told. */
  unwatch(socket: SocketReference): void {
    this.#presence.unwatch(this.room, socket);
  }

  /** The members, in the order in which they came; of all servers, where the store knows them. */
  list(): Promise<PresenceMember<Meta>[]> {
    return this.#presence.list(this.room) as Promise<PresenceMember<Meta>[]>;
  }

  /** Calls `listener`, once if added twice, for each member that joins, changes or leaves, on whichever server. */
  on(event: PresenceEventName, listener: (member: PresenceMember<Meta>) => void): this {
    this.#presence.on(this.room, event, listener);
    return this;
  }

  /** Ends {@link on}. */
  off(event: PresenceEventName, listener: (member: PresenceMember<Meta>) => void): this {
    this.#presence.off(this.room, event, listener);
    return this;
  }
}
