/**
 * What: the client's end of an Engine.IO session over any transport: handshake, heartbeat, upgrade, write buffer, end.
 * Must not know: namespaces and events, or how a transport works.
 */
import { Emitter, type NoEvents } from '../../base/emitter.ts';
import type { UsageError } from '../../base/errors.ts';
import type { Clock, Timer } from '../../base/port.ts';
import {
  type ClientTransportFactory,
  type CookieStore,
  deafSink,
  type Transport,
  type TransportClosed,
} from '../../transport/port.ts';
import { type Handshake, parseHandshake } from '../../wire/engine/handshake.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { countWithin } from '../../wire/engine/payload.ts';
import { parseQuery, resolveEndpoint } from './endpoint.ts';
import type {
  CloseDetails,
  EngineCloseReason,
  EngineData,
  EngineEvents,
  EngineReadyState,
  WriteOptions,
} from './events.ts';
import type { BinaryType, EngineOptions, EnginePlatform } from './options.ts';
import { refuse } from './payload-limit.ts';
import { startUpgrade } from './upgrade.ts';

/** The revision of the Engine.IO protocol. */
export const protocol = 4;

const packetNames = Object.keys(PacketType) as (keyof typeof PacketType)[];

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
  /** When the server is given up, on the wall clock; tools move it. @internal */
  _pingTimeoutTime = Infinity;

  readonly #platform: EnginePlatform;
  readonly #clock: Clock;
  readonly #endpoint: URL;
  readonly #cookies: CookieStore | undefined;
  readonly #unwatch: readonly (() => void)[];
  /** What is left to try, the best guess first. */
  #factories: ClientTransportFactory[];
  /** Outlives `id`: the last request of a session still needs it. */
  #sid: string | undefined;
  #handshake: Handshake | undefined;
  #heartbeat: Timer | undefined;
  #cancelUpgrades: (() => void)[] = [];
  /** Whether a candidate is about to take over, and nothing may be sent. */
  #isUpgrading = false;
  /** How many packets of the write buffer the transport has been given. */
  #handedOver = 0;
  #stamp = 0;
  /** Set while a Blob is read: what is written meanwhile must wait. */
  #reading: Promise<void> | undefined;
  #readings = 0;

  constructor(
    platform: EnginePlatform,
    uri?: string | Partial<EngineOptions> | null,
    opts?: Partial<EngineOptions>,
  ) {
    super();
    const address = typeof uri === 'string' ? uri : undefined;
    const options: EngineOptions = { ...((address === undefined && (uri as EngineOptions)) || opts) };
    const { transportImplementations, transports = platform.transports } = options;
    this.opts = options;
    this.#platform = platform;
    this.#clock = platform.clock(options.useNativeTimers, options.autoUnref);
    this.#endpoint = resolveEndpoint(address, options, platform.page);
    options.query = parseQuery(this.#endpoint.search || options.query);
    this.#cookies = options.withCredentials ? platform.createCookies?.() : undefined;
    this.binaryType = platform.binaryType;
    this.#factories = (transportImplementations ?? transports)
      .map((choice) =>
        typeof choice === 'string'
          ? platform.transports.find(({ transportName }) => transportName === choice)
          : choice,
      )
      .filter((factory) => factory !== undefined);
    this.#unwatch = [
      platform.watch('offline', () =>
        this.#end('transport close', { description: 'network connection lost' }),
      ),
      platform.watch('beforeunload', () => {
        if (!options.closeOnBeforeunload) return;
        this.transport.sink = deafSink;
        this.transport.close();
      }),
    ];
    this.#open();
  }

  #find(name: string): ClientTransportFactory | undefined {
    return this.#factories.find(({ transportName }) => transportName === name);
  }

  /** Makes a transport for this session. */
  #create(factory: ClientTransportFactory): Transport {
    const { opts } = this;
    const { timestampRequests, timestampParam = 't' } = opts;
    const name = factory.transportName;
    return factory({
      url: () => {
        const query: Record<string, unknown> = {
          ...(opts.query as object),
          EIO: protocol,
          transport: name,
        };
        if (this.#sid) query.sid = this.#sid;
        if (opts.forceBase64) query.b64 = 1;
        if (timestampRequests ?? name !== 'websocket') {
          query[timestampParam] = this.#clock.nowMs().toString(36) + (this.#stamp++).toString(36);
        }
        this.#endpoint.search = String(new URLSearchParams(query as Record<string, string>));
        return this.#endpoint.href;
      },
      options: { ...opts, ...opts.transportOptions?.[name] },
      codec: this.#platform.codec,
      clock: this.#clock,
      cookies: this.#cookies,
    });
  }

  #open(): void {
    const factory =
      (this.opts.rememberUpgrade && EngineSocket.priorWebsocketSuccess && this.#find('websocket')) ||
      this.#factories[0];
    if (factory) {
      this.#adopt(this.#create(factory));
      this.transport.open();
    } else {
      // Later, so that the maker can listen.
      this.#clock.setTimer(0, () => this.emitReserved('error', new Error('No transports available')));
    }
  }

  #adopt(transport: Transport): void {
    if (this.transport) this.transport.sink = deafSink;
    this.transport = transport;
    transport.sink = {
      ...deafSink,
      transportReceived: (type, data) => this.#receive(type, data),
      transportDrained: () => this.#drained(),
      transportClosed: (closed) => this.#transportClosed(closed),
    };
  }

  #receive(type: PacketType, bytes: string | Uint8Array): void {
    if (this.readyState === 'closed') return;
    const data = typeof bytes === 'string' ? bytes : this.#platform.present(bytes, this.binaryType);
    this.emitReserved('packet', { type: packetNames[+type]!, data });
    this.emitReserved('heartbeat');
    switch (type) {
      case PacketType.open:
        this.#shakeHands(bytes as string);
        break;
      case PacketType.ping:
        // Engine.IO protocol 4, "Heartbeat": the server asks, the client answers.
        this.#send(PacketType.pong);
        this.emitReserved('ping');
        this.emitReserved('pong');
        this.#watchHeartbeat();
        break;
      case PacketType.message:
        this.emitReserved('data', data);
        this.emitReserved('message', data);
    }
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
    this.emitReserved('handshake', handshake);
    this.#watchHeartbeat();
    const isClosing = this.readyState === 'closing';
    const { name } = this.transport;
    if (!isClosing) this.readyState = 'open';
    this.#remember();
    this.writeBuffer = this.writeBuffer.filter(({ data }) => {
      const refusal = this._refusal(data);
      if (refusal) this.emitReserved('sendError', refusal);
      return !refusal;
    });
    if (!isClosing) this.emitReserved('open');
    this.#flush();
    // A listener may have closed meanwhile.
    if (this.readyState !== 'open' || this.opts.upgrade === false) return;
    for (const better of handshake.upgrades) {
      const factory = this.#find(better);
      if (factory && better !== name) this.#startUpgrade(factory);
    }
  }

  #startUpgrade(factory: ClientTransportFactory): void {
    const cancel = startUpgrade(this.#create(factory), {
      pauseCurrent: (callback) => this.transport.pause(callback),
      upgradeBegins: (candidate) => {
        this.#isUpgrading = true;
        this.emitReserved('upgrading', candidate);
      },
      upgradeEnds: (candidate) => {
        this.#stopUpgrades();
        this.#forgetHandedOver();
        this.#adopt(candidate);
        this.#remember();
        this.#isUpgrading = false;
        this.emitReserved('upgrade', candidate);
        this.#flush();
        this.#settle();
      },
      upgradeFailed: (error, isFatal) => {
        this.#isUpgrading = false;
        this.emitReserved('upgradeError', error);
        if (isFatal) this.#fail(error);
        else this.#settle();
      },
    });
    this.#cancelUpgrades.push(cancel);
  }

  #remember(): void {
    EngineSocket.priorWebsocketSuccess = this.transport.name === 'websocket';
  }

  #stopUpgrades(): void {
    for (const cancel of this.#cancelUpgrades.splice(0)) cancel();
  }

  #watchHeartbeat(): void {
    this.#heartbeat?.cancel();
    const { pingInterval, pingTimeout } = this.#handshake!;
    const delayMs = pingInterval + pingTimeout;
    this._pingTimeoutTime = this.#clock.nowMs() + delayMs;
    this.#heartbeat = this.#clock.setTimer(delayMs, () => this.#end('ping timeout'));
  }

  /**
   * Whether the server should have been heard by now, though the timer has not fired: timers of background tabs are
   * throttled and machines sleep. If so, the session ends at once.
   * @internal
   */
  _hasPingExpired(): boolean {
    const hasExpired = this.#clock.nowMs() > this._pingTimeoutTime;
    if (hasExpired) {
      this._pingTimeoutTime = Infinity;
      queueMicrotask(() => this.#end('ping timeout'));
    }
    return hasExpired;
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
    if (this.readyState === 'closing' || this.readyState === 'closed') return this;
    if (this.#reading || data instanceof Blob) {
      this.#readings++;
      this.#reading = (this.#reading ?? Promise.resolve()).then(async () => {
        const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
        if (!--this.#readings) this.#reading = undefined;
        this.#send(PacketType.message, bytes, options, callback);
        this.#settle();
      });
    } else this.#send(PacketType.message, data, options, callback);
    return this;
  }

  /** The same as {@link write}. */
  send(data: EngineData, options?: WriteOptions, callback?: (error?: UsageError) => void): this {
    return this.write(data, options, callback);
  }

  #send(
    type: PacketType,
    data?: Exclude<EngineData, Blob>,
    options?: WriteOptions,
    callback?: (error?: UsageError) => void,
  ): void {
    if (this.readyState === 'closed') return;
    const refusal = data && this._refusal(data);
    if (refusal) {
      this.emitReserved('sendError', refusal);
      callback?.(refusal);
      return;
    }
    const bytes =
      !data || typeof data === 'string' || data instanceof Uint8Array
        ? data
        : ArrayBuffer.isView(data)
          ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
          : new Uint8Array(data);
    const packet = new OutgoingPacket(type, bytes, options?.compress !== false);
    this.emitReserved('packetCreate', { type: packetNames[+type]!, data, options });
    this.writeBuffer.push(packet);
    if (callback) this.once('flush', callback);
    this.#flush();
  }

  #flush(): void {
    const { transport, writeBuffer } = this;
    if (this.readyState === 'closed' || this.#isUpgrading || !writeBuffer.length || !transport.isWritable)
      return;
    const limit = this.#handshake?.maxPayload;
    // One request may carry no more than one message may.
    const count =
      limit && transport.name !== 'websocket'
        ? countWithin(writeBuffer, limit, this.#platform.codec)
        : writeBuffer.length;
    this.#handedOver = count;
    transport.send(writeBuffer.slice(0, count));
    this.emitReserved('flush');
  }

  #forgetHandedOver(): void {
    this.writeBuffer.splice(0, this.#handedOver);
    this.#handedOver = 0;
  }

  #drained(): void {
    this.#forgetHandedOver();
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
      this.#settle();
    }
    return this;
  }

  /** Ends a closing session once nothing is under way. */
  #settle(): void {
    if (this.readyState === 'closing' && !this.writeBuffer.length && !this.#readings && !this.#isUpgrading) {
      this.#end('forced close');
    }
  }

  #transportClosed({ by, error, context }: TransportClosed): void {
    if (by === 'failed') this.#fail(error!);
    else {
      const description =
        this.transport.name === 'websocket'
          ? 'websocket connection closed'
          : 'transport closed by the server';
      this.#end('transport close', { description, context });
    }
  }

  #fail(error: Error): void {
    EngineSocket.priorWebsocketSuccess = false;
    if (this.opts.tryAllTransports && this.readyState === 'opening' && this.#factories.length > 1) {
      this.#factories = this.#factories.filter(({ transportName }) => transportName !== this.transport.name);
      this.#open();
    } else {
      this.emitReserved('error', error);
      this.#end('transport error', error);
    }
  }

  #end(reason: EngineCloseReason, description?: CloseDetails | Error): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.#heartbeat?.cancel();
    this.#stopUpgrades();
    for (const stop of this.#unwatch) stop();
    const { transport } = this;
    if (transport) {
      transport.sink = deafSink;
      // Who has not been heard for so long would not hear a goodbye.
      if (reason === 'ping timeout') transport.terminate();
      else transport.close();
    }
    this.id = null;
    this.emitReserved('close', reason, description);
    // Last, so that listeners can see what was not sent.
    this.writeBuffer = [];
    this.#handedOver = 0;
  }
}
