/**
 * What: one connection to a server, shared by the sockets of its namespaces; opens it and brings it back.
 * Must not know: transports, acknowledgements, or any platform.
 */
import { Emitter, type NoEvents } from '../base/emitter.ts';
import type { UsageError } from '../base/errors.ts';
import type { Clock } from '../base/port.ts';
import { timeoutError } from '../base/transport-error.ts';
import type { DefaultEventsMap, EventsMap } from '../base/typed-events.ts';
import { type BackoffSettings, backoffDelayMs, defaultBackoff } from '../engine/client/backoff.ts';
import type { CloseDetails, EngineEvents, WriteOptions } from '../engine/client/events.ts';
import type { EnginePlatform } from '../engine/client/options.ts';
import { EngineSocket } from '../engine/client/socket.ts';
import type { PacketDecoder, PacketEncoder, Parser } from '../wire/events/message-decoder.ts';
import { type IncomingBytes, OUTBOX, type Packet } from '../wire/events/packet.ts';
import { plainParser } from '../wire/events/plain-parser.ts';
import type { DisconnectDescription, ManagerOptions, SocketOptions } from './options.ts';
import { Socket } from './socket.ts';

/** The events of a {@link Manager}. */
export interface ManagerReservedEvents {
  /** The connection is open; sockets enter their namespaces now. */
  open: () => void;
  /** The connection could not be opened. */
  error: (error: Error) => void;
  /** The server asked whether we are there. */
  ping: () => void;
  packet: (packet: Packet) => void;
  close: (reason: string, description?: DisconnectDescription) => void;
  /**
   * The connection is lost, the session waits for another one: sockets stay connected, what they emit waits, nothing is
   * lost. Either `resumed` or `close` follows. Only with servers that have the session extension.
   */
  interrupted: (reason: string, description?: DisconnectDescription) => void;
  /** The session goes on, after `gapMs` milliseconds without a connection. */
  resumed: (gapMs: number) => void;
  /** All attempts have failed. */
  reconnect_failed: () => void;
  reconnect_attempt: (attempt: number) => void;
  reconnect_error: (error: Error) => void;
  reconnect: (attempt: number) => void;
}

interface Settings extends BackoffSettings {
  reconnection: boolean;
  reconnectionAttempts: number;
  timeout: number | false;
}

const defaults: Settings = {
  ...defaultBackoff,
  reconnection: true,
  reconnectionAttempts: Infinity,
  timeout: 20_000,
};

/**
 * Manages the connection to one server. `io()` makes them; `socket.io` is the one of a socket.
 */
export class Manager<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends Emitter<NoEvents, NoEvents, ManagerReservedEvents> {
  /** The session, once one was opened. */
  declare engine: EngineSocket;
  /** Read at each attempt to connect, so that changes count from the next one on. */
  declare opts: Partial<ManagerOptions>;
  /** Sockets by namespace. */
  readonly nsps: Record<string, Socket<ListenEvents, EmitEvents>> = Object.create(null);
  /** @internal */
  declare readonly _autoConnect: boolean;
  /** @internal */
  _readyState: 'opening' | 'open' | 'closed' = 'closed';
  /** @internal */
  _reconnecting = false;
  /** Sockets that want to be connected. @internal */
  readonly _active = new Set<Socket<ListenEvents, EmitEvents>>();
  /** @internal */
  declare readonly _clock: Clock;

  readonly #platform: EnginePlatform;
  readonly #uri: string | undefined;
  readonly #settings: Settings;
  readonly #encoder: PacketEncoder;
  readonly #decoder: PacketDecoder;
  /** Undo what was set up for the connection attempt, or the connection. */
  #undo: (() => void)[] = [];
  #skipReconnect = false;
  #attempts = 0;

