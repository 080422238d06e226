/**
 * What: a session that outlives its connections, on the server: counts, replays, waits for a connection, says when it is over.
 * Must not know: HTTP, namespaces, or how any transport works; the counting itself is protocol/session.
 */
import type { IncomingMessage } from 'node:http';
import { PeerError } from '../../base/errors.ts';
import type { Timer } from '../../base/port.ts';
import { SessionError } from '../../protocol/session/send-window.ts';
import {
  parseCount,
  Session,
  type SessionEnd,
  type SessionLimits,
  type SessionOutcome,
} from '../../protocol/session/session.ts';
import { deafSink, type Transport, type TransportClosed, TransportName } from '../../transport/port.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import type { SessionOffer } from '../../wire/engine/handshake.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { SessionOver } from '../port.ts';
import { carrierKinds } from './carriers.ts';
import type { Server } from './server.ts';
import { Socket } from './session.ts';
import { CloseReason, isParseError } from './session-events.ts';
import { keptBytes } from './session-message.ts';

/** Close codes of WebSockets, docs/protocol/session.md. */
export const SessionCloseCode = {
  /** RFC 6455 section 7.4.1: the purpose is fulfilled. The session has ended; packet `1` went before. */
  ended: 1000,
  /** There is no such session, or it has ended. */
  unknown: 4001,
  /** Another connection carries the session now. */
  replaced: 4002,
} as const;

/** RFC 6455 section 7.4.1: the client is done (1000), or its page is left (1001). */
const LEAVING: ReadonlySet<number | undefined> = new Set([1000, 1001]);

/** An answer to a poll that gets lost is said again, so it is not made longer than this if it can be helped. */
const ANSWER_BYTES = 1024 * 1024;

/** What is due to be said beside messages. */
const Owed = { nothing: 0, countWithWords: 1, countAtOnce: 2 } as const;
type Owed = (typeof Owed)[keyof typeof Owed];

const PING = new OutgoingPacket(PacketType.ping);

/**
 * A session with a client that announced `tautline=1`. Made only for these: a session of the standard costs what it
 * did. Messages are held by reference until the client confirms them; what the connection has not taken yet is the
 * part of them from `cursor` on, so nothing is kept twice.
 *
 * Plain fields: one for each client.
 */
export class ResumableSocket extends Socket {
  /** @internal */ readonly machine: Session<OutgoingPacket>;
  /** @internal Index of our next message to be passed to the connection. */ cursor = 0;
  /** @internal Index of the next message that comes over a connection in which they are not numbered. */
  incoming = 0;
  /** @internal Packets that are no messages and wait for the connection. */ controls:
    | OutgoingPacket[]
    | null = null;
  /** @internal */ owed: Owed = Owed.nothing;
  /** @internal Index of the first message over the connection, if the client expects an earlier one. */
  skipped: number | null = null;
  /** @internal Whether the client has said anything: it knows the session's id, and may come back. */ isKnown = false;
  /** @internal Whether the connection takes packets at any time, and not one answer at a time. */ isStream: boolean;
  /** @internal */ isPassing = false;
  /** @internal */ isPumpDue = false;
  /** @internal When it is over, if no connection comes. */ deadline: Timer | null = null;
  /** @internal Whether it has no connection, or had none when it ended. */ isLost = false;
  /** @internal Gives up the POST that is being read, and answers it. */ stopPost: (() => void) | null = null;

  /** @internal Sessions are made by the server. */
  constructor(
    id: string,
    server: Server,
    transport: Transport,
    request: IncomingMessage,
    limits: SessionLimits,
  ) {
    super(id, server, transport, request);
    // Attached at once, so that it does not matter since when it was detached.
    this.machine = new Session(limits, 0);
    this.machine.attach(0);
    this.isStream = isStream(transport);
  }

  /** Whether a connection carries it. */
  get isAttached(): boolean {
    return this.machine.state === 'attached';
  }

  override get isWritable(): boolean {
    return this.readyState === 'open' && this.hasPassedAll && this.isAttached && this.transport.isWritable;
  }

  override get writeBuffer(): readonly OutgoingPacket[] {
    return [...(this.controls ?? []), ...this.machine.messagesFrom(this.cursor)];
  }

