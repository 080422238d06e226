/**
 * What: a client's session as its user sees it: how it begins, what is done with what comes in, and how it ends.
 * Must not know: namespaces and events, or how connections are had and messages leave.
 */
import { UsageError } from '../../base/errors.ts';
import { defaultSessionLimits, parseCount, Session } from '../../protocol/session/session.ts';
import { deafSink } from '../../transport/port.ts';
import { type Handshake, parseHandshake } from '../../wire/engine/handshake.ts';
import { PacketType } from '../../wire/engine/packet.ts';
import { protocol } from './connector.ts';
import type { CloseDetails, EngineCloseReason } from './events.ts';
import type { BinaryType, EngineOptions, EnginePlatform } from './options.ts';
import { ResumableConnector } from './resumable-connector.ts';
import { packetNames } from './sender.ts';
import { TICK_MS } from './watched-sender.ts';

export { protocol };

let hasWebSocketWorked = false;

/**
 * A session with an Engine.IO server. It connects when it is made.
 *
 * After `close` it cannot be opened again; make another one.
 */
export class EngineSocket extends ResumableConnector {
  /** Whether the last WebSocket connection worked, for `rememberUpgrade`. One for all subclasses. */
  static get priorWebsocketSuccess(): boolean {
    return hasWebSocketWorked;
  }

  static set priorWebsocketSuccess(value: boolean) {
    hasWebSocketWorked = value;
  }

  static readonly protocol = protocol;

  /** The session's id, once it is open. */
  id: string | null | undefined;
  /** What bytes that come in are handed over as. */
  declare binaryType: BinaryType;
  readonly #unwatch: readonly (() => void)[];

  constructor(
    platform: EnginePlatform,
    uri?: string | Partial<EngineOptions> | null,
    opts?: Partial<EngineOptions>,
  ) {
    super(platform, uri, opts);
    this.binaryType = platform.binaryType;
    this.#unwatch = [
      platform.watch('offline', () =>
        this.lost('transport close', { description: 'network connection lost' }),
      ),
      platform.watch('online', () => this.check()),
      platform.watch('visible', () => this.check(TICK_MS)),
      platform.watch('beforeunload', () => {
        if (!this.opts.closeOnBeforeunload) return;
        this.transport.sink = deafSink;
        this.#hangUp();
      }),
    ];
    this.#open();
  }

  #open(): void {
    const { tryAllTransports, rememberUpgrade } = this.opts;
    const isKnown = rememberUpgrade && hasWebSocketWorked;
    const inOrder = this.choice.inOrder(isKnown ? 'websocket' : undefined);
    const all = () => true;
    if (this.choice.isFree) this.race(all);
    else this.race(all, Infinity, tryAllTransports ? inOrder : inOrder.slice(0, 1));
    if (inOrder.length) return;
    const error = new UsageError('No transports available', { code: 'ENGINE_ERR_NO_TRANSPORTS' });
    // Later, so that the maker can listen.
    this.clock.setTimer(0, () => this.emitReserved('error', error));
  }

  protected override works(name: string): void {
    hasWebSocketWorked = name === 'websocket';
    this.choice.remember(name);
  }

  protected override receive(type: PacketType, bytes: string | Uint8Array): void {
    if (this.readyState === 'closed') return;
    const session = this.session;
    if (session && type === PacketType.message) {
      if (!this.trust(() => session.receive(this.link!.next++, bytes.length))) return;
    }
    const data = typeof bytes === 'string' ? bytes : this.platform.present(bytes, this.binaryType);
    this.emitReserved('packet', { type: packetNames[+type]!, data });
    this.emitReserved('heartbeat');
    // docs/protocol/session.md, "Heartbeat": whatever is heard counts, and who polls often gets no ping.
    if (session && this._pingTimeoutTime < Infinity) this.heard();
    switch (type) {
      case PacketType.open:
        this.#shakeHands(bytes as string);
        break;
      case PacketType.ping:
        // Engine.IO protocol 4, "Heartbeat": the server asks, the client answers.
        if (session?.isCountNew) this.tellCount();
        this.sendPacket(PacketType.pong);
        this.emitReserved('ping');
        this.emitReserved('pong');
        this.watch();
        break;
      case PacketType.message:
        if (session?.isCountDue) {
          this.tellCount();
          this.flush();
        }
        this.emitReserved('data', data);
        this.emitReserved('message', data);
        break;
      case PacketType.count:
        this.trust(() => session?.receiveCount(parseCount(bytes as string)));
        if (session?.isHalfFree) this.flush();
        break;
      case PacketType.close:
        // Later, as what was said before is passed on later, too.
        if (session) queueMicrotask(() => this.end('transport close', { description: 'session closed' }));
    }
  }

  #shakeHands(text: string): void {
    let handshake: Handshake;
    try {
      handshake = parseHandshake(text);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.handshake = handshake;
    this.id = handshake.sid;
    const { session: offer } = handshake;
    const { session: limits } = this.opts;
    if (offer && limits !== false) {
      this.session = new Session(
        { ...defaultSessionLimits, ...(limits as object), windowMs: offer.windowMs },
        this.clock.nowMs(),
      );
      this.session.attach(0);
    }
    this.emitReserved('handshake', handshake);
    this.watch();
    const isClosing = this.readyState === 'closing';
    if (!isClosing) this.readyState = 'open';
    this.writeBuffer = this.writeBuffer.filter(({ data }) => {
      const refusal = this._refusal(data);
      if (refusal) this.emitReserved('sendError', refusal);
      return !refusal;
    });
    this._waiting = this.writeBuffer.length;
    if (!isClosing) this.emitReserved('open');
    this.flush();
    // A listener may have closed meanwhile.
    if (this.readyState === 'open') this.improve();
  }

  /** Ends the session, after what was written has left. */
  close(): this {
    if (!/^clos/.test(this.readyState)) {
      this.readyState = 'closing';
      if (this.interrupted) this.end('forced close');
      else this.settle();
    }
    return this;
  }

  /** RFC 6455 section 7.4.1: 1000 is a purpose fulfilled. Without it, a server with sessions expects us back. */
  #hangUp(): void {
    this.transport.close(this.session && 1000);
  }

  protected override fail(error: Error): void {
    hasWebSocketWorked = false;
    this.emitReserved('error', error);
    this.end('transport error', error);
  }

  protected override end(reason: EngineCloseReason, description?: CloseDetails | Error): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.halt();
    for (const stop of this.#unwatch) stop();
    const { transport } = this;
    if (transport) {
      transport.sink = deafSink;
      // Who has not been heard for so long would not hear a goodbye.
      if (reason === 'ping timeout') transport.terminate();
      else this.#hangUp();
    }
    this.stopRace?.();
    this.id = null;
    const undelivered = this._undelivered();
    let details = description;
    if (undelivered) {
      const [unconfirmed, unsent] = undelivered.map((packets) => packets.map(({ data }) => data));
      details = Object.assign(details ?? { description: reason }, { unconfirmed, unsent });
    }
    this.emitReserved('close', reason, details);
    this.session?.close();
    // Last, so that listeners can see what was not sent.
    this.writeBuffer = [];
    this.handedOver = 0;
  }
}
