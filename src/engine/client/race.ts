/**
 * What: starts transports one after the other until one of them works, and sends the others home.
 * Must not know: what working means, sessions, or how long anything may take.
 */
import type { Clock, Timer } from '../../base/port.ts';
import { TransportError } from '../../base/transport-error.ts';
import {
  type ClientTransportFactory,
  deafSink,
  type Transport,
  type TransportClosed,
} from '../../transport/port.ts';
import type { PacketType } from '../../wire/engine/packet.ts';
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

/**
 * Starts the first transport at once, each further one `stepMs` after the one before, or when one has failed.
 * @param expected the packet by which a transport wins.
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
  const running = new Map<Link, Timer | false>();
  let timer: Timer | undefined;

  const stop = (winner?: Link) => {
    timer?.cancel();
    waiting.length = 0;
    for (const [link, limit] of running) {
      const { transport } = link;
      if (limit) limit.cancel();
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
    const limitMs = host.limitMs(transport);
    const limit =
      limitMs < Infinity &&
      clock.setTimer(limitMs, () => {
        const { sink, name } = transport;
        transport.sink = deafSink;
        transport.terminate();
        const details = { transport: name, step: 'open', code: 'TRANSPORT_ERR_TIMEOUT' } as const;
        sink.transportClosed({ by: 'failed', error: new TransportError('timeout', details) });
      });
    running.set(link, limit);
    host.note(transport, 'started');
    transport.sink = {
      ...deafSink,
      transportReceived(type, data) {
        // Anything else is no answer to us: a noop to a poll whose place was taken.
        if (type !== expected) return;
        stop(link);
        host.won(link, data);
      },
      transportClosed(closed) {
        if (limit) limit.cancel();
        running.delete(link);
        host.note(transport, 'failed', closed.error ?? 'closed by the server');
        const isLast = !waiting.length && !running.size;
        host.failed(link, closed, isLast);
        next();
      },
    };
    transport.open();
  };

  next();
  return stop;
}
