/**
 * What: a description of who gets a broadcast and how, built by chaining; and a socket handled through one.
 * Must not know: rooms' members, connections, or the wire; the adapter does.
 */
import type {
  AllButLast,
  DecorateAcknowledgements,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  TypedEventBroadcaster,
  Untyped,
} from '../base/typed-events.ts';
import type { AuthBeside } from '../contract/contract-types.ts';
import { type EventArguments, type EventPacket, PacketType, reservedEvents } from '../wire/events/packet.ts';
import type { Adapter, BroadcastFlags, BroadcastOptions, Room, SocketDetails, SocketId } from './adapter.ts';
import type { Handshake } from './handshake.ts';

/** What a sender of one socket's broadcast needs beside the flags that travel. */
interface OperatorFlags extends BroadcastFlags {
  /** The room is one socket's id: the acknowledgement gets its answer, not a list of one. */
  expectSingleResponse?: boolean;
}

/** The error of a broadcast that not all have answered. */
export interface BroadcastTimeoutError extends Error {
  /** What has arrived in time. */
  responses: Untyped[];
}

type BroadcastAck = (err: Error | null, responses: unknown) => void;

function toArray<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/**
 * Selects sockets and sends to them.
 *
 * Each chained call returns a new operator, so a selection can be kept and used again.
 */
