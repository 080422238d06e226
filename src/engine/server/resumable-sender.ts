/**
 * What: the sending half of a session that outlives its connections: what is kept, what is passed on, and when.
 * Must not know: what the client sends, how connections come and go, HTTP.
 */
import type { IncomingMessage } from 'node:http';
import { Session, type SessionEnd, type SessionLimits } from '../../protocol/session/session.ts';
import type { Transport } from '../../transport/port.ts';
import type { SessionOffer } from '../../wire/engine/handshake.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { carrierKinds } from './carriers.ts';
import type { Server } from './server.ts';
import { Socket } from './session.ts';
import { CloseReason } from './session-events.ts';
import { keptBytes } from './session-message.ts';

/** An answer to a poll that gets lost is said again, so it is not made longer than this if it can be helped. */
const ANSWER_BYTES = 1024 * 1024;

/** What is due to be said beside messages. */
export const Owed = { nothing: 0, countWithWords: 1, countAtOnce: 2 } as const;
export type Owed = (typeof Owed)[keyof typeof Owed];

/**
 * Messages are held by reference until the client confirms them; what the connection has not taken yet is the part of
 * them from `cursor` on, so nothing is kept twice.
 */
export abstract class ResumableSender extends Socket {
  /** @internal */ readonly machine: Session<OutgoingPacket>;
  /** @internal Index of our next message to be passed to the connection. */ cursor = 0;
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

  /** The session is over. */
  protected abstract over(end: SessionEnd, reason: CloseReason, cause: unknown): void;

  /** Whether a connection carries it. */
  get isAttached(): boolean {
    return this.machine.state === 'attached';
  }

  override get isWritable(): boolean {
    return this.readyState === 'open' && this.hasPassedAll && this.isAttached && this.transport.isWritable;
  }

  override get writeBuffer(): readonly OutgoingPacket[] {
    return [...(this.controls ?? []), ...this.machine.messagesFrom(this.cursor), ...(this.waiting ?? [])];
  }

  protected override get hasPassedAll(): boolean {
    return this.waiting === null && this.#hasPassedTaken;
  }

  /** Whether the connection was given all that the session has taken; there may be more that it has no room for. */
  get #hasPassedTaken(): boolean {
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
    this.#take(messages);
    this.pump();
  }

  override sendPackets(packets: readonly OutgoingPacket[]): void {
    if (this.readyState !== 'open') return;
    if (this.isObserved) this.showCreated(packets);
    const { machine } = this;
    const first = machine.nextIndex;
    const taken = this.waiting === null ? this.#take(packets) : 0;
    // What follows a text that was taken belongs to it.
    if (taken < packets.length) this.keepWaiting(taken === 0 ? packets : packets.slice(taken), taken > 0);
    if (taken === 0) return;
    const { transport } = this;
    if (this.cursor !== first || this.controls !== null || this.isPassing || !transport.isWritable) return;
    if (machine.state !== 'attached') return;
    if (this.isStream) {
      this.cursor = machine.nextIndex;
      this.#passOn(taken === packets.length ? packets : packets.slice(0, taken));
    } else {
      this.#pumpSoon();
    }
  }

  /** @returns how many of them, from the first on, the session has room for. */
  #take(packets: readonly OutgoingPacket[]): number {
    let taken = 0;
    while (taken < packets.length && this.machine.send(packets[taken]!, keptBytes(packets[taken]!))) taken++;
    return taken;
  }

  /** The client has confirmed some: what has waited for room goes on. */
  protected refill(): void {
    const { waiting } = this;
    if (waiting === null || !this.machine.isHalfFree) return;
    const taken = this.#take(waiting);
    for (let i = 0; i < taken; i++) this.waitingBytes -= keptBytes(waiting[i]!);
    this.waiting = taken === waiting.length ? null : waiting.slice(taken);
    if (this.isStream) this.pump();
    else this.#pumpSoon();
  }

  /** Answers to polls are given at the end of the turn, so that they hold all that was sent in it. */
  #pumpSoon(): void {
    if (this.isPumpDue) return;
    this.isPumpDue = true;
    queueMicrotask(() => {
      this.isPumpDue = false;
      this.pump();
    });
  }

  /** Passes on what waits, as much as the connection takes. */
  protected pump(): void {
    if (this.isPassing) return;
    while (this.isAttached && this.transport.isWritable && this.#hasWords()) this.#passOn(this.#takeWords());
    if (this.readyState === 'closing' && this.isAttached && this.hasPassedAll) {
      // Who polls is told with the next answer; who streams, now.
      if (this.isStream || this.transport.isWritable) {
        this.over('closed', CloseReason.forcedClose, undefined);
      }
    }
  }

  #hasWords(): boolean {
    // The last word brings the count along; a count before it would use up the answer of a short poll, time and again.
    if (this.readyState === 'closing' && this.hasPassedAll) return false;
    if (!this.#hasPassedTaken || this.owed === Owed.countAtOnce) return true;
    return this.machine.isCountDue && this.isStream;
  }

  #takeWords(): OutgoingPacket[] {
    const { machine, controls } = this;
    const words: OutgoingPacket[] = [];
    // The count goes in front of pings too, where it is new.
    const isCountDue = machine.isCountDue || (controls !== null && machine.isCountNew && this.isKnown);
    if (this.owed !== Owed.nothing || isCountDue) words.push(this.countPacket());
    this.owed = Owed.nothing;
    if (controls !== null) words.push(...controls);
    this.controls = null;
    if (this.cursor < machine.nextIndex) {
      const messages = machine.messagesWithin(this.cursor, ANSWER_BYTES);
      this.cursor += messages.length;
      for (const message of messages) words.push(message);
    }
    return words;
  }

  protected countPacket(): OutgoingPacket {
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
    if (this.isObserved) this.pump();
  }

  protected control(packet: OutgoingPacket): void {
    this.controls ??= [];
    if (!this.controls.includes(packet)) this.controls.push(packet);
    this.pump();
  }
}

/** Whether a connection takes packets at any time, and not one answer at a time. */
export function isStream({ name }: Transport): boolean {
  return carrierKinds[name]?.isStream === true;
}
