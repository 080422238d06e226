/**
 * What: the latest events of a room, given to those who join, in order with those that follow.
 * Must not know: where they are kept (the store does), or how packets reach a socket.
 */
import { UsageError } from '../base/errors.ts';
import type { HistoryMark, HistoryStart } from '../base/room-events.ts';
import type { DefaultEventsMap, EventNamesWithoutAck, EventParams, EventsMap } from '../base/typed-events.ts';
import { asBuffer } from '../transport/platform/node-byte-codec.ts';
import { type EventArguments, type Packet, PacketType, reservedEvents } from '../wire/events/packet.ts';
import { checkArguments } from '../wire/events/text.ts';
import type { Adapter, Room, SocketId } from './adapter.ts';
import type { HistoryEntry, HistoryLimits, HistoryQuery, HistoryStore } from './history-store.ts';
import { MemoryHistoryStore } from './memory-history-store.ts';
import type { AnyNamespace } from './namespace.ts';
import type { SocketReference } from './presence.ts';
import { channelOf, deliver } from './room-delivery.ts';
import type { AnySocket } from './socket.ts';

export type { HistoryEvents, HistoryMark, HistoryStart } from '../base/room-events.ts';
export type { HistoryLimits } from './history-store.ts';

/** How history is kept; a room may have limits of its own: `io.history(room, limits)`. */
export interface HistoryOptions extends Partial<HistoryLimits> {
  /** Where; in memory by default, which is right for one server. */
  store?: HistoryStore;
}

/** What a socket is to be given on joining. */
export interface HistoryJoinOptions {
  /** The `id` of the latest event that the client has; what followed it is given. Whatever a client says may stand here. */
  since?: unknown;
  /** At most so many events, the latest; all that are kept by default. */
  limit?: number;
}

/** The rooms whose own limits are remembered: clients name rooms, and names may not fill the memory. */
const limitedRooms = 100_000;

const defaultLimits: HistoryLimits = { limitEvents: 100, limitAgeMs: 3_600_000, limitBytes: 1024 * 1024 };

/** A socket that is being given what was said before. */
interface Joining {
  readonly socket: AnySocket;
  /** What was said meanwhile. */
  readonly held: HistoryEntry[];
}

/** What this server knows of one room, as long as a socket here has joined its history. */
class Followed {
  readonly room: Room;
  /** Who is told each entry, with the number up to which it has been told. */
  readonly members = new Map<SocketId, { readonly socket: AnySocket; toldNumber: number }>();
  readonly joining = new Map<SocketId, Joining>();
  /** Resolved when entries come. */
  isSubscribed: Promise<unknown> = Promise.resolve();
  unsubscribe: (() => void) | null = null;
  isOver = false;

  constructor(room: Room) {
    this.room = room;
  }
}

/** The histories of one namespace's rooms. Made when it is first asked for. @internal */
export class History {
  readonly #nsp: AnyNamespace;
  readonly #store: HistoryStore;
  readonly #limits: HistoryLimits;
  /** What was given for a room, the one that was used least recently first. */
  readonly #limitsOf = new Map<Room, HistoryLimits>();
  readonly #rooms = new Map<Room, Followed>();
  #adapter: Adapter | null = null;
  /** How often an entry could not be read. */
  unreadable = 0;

  constructor(nsp: AnyNamespace) {
    const { store = new MemoryHistoryStore(), ...limits } = nsp.server._opts.history ?? {};
    this.#nsp = nsp;
    this.#store = store;
    this.#limits = withLimits(defaultLimits, limits);
  }

  /** The history of one room; light, and as good as any other of the same room. */
  room<EmitEvents extends EventsMap>(room: Room, limits?: Partial<HistoryLimits>): RoomHistory<EmitEvents> {
    if (limits !== undefined) this.#limit(room, withLimits(this.#limitsFor(room), limits));
    if (this.#adapter !== this.#nsp.adapter) {
      this.#adapter = this.#nsp.adapter;
      // Whoever is gone has left its rooms before.
      this.#adapter.on('leave-room', (left: Room, id: SocketId) => this.#left(left, id));
    }
    return new RoomHistory<EmitEvents>(this, room);
  }

