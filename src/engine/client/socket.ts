/**
 * What: the client's end of an Engine.IO session over any transport: handshake, heartbeat, upgrade, write buffer, end.
 * Must not know: namespaces and events, or how a transport works.
 */
import { toBytes } from '../../base/bytes.ts';
import { Emitter, type NoEvents } from '../../base/emitter.ts';
import type { UsageError } from '../../base/errors.ts';
import type { Clock, Timer } from '../../base/port.ts';
import { TransportError } from '../../base/transport-error.ts';
import { defaultSessionLimits, parseCount, Session } from '../../protocol/session/session.ts';
import {
  type ClientTransportFactory,
  type CookieStore,
  deafSink,
  SESSION_UNKNOWN,
  type Transport,
  type TransportClosed,
} from '../../transport/port.ts';
import { type Handshake, parseHandshake } from '../../wire/engine/handshake.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { countWithin } from '../../wire/engine/payload.ts';
import { backoffDelayMs, defaultBackoff } from './backoff.ts';
import { type Choice, createChoice } from './choice.ts';
import { parseQuery, resolveEndpoint } from './endpoint.ts';
import type {
  CloseDetails,
  EngineCloseReason,
  EngineData,
  EngineEvents,
  EngineReadyState,
  TransportDecision,
  TransportOutcome,
  WriteOptions,
} from './events.ts';
import type { BinaryType, EngineOptions, EnginePlatform } from './options.ts';
import { refuse } from './payload-limit.ts';
import { type Link, startRace } from './race.ts';

/** The revision of the Engine.IO protocol. */
export const protocol = 4;

/** How long a transport may take to open before the next one is started beside it. */
const STEP_MS = 250;

/** How long an attempt to attach may take; a network that comes back often leaves the first one hanging. */
const ATTEMPT_MS = 10_000;

/**
 * How long an event stream may take to say its first word where polls are answered. Something on the way may gather
 * answers until they end: then the server has moved to a stream that nobody hears.
 */
const STREAM_MS = 1000;

/** docs/protocol/session.md, "websocket": another connection was attached. */
const REPLACED = 4002;

/** How often is looked whether the clock has jumped; and who was heard so recently is not asked whether he lives. */
const TICK_MS = 5000;

/** So many decisions are kept. */
const DECISIONS = 100;

const packetNames = Object.keys(PacketType) as (keyof typeof PacketType)[];

const isMessage = ({ type }: OutgoingPacket) => type === PacketType.message;

/** A packet that knows what it was made for. */
interface OriginalPacket extends OutgoingPacket {
  readonly origin?: unknown;
}

/**
 * A session with an Engine.IO server. It connects when it is made.
 *
 * After `close` it cannot be opened again; make another one.
 */
export class EngineSocket extends Emitter<NoEvents, EngineEvents, EngineEvents> {
  /** Whether the last WebSocket connection worked, for `rememberUpgrade`. */
  static priorWebsocketSuccess = false;
  static readonly protocol = protocol;

  /** The session's id, once it is open. */
  id: string | null | undefined;
  /** The connection in use. */
  transport!: Transport;
  /** What bytes that come in are handed over as. */
  binaryType: BinaryType;
  readyState: EngineReadyState = 'opening';
  /** What is not yet confirmed to have left, in order. */
  writeBuffer: OutgoingPacket[] = [];
  readonly opts: EngineOptions;
  /** How the transport was chosen: what was tried, what became of it, and why. The latest 100 steps. */
  readonly decision: TransportDecision[] = [];
  /** When the server is given up, on the wall clock; tools move it. @internal */
  _pingTimeoutTime = Infinity;

