/**
 * What: the connections of a client's session: their addresses, the race for one, and the upgrade to a better one.
 * Must not know: how the session goes on when its connection is lost, or what is said over it.
 */
import { TransportError } from '../../base/transport-error.ts';
import {
  type ClientTransportFactory,
  type CookieStore,
  deafSink,
  type Transport,
  type TransportClosed,
} from '../../transport/port.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { type Choice, createChoice } from './choice.ts';
import { parseQuery, resolveEndpoint } from './endpoint.ts';
import type { TransportDecision, TransportOutcome } from './events.ts';
import type { EngineOptions, EnginePlatform } from './options.ts';
import { type Link, startRace } from './race.ts';
import { WatchedSender } from './watched-sender.ts';

/** The revision of the Engine.IO protocol. */
export const protocol = 4;

/** How long a transport may take to open before the next one is started beside it. */
export const STEP_MS = 250;

/** How long an attempt to attach may take; a network that comes back often leaves the first one hanging. */
export const ATTEMPT_MS = 10_000;

/**
 * How long an event stream may take to say its first word where polls are answered. Something on the way may gather
 * answers until they end: then the server has moved to a stream that nobody hears.
 */
const STREAM_MS = 1000;

/** So many decisions are kept. */
const DECISIONS = 100;

/** A session that looks for connections. */
export abstract class EngineConnector extends WatchedSender {
  /** How the transport was chosen: what was tried, what became of it, and why. The latest 100 steps. */
  readonly decision: TransportDecision[] = [];

  /** @internal */ declare protected readonly choice: Choice;
  /** @internal */ declare protected link: Link | undefined;
  /** Set while connections are under way. @internal */
  declare protected stopRace: (() => void) | undefined;
  /** Which transports have failed since a connection was last looked for. @internal */
  protected readonly failed = new Set<string>();
  readonly #endpoint: URL;
  readonly #cookies: CookieStore | undefined;
  readonly #madeAtMs: number;
  #stamp = 0;

