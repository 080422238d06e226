/**
 * What: the adapter that makes the rooms of many servers one, whatever carries their messages: a subclass says how.
 * Must not know: that carrier, or how a server finds out which others there are (heartbeat-adapter.ts does).
 */
import type { EventArguments, EventPacket } from '../wire/events/packet.ts';
import { PacketType } from '../wire/events/packet.ts';
import { Adapter, type BroadcastOptions, type Room, type SocketDetails } from './adapter.ts';
import { throwLater } from './client.ts';
import {
  type ClusterAnswer,
  type ClusterMessage,
  type ClusterRequest,
  type ClusterResponse,
  decodeOptions,
  encodeOptions,
  MessageType,
  type Offset,
  type ServerId,
} from './cluster-message.ts';
import type { Handshake } from './handshake.ts';
import { createId } from './identifier.ts';
import type { AnyNamespace } from './namespace.ts';

/** How long answers of other servers are waited for, as in Socket.IO: a server that hangs must not hang the others. */
const defaultTimeoutMs = 5000;

/** A question to all other servers whose answers come one by one. */
interface Question {
  /** How many have not answered; where they are known, who. */
  missing: number | Set<ServerId>;
  readonly collected: unknown[];
  readonly timer: NodeJS.Timeout;
  readonly done: (error: Error | null) => void;
}

interface BroadcastQuestion {
  readonly countClients: (clientCount: number) => void;
  readonly ack: (...args: unknown[]) => void;
}

/**
 * Rooms over many servers. A subclass implements {@link doPublish} and {@link doPublishResponse}, overrides
 * `serverCount()`, and hands over what arrives to {@link onMessage} and {@link onResponse}.
 *
 * The carrier must keep the order of what one server publishes, and deliver each message at most once.
 */
export abstract class ClusterAdapter extends Adapter {
  /** This server, for this namespace. */
  protected readonly uid: ServerId = createId();
  readonly #questions = new Map<string, Question>();
  readonly #broadcasts = new Map<string, BroadcastQuestion>();

  protected constructor(nsp: AnyNamespace) {
    super(nsp);
  }

  /** Sends a message to the other servers. @returns its place in the log, where the carrier has one. */
  protected abstract doPublish(message: ClusterMessage): Promise<Offset>;

  /** Sends an answer to one server. */
  protected abstract doPublishResponse(requesterUid: ServerId, response: ClusterResponse): Promise<void>;

  /** Sends a message; that it could not be sent is reported by the event `error` of the adapter. */
  protected publish(message: ClusterRequest): void {
    this.publishAndReturnOffset(message).catch((error) => this.#report(error));
  }

  protected publishAndReturnOffset(message: ClusterRequest): Promise<Offset> {
    return this.doPublish({ ...message, uid: this.uid, nsp: this.nsp.name });
  }

  protected publishResponse(requesterUid: ServerId, response: ClusterAnswer): void {
    const whole = { ...response, uid: this.uid, nsp: this.nsp.name };
    this.doPublishResponse(requesterUid, whole).catch((error) => this.#report(error));
  }

  #report(error: unknown): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  /** A message of another server. @param offset its place in the log. */
  protected onMessage(message: ClusterMessage, offset?: Offset): void {
    if (message.uid === this.uid) return;
    switch (message.type) {
      case MessageType.BROADCAST:
        this.#takeBroadcast(message.uid, message.data, offset);
        break;
      case MessageType.SOCKETS_JOIN:
        super.addSockets(decodeOptions(message.data.opts), message.data.rooms);
        break;
      case MessageType.SOCKETS_LEAVE:
        super.delSockets(decodeOptions(message.data.opts), message.data.rooms);
        break;
      case MessageType.DISCONNECT_SOCKETS:
        super.disconnectSockets(decodeOptions(message.data.opts), message.data.close === true);
        break;
      case MessageType.FETCH_SOCKETS:
        this.#tellSockets(message.uid, message.data).catch(throwLater);
        break;
      case MessageType.SERVER_SIDE_EMIT:
        this.#takeServerSideEvent(message.uid, message.data);
        break;
      default:
      // Kinds that later versions may have, and heartbeats, which say nothing here.
    }
  }

  #takeBroadcast(
    uid: ServerId,
    { opts, packet, requestId }: Extract<ClusterMessage, { type: 3 }>['data'],
    offset: Offset | undefined,
  ): void {
    const options = decodeOptions(opts);
    if (requestId === undefined) {
      this.#addOffset(packet as EventPacket, options, offset);
      super.broadcast(packet as EventPacket, options);
      return;
    }
    super.broadcastWithAck(
      packet as EventPacket,
      options,
      (clientCount) =>
        this.publishResponse(uid, {
          type: MessageType.BROADCAST_CLIENT_COUNT,
          data: { requestId, clientCount },
        }),
      (answer) =>
        this.publishResponse(uid, { type: MessageType.BROADCAST_ACK, data: { requestId, packet: answer } }),
    );
  }

  async #tellSockets(
    uid: ServerId,
    { opts, requestId }: Extract<ClusterMessage, { type: 7 }>['data'],
  ): Promise<void> {
    const sockets = (await super.fetchSockets(decodeOptions(opts))).map(({ id, handshake, rooms, data }) => {
      // Programs keep what cannot travel in their handshake: express-session its store, for one.
      const { sessionStore: _, ...rest } = handshake as Handshake & { sessionStore?: unknown };
      return { id, handshake: rest, rooms: [...rooms], data };
    });
    this.publishResponse(uid, { type: MessageType.FETCH_SOCKETS_RESPONSE, data: { requestId, sockets } });
  }