  readonly #platform: EnginePlatform;
  readonly #clock: Clock;
  readonly #endpoint: URL;
  readonly #cookies: CookieStore | undefined;
  readonly #unwatch: readonly (() => void)[];
  readonly #choice: Choice;
  readonly #madeAtMs: number;
  #link: Link | undefined;
  /** Set while connections are under way. */
  #stopRace: (() => void) | undefined;
  /** When the present connection was last replaced by one that we did not know of. */
  #replacedAtMs = -Infinity;
  /** The server says that a connection of ours has taken over, which we have not heard from yet. */
  #replaced: (() => void) | undefined;
  /** Which transports have failed since a connection was last looked for. */
  readonly #failed = new Set<string>();
  #session: Session<OriginalPacket> | undefined;
  /** Set while the session has no connection. */
  #interruption: { reason: EngineCloseReason; description?: CloseDetails | Error; atMs: number } | undefined;
  #deadline: Timer | undefined;
  #retry: Timer | undefined;
  /** Attempts to attach since the last connection that was of use. */
  #attempts = 0;
  /** Counts of the session, together, when a connection was last lost; and when there was one again. */
  #progress = -1;
  #attachedAtMs = 0;
  /** Index of the first message that no transport was ever given. */
  #left = 0;
  /** Outlives `id`: the last request of a session still needs it. */
  #sid: string | undefined;
  #handshake: Handshake | undefined;
  #heartbeat: Timer | undefined;
  /** Whether a candidate is about to take over, and nothing may be sent. */
  #isUpgrading = false;
  /** How many packets of the write buffer the transport has been given. */
  #handedOver = 0;
  #handedOverAtMs = 0;
  #stamp = 0;
  /** While a Blob is read, what is written must wait; and how much of it does. */
  #reading = Promise.resolve();
  #readings = 0;