  protected override get hasPassedAll(): boolean {
    return this.controls === null && this.cursor === this.machine.nextIndex;
  }

  protected override get sessionOffer(): SessionOffer {
    const { opts } = this.server;
    const transports = opts.allowUpgrades
      ? opts.transports.filter((name) => carrierKinds[name] !== undefined)
      : [this.transport.name];
    return { version: 1, windowMs: this.server.sessionLimits.windowMs, transports };
  }

  protected override sendFirst([open, ...messages]: readonly OutgoingPacket[]): void {
    this.controls = [open!];
    for (const message of messages) this.machine.send(message, keptBytes(message));
    this.#pump();
  }

  override sendPackets(packets: readonly OutgoingPacket[]): void {
    if (this.readyState !== 'open') return;
    if (this.isObserved) this.showCreated(packets);
    const { machine } = this;
    const first = machine.nextIndex;
    if (this.server.limits.slowReader === 'drop newest' && this.#isFull(packets)) {
      this.droppedMessages += packets.length;
      return;
    }
    for (let i = 0; i < packets.length; i++) {
      const packet = packets[i]!;
      const result = machine.send(packet, keptBytes(packet));
      if (typeof result === 'number') continue;
      if (result !== null) this.#overflow(result);
      return;
    }
    const { transport } = this;
    if (this.cursor !== first || this.controls !== null || this.isPassing || !transport.isWritable) return;
    if (machine.state !== 'attached') return;
    if (this.isStream) {
      this.cursor = machine.nextIndex;
      this.#passOn(packets);
    } else {
      this.#pumpSoon();
    }
  }

