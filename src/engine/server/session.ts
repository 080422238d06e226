/**
 * What: one session of Engine.IO on the server: packets in and out over whatever transport carries it at the time.
 * Must not know: HTTP, namespaces, or how any transport works.
 */
import type { IncomingMessage } from 'node:http';
import { PeerError } from '../../base/errors.ts';
import {
  deafSink,
  type Transport,
  type TransportClosed,
  TransportName,
  type TransportSink,
} from '../../transport/port.ts';
import { formatHandshake, type SessionOffer } from '../../wire/engine/handshake.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import type { Peer, PeerListener } from '../port.ts';
import type { Beating, BeatQueue } from './heartbeat.ts';
import { ObservedEmitter } from './observed-emitter.ts';
import type { Server } from './server.ts';
import {
  CloseReason,
  isParseError,
  nameByType,
  type ReadyState,
  type SendOptions,
  type SentCallback,
  type SocketEvents,
  viewOf,
} from './session-events.ts';
import { keptBytes, messageData } from './session-message.ts';
import type { UpgradeAttempt } from './upgrade.ts';

/** Sessions that are not read for now; few, so that the others need no field for it. */
const held = new WeakSet<Socket>();

/** The code of the error with which a client is given up for which too much waits. */
export const SLOW_READER = 'ENGINE_ERR_SLOW_READER';

const PING = [new OutgoingPacket(PacketType.ping)];
const NOOP = [new OutgoingPacket(PacketType.noop)];
const NOTHING: readonly OutgoingPacket[] = [];

/**
 * One client's session (engine.io's `Socket`).
 *
 * The event layer listens as a {@link PeerListener}, by direct calls; the events are for those who subscribe.
 * Plain fields: there are thousands of these, and an idle one holds nothing that it does not need.
 */
export class Socket extends ObservedEmitter<SocketEvents> implements Peer, TransportSink, Beating {
  readonly id: string;
  /** The server that it belongs to. */
  readonly server: Server;
  /** The request that began the session. */
  readonly request: IncomingMessage;
  /** The client's address, as the connection has it; a proxy's if there is one. */
  readonly remoteAddress: string | undefined;
  /** What carries the session at the time. */
  transport: Transport;
  readyState: ReadyState = 'opening';
  /** Whether it has changed to a better transport than it began with. */
  upgraded = false;
  listener: PeerListener | null = null;
  /** @internal */ upgradeAttempt: UpgradeAttempt | null = null;
  /** @internal Packets that the transport cannot take yet. */ waiting: OutgoingPacket[] | null = null;
  /** @internal What they count for, where bytes are limited. */ waitingBytes = 0;
  /** Messages that were dropped because the client read too slowly (`limits.slowReader`). */
  droppedMessages = 0;
  /** @internal */ callbacks: SentCallback[] | null = null;
  /** @internal Whether something was passed on of which `drain` has not been told. */ owesDrain = false;
  /** @internal */ beatDueMs = 0;
  /** @internal */ beatQueue: BeatQueue | null = null;
  /** @internal */ beatBefore: Beating | null = null;
  /** @internal */ beatAfter: Beating | null = null;

  /** @internal Sessions are made by the server. */
  constructor(id: string, server: Server, transport: Transport, request: IncomingMessage) {
    super();
    this.id = id;
    this.server = server;
    this.request = request;
    this.remoteAddress = request.socket?.remoteAddress;
    this.transport = transport;
    transport.sink = this;
  }

  /** The revision of the Engine.IO protocol that is spoken. */
  get protocol(): number {
    return 4;
  }

  /** Whether another transport is being probed. */
  get upgrading(): boolean {
    return this.upgradeAttempt !== null;
  }

  get isOpen(): boolean {
    return this.readyState === 'open';
  }

  get isWritable(): boolean {
    return this.waiting === null && this.transport.isWritable && this.readyState === 'open';
  }

  /** Packets that wait until the transport can take them. */
  get writeBuffer(): readonly OutgoingPacket[] {
    return this.waiting ?? NOTHING;
  }

  /** Whether nothing waits to be passed to the transport. */
  protected get hasPassedAll(): boolean {
    return this.waiting === null;
  }

  /** What the open packet says of the session extension. */
  protected get sessionOffer(): SessionOffer | undefined {
    return undefined;
  }

  /** The open packet, and the first message where the program wants one. */
  protected sendFirst(packets: readonly OutgoingPacket[]): void {
    this.sendPackets(packets);
  }