  constructor(
    platform: EnginePlatform,
    uri?: string | Partial<EngineOptions> | null,
    opts?: Partial<EngineOptions>,
  ) {
    super();
    const address = typeof uri === 'string' ? uri : undefined;
    const options: EngineOptions = { ...((address === undefined && (uri as EngineOptions)) || opts) };
    this.opts = options;
    this.#platform = platform;
    this.#clock = platform.clock(options.useNativeTimers, options.autoUnref);
    this.#endpoint = resolveEndpoint(address, options, platform.page);
    options.query = parseQuery(this.#endpoint.search || options.query);
    this.#cookies = options.withCredentials ? platform.createCookies?.() : undefined;
    this.binaryType = platform.binaryType;
    this.#madeAtMs = this.#clock.nowMs();
    this.#choice = createChoice(options, platform, this.#endpoint.origin);
    this.#unwatch = [
      platform.watch('offline', () =>
        this.#lost('transport close', { description: 'network connection lost' }),
      ),
      platform.watch('online', () => this.#check()),
      platform.watch('visible', () => this.#check(TICK_MS)),
      platform.watch('beforeunload', () => {
        if (!options.closeOnBeforeunload) return;
        this.transport.sink = deafSink;
        this.#hangUp();
      }),
    ];
    this.#open();
  }

  /** Makes a connection for this session. */
  #create(factory: ClientTransportFactory): Link {
    const { opts } = this;
    const { timestampRequests, timestampParam = 't' } = opts;
    const name = factory.transportName;
    const engine = this;
    const transport = factory({
      url: (isPost) => {
        const query: Record<string, unknown> = {
          ...(opts.query as object),
          EIO: protocol,
          transport: name,
        };
        const sid = this.#sid;
        const session = this.#session;
        if (sid) query.sid = sid;
        else if (opts.session !== false) query.tautline = 1;
        if (session) {
          if (isPost) query.from = Math.max(0, session.nextIndex - this.#waiting().length);
          else {
            // An attempt to attach may come to nothing; then nothing was told.
            const isNext = link === this.#link;
            query.attach = link.next = isNext ? session.tellCount() : session.received;
            if (!isNext) query.first = 1;
          }
        }
        if (opts.forceBase64) query.b64 = 1;
        if (timestampRequests ?? name !== 'websocket') {
          query[timestampParam] = this.#clock.nowMs().toString(36) + (this.#stamp++).toString(36);
        }
        this.#endpoint.search = String(new URLSearchParams(query as Record<string, string>));
        return this.#endpoint.href;
      },
      get isExtended() {
        return !!engine.#session;
      },
      options: { ...opts, ...opts.transportOptions?.[name] },
      codec: this.#platform.codec,
      clock: this.#clock,
      cookies: this.#cookies,
    });
    const link: Link = { transport, next: 0 };
    return link;
  }

  /** The messages that the transport has not passed on. */
  #waiting(): OutgoingPacket[] {
    return this.writeBuffer.filter(isMessage);
  }

  #open(): void {
    const { tryAllTransports, rememberUpgrade } = this.opts;
    const isKnown = rememberUpgrade && EngineSocket.priorWebsocketSuccess;
    const inOrder = this.#choice.inOrder(isKnown ? 'websocket' : undefined);
    if (this.#choice.isFree) this.#race(this.#choice.ranked());
    else this.#race(tryAllTransports ? inOrder : inOrder.slice(0, 1), Infinity);
    // Later, so that the maker can listen.
    if (!inOrder.length)
      this.#clock.setTimer(0, () => this.emitReserved('error', new Error('No transports available')));
  }

  #note({ name }: Transport, outcome: TransportOutcome, reason?: string | Error): void {
    const entry = { transport: name, outcome, atMs: this.#clock.nowMs() - this.#madeAtMs, reason };
    if (this.decision.push(entry) > DECISIONS) this.decision.shift();
    this.emitReserved('transport', entry);
  }

  /** Looks for a connection: for a new session, or to attach to the one that there is. */
  #race(factories: readonly ClientTransportFactory[], stepMs = STEP_MS): void {
    this.#stopRace?.();
    this.#stopRace = undefined;
    if (!factories.length) return;
    const expected = this.#session ? PacketType.count : this.#handshake ? PacketType.pong : PacketType.open;
    this.#stopRace = startRace(factories, stepMs, expected, this.#clock, {
      create: (factory) => {
        const link = this.#create(factory);
        this.transport ??= link.transport;
        return link;
      },
      note: (transport, outcome, reason) => {
        this.#note(transport, outcome, reason);
        // Who began later was faster over the same way.
        if (transport.name === 'sse' && reason === 'polling') this.#choice.gathers();
      },
      limitMs: ({ name }) => {
        if (!this.#session || this.#interruption) return Infinity;
        return name === 'sse' && this.transport.name === 'polling' ? STREAM_MS : ATTEMPT_MS;
      },
      won: (link, data) => {
        this.#stopRace = undefined;
        if (expected === PacketType.count) this.#attached(link, data as string);
        else if (expected === PacketType.pong) this.#upgrade(link);
        else {
          this.#adopt(link);
          this.#receive(PacketType.open, data);
        }
      },
      failed: ({ transport }, closed, isLast) => {
        this.#failed.add(transport.name);
        if (isLast) this.#stopRace = undefined;
        if (expected === PacketType.open) {
          if (!isLast) return;
          this.transport = transport;
          this.#transportClosed(closed);
        } else if (expected === PacketType.pong) this.#upgradeFailed(transport, closed);
        else if (this.#interruption) {
          const { closeCode, closeReason = '', error: context } = closed;
          if (closeCode === SESSION_UNKNOWN) {
            // The end and the count, where the server still knows them.
            const [, count] = /(\d+)}?$/.exec(closeReason) ?? [];
            if (count) this.#receive(PacketType.count, count);
            this.#end(this.#interruption.reason, {
              description: 'session unknown',
              context,
            });
          } else if (isLast) this.#wait();
        } else if (closed.error instanceof TransportError && closed.error.code === 'TRANSPORT_ERR_TIMEOUT') {
          if (transport.name === 'sse') this.#choice.gathers();
          // The server may have moved, and must be told that we have not.
          this.#race(
            this.#choice.inOrder().filter(({ transportName }) => transportName === this.transport.name),
          );
        } else if (isLast) this.#replaced?.();
      },
    });
  }

  #adopt(link: Link): void {
    if (this.#link) {
      this.transport.sink = deafSink;
      if (this.#session) this.transport.terminate();
    }
    this.#link = link;
    this.#replaced = undefined;
    const { transport } = link;
    this.transport = transport;
    transport.sink = {
      ...deafSink,
      transportReceived: (type, data) => this.#receive(type, data),
      transportDrained: () => this.#drained(),
      transportClosed: (closed) => this.#transportClosed(closed),
    };
    this.#note(transport, 'opened');
    this.#attachedAtMs = this.#clock.nowMs();
    const isWebSocket = transport.name === 'websocket';
    EngineSocket.priorWebsocketSuccess = isWebSocket;
    this.#choice.remember(transport.name);
  }

  /** docs/protocol/session.md, "Attaching a connection": the first word of the server over it is its count. */
  #attached(link: Link, count: string): void {
    const { name } = this.transport;
    const [received = '', index] = count.split(',');
    const session = this.#session!;
    if (Number(received) < session.confirmed) {
      // A POST that the server took after it had said this was answered sooner: what it wants first was let go.
      link.transport.terminate();
      this.#wait();
      return;
    }
    const begin = this.#trust(() => {
      this.writeBuffer = session.attach(parseCount(received));
      // The server may begin later than it was asked to, since we have confirmed more meanwhile.
      return index ? parseCount(index) : link.next;
    });
    if (begin === undefined) {
      link.transport.close();
      return;
    }
    link.next = begin;
    this.#handedOver = 0;
    this.#adopt(link);
    this.#retry?.cancel();
    this.#deadline?.cancel();
    this.#watchHeartbeat();
    const interruption = this.#interruption;
    this.#interruption = undefined;
    if (name !== this.transport.name) this.emitReserved('upgrade', this.transport);
    if (interruption) this.emitReserved('resumed', this.#clock.nowMs() - interruption.atMs);
    this.#flush();
    this.#settle();
    if (this.readyState === 'open') this.#improve();
  }

  /** The connection is of no use any more; the session looks for another one. */
  #lost(reason: EngineCloseReason, description?: CloseDetails | Error): void {
    const { transport, opts } = this;
    const session = this.#session;
    if (!session || this.readyState !== 'open' || opts.reconnection === false) {
      this.#end(reason, description);
      return;
    }
    if (this.#interruption) return;
    const nowMs = this.#clock.nowMs();
    transport.sink = deafSink;
    transport.terminate();
    this.#heartbeat?.cancel();
    this._pingTimeoutTime = Infinity;
    this.#handedOver = 0;
    session.detach(nowMs);
    this.#interruption = { reason, description, atMs: nowMs };
    this.#deadline = this.#clock.setTimer(session.nextDeadlineMs - nowMs, () =>
      this.#end(reason, {
        description: 'session expired',
        context: description,
      }),
    );
    this.#note(transport, 'lost', description instanceof Error ? description : reason);
    this.emitReserved('interrupted', reason, description);
    // A message that breaks each connection that carries it must not break them in a row.
    const progress = session.received + session.confirmed;
    const { reconnectionDelay = defaultBackoff.reconnectionDelay } = opts;
    if (progress > this.#progress || nowMs - this.#attachedAtMs >= reconnectionDelay) {
      this.#progress = progress;
      this.#attempts = 0;
      this.#reattach();
    } else this.#wait();
  }

  /** Tries again later. */
  #wait(): void {
    const delayMs = backoffDelayMs(
      this.#attempts++,
      { ...defaultBackoff, ...this.opts },
      this.#platform.random,
    );
    this.#retry?.cancel();
    this.#retry = this.#clock.setTimer(delayMs, () => this.#reattach());
  }

  #reattach(): void {
    if (this.readyState !== 'open') return;
    this.#retry?.cancel();
    if (this.#interruption) this.#retry = this.#clock.setTimer(ATTEMPT_MS, () => this.#reattach());
    this.#failed.clear();
    const { transports } = this.#handshake!.session!;
    const { name } = this.transport;
    this.#race(
      this.#choice
        .ranked()
        .filter(({ transportName }) =>
          this.opts.upgrade === false ? transportName === name : transports.includes(transportName),
        ),
      // One after the other, so that none of ours comes late and replaces the one that was first.
      this.#wasReplaced() ? Infinity : STEP_MS,
    );
  }

  #wasReplaced(): boolean {
    return this.#clock.nowMs() - this.#replacedAtMs < ATTEMPT_MS;
  }

  /**
   * Finds out at once whether the connection lives: a fresh one is attached, which takes over if it can be had. Without
   * a session only the time since the last ping can tell.
   * @param quietMs not if the server was heard within the last so many milliseconds.
   */
  #check(quietMs = 0): void {
    if (this.readyState !== 'open') return;
    const { pingInterval, pingTimeout } = this.#handshake!;
    const heardMs = this._pingTimeoutTime - pingInterval - pingTimeout;
    if (!this.#session) this.#tick();
    else if (this.#interruption || this.#clock.nowMs() - heardMs >= quietMs) this.#reattach();
  }

  /** Ends the session if the server tells what cannot be true: no other connection would mend it. */
  #trust<T>(listen: () => T): T | undefined {
    try {
      return listen();
    } catch (error) {
      this.#end('transport error', error as Error);
      return undefined;
    }
  }

  #receive(type: PacketType, bytes: string | Uint8Array): void {
    if (this.readyState === 'closed') return;
    const session = this.#session;
    if (session && type === PacketType.message) {
      if (!this.#trust(() => session.receive(this.#link!.next++, bytes.length))) return;
    }
    const data = typeof bytes === 'string' ? bytes : this.#platform.present(bytes, this.binaryType);
    this.emitReserved('packet', { type: packetNames[+type]!, data });
    this.emitReserved('heartbeat');
    // docs/protocol/session.md, "Heartbeat": whatever is heard counts, and who polls often gets no ping.
    if (session && this._pingTimeoutTime < Infinity) this.#heard();
    switch (type) {
      case PacketType.open:
        this.#shakeHands(bytes as string);
        break;
      case PacketType.ping:
        // Engine.IO protocol 4, "Heartbeat": the server asks, the client answers.
        if (session?.isCountNew) this.#tellCount();
        this.#send(PacketType.pong);
        this.emitReserved('ping');
        this.emitReserved('pong');
        this.#watchHeartbeat();
        break;
      case PacketType.message:
        if (session?.isCountDue) {
          this.#tellCount();
          this.#flush();
        }
        this.emitReserved('data', data);
        this.emitReserved('message', data);
        break;
      case PacketType.count:
        this.#trust(() => session?.receiveCount(parseCount(bytes as string)));
        break;
      case PacketType.close:
        // Later, as what was said before is passed on later, too.
        if (session) queueMicrotask(() => this.#end('transport close', { description: 'session closed' }));
    }
  }

  /** Where each request for messages tells it, there is no need to. */
  #tellCount(): void {
    if (/poll/.test(this.transport.name)) return;
    this.writeBuffer.push(new OutgoingPacket(PacketType.count, String(this.#session!.tellCount())));
  }

  #shakeHands(text: string): void {
    let handshake: Handshake;
    try {
      handshake = parseHandshake(text);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#handshake = handshake;
    this.#sid = this.id = handshake.sid;
    const { session: offer } = handshake;
    const { session: limits } = this.opts;
    if (offer && limits !== false) {
      this.#session = new Session(
        { ...defaultSessionLimits, ...(limits as object), windowMs: offer.windowMs },
        this.#clock.nowMs(),
      );
      this.#session.attach(0);
    }
    this.emitReserved('handshake', handshake);
    this.#watchHeartbeat();
    const isClosing = this.readyState === 'closing';
    if (!isClosing) this.readyState = 'open';
    this.writeBuffer = this.writeBuffer.filter(({ data }) => {
      const refusal = this._refusal(data);
      if (refusal) this.emitReserved('sendError', refusal);
      return !refusal;
    });
    for (const packet of this.writeBuffer) this.#keep(packet);
    // What had waited may be more than a session keeps: then it is over before it has opened.
    if (!isClosing && this.readyState === 'open') this.emitReserved('open');
    this.#flush();
    // A listener may have closed meanwhile.
    if (this.readyState === 'open') this.#improve();
  }

  /** Tries what is better than the transport in use. */
  #improve(): void {
    if (this.opts.upgrade === false) return;
    const { name } = this.transport;
    const { session, upgrades } = this.#handshake!;
    const others = this.#choice
      .ranked()
      .filter(({ transportName }) => transportName !== name && !this.#failed.has(transportName));
    if (this.#session) {
      this.#race(
        others.filter(
          ({ transportName }) =>
            session!.transports.includes(transportName) && this.#choice.isBetter(transportName, name),
        ),
      );
    } else this.#race(others.filter(({ transportName }) => upgrades.includes(transportName)));
  }

  /**
   * Engine.IO protocol 4, "Upgrade": the candidate has answered the probe; the old transport is emptied, then the upgrade
   * packet makes the server switch.
   */
  #upgrade(link: Link): void {
    const { transport } = link;
    this.#isUpgrading = true;
    this.#stopRace = () => {
      this.#isUpgrading = false;
      transport.terminate();
    };
    transport.sink = {
      ...deafSink,
      transportClosed: (closed) => {
        this.#stopRace?.();
        // The old one was stopped already.
        this.#fail(this.#upgradeFailed(transport, closed));
      },
    };
    this.emitReserved('upgrading', transport);
    this.transport.pause(() => {
      // Unless it was given up meanwhile.
      if (!this.#isUpgrading) return;
      this.#isUpgrading = false;
      this.#stopRace = undefined;
      transport.send([new OutgoingPacket(PacketType.upgrade)]);
      this.#forgetHandedOver();
      this.#adopt(link);
      this.emitReserved('upgrade', transport);
      this.#flush();
      this.#settle();
    });
  }

  #upgradeFailed({ name }: Transport, { error: cause }: TransportClosed): TransportError {
    const { message = 'no pong', code = 'TRANSPORT_ERR_PROTOCOL' } = (cause ?? {}) as Partial<TransportError>;
    const details = { transport: name, step: 'probe', code, cause } as const;
    const error = new TransportError(`probe error: ${message}`, details);
    this.emitReserved('upgradeError', error);
    return error;
  }

  /** The server lives. */
  #heard(): void {
    const { pingInterval, pingTimeout } = this.#handshake!;
    this._pingTimeoutTime = this.#clock.nowMs() + pingInterval + pingTimeout;
  }

  #watchHeartbeat(): void {
    this.#heard();
    this.#tick();
  }

  #tick(): void {
    this.#heartbeat?.cancel();
    const startMs = this.#clock.nowMs();
    // A POST whose answer does not come would hold up all others, also where the polls beside it are answered.
    const { pingInterval, pingTimeout } = this.#handshake!;
    const isPosting = this.#session && this.#handedOver;
    const postDueMs = isPosting ? this.#handedOverAtMs + pingInterval + pingTimeout : Infinity;
    const delayMs = Math.min(Math.min(this._pingTimeoutTime, postDueMs) - startMs, TICK_MS);
    if (delayMs <= 0) {
      this.#lost('ping timeout');
      return;
    }
    this.#heartbeat = this.#clock.setTimer(delayMs, () => {
      // The machine has slept, or the page was frozen. Timers of background tabs are late, too, but those hear pings.
      const lateMs = this.#clock.nowMs() - startMs - delayMs;
      if (lateMs > TICK_MS) this.#check(lateMs);
      this.#tick();
    });
  }

  /**
   * Whether the server should have been heard by now, though the timer has not fired: timers of background tabs are
   * throttled and machines sleep. If so, the connection is given up at once.
   * @returns whether the session is over with it.
   * @internal
   */
  _hasPingExpired(): boolean {
    const hasExpired = this.#clock.nowMs() > this._pingTimeoutTime;
    if (hasExpired) {
      this._pingTimeoutTime = Infinity;
      queueMicrotask(() => this.#lost('ping timeout'));
    }
    return hasExpired && !this.#session;
  }

  /** Whether the server has the session extension, as far as is known. @internal */
  get _isResumable(): boolean {
    return !!this.#session;
  }

  /** Whether a message would leave at once. @internal */
  get _isWritable(): boolean {
    return !this.#interruption && this.transport?.isWritable;
  }

  /**
   * Why the server would not take a message of this size, as far as is known now; `undefined` when it would.
   * @internal
   */
  _refusal(data: EngineData): UsageError | undefined {
    const isTextOnly = this.transport.name !== 'websocket' || !!this.opts.forceBase64;
    return refuse(data, this.#handshake?.maxPayload, isTextOnly, this.#platform.codec);
  }

  /**
   * Sends a message; before the session is open it waits.
   * @param callback called when the message has been given to a transport, or with the reason why the server would
   * not take it (code `ENGINE_ERR_PAYLOAD_LIMIT`), which the event `sendError` tells too.
   */
  write(data: EngineData, options?: WriteOptions, callback?: (error?: UsageError) => void): this {
    return this._write(data, options, callback);
  }

  /**
   * As {@link write}.
   * @param origin by which {@link _undelivered} names the message.
   * @internal
   */
  _write(
    data: EngineData,
    options?: WriteOptions,
    callback?: (error?: UsageError) => void,
    origin?: unknown,
  ): this {
    if (this.readyState === 'closing' || this.readyState === 'closed') return this;
    if (this.#readings || data instanceof Blob) {
      this.#readings++;
      this.#reading = this.#reading.then(async () => {
        const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
        this.#readings--;
        this.#send(PacketType.message, bytes, options, callback, origin);
        this.#settle();
      });
    } else this.#send(PacketType.message, data, options, callback, origin);
    return this;
  }

  /** The same as {@link write}. */
  send(data: EngineData, options?: WriteOptions, callback?: (error?: UsageError) => void): this {
    return this._write(data, options, callback);
  }

  #send(
    type: PacketType,
    data?: Exclude<EngineData, Blob>,
    options?: WriteOptions,
    callback?: (error?: UsageError) => void,
    origin?: unknown,
  ): void {
    if (this.readyState === 'closed') return;
    const refusal = data && this._refusal(data);
    if (refusal) {
      this.emitReserved('sendError', refusal);
      callback?.(refusal);
      return;
    }
    const bytes = typeof data === 'object' ? toBytes(data) : data;
    const packet = Object.assign(new OutgoingPacket(type, bytes, options?.compress !== false), { origin });
    this.emitReserved('packetCreate', { type: packetNames[+type]!, data, options });
    this.writeBuffer.push(packet);
    this.#keep(packet);
    if (callback) this.once('flush', callback);
    this.#flush();
  }

  /** Keeps a message until the server has confirmed it. */
  #keep(packet: OutgoingPacket): void {
    const outcome = isMessage(packet) && this.#session?.send(packet, packet.data.length);
    if (outcome && typeof outcome === 'object') {
      const { reason = 'transport error', description } = this.#interruption ?? {};
      this.#end(reason, {
        description: 'session overflow',
        context: description,
      });
    }
  }

  #flush(): void {
    const { transport, writeBuffer } = this;
    const isHeld = this.readyState === 'closed' || this.#isUpgrading || this.#interruption;
    if (isHeld || !writeBuffer.length || !transport.isWritable) return;
    const limit = this.#handshake?.maxPayload;
    // One request may carry no more than one message may.
    const count =
      limit && transport.name !== 'websocket'
        ? countWithin(writeBuffer, limit, this.#platform.codec)
        : writeBuffer.length;
    this.#handedOver = count;
    this.#handedOverAtMs = this.#clock.nowMs();
    const waiting = writeBuffer.slice(count).filter(isMessage).length;
    if (this.#session) this.#left = Math.max(this.#left, this.#session.nextIndex - waiting);
    transport.send(writeBuffer.slice(0, count));
    this.emitReserved('flush');
  }

  #forgetHandedOver(): void {
    this.writeBuffer.splice(0, this.#handedOver);
    this.#handedOver = 0;
  }

  #drained(): void {
    this.#forgetHandedOver();
    const session = this.#session;
    const { name } = this.transport;
    // docs/protocol/session.md, "polling": the answer to a POST confirms what was in it, or nothing of it was taken.
    if (session && name !== 'websocket') {
      if (session.confirmed < session.nextIndex - this.#waiting().length) {
        this.#lost('transport error', { description: 'nothing taken' });
        return;
      }
    }
    if (this.writeBuffer.length) this.#flush();
    else {
      this.emitReserved('drain');
      this.#settle();
    }
  }

  /** Ends the session, after what was written has left. */
  close(): this {
    if (this.readyState === 'opening' || this.readyState === 'open') {
      this.readyState = 'closing';
      if (this.#interruption) this.#end('forced close');
      else this.#settle();
    }
    return this;
  }

  /** RFC 6455 section 7.4.1: 1000 is a purpose fulfilled. Without it, a server with sessions expects us back. */
  #hangUp(): void {
    this.transport.close(this.#session && 1000);
  }

  /** Ends a closing session once nothing is under way. */
  #settle(): void {
    if (this.readyState === 'closing' && !this.writeBuffer.length && !this.#readings && !this.#isUpgrading) {
      this.#end('forced close');
    }
  }

  #transportClosed({ by, error, context, closeCode }: TransportClosed): void {
    const isBroken = by === 'failed';
    if (closeCode === REPLACED && this.#session) {
      const description = { description: 'connection replaced', context };
      if (this.#stopRace) {
        this.#replaced = () => this.#lost('transport close', description);
        return;
      }
      // docs/protocol/session.md, "websocket": a double. Two must not take the session from each other for ever.
      if (this.#wasReplaced()) {
        this.#end('transport close', description);
        return;
      }
      this.#replacedAtMs = this.#clock.nowMs();
    }
    const reason = isBroken ? 'transport error' : 'transport close';
    const isWebSocket = this.transport.name === 'websocket';
    const description = isWebSocket ? 'websocket connection closed' : 'transport closed by the server';
    const details = isBroken ? error : { description, context };
    // A server that ends the session says so in a packet, or does not know it any more.
    if (this.#session && closeCode !== SESSION_UNKNOWN && (isBroken || closeCode !== undefined)) {
      this.#lost(reason, details);
    } else if (isBroken) this.#fail(error!);
    else this.#end(reason, details);
  }

  /**
   * What was sent and is not confirmed, and what never left, in order; only in a session.
   * @internal
   */
  _undelivered(): [sent: OriginalPacket[], unsent: OriginalPacket[]] | undefined {
    const session = this.#session;
    if (!session) return undefined;
    // What waited for the handshake may be more than the session has taken.
    const waiting = this.#waiting();
    const isTaken = waiting.length <= session.nextIndex;
    const sent = isTaken ? session.messagesFrom(session.confirmed) : waiting;
    const unsent = sent.splice(Math.max(this.#left - session.confirmed, 0));
    return [sent, unsent];
  }

  #fail(error: Error): void {
    EngineSocket.priorWebsocketSuccess = false;
    this.emitReserved('error', error);
    this.#end('transport error', error);
  }

  #end(reason: EngineCloseReason, description?: CloseDetails | Error): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    for (const timer of [this.#heartbeat, this.#deadline, this.#retry]) timer?.cancel();
    for (const stop of this.#unwatch) stop();
    const { transport } = this;
    if (transport) {
      transport.sink = deafSink;
      // Who has not been heard for so long would not hear a goodbye.
      if (reason === 'ping timeout') transport.terminate();
      else this.#hangUp();
    }
    this.#stopRace?.();
    this.id = null;
    const undelivered = this._undelivered();
    let details = description;
    if (undelivered) {
      const [unconfirmed, unsent] = undelivered.map((packets) => packets.map(({ data }) => data));
      details = Object.assign(details ?? { description: reason }, { unconfirmed, unsent });
    }
    this.emitReserved('close', reason, details);
    this.#session?.close();
    // Last, so that listeners can see what was not sent.
    this.writeBuffer = [];
    this.#handedOver = 0;
  }
}