  #limitsFor(room: Room): HistoryLimits {
    return this.#limitsOf.get(room) ?? this.#limits;
  }

  #limit(room: Room, limits: HistoryLimits): void {
    this.#limitsOf.delete(room);
    this.#limitsOf.set(room, limits);
    const [oldest] = this.#limitsOf.size > limitedRooms ? this.#limitsOf.keys() : [];
    if (oldest !== undefined) this.#limitsOf.delete(oldest);
  }

  async emit(room: Room, data: EventArguments): Promise<HistoryMark> {
    if (reservedEvents.has(data[0])) {
      throw new UsageError(`"${String(data[0])}" is a reserved event name`, {
        code: 'HISTORY_ERR_RESERVED_NAME',
      });
    }
    // Each is told with its mark behind.
    checkArguments([...data, null], UsageError);
    if (data.some((value) => typeof value === 'function')) {
      throw new UsageError(
        'An event that is kept can have no acknowledgement. Send it with io.to(room) too',
        {
          code: 'HISTORY_ERR_ACK',
        },
      );
    }
    const packets = this.#nsp.server.encodePacket({ type: PacketType.event, nsp: this.#nsp.name, data });
    const payload = packets.map((packet) => packet.data);
    // What cannot be read again must not get into the log: more attachments than a parser takes, say.
    if (payload.length > 1) this.#decode(payload);
    const limits = this.#limitsOf.get(room);
    // It is in use, so others are forgotten first.
    if (limits !== undefined) this.#limit(room, limits);
    const entry = await this.#store.append(channelOf(this.#nsp, room), payload, limits ?? this.#limits);
    return markOf(room, entry);
  }

  /** @returns null when the socket is not in the namespace, or has left or joined again meanwhile. */
  async join(
    room: Room,
    reference: SocketReference,
    { since, limit }: HistoryJoinOptions,
  ): Promise<HistoryStart | null> {
    if (reference.nsp.name !== this.#nsp.name) {
      const message = `The socket is in ${reference.nsp.name}. Use io.of('${reference.nsp.name}').history(room)`;
      throw new UsageError(message, { code: 'HISTORY_ERR_NAMESPACE' });
    }
    const socket = this.#nsp.sockets.get(reference.id);
    if (socket === undefined) return null;
    const followed = this.#follow(room);
    // Whoever joins again while it is joining is still owed what was held.
    const joining: Joining = { socket, held: followed.joining.get(socket.id)?.held ?? [] };
    followed.joining.set(socket.id, joining);
    try {
      // From here on, leaving the room ends the joining.
      await Promise.all([socket.join(room), followed.isSubscribed]);
      const page = await this.#store.read(channelOf(this.#nsp, room), queryOf(since, limit));
      if (followed.joining.get(socket.id) !== joining) return null;
      const start = { room, isReset: !page.isContinuous, count: page.entries.length, id: page.lastId };
      deliver(this.#nsp, [socket], ['history', start]);
      this.#tell(followed, socket, page.entries);
      // A store may show a reader what it has yet to tell its subscribers.
      followed.members.set(socket.id, { socket, toldNumber: page.lastNumber });
      return start;
    } finally {
      if (followed.joining.get(socket.id) === joining) {
        followed.joining.delete(socket.id);
        // Also where joining again has failed: it goes on as the member that it was.
        this.#release(followed, joining);
      }
      this.#forgetIfIdle(followed);
    }
  }

  #release(followed: Followed, { socket, held }: Joining): void {
    const member = followed.members.get(socket.id);
    if (member === undefined) return;
    this.#tell(
      followed,
      socket,
      held.filter(({ number }) => number > member.toldNumber),
    );
    const lastNumber = held.at(-1)?.number ?? 0;
    if (lastNumber > member.toldNumber) member.toldNumber = lastNumber;
  }

  #tell({ room }: Followed, socket: AnySocket, entries: readonly HistoryEntry[]): void {
    for (const entry of entries) {
      const data = this.#eventOf(room, entry);
      if (data !== null) deliver(this.#nsp, [socket], data);
    }
  }

  leave(room: Room, { id }: SocketReference): Promise<void> | void {
    return this.#nsp.sockets.get(id)?.leave(room);
  }

  clear(room: Room): Promise<void> {
    return this.#store.clear(channelOf(this.#nsp, room));
  }

  async read(room: Room): Promise<{ mark: HistoryMark; event: string | number; args: unknown[] }[]> {
    const { entries } = await this.#store.read(channelOf(this.#nsp, room), {});
    return entries.flatMap((entry) => {
      const data = this.#read(room, entry);
      if (data === null) return [];
      const [event, ...args] = data;
      return [{ mark: markOf(room, entry), event, args }];
    });
  }

  #follow(room: Room): Followed {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const followed = new Followed(room);
    this.#rooms.set(room, followed);
    followed.isSubscribed = this.#store
      .subscribe(channelOf(this.#nsp, room), (entry) => this.#appended(followed, entry))
      .then((unsubscribe) => {
        if (followed.isOver) unsubscribe();
        else followed.unsubscribe = unsubscribe;
      });
    // Whoever joins learns of a failure; the next one tries again.
    followed.isSubscribed.catch(() => this.#forgetIfIdle(followed));
    return followed;
  }

  #left(room: Room, id: SocketId): void {
    const followed = this.#rooms.get(room);
    if (followed === undefined) return;
    followed.members.delete(id);
    followed.joining.delete(id);
    this.#forgetIfIdle(followed);
  }

  #forgetIfIdle(followed: Followed): void {
    const { members, joining, room } = followed;
    if (members.size + joining.size > 0 || this.#rooms.get(room) !== followed) return;
    this.#rooms.delete(room);
    followed.isOver = true;
    followed.unsubscribe?.();
  }

  #appended({ room, members, joining, isOver }: Followed, entry: HistoryEntry): void {
    if (isOver) return;
    for (const { held } of joining.values()) held.push(entry);
    const sockets: AnySocket[] = [];
    for (const [id, { socket, toldNumber }] of members) {
      if (entry.number > toldNumber && !joining.has(id)) sockets.push(socket);
    }
    const data = sockets.length > 0 ? this.#eventOf(room, entry) : null;
    if (data !== null) deliver(this.#nsp, sockets, data);
  }

  #eventOf(room: Room, entry: HistoryEntry): EventArguments | null {
    const data = this.#read(room, entry);
    data?.push(markOf(room, entry));
    return data;
  }

  /** @returns null for what another server, with another parser, has written. */
  #read(room: Room, entry: HistoryEntry): EventArguments | null {
    try {
      return this.#decode(entry.payload);
    } catch (error) {
      // A room of them, read again and again, would fill the log.
      if (this.unreadable++ === 0) {
        const text = `An event in the history of ${room} cannot be read: ${String(error)}`;
        process.emitWarning(`${text}. Others are only counted, in history(room).unreadable`, {
          code: 'HISTORY_UNREADABLE',
        });
      }
      return null;
    }
  }

  #decode(payload: readonly (string | Uint8Array)[]): EventArguments {
    let data: EventArguments | undefined;
    const decoder = new this.#nsp.server._parser.Decoder();
    decoder.on('decoded', (packet: Packet) => {
      data = packet.data as EventArguments;
    });
    for (const part of payload) decoder.add(typeof part === 'string' ? part : asBuffer(part));
    decoder.destroy();
    if (data === undefined) {
      throw new UsageError('The parser cannot read what it wrote', { code: 'HISTORY_ERR_PAYLOAD' });
    }
    return data;
  }
}

