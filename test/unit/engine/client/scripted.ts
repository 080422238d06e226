/**
 * What: a platform whose time, chance and transports obey the test: a fake clock and transports without a network.
 * Must not know: which test uses it.
 */
import type { Clock, Timer } from '../../../../src/base/port.ts';
import type { EngineOptions, EnginePlatform, PageEvent } from '../../../../src/engine/client/options.ts';
import { webPlatform } from '../../../../src/entry/web-platform.ts';
import {
  type ClientTarget,
  type ClientTransportFactory,
  type Transport,
  type TransportClosed,
  type TransportName,
  transportFactory,
} from '../../../../src/transport/port.ts';
import { decodePacket, encodePacket } from '../../../../src/wire/engine/codec.ts';
import type { OutgoingPacket } from '../../../../src/wire/engine/packet.ts';

/** Time that passes when the test says so. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  #timers = new Set<{ dueMs: number; callback: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** How long until each waiting timer fires, the next one first. */
  get delays(): number[] {
    return [...this.#timers].map(({ dueMs }) => dueMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Time passes, and no timer notices: the machine sleeps. */
  sleep(ms: number): void {
    this.#nowMs += ms;
    for (const timer of this.#timers) timer.dueMs += ms;
  }

  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueMs }) => dueMs <= end).sort((a, b) => a.dueMs - b.dueMs);
      if (!next) break;
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.callback();
    }
    this.#nowMs = end;
  }
}

/** A transport that keeps what it is given, and says what the test lets it say. */
export class ScriptedTransport implements Transport {
  readonly name: TransportName;
  readonly target: ClientTarget;
  /** Everything sent, as the peer would read it. */
  readonly sent: (string | Uint8Array)[] = [];
  /** The same, one list a call of `send`. */
  readonly batches: (string | Uint8Array)[][] = [];
  sink!: Transport['sink'];
  state: 'made' | 'opening' | 'open' | 'paused' | 'closed' | 'terminated' = 'made';
  isWritable = false;
  bufferedBytes = 0;
  /** Whether what is sent counts as gone at the end of the turn. */
  drainsItself = true;
  paused: (() => void) | undefined;

  constructor(name: TransportName, target: ClientTarget) {
    this.name = name;
    this.target = target;
  }

  open(): void {
    this.state = 'opening';
  }

  send(packets: readonly OutgoingPacket[]): void {
    const batch = packets.map((packet) => encodePacket(packet));
    this.batches.push(batch);
    this.sent.push(...batch);
    this.isWritable = false;
    if (this.drainsItself) queueMicrotask(() => this.drain());
  }

  drain(): void {
    this.isWritable = true;
    if (this.state === 'open' || this.state === 'paused') this.sink.transportDrained();
  }

  close(): void {
    if (this.state !== 'terminated') this.state = 'closed';
  }

  terminate(): void {
    this.state = 'terminated';
  }

  pause(callback: () => void): void {
    this.paused = () => {
      this.state = 'paused';
      callback();
    };
  }

  /** The peer is there. */
  accept(): void {
    this.state = 'open';
    this.isWritable = true;
    this.sink.transportOpened();
  }

  /** The peer's packet, as it is on the wire. */
  receive(encoded: string | Uint8Array): void {
    const { type, data } = decodePacket(encoded, this.target.codec, this.target.isExtended);
    this.sink.transportReceived(type, data);
  }

  /** The peer is there and opens a session. */
  shakeHands(handshake: object = {}): void {
    this.accept();
    this.receive(
      `0${JSON.stringify({ sid: 'sid-1', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6, ...handshake })}`,
    );
  }

  end(closed: TransportClosed): void {
    this.state = 'closed';
    this.sink.transportClosed(closed);
  }

  fail(message = 'websocket error'): Error {
    const error = new Error(message);
    this.end({ by: 'failed', error });
    return error;
  }
}

export interface ScriptedPlatform extends EnginePlatform {
  readonly clockUsed: FakeClock;
  /** In the order in which they were made. */
  readonly transportsMade: ScriptedTransport[];
  readonly last: ScriptedTransport;
  /** Fires a page's event. */
  firePage(event: PageEvent): void;
  /** What is kept beyond the page. */
  readonly remembered: Record<string, string>;
}

/** A platform for one test. */
export function scriptedPlatform(
  names: readonly string[] = ['polling', 'websocket'],
  pageUrl?: string,
): ScriptedPlatform {
  const clockUsed = new FakeClock();
  const transportsMade: ScriptedTransport[] = [];
  const listeners = new Set<{ event: string; listener: () => void }>();
  const factory = (transportName: TransportName): ClientTransportFactory =>
    transportFactory(transportName, (target) => {
      const transport = new ScriptedTransport(transportName, target);
      transportsMade.push(transport);
      return transport;
    });
  const platform: ScriptedPlatform = {
    codec: webPlatform.codec,
    binaryType: webPlatform.binaryType,
    present: webPlatform.present,
    chance: () => 0x80808080 / 2 ** 32,
    clock: () => clockUsed,
    clockUsed,
    transports: names.map((name) => factory(name as TransportName)),
    transportsMade,
    page: pageUrl,
    memory: () => platform.remembered,
    remembered: {},
    get last() {
      return transportsMade.at(-1)!;
    },
    watch(event, listener) {
      const entry = { event, listener };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    firePage(event) {
      for (const entry of [...listeners]) if (entry.event === event) entry.listener();
    },
  };
  return platform;
}

/** Lets everything run that was put off to the end of the turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export type { EngineOptions };