  constructor(
    platform: EnginePlatform,
    uri?: string | Partial<EngineOptions> | null,
    opts?: Partial<EngineOptions>,
  ) {
    const address = typeof uri === 'string' ? uri : undefined;
    const options: EngineOptions = { ...((address === undefined && (uri as EngineOptions)) || opts) };
    super(platform, options);
    this.#endpoint = resolveEndpoint(address, options, platform.page);
    options.query = parseQuery(this.#endpoint.search || options.query);
    this.#cookies = options.withCredentials ? platform.createCookies?.() : undefined;
    this.#madeAtMs = this.clock.nowMs();
    this.choice = createChoice(options, platform, this.#endpoint.origin);
  }

  /** Something has come over the connection in use. @internal */
  protected abstract receive(type: PacketType, bytes: string | Uint8Array): void;

  /** The connection in use is gone. @internal */
  protected abstract transportClosed(closed: TransportClosed): void;

  /** The session cannot be opened, or is broken. @internal */
  protected abstract fail(error: Error): void;

  /** This transport carries the session. @internal */
  protected abstract works(name: string): void;

  /** The server has let a connection attach. @internal */
  protected abstract attached(link: Link, count: string): void;

  /** A connection could not be attached, and `isLast`: no other is under way. @internal */
  protected abstract attachFailed(transport: Transport, closed: TransportClosed, isLast: boolean): void;

  /** Makes a connection for this session. */
  #create(factory: ClientTransportFactory): Link {
    const { opts } = this;
    const { timestampRequests, timestampParam = 't' } = opts;
    const name = factory.transportName;
    const engine = this;
    const transport = new factory({
      url: (isPost) => {
        const query: Record<string, unknown> = {
          ...(opts.query as object),
          EIO: protocol,
          transport: name,
        };
        const sid = this.handshake?.sid;
        const session = this.session;
        if (sid) query.sid = sid;
        else if (opts.session !== false) query.tautline = 1;
        if (session) {
          if (isPost) query.from = this.nextUnsent;
          else {
            // An attempt to attach may come to nothing; then nothing was told.
            const isNext = link === this.link;
            query.attach = link.next = isNext ? session.tellCount() : session.received;
            if (!isNext) query.first = 1;
          }
        }
        if (opts.forceBase64) query.b64 = 1;
        if (timestampRequests ?? name !== 'websocket') {
          query[timestampParam] = this.clock.nowMs().toString(36) + (this.#stamp++).toString(36);
        }
        this.#endpoint.search = String(new URLSearchParams(query as Record<string, string>));
        return this.#endpoint.href;
      },
      get isExtended() {
        return !!engine.session;
      },
      options: { ...opts, ...opts.transportOptions?.[name] },
      codec: this.platform.codec,
      clock: this.clock,
      cookies: this.#cookies,
    });
    this.transport ??= transport;
    const link: Link = { transport, next: 0 };
    return link;
  }

  /** Tells what became of a transport. @internal */
  protected note({ name }: Transport, outcome: TransportOutcome, reason?: string | Error): void {
    const entry = { transport: name, outcome, atMs: this.clock.nowMs() - this.#madeAtMs, reason };
    if (this.decision.push(entry) > DECISIONS) this.decision.shift();
    this.emitReserved('transport', entry);
  }

  /**
   * Looks for a connection: for a new session, or to attach to the one that there is.
   * @param isWanted which transports may be tried.
   * @param among in this order; default: the most promising first.
   * @internal
   */
  protected race(
    isWanted: (name: string) => boolean,
    stepMs = STEP_MS,
    among: readonly ClientTransportFactory[] = this.choice.ranked(),
  ): void {
    const factories = among.filter(({ transportName }) => isWanted(transportName));
    this.stopRace?.();
    this.stopRace = undefined;
    if (!factories.length) return;
    const expected = this.session ? PacketType.count : this.handshake ? PacketType.pong : PacketType.open;
    this.stopRace = startRace(factories, stepMs, expected, this.clock, {
      create: (factory) => this.#create(factory),
      note: (transport, outcome, reason) => {
        this.note(transport, outcome, reason);
        // Who began later was faster over the same way.
        if (transport.name === 'sse' && reason === 'polling') this.choice.gathers();
      },
      limitMs: ({ name }) => {
        if (!this.session || this.interrupted) return Infinity;
        return name === 'sse' && this.transport.name === 'polling' ? STREAM_MS : ATTEMPT_MS;
      },
      won: (link, data) => {
        this.stopRace = undefined;
        if (expected === PacketType.count) this.attached(link, data as string);
        else if (expected === PacketType.pong) this.#upgrade(link);
        else {
          this.adopt(link);
          this.receive(PacketType.open, data);
        }
      },
      failed: ({ transport }, closed, isLast) => {
        this.failed.add(transport.name);
        if (isLast) this.stopRace = undefined;
        if (expected === PacketType.open) {
          if (!isLast) return;
          this.transport = transport;
          this.transportClosed(closed);
        } else if (expected === PacketType.pong) this.#upgradeFailed(transport, closed);
        else this.attachFailed(transport, closed, isLast);
      },
    });
  }

  /** This connection carries the session from now on. @internal */
  protected adopt(link: Link): void {
    if (this.link) {
      this.transport.sink = deafSink;
      if (this.session) this.transport.terminate();
    }
    this.link = link;
    const { transport } = link;
    this.transport = transport;
    transport.sink = {
      ...deafSink,
      transportReceived: (type, data) => this.receive(type, data),
      transportDrained: () => this.drained(),
      transportClosed: (closed) => this.transportClosed(closed),
    };
    this.note(transport, 'opened');
    this.works(transport.name);
  }

  /** Tries what is better than the transport in use. @internal */
  protected improve(): void {
    if (this.opts.upgrade === false) return;
    const { name } = this.transport;
    const { session, upgrades } = this.handshake!;
    this.race((other) => {
      if (other === name || this.failed.has(other)) return false;
      if (!this.session) return upgrades.includes(other);
      return session!.transports.includes(other) && this.choice.isBetter(other, name);
    });
  }

  /**
   * Engine.IO protocol 4, "Upgrade": the candidate has answered the probe; the old transport is emptied, then the upgrade
   * packet makes the server switch.
   */
  #upgrade(link: Link): void {
    const { transport } = link;
    this.upgrading = true;
    this.stopRace = () => {
      this.upgrading = false;
      transport.terminate();
    };
    transport.sink = {
      ...deafSink,
      transportClosed: (closed) => {
        this.stopRace?.();
        // The old one was stopped already.
        this.fail(this.#upgradeFailed(transport, closed));
      },
    };
    this.emitReserved('upgrading', transport);
    this.transport.pause(() => {
      // Unless it was given up meanwhile.
      if (!this.upgrading) return;
      this.upgrading = false;
      this.stopRace = undefined;
      transport.send([new OutgoingPacket(PacketType.upgrade)]);
      this.forget();
      this.adopt(link);
      this.emitReserved('upgrade', transport);
      this.flush();
      this.settle();
    });
  }

  #upgradeFailed({ name }: Transport, { error: cause }: TransportClosed): TransportError {
    const { message = 'no pong', code = 'TRANSPORT_ERR_PROTOCOL' } = (cause ?? {}) as Partial<TransportError>;
    const details = { transport: name, step: 'probe', code, cause } as const;
    const error = new TransportError(`probe error: ${message}`, details);
    this.emitReserved('upgradeError', error);
    return error;
  }
}
