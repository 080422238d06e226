/**
 * What: the adapter for many servers that find each other by heartbeats, where the carrier does not know who listens.
 * Must not know: that carrier; what is said besides the heartbeats (cluster-adapter.ts).
 */
import { ClusterAdapter } from './cluster-adapter.ts';
import {
  type ClusterMessage,
  type ClusterRequest,
  MessageType,
  type Offset,
  type ServerId,
} from './cluster-message.ts';
import type { AnyNamespace } from './namespace.ts';

/** How often a server gives a sign of life, and when it counts as gone. In milliseconds. */
export interface ClusterAdapterOptions {
  /** Time without any message after which a heartbeat is sent; 5,000 by default. */
  heartbeatInterval?: number;
  /** Time without a sign of life after which a server is gone; 10,000 by default: one heartbeat may get lost. */
  heartbeatTimeout?: number;
}

const sweepIntervalMs = 1000;

/** A {@link ClusterAdapter} that knows the other servers by their signs of life. */
export abstract class ClusterAdapterWithHeartbeat extends ClusterAdapter {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  /** When each of the others was heard last. */
  readonly #heardAt = new Map<ServerId, number>();
  #heartbeat: NodeJS.Timeout | null = null;
  #sweeper: NodeJS.Timeout | null = null;

  protected constructor(nsp: AnyNamespace, opts: ClusterAdapterOptions = {}) {
    super(nsp);
    this.#intervalMs = opts.heartbeatInterval ?? 5000;
    this.#timeoutMs = opts.heartbeatTimeout ?? 10_000;
  }

  override init(): Promise<void> | void {
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(sweepIntervalMs, this.#timeoutMs));
    this.#sweeper.unref();
    this.publish({ type: MessageType.INITIAL_HEARTBEAT });
  }

  override close(): Promise<void> | void {
    this.publish({ type: MessageType.ADAPTER_CLOSE });
    if (this.#heartbeat !== null) clearTimeout(this.#heartbeat);
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#heartbeat = null;
    this.#sweeper = null;
  }

  override serverCount(): Promise<number> {
    return Promise.resolve(1 + this.#heardAt.size);
  }

  protected override otherServers(): Promise<Set<ServerId>> {
    return Promise.resolve(new Set(this.#heardAt.keys()));
  }

  /** Every message is a sign of life, so the next heartbeat has time. */
  protected override publishAndReturnOffset(message: ClusterRequest): Promise<Offset> {
    if (this.#sweeper !== null) {
      if (this.#heartbeat === null) {
        this.#heartbeat = setTimeout(() => this.publish({ type: MessageType.HEARTBEAT }), this.#intervalMs);
        this.#heartbeat.unref();
      } else this.#heartbeat.refresh();
    }
    return super.publishAndReturnOffset(message);
  }

  protected override onMessage(message: ClusterMessage, offset?: Offset): void {
    const { uid, type } = message;
    if (uid === this.uid) return;
    if (type === MessageType.ADAPTER_CLOSE) {
      this.#forget(uid);
      return;
    }
    // Programs that only emit, without being a server, have no id.
    if (uid) this.#heardAt.set(uid, performance.now());
    // Who is new does not know us yet.
    if (type === MessageType.INITIAL_HEARTBEAT) this.publish({ type: MessageType.HEARTBEAT });
    else super.onMessage(message, offset);
  }

  #sweep(): void {
    const oldest = performance.now() - this.#timeoutMs;
    for (const [uid, heardAt] of this.#heardAt) {
      if (heardAt < oldest) this.#forget(uid);
    }
  }

  #forget(uid: ServerId): void {
    this.#heardAt.delete(uid);
    this.forgetServer(uid);
  }
}