  #isFull(packets: readonly OutgoingPacket[]): boolean {
    const { bufferBytes, bufferMessages } = this.server.sessionLimits;
    let bytes = this.machine.unconfirmedBytes;
    for (const packet of packets) bytes += keptBytes(packet);
    const count = this.machine.nextIndex - this.machine.confirmed + packets.length;
    return bytes > bufferBytes || count > bufferMessages;
  }

  #overflow(outcome: SessionOutcome<OutgoingPacket>): void {
    const { bufferBytes, bufferMessages } = this.server.sessionLimits;
    const isBytes = this.machine.unconfirmedBytes > bufferBytes;
    const limit = isBytes
      ? { name: 'session.bufferBytes', value: bufferBytes }
      : { name: 'session.bufferMessages', value: bufferMessages };
    const message = `The client has not confirmed more than the limit of ${limit.value} (${limit.name}).`;
    const error = new PeerError(message, { code: SessionError.overflow, limit });
    this.#tellEnd(outcome, CloseReason.transportError, error);
  }

  /** Ends it because the client has broken the protocol; another connection would do so again. @internal */
  fail(error: PeerError): void {
    const reason = isParseError(error) ? CloseReason.parseError : CloseReason.transportError;
    this.#over('protocol', reason, error);
  }

  override close(discard = false): this {
    if (this.readyState === 'closed') return this;
    this.readyState = 'closing';
    if (discard || !this.isAttached) this.#over('closed', CloseReason.forcedClose, undefined);
    else this.#pump();
    return this;
  }

  /**
   * A connection carries the session from now on, the same one as before or another. An older one is dropped.
   * @param count how many of our messages the client has received, as it says.
   * @throws {PeerError} when that cannot be true; nothing has changed then.
   * @internal
   */
  attach(transport: Transport, count: number): void {
    const { machine } = this;
    const old = this.transport;
    const wasDetached = machine.state === 'detached';
    const isNew = wasDetached || transport !== old;
    // While the request was under way, the client may have confirmed more over the connection before.
    const from = isNew ? Math.max(count, machine.confirmed) : count;
    machine.attach(from);
    this.skipped = from > count ? from : null;
    this.isKnown = true;
    this.cursor = from;
    this.incoming = machine.received;
    if (isNew) {
      this.transport = transport;
      this.isStream = isStream(transport);
      transport.sink = this;
      this.keepHolding();
      this.controls = null;
    }
    const mustAnswer = isNew || transport.name === TransportName.shortPolling;
    this.owed = mustAnswer ? Owed.countAtOnce : Owed.countWithWords;
    if (old !== transport) {
      old.sink = deafSink;
      old.close(SessionCloseCode.replaced, 'Another connection carries the session.');
    }
    this.server.heartbeat.alive(this);
    if (wasDetached) this.#resumed();
    else if (isNew) this.#replaced();
    // A GET is answered once it has been handed to the row; one that waits there still is not the one to answer.
    if (this.isStream) this.#pump();
  }

  #resumed(): void {
    this.deadline?.cancel();
    this.deadline = null;
    this.isLost = false;
    const gapMs = this.server.clock.nowMs() - this.machine.detachedAtMs;
    this.listener?.peerResumed(gapMs);
    if (this.isObserved) this.emit('resumed', gapMs);
  }

  #replaced(): void {
    this.upgraded = true;
    if (this.isObserved) this.emit('upgrade', this.transport);
  }

  /** The connection is gone; the session waits for another. */
  #detach(reason: CloseReason, description: unknown): void {
    if (!this.isAttached) return;
    // Nobody comes back to what he does not know of, or to what is being closed.
    if (!this.isKnown || this.readyState !== 'open') {
      this.#over('closed', reason, description);
      return;
    }
    const { transport, server } = this;
    transport.sink = deafSink;
    transport.terminate();
    server.heartbeat.stop(this);
    this.machine.detach(server.clock.nowMs());
    this.controls = null;
    this.owed = Owed.nothing;
    this.isLost = true;
    this.deadline = server.clock.setTimer(server.sessionLimits.windowMs, () => {
      this.deadline = null;
      this.#over('expired', reason, description);
    });
    this.listener?.peerInterrupted(reason, description);
    if (this.isObserved) this.emit('interrupted', reason, description);
  }

  // Passing on.

  /** Answers to polls are given at the end of the turn, so that they hold all that was sent in it. */
  #pumpSoon(): void {
    if (this.isPumpDue) return;
    this.isPumpDue = true;
    queueMicrotask(() => {
      this.isPumpDue = false;
      this.#pump();
    });
  }

  /** Passes on what waits, as much as the connection takes. */
  #pump(): void {
    if (this.isPassing) return;
    while (this.isAttached && this.transport.isWritable && this.#hasWords()) this.#passOn(this.#takeWords());
    if (this.readyState === 'closing' && this.isAttached && this.hasPassedAll) {
      // Who polls is told with the next answer; who streams, now.
      if (this.isStream || this.transport.isWritable) {
        this.#over('closed', CloseReason.forcedClose, undefined);
      }
    }
  }

  #hasWords(): boolean {
    // The last word brings the count along; a count before it would use up the answer of a short poll, time and again.
    if (this.readyState === 'closing' && this.hasPassedAll) return false;
    if (!this.hasPassedAll || this.owed === Owed.countAtOnce) return true;
    return this.machine.isCountDue && this.isStream;
  }

  #takeWords(): OutgoingPacket[] {
    const { machine, controls } = this;
    const words: OutgoingPacket[] = [];
    // The count goes in front of pings too, where it is new.
    const isCountDue = machine.isCountDue || (controls !== null && machine.isCountNew && this.isKnown);
    if (this.owed !== Owed.nothing || isCountDue) words.push(this.#countPacket());
    this.owed = Owed.nothing;
    if (controls !== null) words.push(...controls);
    this.controls = null;
    if (this.cursor < machine.nextIndex) {
      const messages = machine.messagesFrom(this.cursor, ANSWER_BYTES);
      this.cursor += messages.length;
      for (const message of messages) words.push(message);
    }
    return words;
  }

  #countPacket(): OutgoingPacket {
    const { skipped } = this;
    this.skipped = null;
    const count = String(this.machine.tellCount());
    return new OutgoingPacket(PacketType.count, skipped === null ? count : `${count},${skipped}`);
  }

  /** A listener of `flush` may send: what it sends goes behind this. */
  #passOn(packets: readonly OutgoingPacket[]): void {
    this.isPassing = true;
    try {
      this.pass(packets);
    } finally {
      this.isPassing = false;
    }
    if (this.isObserved) this.#pump();
  }

  #control(packet: OutgoingPacket): void {
    this.controls ??= [];
    if (!this.controls.includes(packet)) this.controls.push(packet);
    this.#pump();
  }

  // What connections and POSTs tell.

  /** @internal */
  override transportReceived(type: PacketType, data: string | Uint8Array): void {
    this.isKnown = true;
    if (type === PacketType.message) {
      this.#takeMessage(this.incoming++, data);
      if (this.machine.isCountDue) this.#pump();
    } else if (type === PacketType.count) {
      this.#takeCount(data);
    } else {
      this.#takeControl(type, data);
    }
  }

  #takeControl(type: PacketType, data: string | Uint8Array): void {
    // A late pong of a connection that was given up must not set the heartbeat going.
    if (type !== PacketType.pong || this.isAttached) super.transportReceived(type, data);
  }

  /** The packets of a POST whose first message has this index. @internal */
  takePackets(from: number, packets: readonly IncomingPacket[]): void {
    const { machine } = this;
    // One before is missing. The client begins again at the count that it is answered with.
    if (from > machine.received) return;
    this.isKnown = true;
    let index = from;
    for (const { type, data } of packets) {
      if (type === PacketType.message) this.#takeMessage(index++, data);
      else if (type === PacketType.count) this.#takeCount(data);
      else this.#takeControl(type, data);
    }
  }

  #takeMessage(index: number, data: string | Uint8Array): void {
    if (this.readyState === 'open' && this.machine.receive(index, data.length)) {
      super.transportReceived(PacketType.message, data);
    }
  }

  #takeCount(data: string | Uint8Array): void {
    const { machine } = this;
    if (machine.state === 'over') return;
    try {
      const count = parseCount(String(data));
      // What the client got over an older connection is passed over this one too, since it counts from where this one
      // began: it is kept until then.
      machine.receiveCount(count > machine.nextIndex ? count : Math.min(count, this.cursor));
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.fail(error);
    }
  }

  /** @internal */
  override transportDrained(): void {
    this.#pump();
    if (this.owesDrain) this.reportSent();
  }

  /** @internal */
  override transportClosed({ by, error, context, closeCode }: TransportClosed): void {
    if (by === 'byUs') this.#over('closed', CloseReason.forcedClose, undefined);
    else if (error instanceof PeerError && by === 'failed') this.fail(error);
    else if (by === 'failed') this.#detach(CloseReason.transportError, error);
    else if (LEAVING.has(closeCode)) this.#over('closed', CloseReason.transportClose, error ?? context);
    else this.#detach(CloseReason.transportClose, error ?? context);
  }

  /** @internal */
  override beatPing(): void {
    if (this.readyState === 'open') this.#control(PING);
  }

  /** @internal */
  override beatMissed(): void {
    if (!this.isPongUnread()) this.#detach(CloseReason.pingTimeout, undefined);
  }

  // The end.

  /** @internal */
  override finish(reason: CloseReason, description: unknown): void {
    this.#over(description instanceof PeerError ? 'protocol' : 'closed', reason, description);
  }

  #over(end: SessionEnd, reason: CloseReason, cause: unknown): void {
    const outcome = this.machine.close(end);
    if (outcome !== null) this.#tellEnd(outcome, reason, cause);
  }

  #tellEnd({ end, unconfirmed }: SessionOutcome<OutgoingPacket>, reason: CloseReason, cause: unknown): void {
    this.deadline?.cancel();
    this.deadline = null;
    this.server.endedSessions.note(this.id, { end, received: this.machine.received });
    const { transport } = this;
    if (!this.isLost && (transport.isWritable || this.isStream)) {
      // The client reads which of its messages were received, and why it is over.
      const word = end === 'closed' ? '' : end;
      transport.send([this.#countPacket(), new OutgoingPacket(PacketType.close, word)]);
    }
    this.stopPost?.();
    this.stopPost = null;
    this.controls = null;
    super.finish(reason, new SessionOver(end, unconfirmed, cause));
  }

  protected override leave(): void {
    this.transport.close(SessionCloseCode.ended);
  }
}

function isStream({ name }: Transport): boolean {
  return carrierKinds[name]?.isStream === true;
}
