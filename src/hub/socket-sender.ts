/**
 * What: the half of a socket that sends: events to its client and their acknowledgements, broadcasts to the others.
 * Must not know: how a socket comes and goes, or what it receives (socket.ts).
 */
import type { Timer } from '../base/port.ts';
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  Untyped,
} from '../base/typed-events.ts';
import type { AskedStream } from '../streams/asked-stream.ts';
import type { EventSocket } from '../streams/event-socket.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import type { StreamNames, StreamPart, StreamRequest } from '../streams/typed-streams.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import { type EventArguments, type EventPacket, PacketType, reservedEvents } from '../wire/events/packet.ts';
import type { BroadcastFlags, Room, SocketId } from './adapter.ts';
import { BroadcastOperator } from './broadcast-operator.ts';
import { CatchAllEmitter } from './catch-all-emitter.ts';
import type { Client } from './client.ts';
import type { Namespace } from './namespace.ts';
import type { Socket } from './socket.ts';

/** A function that is called with the answer of the peer. */
export type Ack = ((...args: unknown[]) => void) & {
  /** Told that the answer was not let through, where no error comes first. */
  refused?: (error: Error) => void;
};

/** What a socket does to send. There is one for each client: what an idle one does not need is made on first use. */
export abstract class SocketSender<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends CatchAllEmitter<ListenEvents, EmitEvents, ReservedEvents> {
  /** The namespace that the socket is in. */
  abstract readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The connection that it shares with the client's sockets of other namespaces. */
  abstract readonly client: Client;
  /** Identifies the socket, and is a room with only this socket in it. Not the session's id, which is a secret. */
  abstract readonly id: SocketId;
  #acks: Map<number, Ack> | null = null;
  #flags: BroadcastFlags | null = null;

  /** Whether the socket has left: nothing goes to its client any more. */
  protected abstract get isGone(): boolean;

  /** The acknowledgements that are still due, by packet id. @internal */
  get acks(): Map<number, Ack> {
    this.#acks ??= new Map();
    return this.#acks;
  }

  /** Whether an acknowledgement or a part of a stream is due. @internal */
  get owesAnswer(): boolean {
    return (this.#acks?.size ?? 0) > 0 || StreamPeer.isAsking(this as unknown as EventSocket);
  }

  /** Gives up waiting for an acknowledgement. @internal */
  forgetAck(id: number): void {
    this.#acks?.delete(id);
  }

  /**
   * Sends an event to the client. A function as the last argument is called with the client's answer.
   * @returns true.
   * @throws {Error} for a reserved name such as `disconnect`.
   */
  override emit<Name extends EventNames<EmitEvents>>(
    event: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean;
  override emit(...data: [event: string | symbol, ...args: unknown[]]): boolean {
    const [event] = data;
    if (reservedEvents.has(event)) throw new Error(`"${String(event)}" is a reserved event name`);
    const { nsp } = this;
    const flags = this.#flags;
    this.#flags = null;
    let id: number | undefined;
    if (data.length > 1 && typeof data[data.length - 1] === 'function') {
      id = nsp._ids++;
      this.#expectAck(id, data.pop() as Ack, flags?.timeout, event);
    }
    const packet: EventPacket = {
      type: PacketType.event,
      nsp: nsp.name,
      data: data as EventArguments,
      id,
      attachments: undefined,
    };
    if (nsp.server._opts.connectionStateRecovery) {
      // The adapter keeps the packet for the case that the connection breaks.
      nsp.adapter.broadcast(packet, { rooms: new Set([this.id]), except: new Set(), flags: flags ?? {} });
    } else {
      this.notifyOutgoingListeners(packet);
      if (!this.isGone) this.client.sendPacket(packet, flags?.compress, flags?.volatile);
    }
    return true;
  }

  #expectAck(id: number, ack: Ack, timeoutMs: number | undefined, event: string | symbol): void {
    if (timeoutMs === undefined) {
      this.#setAck(id, event, ack, ack.refused);
      return;
    }
    const timer: Timer = nodeClock.setTimer(timeoutMs, () => {
      this.forgetAck(id);
      isOver = true;
      ack.call(this, new Error('operation has timed out'));
    });
    let isOver = false;
    // A guard may take its time with an answer.
    const tell = (...args: unknown[]): void => {
      timer.cancel();
      if (!isOver) ack.apply(this, args);
    };
    this.#setAck(
      id,
      event,
      (...args) => tell(null, ...args),
      (error) => tell(error),
    );
  }

