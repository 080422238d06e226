/**
 * What: who is in which room of one namespace, and how a packet gets to them; the in-memory twin of every adapter.
 * Must not know: connections, transports, or other servers (those are the business of adapters on F6).
 */
import { EventEmitter } from 'node:events';
import type { OutgoingPacket } from '../wire/engine/packet.ts';
import type { EventPacket } from '../wire/events/packet.ts';
import type { AnyNamespace } from './namespace.ts';
import type { AnySocket } from './socket.ts';

/** What identifies a socket in its namespace, on all servers: 20 characters. Not a secret. */
export type SocketId = string;
/** The secret with which a client gets its session back. */
export type PrivateSessionId = string;
/** The name of a room. A socket's id is the name of a room, too, with only that socket in it. */
export type Room = string;

/** How a packet is sent. */
export interface BroadcastFlags {
  /** Drop it for clients that cannot take it at once. */
  volatile?: boolean;
  /** Whether it may be compressed; true by default. */
  compress?: boolean;
  /** To the clients of this server only. */
  local?: boolean;
  broadcast?: boolean;
  binary?: boolean;
  /** How long to wait for acknowledgements, in milliseconds. */
  timeout?: number;
}

/** To whom a packet goes. */
export interface BroadcastOptions {
  /** Any of these rooms; everybody when empty. */
  rooms: Set<Room>;
  /** In none of these rooms. A socket's id is a room with that socket in it. */
  except?: Set<Room>;
  flags?: BroadcastFlags;
}

/** What is kept of a socket whose connection broke. */
export interface SessionToPersist {
  sid: SocketId;
  pid: PrivateSessionId;
  rooms: Room[];
  data: unknown;
}

/** The same, with what the socket would have received meanwhile. */
export type Session = SessionToPersist & { missedPackets: unknown[][] };

/** Sockets, or what other servers tell of theirs. */
export interface SocketDetails<SocketData = unknown> {
  id: SocketId;
  handshake: unknown;
  rooms: Iterable<Room>;
  data: SocketData;
}

/**
 * The rooms of one namespace, in memory.
 *
 * This is the seam at which many servers become one: a subclass overrides `broadcast` and what else concerns all
 * servers, and calls `super` for the sockets of its own. Order: packets to one socket keep the order of the calls.
 * Events: `create-room` (room), `delete-room` (room), `join-room` (room, id), `leave-room` (room, id).
 */
export class Adapter extends EventEmitter {
  readonly nsp: AnyNamespace;
  /** The sockets in each room. */
  rooms = new Map<Room, Set<SocketId>>();
  /** The rooms of each socket. */
  sids = new Map<SocketId, Set<Room>>();

  /** Forgotten whenever somebody enters or leaves a room, which all do who enter or leave the namespace. */
  #lastSelection: { readonly room: Room | undefined; readonly sockets: readonly AnySocket[] } | null = null;

  constructor(nsp: AnyNamespace) {
    super();
    this.nsp = nsp;
  }

  /** Called once before use; to be overridden. */
  init(): Promise<void> | void {}

  /** Called once when the server closes, or its namespace goes; to be overridden. */
  close(): Promise<void> | void {}

  /** The number of servers that share this namespace. */
  serverCount(): Promise<number> {
    return Promise.resolve(1);
  }

