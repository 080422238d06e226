/**
 * What: starts transports one after the other until one of them works, and sends the others home.
 * Must not know: what working means, sessions, or how long anything may take.
 */
import type { Clock, Timer } from '../../base/port.ts';
import { timeoutError } from '../../base/transport-error.ts';
import {
  type ClientTransportFactory,
  deafSink,
  type Transport,
  type TransportClosed,
} from '../../transport/port.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import type { TransportOutcome } from './events.ts';

/** One connection of a session, seen from the session. */
export interface Link {
  readonly transport: Transport;
  /** Index of the next message that it brings. */
  next: number;
}

/** Who wants a connection. */
export interface RaceHost {
  create(factory: ClientTransportFactory): Link;
  note(transport: Transport, outcome: TransportOutcome, reason?: string | Error): void;
  /** How long this one may take; `Infinity`: for ever. */
  limitMs(transport: Transport): number;
  /** The packet that was waited for has come. All others have been sent home. */
  won(link: Link, data: string | Uint8Array): void;
  /** One has failed, and `isLast`: no other is under way, or left to be started. */
  failed(link: Link, closed: TransportClosed, isLast: boolean): void;
}

/** Engine.IO protocol 4, "Upgrade": what is said to a candidate, and what it says. */
const PROBE = 'probe';

/**
 * Starts the first transport at once, each further one `stepMs` after the one before, or when one has failed.
 * @param expected the packet by which a transport wins: open; count, when it attaches; pong, when it is probed.
 * @returns sends all home.
 */
export function startRace(
  factories: readonly ClientTransportFactory[],
  stepMs: number,
  expected: PacketType,
  clock: Clock,
  host: RaceHost,
): () => void {
  const waiting = [...factories];
  /** With the time limit of each. */
  const running = new Map<Link, Timer | undefined>();
  const isProbe = expected === PacketType.pong;
  let timer: Timer | undefined;

  const stop = (winner?: Link) => {
    timer?.cancel();
    waiting.length = 0;
    for (const [link, limit] of running) {
      const { transport } = link;
      limit?.cancel();
      if (link === winner) continue;
      transport.sink = deafSink;
      host.note(transport, 'overtaken', winner?.transport.name);
      transport.close();
    }
    running.clear();
  };

  const next = () => {
    timer?.cancel();
    const factory = waiting.shift();
    if (!factory) return;
    if (waiting.length && stepMs < Infinity) timer = clock.setTimer(stepMs, next);
    const link = host.create(factory);
    const { transport } = link;
    const fail = (closed: TransportClosed) => {
      running.get(link)?.cancel();
      running.delete(link);
      transport.sink = deafSink;
      transport.terminate();
      host.note(transport, 'failed', closed.error ?? 'closed by the server');
      host.failed(link, closed, !waiting.length && !running.size);
      next();
    };
    const limitMs = host.limitMs(transport);
    const limit =
      limitMs < Infinity
        ? clock.setTimer(limitMs, () => {
            fail({ by: 'failed', error: timeoutError(transport.name) });
          })
        : undefined;
    running.set(link, limit);
    host.note(transport, 'started');
    transport.sink = {
      ...deafSink,
      transportOpened() {
        if (isProbe) transport.send([new OutgoingPacket(PacketType.ping, PROBE)]);
      },
      transportReceived(type, data) {
        if (type === expected && (!isProbe || data === PROBE)) {
          stop(link);
          host.won(link, data);
        } else if (isProbe) fail({ by: 'failed' });
        // To who attaches it is no answer: a noop to a poll whose place was taken.
      },
      transportClosed: fail,
    };
    transport.open();
  };

  next();
  return stop;
}