  #setAck(id: number, event: string | symbol, answered: Ack, refused: Ack['refused']): void {
    const { intake } = this.nsp;
    this.acks.set(id, intake === null ? answered : intake.guardAnswer(String(event), answered, refused));
  }

  /**
   * Sends an event and waits for the answer.
   * @returns the first argument of the client's answer.
   * @throws {Error} rejects when {@link timeout} was set and has passed.
   */
  emitWithAck<Name extends EventNamesWithAck<EmitEvents>>(
    event: Name,
    ...args: AllButLast<EventParams<EmitEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>> {
    const hasError = this.#flags?.timeout !== undefined;
    return new Promise((resolve, reject) => {
      const ack: Ack = (first, second) => {
        if (hasError && first) reject(first);
        else resolve((hasError ? second : first) as FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>);
      };
      ack.refused = reject;
      this.emit(event, ...([...args, ack] as unknown as EventParams<EmitEvents, Name>));
    });
  }

  /**
   * Asks the client for a stream, which answers with `onStream(event, ...)`; it is asked when the iteration begins.
   * @param args what it is asked with, and {@link StreamOptions} behind, if any.
   * @returns for `for await`; `break` and the signal cancel it on the client too.
   * @throws {UsageError} `STREAM_ERR_CREDIT`: an option is wrong.
   */
  stream<Name extends StreamNames<EmitEvents>>(
    event: Name,
    ...args: StreamRequest<EmitEvents, Name>
  ): AskedStream<StreamPart<EmitEvents, Name>> {
    return StreamPeer.of(this as unknown as EventSocket).ask(String(event), args);
  }

  /** Sends a `message` event. */
  send(...args: EventParams<EmitEvents, 'message'>): this {
    this.emit('message' as EventNames<EmitEvents>, ...(args as EventParams<EmitEvents, Untyped>));
    return this;
  }

  /** The same as {@link send}. */
  write(...args: EventParams<EmitEvents, 'message'>): this {
    return this.send(...args);
  }

  #broadcastOperator(): BroadcastOperator<
    DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
    SocketData
  > {
    const flags = this.#flags;
    this.#flags = null;
    return new BroadcastOperator(this.nsp.adapter, new Set(), new Set([this.id]), flags ?? {});
  }

  /** Selects the others in a room. */
  to(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcastOperator().to(room);
  }

  /** The same as {@link to}. */
  in(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcastOperator().in(room);
  }

  /** Selects the others that are not in a room. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcastOperator().except(room);
  }

  /** Selects all others. */
  get broadcast(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcastOperator();
  }

  /** Selects all others of this server. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcastOperator().local;
  }

  /** The next event is dropped when the client cannot take it at once. */
  get volatile(): this {
    return this.#with({ volatile: true });
  }

  /** Whether the next event may be compressed; it may by default. */
  compress(compress: boolean): this {
    return this.#with({ compress });
  }

  /** The next acknowledgement gets an Error first when it is missing after `timeout` milliseconds. */
  timeout(
    timeout: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    return this.#with({ timeout }) as unknown as Socket<
      ListenEvents,
      DecorateAcknowledgements<EmitEvents>,
      ServerSideEvents,
      SocketData
    >;
  }

  #with(flags: BroadcastFlags): this {
    this.#flags = { ...this.#flags, ...flags };
    return this;
  }

  /** The answer to an event of ours. @internal */
  receiveAck(id: number, args: readonly unknown[]): void {
    const ack = this.#acks?.get(id);
    // An answer to nothing, or a second one.
    if (ack === undefined) return;
    this.#acks?.delete(id);
    ack.apply(this, args as unknown[]);
  }
}