/** @throws {UsageError} `HISTORY_ERR_LIMIT` */
function withLimits(known: HistoryLimits, given: Partial<HistoryLimits>): HistoryLimits {
  const {
    limitEvents = known.limitEvents,
    limitAgeMs = known.limitAgeMs,
    limitBytes = known.limitBytes,
  } = given;
  const limits = { limitEvents, limitAgeMs, limitBytes };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= 0) continue;
    throw new UsageError(`${name} is a number, at least 0, not ${String(value)}`, {
      code: 'HISTORY_ERR_LIMIT',
    });
  }
  return limits;
}

/** Clients say anything; no store's ids are longer than this. */
const sinceLimit = 256;

function queryOf(since: unknown, limit: number | undefined): HistoryQuery {
  const isId = typeof since === 'string' && since.length <= sinceLimit;
  return { ...(isId && { since }), ...(limit !== undefined && { limit }) };
}

function markOf(room: Room, { id, atMs }: HistoryEntry): HistoryMark {
  return { room, id, atMs };
}

/** The latest of what was said in one room: `io.history(room)`. Light; make one whenever you need it. */
export class RoomHistory<EmitEvents extends EventsMap = DefaultEventsMap> {
  readonly #history: History;
  /** The room's name. */
  readonly room: Room;

  /** @internal */
  constructor(history: History, room: Room) {
    this.#history = history;
    this.room = room;
  }

  /**
   * Keeps an event, and sends it to every socket that has joined this history, the speaker's among them.
   *
   * All get the events of a room in one order, each with its {@link HistoryMark} as the last argument. Sockets that
   * are in the room without having joined its history do not get them.
   * @returns resolves when it is kept.
   * @throws {UsageError} `HISTORY_ERR_ACK` for a function among the arguments, `HISTORY_ERR_RESERVED_NAME` for a name
   * such as `connect`; what the store rejects with: then nobody gets it.
   */
  emit<Name extends EventNamesWithoutAck<EmitEvents>>(
    event: Name,
    ...args: EventParams<EmitEvents, Name>
  ): Promise<HistoryMark> {
    return this.#history.emit(this.room, [event as string, ...args]);
  }

  /**
   * Makes a socket join the room and gives it what was said before, then what follows: no gap, nothing twice.
   *
   * The socket gets the event `history` ({@link HistoryStart}), then the events themselves.
   * @returns resolves, when they are on their way, to what the socket was told; to null when it is not in the
   * namespace, or has left or joined again meanwhile.
   * @throws {UsageError} `HISTORY_ERR_NAMESPACE`; what the store rejects with: the socket is in the room then, and
   * gets nothing of the history.
   */
  join(socket: SocketReference, options: HistoryJoinOptions = {}): Promise<HistoryStart | null> {
    return this.#history.join(this.room, socket, options);
  }

  /** The same as `socket.leave(room)`: it is given nothing more. */
  leave(socket: SocketReference): Promise<void> | void {
    return this.#history.leave(this.room, socket);
  }

  /** What is kept, in order; without what cannot be read, which is counted in {@link unreadable}. */
  read(): Promise<{ mark: HistoryMark; event: string | number; args: unknown[] }[]> {
    return this.#history.read(this.room);
  }

  /**
   * How often this server could not read what is kept in a room of the namespace, and left it out: another server,
   * with another parser, has written it. The first is a warning too, `HISTORY_UNREADABLE`.
   */
  get unreadable(): number {
    return this.#history.unreadable;
  }

  /** Forgets what is kept. Who comes back is told to begin anew (`isReset`). */
  clear(): Promise<void> {
    return this.#history.clear(this.room);
  }
}