  /** @internal Says the first words, and starts the heartbeat. */
  begin(): void {
    const { opts } = this.server;
    this.readyState = 'open';
    const handshake = formatHandshake({
      sid: this.id,
      upgrades: this.server.upgrades(this.transport.name),
      pingInterval: opts.pingInterval,
      pingTimeout: opts.pingTimeout,
      maxPayload: opts.maxHttpBufferSize,
      session: this.sessionOffer,
    });
    const packets = [new OutgoingPacket(PacketType.open, handshake)];
    if (opts.initialPacket !== undefined) {
      packets.push(new OutgoingPacket(PacketType.message, opts.initialPacket));
    }
    this.sendFirst(packets);
    if (this.isObserved) this.emit('open');
    this.server.heartbeat.alive(this);
  }

  /**
   * Sends a message.
   * @param data text or bytes (`Buffer`, `ArrayBuffer`, any view); bytes must not be changed until they were sent.
   *   Anything else is sent as the text that `String` makes of it, `null` as an empty one.
   */
  send(data: unknown, options?: SendOptions | SentCallback | null, callback?: SentCallback): this {
    if (this.readyState !== 'open') return this;
    const isBare = typeof options === 'function';
    const done = isBare ? options : callback;
    if (done !== undefined) {
      this.callbacks ??= [];
      this.callbacks.push(done);
    }
    const compress = isBare || options?.compress !== false;
    this.sendPackets([new OutgoingPacket(PacketType.message, messageData(data), compress)]);
    return this;
  }

  /** The same as {@link send}. */
  write(data: unknown, options?: SendOptions | SentCallback | null, callback?: SentCallback): this {
    return this.send(data, options, callback);
  }

  sendPackets(packets: readonly OutgoingPacket[]): void {
    if (this.readyState !== 'open') return;
    if (this.isObserved) this.showCreated(packets);
    if (this.waiting === null && this.transport.isWritable) {
      this.pass(packets);
      return;
    }
    this.keepWaiting(packets);
  }

  /**
   * A client that does not read must not fill the memory; control packets are few, and must get through.
   * @param isRest whether packets that they belong to have gone, so that none may be dropped.
   */
  protected keepWaiting(packets: readonly OutgoingPacket[], isRest = false): void {
    const { bufferedBytes: value, slowReader } = this.server.limits;
    let bytes = 0;
    for (let i = 0; i < packets.length; i++) bytes += keptBytes(packets[i]!);
    const isMore = this.waitingBytes + bytes > value && packets[0]?.type === PacketType.message && !isRest;
    if (isMore && slowReader === 'drop newest') {
      this.droppedMessages += packets.length;
      return;
    }
    this.waitingBytes += bytes;
    this.waiting ??= [];
    for (const packet of packets) this.waiting.push(packet);
    if (!isMore) return;
    const message = `The client reads too slowly, or is away: more than ${value} bytes wait for it (limits.bufferedBytes).`;
    const limit = { name: 'limits.bufferedBytes', value };
    const error = new PeerError(message, { code: SLOW_READER, limit });
    this.finish(CloseReason.transportError, error);
  }

  protected showCreated(packets: readonly OutgoingPacket[]): void {
    if (this.listenerCount('packetCreate') === 0) return;
    for (const packet of packets) this.emit('packetCreate', viewOf(packet));
  }

  /**
   * Ends the session; the client is told. What was sent before still goes, unless `discard`.
   * `close` follows with the reason `forced close`.
   */
  close(discard = false): this {
    if (this.readyState === 'closed') return this;
    if (this.readyState === 'closing' && !discard) return this;
    this.readyState = 'closing';
    if (discard) this.leave();
    else if (this.waiting === null) this.transport.close();
    // Otherwise `transportDrained` closes when the rest has gone. A client that never comes for it is found by the
    // heartbeat.
    return this;
  }

  /** @internal The upgrade is complete: `transport` carries the session from now on. */
  takeTransport(transport: Transport): void {
    const old = this.transport;
    // What it has received and not passed on comes before what comes over the other.
    if (this.isHeld) old.holdReading?.(false);
    this.transport = transport;
    this.upgradeAttempt = null;
    this.upgraded = true;
    transport.sink = this;
    this.keepHolding();
    old.sink = deafSink;
    // A client has no poll waiting now; were there one, the close packet would be wrong for it.
    if (old.isWritable) old.send(NOOP);
    old.terminate();
    if (this.isObserved) this.emit('upgrade', transport);
    this.transportDrained();
  }

  protected pass(packets: readonly OutgoingPacket[]): void {
    if (this.isObserved) this.emit('flush', packets);
    const { transport } = this;
    transport.send(packets);
    if (this.callbacks === null && !this.isObserved) return;
    this.owesDrain = true;
    // A slow transport says itself when it has caught up; see `transportDrained`.
    if (transport.isWritable || transport.bufferedBytes === 0) queueMicrotask(() => this.reportSent());
  }