  #takeServerSideEvent(
    uid: ServerId,
    { packet, requestId }: Extract<ClusterMessage, { type: 9 }>['data'],
  ): void {
    const event = packet as [string, ...unknown[]];
    if (requestId === undefined) {
      this.nsp._onServerSideEmit(event);
      return;
    }
    let hasAnswered = false;
    this.nsp._onServerSideEmit([
      ...event,
      (answer: unknown) => {
        if (hasAnswered) return;
        hasAnswered = true;
        this.publishResponse(uid, {
          type: MessageType.SERVER_SIDE_EMIT_RESPONSE,
          data: { requestId, packet: answer },
        });
      },
    ]);
  }

  /** The answer of another server; one that comes too late is passed over. */
  protected onResponse(response: ClusterResponse): void {
    const { requestId } = response.data;
    switch (response.type) {
      case MessageType.BROADCAST_CLIENT_COUNT:
        this.#broadcasts.get(requestId)?.countClients(response.data.clientCount);
        break;
      case MessageType.BROADCAST_ACK:
        this.#broadcasts.get(requestId)?.ack(response.data.packet);
        break;
      case MessageType.FETCH_SOCKETS_RESPONSE:
        this.#answered(requestId, response.uid, response.data.sockets);
        break;
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        this.#answered(requestId, response.uid, [response.data.packet]);
    }
  }

  #answered(requestId: string, uid: ServerId, answers: readonly unknown[]): void {
    const question = this.#questions.get(requestId);
    if (question === undefined) return;
    if (typeof question.missing === 'number') question.missing--;
    else if (!question.missing.delete(uid)) return;
    question.collected.push(...answers);
    this.#finishIfComplete(requestId, question);
  }

  #finishIfComplete(requestId: string, question: Question): void {
    const { missing } = question;
    if ((typeof missing === 'number' ? missing : missing.size) > 0) return;
    this.#questions.delete(requestId);
    clearTimeout(question.timer);
    question.done(null);
  }

  /** A server is gone: nobody waits for its answers any more. */
  protected forgetServer(uid: ServerId): void {
    for (const [requestId, question] of [...this.#questions]) {
      if (typeof question.missing === 'object' && question.missing.delete(uid)) {
        this.#finishIfComplete(requestId, question);
      }
    }
  }

  /** How many other servers will answer; who, where that is known. */
  protected async otherServers(): Promise<number | Set<ServerId>> {
    return (await this.serverCount()) - 1;
  }

  /** Asks all others. @param done told an Error when not all have answered in time. */
  #ask(
    missing: number | Set<ServerId>,
    timeoutMs: number,
    collected: unknown[],
    done: (error: Error | null) => void,
  ): string {
    const requestId = createId();
    const expected = typeof missing === 'number' ? missing : missing.size;
    const timer = setTimeout(() => {
      const question = this.#questions.get(requestId) as Question;
      const left = typeof question.missing === 'number' ? question.missing : question.missing.size;
      this.#questions.delete(requestId);
      done(new Error(`timeout reached: only ${expected - left} responses received out of ${expected}`));
    }, timeoutMs);
    this.#questions.set(requestId, { missing, collected, timer, done });
    return requestId;
  }

  /** Here at once, unless the packet must carry its place in the log (connection state recovery). */
  override broadcast(packet: EventPacket, opts: BroadcastOptions): void {
    if (opts.flags?.local) {
      super.broadcast(packet, opts);
      return;
    }
    const message: ClusterRequest = {
      type: MessageType.BROADCAST,
      data: { opts: encodeOptions(opts), packet },
    };
    if (!this.#wantsOffset(packet, opts)) {
      this.publish(message);
      super.broadcast(packet, opts);
      return;
    }
    this.publishAndReturnOffset(message)
      .then(
        (offset) => this.#addOffset(packet, opts, offset),
        // Whoever is here gets it nevertheless.
        (error) => this.#report(error),
      )
      .then(() => super.broadcast(packet, opts))
      .catch(throwLater);
  }

  /** Socket.IO 4, "Connection state recovery": events that want no answer and are not volatile can be recovered. */
  #wantsOffset(packet: EventPacket, { flags }: BroadcastOptions): boolean {
    const isEvent = packet.type === PacketType.event && (packet.id ?? undefined) === undefined;
    return Boolean(this.nsp.server._opts.connectionStateRecovery) && isEvent && flags?.volatile !== true;
  }

  #addOffset(packet: EventPacket, opts: BroadcastOptions, offset: Offset | undefined): void {
    if (offset === undefined || !this.#wantsOffset(packet, opts)) return;
    packet.data = [...packet.data, offset] as EventArguments;
  }

  override broadcastWithAck(
    packet: EventPacket,
    opts: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (...args: unknown[]) => void,
  ): void {
    if (!opts.flags?.local) {
      const requestId = createId();
      this.#broadcasts.set(requestId, { countClients: clientCountCallback, ack });
      this.publish({
        type: MessageType.BROADCAST,
        data: { opts: encodeOptions(opts), packet: { ...packet, data: [...packet.data] }, requestId },
      });
      // Answers that come later have no one to go to: whoever waits has its own timeout.
      setTimeout(() => this.#broadcasts.delete(requestId), opts.flags?.timeout ?? defaultTimeoutMs).unref();
    }
    super.broadcastWithAck(packet, opts, clientCountCallback, ack);
  }

  override addSockets(opts: BroadcastOptions, rooms: Room[]): void {
    super.addSockets(opts, rooms);
    if (opts.flags?.local) return;
    this.publish({ type: MessageType.SOCKETS_JOIN, data: { opts: encodeOptions(opts), rooms } });
  }

  override delSockets(opts: BroadcastOptions, rooms: Room[]): void {
    super.delSockets(opts, rooms);
    if (opts.flags?.local) return;
    this.publish({ type: MessageType.SOCKETS_LEAVE, data: { opts: encodeOptions(opts), rooms } });
  }

  override disconnectSockets(opts: BroadcastOptions, close: boolean): void {
    super.disconnectSockets(opts, close);
    if (opts.flags?.local) return;
    this.publish({ type: MessageType.DISCONNECT_SOCKETS, data: { opts: encodeOptions(opts), close } });
  }

  /** @throws {Error} rejects when not all servers have told theirs in time (`timeout()`, or 5 seconds). */
  override async fetchSockets(opts: BroadcastOptions): Promise<SocketDetails[]> {
    const sockets: unknown[] = await super.fetchSockets(opts);
    const others = opts.flags?.local ? 0 : await this.otherServers();
    if ((typeof others === 'number' ? others : others.size) <= 0) return sockets as SocketDetails[];
    return new Promise((resolve, reject) => {
      const requestId = this.#ask(others, opts.flags?.timeout ?? defaultTimeoutMs, sockets, (error) => {
        if (error === null) resolve(sockets as SocketDetails[]);
        else reject(error);
      });
      this.publish({
        type: MessageType.FETCH_SOCKETS,
        data: { opts: encodeOptions(opts), requestId },
      });
    });
  }

  override serverSideEmit(packet: unknown[]): void {
    const ack = packet[packet.length - 1];
    if (typeof ack !== 'function') {
      this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { packet } });
      return;
    }
    this.#serverSideEmitWithAck(packet.slice(0, -1), ack as never).catch(throwLater);
  }

  async #serverSideEmitWithAck(
    packet: unknown[],
    ack: (error: Error | null, responses: unknown[]) => void,
  ): Promise<void> {
    const responses: unknown[] = [];
    const others = await this.otherServers();
    if ((typeof others === 'number' ? others : others.size) <= 0) {
      ack(null, responses);
      return;
    }
    const requestId = this.#ask(others, defaultTimeoutMs, responses, (error) => ack(error, responses));
    this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { packet, requestId } });
  }
}
