/**
 * What: the adapter that remembers broken sessions and recent packets, for connection state recovery.
 * Must not know: how a session's socket is built again (namespace.ts), or where else sessions could be kept.
 */
import type { OutgoingPacket } from '../wire/engine/packet.ts';
import { type EventPacket, PacketType } from '../wire/events/packet.ts';
import {
  Adapter,
  type BroadcastOptions,
  type PrivateSessionId,
  type Room,
  type Session,
  type SessionToPersist,
} from './adapter.ts';
import { createId } from './identifier.ts';
import type { AnyNamespace } from './namespace.ts';

interface StoredPacket {
  readonly opts: BroadcastOptions;
  readonly data: unknown[];
  readonly emittedAt: number;
  /** As it was written, which is about what it takes. */
  bytes: number;
}

type StoredSession = SessionToPersist & { readonly disconnectedAt: number };

/** Two minutes, as in Socket.IO: longer than a tunnel, shorter than a walk. */
const defaultDurationMs = 2 * 60 * 1000;
const sweepIntervalMs = 60 * 1000;
/** Clients that come and go, or that have large messages sent to all, must not fill the memory in these two minutes. */
const defaultSessions = 100_000;
const defaultBufferBytes = 64 * 1024 * 1024;
/** What the objects of a packet take beside its text. */
const packetOverheadBytes = 200;

/**
 * Keeps sessions and packets in memory for `connectionStateRecovery.maxDisconnectionDuration` milliseconds.
 *
 * A packet's offset is its number, so that the place where a client has stopped is found without a search.
 */
export class SessionAwareAdapter extends Adapter {
  readonly #durationMs: number;
  readonly #mostSessions: number;
  readonly #mostBytes: number;
  readonly #sessions = new Map<PrivateSessionId, StoredSession>();
  readonly #packets: StoredPacket[] = [];
  /** Offsets of an earlier process must not be taken for ours. Short, for it travels with each event. */
  readonly #epoch = createId().slice(0, 6);
  /** The number of the oldest packet that is kept. */
  #firstNumber = 0;
  /** Of all packets that are kept. */
  #bytes = 0;
  /** The packet that is being sent, and kept. */
  #sending: StoredPacket | null = null;
  #sweeper: NodeJS.Timeout | null = null;

  constructor(nsp: AnyNamespace) {
    super(nsp);
    const { connectionStateRecovery } = nsp.server._opts;
    const { maxDisconnectionDuration = defaultDurationMs } = connectionStateRecovery ?? {};
    this.#durationMs = maxDisconnectionDuration;
    this.#mostSessions = connectionStateRecovery?.sessions ?? defaultSessions;
    this.#mostBytes = connectionStateRecovery?.bufferBytes ?? defaultBufferBytes;
  }

  override close(): Promise<void> | void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
    return super.close();
  }

  override persistSession(session: SessionToPersist): void {
    this.#sessions.set(session.pid, { ...session, disconnectedAt: Date.now() });
    const [oldest] = this.#sessions.size > this.#mostSessions ? this.#sessions.keys() : [];
    if (oldest !== undefined) this.#sessions.delete(oldest);
    this.#startSweeping();
  }

  override restoreSession(pid: PrivateSessionId, offset: string): Promise<Session | null> {
    this.#sweep();
    const session = this.#sessions.get(pid);
    const next = this.#numberAfter(offset);
    if (session === undefined || next === null) return Promise.resolve(null);
    // It can be taken up once: two sockets with one id would be in each other's place.
    this.#sessions.delete(pid);
    const { sid, rooms, data } = session;
    const missedPackets = () => this.#packetsSince(next, sid, rooms);
    return Promise.resolve({
      sid,
      pid,
      rooms,
      data,
      // Read when the socket enters, not now: nothing sent between falls through.
      get missedPackets() {
        return missedPackets();
      },
    });
  }

  override broadcast(packet: EventPacket, opts: BroadcastOptions): void {
    // Socket.IO 4, "Connection state recovery": events that want no answer and are not volatile can be recovered.
    if (packet.type === PacketType.event && packet.id === undefined && opts.flags?.volatile !== true) {
      const number = this.#firstNumber + this.#packets.length;
      // The offset travels as the last argument; the client keeps the latest.
      packet.data.push(`${this.#epoch}.${number}`);
      this.#sending = { opts, data: packet.data, emittedAt: Date.now(), bytes: packetOverheadBytes };
    }
    super.broadcast(packet, opts);
  }

  /** @internal */
  protected override encode(packet: EventPacket, opts: BroadcastOptions): readonly OutgoingPacket[] {
    const kept = this.#sending;
    this.#sending = null;
    // What cannot be written is not kept either.
    const packets = super.encode(packet, opts);
    if (kept !== null) {
      for (const { data } of packets) kept.bytes += data.length;
      this.#packets.push(kept);
      this.#startSweeping();
      this.#bytes += kept.bytes;
      if (this.#bytes > this.#mostBytes) this.#forget(this.#countAbove(this.#mostBytes));
    }
    return packets;
  }

  /** How many of the oldest packets are to go, so that half the room is free: each time costs a walk. */
  #countAbove(mostBytes: number): number {
    let count = 0;
    for (let bytes = this.#bytes; bytes > mostBytes / 2; count++) {
      bytes -= (this.#packets[count] as StoredPacket).bytes;
    }
    return count;
  }

  #forget(count: number): void {
    for (const { bytes } of this.#packets.splice(0, count)) this.#bytes -= bytes;
    this.#firstNumber += count;
  }

  #numberAfter(offset: string): number | null {
    const prefix = `${this.#epoch}.`;
    const text = offset.startsWith(prefix) ? offset.slice(prefix.length) : '';
    const number = Number(text);
    const isKept = number >= this.#firstNumber && number < this.#firstNumber + this.#packets.length;
    // Only the very text that we have given out.
    return isKept && String(number) === text ? number + 1 : null;
  }

  #packetsSince(number: number, sid: string, rooms: readonly Room[]): unknown[][] {
    const missed: unknown[][] = [];
    for (let i = Math.max(0, number - this.#firstNumber); i < this.#packets.length; i++) {
      const packet = this.#packets[i] as StoredPacket;
      if (isAddressedTo(sid, rooms, packet.opts)) missed.push(packet.data);
    }
    return missed;
  }

  /** One timer a minute, while there is something to forget, that keeps no process alive. */
  #startSweeping(): void {
    if (this.#sweeper !== null) return;
    this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs);
    this.#sweeper.unref();
  }

  #sweep(): void {
    const oldest = Date.now() - this.#durationMs;
    // In the order in which they were put in, which is the order of time.
    for (const [pid, session] of this.#sessions) {
      if (session.disconnectedAt >= oldest) break;
      this.#sessions.delete(pid);
    }
    let expired = 0;
    while (expired < this.#packets.length && (this.#packets[expired] as StoredPacket).emittedAt < oldest) {
      expired++;
    }
    this.#forget(expired);
    if (this.#packets.length === 0 && this.#sessions.size === 0) {
      if (this.#sweeper !== null) clearInterval(this.#sweeper);
      this.#sweeper = null;
    }
  }
}

/** Whether a socket with these rooms, its own id among them, would have got the packet. */
function isAddressedTo(sid: string, rooms: readonly Room[], opts: BroadcastOptions): boolean {
  const isIncluded = opts.rooms.size === 0 || rooms.some((room) => opts.rooms.has(room));
  const isExcluded = opts.except?.has(sid) || rooms.some((room) => opts.except?.has(room));
  return isIncluded && !isExcluded;
}