  /** Puts a socket into rooms. Idempotent. */
  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    // Even if nothing changes below: who enters the namespace joins the own room, and may have been in it already.
    this.#lastSelection = null;
    let joined = this.sids.get(id);
    if (joined === undefined) {
      joined = new Set();
      this.sids.set(id, joined);
      if (rooms.size === 1 && rooms.has(id) && !this.rooms.has(id)) {
        this.#enterOwnRoom(id, joined);
        return;
      }
    }
    this.#separate(id);
    for (const room of rooms) {
      if (joined.has(room)) continue;
      this.#separate(room);
      joined.add(room);
      let members = this.rooms.get(room);
      if (members === undefined) {
        members = new Set();
        this.rooms.set(room, members);
        this.emit('create-room', room);
      }
      members.add(id);
      this.#lastSelection = null;
      this.emit('join-room', room, id);
    }
  }

  /**
   * The rooms of a socket that is only in its own, and the members of that room, are the same: one set stands for both,
   * since most sockets never join another. {@link #separate} comes before any change to either.
   */
  #enterOwnRoom(id: SocketId, alone: Set<string>): void {
    alone.add(id);
    this.rooms.set(id, alone);
    this.emit('create-room', id);
    this.#lastSelection = null;
    this.emit('join-room', id, id);
  }

  /** Gives a room a set of its own, if it shares that of the socket by whose id it is named. */
  #separate(id: SocketId): void {
    const members = this.rooms.get(id);
    if (members !== undefined && members === this.sids.get(id)) this.rooms.set(id, new Set(members));
  }

  /** Takes a socket out of a room. Idempotent. */
  del(id: SocketId, room: Room): Promise<void> | void {
    this.#separate(id);
    if (this.sids.get(id)?.delete(room)) this.#removeFrom(room, id);
  }

  /** Takes a socket out of all rooms, and forgets it. */
  delAll(id: SocketId): void {
    this.#separate(id);
    const joined = this.sids.get(id);
    if (joined === undefined) return;
    for (const room of joined) this.#removeFrom(room, id);
    this.sids.delete(id);
    this.#lastSelection = null;
  }

  #removeFrom(room: Room, id: SocketId): void {
    const members = this.rooms.get(room);
    if (!members?.delete(id)) return;
    this.#lastSelection = null;
    this.emit('leave-room', room, id);
    // The listener may have put somebody in.
    if (members.size === 0 && this.rooms.get(room) === members) {
      this.rooms.delete(room);
      this.emit('delete-room', room);
    }
  }

  /** Sends a packet to the sockets that `opts` selects. It is encoded once, however many they are. */
  broadcast(packet: EventPacket, opts: BroadcastOptions): void {
    const packets = this.encode(packet, opts);
    const isVolatile = opts.flags?.volatile === true;
    const sockets = this.#select(opts);
    for (let i = 0; i < sockets.length; i++) sockets[i]!.deliver(packet, packets, isVolatile);
  }

  /**
   * Sends a packet and collects the answers.
   * @param clientCountCallback told once how many sockets the packet went to.
   * @param ack called with each answer.
   */
  broadcastWithAck(
    packet: EventPacket,
    opts: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (...args: unknown[]) => void,
  ): void {
    const id = this.nsp._ids++;
    packet.id = id;
    const packets = this.encode(packet, opts);
    const isVolatile = opts.flags?.volatile === true;
    const sockets = this.#select(opts);
    for (const socket of sockets) {
      socket.acks.set(id, ack);
      socket.deliver(packet, packets, isVolatile);
    }
    clientCountCallback(sockets.length);
  }

  /** Writes a packet for all who get it. @internal */
  protected encode(packet: EventPacket, opts: BroadcastOptions): readonly OutgoingPacket[] {
    packet.nsp = this.nsp.name;
    return this.nsp.server.encodePacket(packet, opts.flags?.compress);
  }

  /** The ids of the sockets in any of these rooms; of all sockets when there are none. */
  sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    return Promise.resolve(new Set(this.#select({ rooms }).map(({ id }) => id)));
  }

  /** The rooms of a socket; undefined when it is not known. */
  socketRooms(id: SocketId): Set<Room> | undefined {
    return this.sids.get(id);
  }

  /** The selected sockets. A subclass may add the details of sockets that are elsewhere. */
  fetchSockets(opts: BroadcastOptions): Promise<SocketDetails[]> {
    return Promise.resolve([...this.#select(opts)]);
  }

  /** Makes the selected sockets join rooms. */
  addSockets(opts: BroadcastOptions, rooms: Room[]): void {
    for (const socket of this.#select(opts)) socket.join(rooms);
  }

  /** Makes the selected sockets leave rooms. */
  delSockets(opts: BroadcastOptions, rooms: Room[]): void {
    for (const socket of this.#select(opts)) for (const room of rooms) socket.leave(room);
  }

  /** Disconnects the selected sockets; with `close` their whole connections. */
  disconnectSockets(opts: BroadcastOptions, close: boolean): void {
    for (const socket of this.#select(opts)) socket.disconnect(close);
  }

  /** Sends an event to the other servers; there are none. */
  serverSideEmit(_packet: unknown[]): void {
    console.warn('this adapter does not support the serverSideEmit() functionality');
  }

  /** Keeps a session for the time in which its client may come back; does nothing here. */
  persistSession(_session: SessionToPersist): void {}

  /** Gives a kept session back, with what was missed since `offset`; null when it is not known. */
  restoreSession(_pid: PrivateSessionId, _offset: string): Promise<Session | null> {
    return Promise.resolve(null);
  }

  /** The selected sockets, each once. */
  #select({ rooms, except }: BroadcastOptions): readonly AnySocket[] {
    const excluded = this.#excluded(except);
    const all = rooms.size > 1 ? this.#inAnyOf(rooms) : this.#inOne(rooms);
    if (excluded === null) return all;
    if (typeof excluded === 'string') return all.filter(({ id }) => id !== excluded);
    return all.filter(({ id }) => !excluded.has(id));
  }

  /** The sockets in one room, or all where no room is named: mostly the same selection again and again. */
  #inOne([room]: Set<Room>): readonly AnySocket[] {
    const last = this.#lastSelection;
    if (last !== null && last.room === room) return last.sockets;
    const ids = room === undefined ? this.sids.keys() : (this.rooms.get(room) ?? []);
    const sockets = this.#socketsOf(ids);
    this.#lastSelection = { room, sockets };
    return sockets;
  }

  #inAnyOf(rooms: Set<Room>): AnySocket[] {
    const ids = new Set<SocketId>();
    for (const room of rooms) for (const id of this.rooms.get(room) ?? []) ids.add(id);
    return this.#socketsOf(ids);
  }

  #socketsOf(ids: Iterable<SocketId>): AnySocket[] {
    const sockets: AnySocket[] = [];
    for (const id of ids) {
      // A socket that has not passed the middlewares yet is in rooms, but not among the sockets.
      const socket = this.nsp.sockets.get(id);
      if (socket !== undefined) sockets.push(socket);
    }
    return sockets;
  }

  /** The ids in the excepted rooms: one id for the usual `socket.broadcast`, null for nobody. */
  #excluded(except: Set<Room> | undefined): Set<SocketId> | SocketId | null {
    if (except === undefined || except.size === 0) return null;
    let only: SocketId | null = null;
    let ids: Set<SocketId> | null = null;
    for (const room of except) {
      for (const id of this.rooms.get(room) ?? []) {
        if (ids !== null) ids.add(id);
        else if (only === null) only = id;
        else if (only !== id) ids = new Set([only, id]);
      }
    }
    return ids ?? only;
  }
}
