/**
 * What: a session that outlives its connections, on the server: receives, waits for a connection, says when it is over.
 * Must not know: HTTP, namespaces, or how any transport works; the counting is protocol/session, sending resumable-sender.ts.
 */
import { PeerError } from '../../base/errors.ts';
import type { Timer } from '../../base/port.ts';
import { parseCount, type SessionEnd, type SessionOutcome } from '../../protocol/session/session.ts';
import { deafSink, type Transport, type TransportClosed, TransportName } from '../../transport/port.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { SessionOver } from '../port.ts';
import { isStream, Owed, ResumableSender } from './resumable-sender.ts';
import { SLOW_READER } from './session.ts';
import { CloseReason, isParseError } from './session-events.ts';

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

const PING = new OutgoingPacket(PacketType.ping);

/** A POST that is not answered yet. @internal */
export interface PendingPost {
  /** Gives it up, and answers it. */
  stop(): void;
  /** Takes what can be taken of it. */
  goOn(): void;
}

/**
 * A session with a client that announced that it speaks the extension. Made only for these: a session of the standard
 * costs what it did.
 *
 * Plain fields: one for each client.
 */
export class ResumableSocket extends ResumableSender {
  /** @internal Index of the next message that comes over a connection in which they are not numbered. */
  incoming = 0;
  /** @internal When it is over, if no connection comes. */ deadline: Timer | null = null;
  /** @internal Whether it has no connection, or had none when it ended. */ isLost = false;
  /** @internal The POST that is being read or taken. */ post: PendingPost | null = null;

  /** Ends it because the client has broken the protocol; another connection would do so again. @internal */
  fail(error: PeerError): void {
    const reason = isParseError(error) ? CloseReason.parseError : CloseReason.transportError;
    this.over('protocol', reason, error);
  }

  override close(discard = false): this {
    if (this.readyState === 'closed') return this;
    this.readyState = 'closing';
    if (discard || !this.isAttached) this.over('closed', CloseReason.forcedClose, undefined);
    else this.pump();
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
      // What it has not passed on comes again, and its end must be seen.
      if (this.isHeld) old.holdReading?.(false);
      this.server.dismiss(old, SessionCloseCode.replaced, 'Another connection carries the session.');
    }
    this.server.heartbeat.alive(this);
    if (wasDetached) this.#resumed();
    else if (isNew) this.#replaced();
    this.refill();
    // A GET is answered once it has been handed to the row; one that waits there still is not the one to answer.
    if (this.isStream) this.pump();
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
      this.over('closed', reason, description);
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
      this.over('expired', reason, description);
    });
    this.listener?.peerInterrupted(reason, description);
    if (this.isObserved) this.emit('interrupted', reason, description);
  }

  // What connections and POSTs tell.

  /** @internal */
  override transportReceived(type: PacketType, data: string | Uint8Array): void {
    this.isKnown = true;
    if (type === PacketType.message) {
      this.#takeMessage(this.incoming++, data);
      if (this.machine.isCountDue) this.pump();
    } else if (type === PacketType.count) {
      this.#takeCount(data);
    } else {
      this.#takeControl(type, data);
    }
  }

  #takeControl(type: PacketType, data: string | Uint8Array): void {
    if (type !== PacketType.pong) super.transportReceived(type, data);
    // A late pong of a connection that was given up must not set the heartbeat going.
    else if (!this.isAttached) return;
    else if (this.readyState === 'open') super.transportReceived(type, data);
    else this.server.heartbeat.alive(this);
  }

  /** @internal */
  override holdReading(isHeld: boolean): void {
    super.holdReading(isHeld);
    if (!isHeld) this.post?.goOn();
  }

  /** Whether none is missing before the first message of a POST. @internal */
  mayTake(from: number): boolean {
    return from <= this.machine.received;
  }

  /**
   * A packet of a POST.
   * @param index of the message, if it is one, or of the next.
   * @returns the index of the message behind.
   * @internal
   */
  takePacket(index: number, { type, data }: IncomingPacket): number {
    this.isKnown = true;
    if (type === PacketType.message) {
      this.#takeMessage(index, data);
      return index + 1;
    }
    if (type === PacketType.count) this.#takeCount(data);
    else this.#takeControl(type, data);
    return index;
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
      this.refill();
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.fail(error);
    }
  }

  /** @internal */
  override transportDrained(): void {
    this.pump();
    if (this.owesDrain) this.reportSent();
  }

  /** @internal */
  override transportClosed({ by, error, context, closeCode }: TransportClosed): void {
    if (by === 'byUs') this.over('closed', CloseReason.forcedClose, undefined);
    else if (error instanceof PeerError && by === 'failed') this.fail(error);
    else if (by === 'failed') this.#detach(CloseReason.transportError, error);
    else if (LEAVING.has(closeCode)) this.over('closed', CloseReason.transportClose, error ?? context);
    else this.#detach(CloseReason.transportClose, error ?? context);
  }

  /** @internal */
  override beatPing(): void {
    // Also while it closes, if messages wait for room: a client may confirm those before them with its heartbeat only.
    if (this.readyState === 'open' || this.waiting !== null) this.control(PING);
  }

  /** @internal */
  override beatMissed(): void {
    if (!this.isPongUnread()) this.#detach(CloseReason.pingTimeout, undefined);
  }

  // The end.

  /** @internal */
  report(): SessionOver {
    const { machine } = this;
    const unconfirmed = [...machine.messagesFrom(machine.confirmed), ...(this.waiting ?? [])];
    return new SessionOver('closed', unconfirmed, undefined);
  }

  /** @internal */
  override finish(reason: CloseReason, description: unknown): void {
    if (!(description instanceof PeerError)) this.over('closed', reason, description);
    else this.over(description.code === SLOW_READER ? 'overflow' : 'protocol', reason, description);
  }

  protected override over(end: SessionEnd, reason: CloseReason, cause: unknown): void {
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
      transport.send([this.countPacket(), new OutgoingPacket(PacketType.close, word)]);
    }
    this.post?.stop();
    this.post = null;
    this.controls = null;
    super.finish(reason, new SessionOver(end, [...unconfirmed, ...(this.waiting ?? [])], cause));
  }

  protected override leave(): void {
    this.transport.close(SessionCloseCode.ended);
  }
}