  constructor(
    platform: EnginePlatform,
    uri?: string | Partial<ManagerOptions>,
    opts?: Partial<ManagerOptions>,
    defaultParser: Parser = plainParser,
  ) {
    super();
    const isOptions = typeof uri === 'object';
    this.#uri = isOptions ? undefined : uri;
    this.opts = (isOptions ? uri : opts) ?? {};
    this.opts.path ||= '/socket.io';
    const { autoConnect = true } = this.opts;
    const parser = (this.opts.parser as Parser | undefined) ?? defaultParser;
    this.#settings = Object.fromEntries(
      Object.entries(defaults).map(([key, value]) => [key, this.opts[key as keyof Settings] ?? value]),
    ) as unknown as Settings;
    this.#platform = platform;
    // Acknowledgements that a program waits for keep the process alive; reconnecting is `#wait`'s matter.
    this._clock = platform.clock(this.opts.useNativeTimers);
    this.#encoder = new parser.Encoder();
    this.#decoder = new parser.Decoder();
    this._autoConnect = autoConnect;
    if (autoConnect) this.open();
  }

  #setting<Key extends keyof Settings>(key: Key, value: Settings[Key] | undefined): this | Settings[Key] {
    if (value === undefined) return this.#settings[key];
    this.#settings[key] = value;
    // The engine looks for another connection by the same numbers.
    Object.assign(this.engine?.opts ?? {}, this.#settings);
    return this;
  }

  /** Whether to reconnect after a loss; with an argument, sets it. */
  reconnection(): boolean;
  reconnection(value: boolean): this;
  reconnection(value?: boolean): this | boolean {
    if (value === false) this.#skipReconnect = true;
    return this.#setting('reconnection', value);
  }

  /** How often to try before giving up; with an argument, sets it. */
  reconnectionAttempts(): number;
  reconnectionAttempts(value: number): this;
  reconnectionAttempts(value?: number): this | number {
    return this.#setting('reconnectionAttempts', value);
  }

  /** Delay before the first attempt, in ms; with an argument, sets it. */
  reconnectionDelay(): number;
  reconnectionDelay(value: number): this;
  reconnectionDelay(value?: number): this | number {
    return this.#setting('reconnectionDelay', value);
  }

  /** Longest delay, in ms; with an argument, sets it. */
  reconnectionDelayMax(): number;
  reconnectionDelayMax(value: number): this;
  reconnectionDelayMax(value?: number): this | number {
    return this.#setting('reconnectionDelayMax', value);
  }

  /** How far delays stray, from 0 to 1; with an argument, sets it. */
  randomizationFactor(): number;
  randomizationFactor(value: number): this;
  randomizationFactor(value?: number): this | number {
    return this.#setting('randomizationFactor', value);
  }

  /** Time limit of an attempt to connect, in ms, or `false`; with an argument, sets it. */
  timeout(): number | false;
  timeout(value: number | false): this;
  timeout(value?: number | false): this | number | false {
    return this.#setting('timeout', value);
  }

  /** Opens the connection, unless it is open or being opened. @param callback told how it went. */
  open(callback?: (error?: Error) => void): this {
    if (this._readyState !== 'closed') return this;
    const engine = new EngineSocket(this.#platform, this.#uri, { ...this.opts, ...this.#settings });
    this.engine = engine;
    this._readyState = 'opening';
    this.#skipReconnect = false;
    const fail = (error: Error) => {
      this.#cleanUp();
      this._readyState = 'closed';
      this.#failed(error);
      if (callback) callback(error);
      else if (!this.#attempts) this.#reconnect();
    };
    this.#listen('open', () => {
      this.#opened();
      callback?.();
    });
    this.#listen('error', fail);
    // Without an error only if somebody else has closed it; nobody should wait for the time limit then.
    this.#listen('close', (reason) => fail(new Error(reason)));
    const { timeout } = this.#settings;
    if (timeout !== false) {
      this.#wait(timeout, () => {
        fail(timeoutError(engine.transport.name));
        engine.close();
      });
    }
    return this;
  }

  /** The same as {@link open}. */
  connect(callback?: (error?: Error) => void): this {
    return this.open(callback);
  }

  #listen<Name extends keyof EngineEvents>(event: Name, listener: EngineEvents[Name]): void {
    const engine: Emitter<EngineEvents, NoEvents> = this.engine;
    engine.on(event, listener as never);
    this.#undo.push(() => engine.off(event, listener as never));
  }

  #wait(delayMs: number, callback: () => void): void {
    const { useNativeTimers, autoUnref } = this.opts;
    const timer = this.#platform.clock(useNativeTimers, autoUnref).setTimer(delayMs, callback);
    this.#undo.push(() => timer.cancel());
  }

  #opened(): void {
    this.#cleanUp();
    this._readyState = 'open';
    this._reconnecting = false;
    const decoder = this.#decoder;
    // Each packet in a turn of its own: a listener that throws stops no other packet.
    const decoded = (packet: Packet) =>
      queueMicrotask(() => {
        for (const socket of this._active) {
          if (socket.nsp !== packet.nsp) continue;
          socket.onpacket(packet);
          // One that leaves and comes back within is at the set's end, and must not get it again.
          break;
        }
        this.emitReserved('packet', packet);
      });
    decoder.on('decoded', decoded);
    this.#undo.push(() => {
      decoder.off('decoded', decoded);
      decoder.destroy();
    });
    this.#listen('ping', () => this.emitReserved('ping'));
    this.#listen('data', (data) => {
      try {
        decoder.add(data as string | IncomingBytes);
      } catch (error) {
        this.#closed('parse error', error as Error);
      }
    });
    for (const event of ['interrupted', 'resumed'] as const) {
      this.#listen(event, (...args: unknown[]) => {
        for (const socket of this._active) socket._tell(event, args);
        this.dispatch(event, args);
      });
    }
    this.#listen('error', (error) => this.#failed(error));
    this.#listen('close', (reason, description) => this.#closed(reason, this.#readUnconfirmed(description)));
    for (const socket of this._active) socket._opened();
    this.emitReserved('open');
  }

  /**
   * What the engine could not deliver, as the packets that it was. What was sent is told; what never left waits for the
   * next session, as what is emitted while there is none.
   */
  #readUnconfirmed(description: CloseDetails | Error | undefined): DisconnectDescription | undefined {
    const undelivered = this.engine._undelivered();
    if (!undelivered) return description as DisconnectDescription | undefined;
    // A packet with attachments is several messages, each of which may be confirmed, or have left, without the next.
    const [sent, unsent] = undelivered.map(
      (messages) => new Set(messages.flatMap(({ origin = [] }) => origin as Packet)),
    ) as [Set<Packet>, Set<Packet>];
    for (const packet of unsent) sent.delete(packet);
    for (const socket of this._active) socket._postpone([...unsent].filter(({ nsp }) => nsp === socket.nsp));
    // Events and acknowledgements; of entering a namespace a program knows nothing. An outbox sends its events again.
    const [unconfirmed, waiting] = [sent, unsent].map((packets) =>
      [...packets].filter(({ data }) => Array.isArray(data) && data[0] !== OUTBOX),
    );
    return Object.assign(description!, { unconfirmed, unsent: waiting }) as DisconnectDescription;
  }

  #failed(error: Error): void {
    for (const socket of [...this._active]) if (socket.active) socket._failed(error);
    this.emitReserved('error', error);
  }

  #cleanUp(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** The socket of a namespace, made if there is none; one that was disconnected connects again. */
  socket(namespace: string, opts?: Partial<SocketOptions>): Socket<ListenEvents, EmitEvents> {
    let socket = this.nsps[namespace];
    if (!socket) {
      socket = new Socket(this, namespace, opts);
      this.nsps[namespace] = socket;
    } else if (this._autoConnect && !socket.active) socket.connect();
    return socket;
  }

  /** A socket needs the connection no more. @internal */
  _destroy(socket: Socket<ListenEvents, EmitEvents>): void {
    this._active.delete(socket);
    if (!this._active.size) this._close();
  }

  /**
   * Sends a packet, whole or not at all.
   * @returns why the server would not take it.
   * @internal
   */
  _packet(packet: Packet & { options?: WriteOptions }): UsageError | undefined {
    const { engine } = this;
    const messages = this.#encoder.encode(packet);
    for (const message of messages) {
      const refusal = engine._refusal(message);
      if (refusal) return refusal;
    }
    for (const message of messages) engine._write(message, packet.options, undefined, packet);
    return undefined;
  }

  /** Closes the connection for good. @internal */
  _close(): void {
    this.#skipReconnect = true;
    this._reconnecting = false;
    this.#closed('forced close');
  }

  #closed(reason: string, description?: DisconnectDescription): void {
    this.#cleanUp();
    this.engine?.close();
    this.#attempts = 0;
    this._readyState = 'closed';
    for (const socket of this._active) socket._closed(reason, description);
    this.emitReserved('close', reason, description);
    this.#reconnect();
  }

  #reconnect(): void {
    const settings = this.#settings;
    if (this._reconnecting || this.#skipReconnect || !settings.reconnection) return;
    if (this.#attempts >= settings.reconnectionAttempts) {
      this.#attempts = 0;
      this.emitReserved('reconnect_failed');
      return;
    }
    this._reconnecting = true;
    const attempt = () => {
      this.#cleanUp();
      if (!this.#skipReconnect) this.emitReserved('reconnect_attempt', this.#attempts);
      // A listener may have disconnected.
      if (this.#skipReconnect) {
        this._reconnecting = false;
        return;
      }
      this.open((error) => {
        this._reconnecting = false;
        if (error) {
          this.#reconnect();
          this.emitReserved('reconnect_error', error);
        } else {
          const attempts = this.#attempts;
          this.#attempts = 0;
          this.emitReserved('reconnect', attempts);
        }
      });
    };
    this.#wait(backoffDelayMs(this.#attempts++, settings, this.#platform.chance()), attempt);
    // There is a network again, or somebody who waits for it.
    for (const event of ['online', 'visible'] as const) {
      this.#undo.push(this.#platform.watch(event, attempt));
    }
  }
}