export class BroadcastOperator<EmitEvents extends EventsMap, SocketData>
  implements TypedEventBroadcaster<EmitEvents>
{
  private readonly adapter: Adapter;
  private readonly rooms: Set<Room>;
  private readonly exceptRooms: Set<Room>;
  private readonly flags: OperatorFlags;

  constructor(
    adapter: Adapter,
    rooms: Set<Room> = new Set(),
    exceptRooms: Set<Room> = new Set(),
    flags: OperatorFlags = {},
  ) {
    this.adapter = adapter;
    this.rooms = rooms;
    this.exceptRooms = exceptRooms;
    this.flags = flags;
  }

  /** Adds rooms: a socket in any of them is selected, once. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    const rooms = new Set([...this.rooms, ...toArray(room)]);
    return new BroadcastOperator(this.adapter, rooms, this.exceptRooms, this.flags);
  }

  /** The same as {@link to}; reads better before `fetchSockets()` and its like. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return this.to(room);
  }

  /** Leaves out the sockets in these rooms. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    const exceptRooms = new Set([...this.exceptRooms, ...toArray(room)]);
    return new BroadcastOperator(this.adapter, this.rooms, exceptRooms, this.flags);
  }

  /** Whether the message may be compressed; it may by default. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ compress });
  }

  /** Drops the message for clients that cannot take it at once. */
  get volatile(): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ volatile: true });
  }

  /** Sends to the clients of this server only. */
  get local(): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ local: true });
  }

  /** Waits `timeout` milliseconds for acknowledgements, which get an Error first when one is missing then. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.#with({ timeout }) as unknown as BroadcastOperator<
      DecorateAcknowledgements<EmitEvents>,
      SocketData
    >;
  }

  #with(flags: OperatorFlags): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, this.rooms, this.exceptRooms, { ...this.flags, ...flags });
  }

  /**
   * Sends an event to the selected sockets. With a function as its last argument, collects their answers:
   * `(err, responses)`, after {@link timeout} at the latest.
   * @returns true.
   * @throws {Error} for a reserved name such as `connect`.
   */
  emit<Name extends EventNames<EmitEvents>>(event: Name, ...args: EventParams<EmitEvents, Name>): boolean {
    if (reservedEvents.has(event)) throw new Error(`"${String(event)}" is a reserved event name`);
    const data = [event, ...args] as unknown as EventArguments;
    const packet: EventPacket = {
      type: PacketType.event,
      nsp: this.adapter.nsp.name,
      data,
      id: undefined,
      attachments: undefined,
    };
    const ack = data[data.length - 1];
    if (typeof ack !== 'function') {
      this.adapter.broadcast(packet, this.#options());
      return true;
    }
    data.pop();
    this.#broadcastWithAck(packet, ack as BroadcastAck);
    return true;
  }

  #options(): BroadcastOptions {
    return { rooms: this.rooms, except: this.exceptRooms, flags: this.flags };
  }

  /** Done when every server has told its number of clients, and as many answers have come. */
  #broadcastWithAck(packet: EventPacket, ack: BroadcastAck): void {
    const responses: unknown[] = [];
    const { timeout, expectSingleResponse } = this.flags;
    let isDone = false;
    let expectedServers = -1;
    let servers = 0;
    let expectedClients = 0;

    const finish = (error: Error | null): void => {
      isDone = true;
      ack(error, expectSingleResponse ? (error === null ? responses[0] : null) : responses);
    };
    const timer = setTimeout(() => {
      // Nothing may be kept for those who have not answered.
      this.adapter.nsp.forgetAcks(packet);
      finish(new Error('operation has timed out'));
    }, timeout);
    const check = (): void => {
      if (isDone || servers !== expectedServers || responses.length !== expectedClients) return;
      clearTimeout(timer);
      finish(null);
    };

    const collect = (response: unknown): void => {
      responses.push(response);
      check();
    };
    const { intake } = this.adapter.nsp;
    this.adapter.broadcastWithAck(
      packet,
      this.#options(),
      (clientCount) => {
        expectedClients += clientCount;
        servers++;
        check();
      },
      // An answer that a guard does not let through counts as none: the others' still come, and the rest is for `timeout`.
      intake === null ? collect : intake.guardAnswer(packet.data[0], collect, undefined),
    );
    Promise.resolve(this.adapter.serverCount()).then((serverCount) => {
      expectedServers = serverCount;
      check();
    });
  }

  /**
   * Sends an event and collects the answers.
   * @returns the answers, one of each selected socket.
   * @throws {Error} rejects with `responses` (what has arrived) when one is missing at the {@link timeout}.
   */
  emitWithAck<Name extends EventNamesWithError<EmitEvents>>(
    event: Name,
    ...args: AllButLast<EventParams<EmitEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>> {
    return new Promise((resolve, reject) => {
      const ack: BroadcastAck = (error, responses) => {
        if (error === null) resolve(responses as FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>);
        else reject(Object.assign(error, { responses }));
      };
      this.emit(event, ...([...args, ack] as unknown as EventParams<EmitEvents, Name>));
    });
  }

  /**
   * The ids of the selected sockets.
   * @deprecated As in Socket.IO: `fetchSockets()` tells more.
   */
  allSockets(): Promise<Set<SocketId>> {
    return this.adapter.sockets(this.rooms);
  }

  /** The selected sockets: those of this server themselves, those of others as {@link RemoteSocket}. */
  async fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    const sockets = await this.adapter.fetchSockets(this.#options());
    return sockets.map((socket) => {
      const isOurs = 'client' in socket && 'nsp' in socket;
      return (isOurs ? socket : new RemoteSocket(this.adapter, socket)) as RemoteSocket<
        EmitEvents,
        SocketData
      >;
    });
  }

  /** Makes the selected sockets join rooms. */
  socketsJoin(room: Room | Room[]): void {
    this.adapter.addSockets(this.#options(), [...toArray(room)]);
  }

  /** Makes the selected sockets leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    this.adapter.delSockets(this.#options(), [...toArray(room)]);
  }

  /** Disconnects the selected sockets; with `close` their whole connections. */
  disconnectSockets(close = false): void {
    this.adapter.disconnectSockets(this.#options(), close);
  }
}

/** A snapshot of a socket, with what can be done to it from anywhere. */
export class RemoteSocket<EmitEvents extends EventsMap, SocketData>
  implements TypedEventBroadcaster<EmitEvents>
{
  readonly id: SocketId;
  readonly handshake: Handshake<AuthBeside<SocketData>>;
  readonly rooms: Set<Room>;
  readonly data: SocketData;
  readonly #operator: BroadcastOperator<EmitEvents, SocketData>;

  constructor(adapter: Adapter, details: SocketDetails<unknown>) {
    this.id = details.id;
    this.handshake = details.handshake as Handshake<AuthBeside<SocketData>>;
    this.rooms = new Set(details.rooms);
    this.data = details.data as SocketData;
    this.#operator = new BroadcastOperator<EmitEvents, SocketData>(
      adapter,
      new Set([this.id]),
      new Set(),
      // Its own acknowledgement gets one answer, not a list.
      { expectSingleResponse: true },
    );
  }

  /** Waits `timeout` milliseconds for the acknowledgement, which gets an Error first when it is missing then. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.#operator.timeout(timeout);
  }

  /** Sends an event to the socket. */
  emit<Name extends EventNames<EmitEvents>>(event: Name, ...args: EventParams<EmitEvents, Name>): boolean {
    return this.#operator.emit(event, ...args);
  }

  /** Makes the socket join rooms. */
  join(room: Room | Room[]): void {
    this.#operator.socketsJoin(room);
  }

  /** Makes the socket leave a room. */
  leave(room: Room): void {
    this.#operator.socketsLeave(room);
  }

  /** Disconnects the socket; with `close` its whole connection. */
  disconnect(close = false): this {
    this.#operator.disconnectSockets(close);
    return this;
  }
}