  protected reportSent(): void {
    if (!this.owesDrain || !this.hasPassedAll || this.readyState === 'closed') return;
    this.owesDrain = false;
    const { callbacks } = this;
    this.callbacks = null;
    if (this.isObserved) this.emit('drain');
    if (callbacks !== null) for (const callback of callbacks) callback(this.transport);
  }

  // What the transport tells.

  /** @internal */
  transportOpened(): void {}

  /** @internal */
  transportReceived(type: PacketType, data: string | Uint8Array): void {
    if (this.readyState !== 'open') return;
    if (this.isObserved && this.listenerCount('packet') > 0) {
      this.emit('packet', { type: nameByType[type], data, options: { compress: false } });
    }
    if (type === PacketType.message) {
      this.listener?.peerMessage(data);
      if (this.isObserved) {
        // Transports on Node hand over bytes as Buffers.
        this.emit('data', data);
        this.emit('message', data);
      }
    } else if (type === PacketType.pong) {
      this.server.heartbeat.alive(this);
      if (this.isObserved) this.emit('heartbeat');
    } else if (type === PacketType.close) {
      this.finish(CloseReason.transportClose, undefined);
    } else if (type === PacketType.ping) {
      // Engine.IO protocol 4, "Heartbeat": since 4 only the server pings.
      const error = new PeerError('invalid heartbeat direction', { code: 'ENGINE_ERR_HEARTBEAT_DIRECTION' });
      this.finish(CloseReason.transportError, error);
    }
    // The other types have a meaning for the client, or during an upgrade, only. As officially, they are passed over.
  }

  /** @internal */
  transportDrained(): void {
    const { waiting } = this;
    if (waiting !== null && this.transport.isWritable) {
      this.waiting = null;
      this.waitingBytes = 0;
      this.pass(waiting);
    } else if (this.owesDrain) {
      this.reportSent();
    }
    if (this.readyState === 'closing' && this.waiting === null) this.transport.close();
    else this.upgradeAttempt?.releasePoll();
  }

  /** @internal */
  transportClosed({ by, error, context }: TransportClosed): void {
    if (by === 'byUs') this.finish(CloseReason.forcedClose, undefined);
    else if (by === 'byPeer') this.finish(CloseReason.transportClose, error ?? context);
    else this.finish(isParseError(error) ? CloseReason.parseError : CloseReason.transportError, error);
  }

  // What the heartbeat tells.

  /** @internal */
  beatPing(): void {
    if (this.readyState === 'open') this.sendPackets(PING);
  }

  /** @internal */
  holdReading(isHeld: boolean): void {
    if (isHeld) {
      held.add(this);
    } else if (held.delete(this) && this.beatQueue !== null) {
      // Its pongs may still stand behind what was held up.
      this.server.heartbeat.alive(this);
    }
    this.transport.holdReading?.(isHeld);
  }

  /** @internal What carries the session now is not read either, while nobody can take more. */
  protected keepHolding(): void {
    if (held.has(this)) this.transport.holdReading?.(true);
  }

  /** @internal */
  beatMissed(): void {
    if (this.isPongUnread()) return;
    this.finish(CloseReason.pingTimeout, undefined);
  }

  /** @internal Whether nothing more of what comes is to be taken for now. */
  get isHeld(): boolean {
    return held.has(this);
  }

  /** Who is not read cannot be blamed for silence; its client still needs to hear of us. */
  protected isPongUnread(): boolean {
    const { transport } = this;
    // The last ping has answered a poll, and a client that is there polls again, whether its POSTs are answered or not.
    const isGone = transport.name === TransportName.polling && !transport.isWritable;
    if (!held.has(this) || isGone) return false;
    this.server.heartbeat.alive(this);
    this.beatPing();
    return true;
  }

  /** Tells the peer without waiting: no request will find this session again, so none must be waited for. */
  protected leave(): void {
    const { transport } = this;
    if (transport.name === TransportName.polling) transport.terminate();
    else transport.close();
  }

  /** @internal Ends it at once. */
  finish(reason: CloseReason, description: unknown): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.server.heartbeat.stop(this);
    this.upgradeAttempt?.abandon();
    this.upgradeAttempt = null;
    const { listener } = this;
    this.transport.sink = deafSink;
    this.leave();
    this.callbacks = null;
    this.server.ended(this);
    this.listener = null;
    listener?.peerClosed(reason, description);
    if (this.isObserved) this.emit('close', reason, description);
    this.waiting = null;
  }
}
