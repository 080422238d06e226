/**
 * What: the table of the transports that may carry a resumable session, one entry each.
 * Must not know: sessions, requests; how a transport carries packets.
 */
import type { ServerResponse } from 'node:http';
import type { PollingSettings } from '../../transport/long-polling/node-answer.ts';
import { PollRow } from '../../transport/long-polling/node-row.ts';
import { type Transport, TransportName } from '../../transport/port.ts';
import { SseServerTransport } from '../../transport/sse/node-server.ts';

/** A transport that is fed with GETs; POSTs are the engine's. */
export interface HttpCarrier extends Transport {
  /**
   * Takes over a GET (`response.req`) and sees to its answer; tells `transportDrained` once it can carry packets.
   * @param index the index of the first message that will be passed.
   */
  handleGet(response: ServerResponse, index: number): void;
}

/** What transports over HTTP share on a server. */
export interface CarrierSettings extends PollingSettings {
  /** Time between two pings: something is said at least that often. */
  readonly pingIntervalMs: number;
}

/** How one kind of transport carries sessions. */
export interface CarrierKind {
  /** Makes one for a session; `null`: it is opened by an upgrade request. */
  readonly create: ((settings: CarrierSettings, sid: string) => HttpCarrier) | null;
  /** Whether each GET is a connection of its own, as a stream is; otherwise the next GET goes on with the same. */
  readonly isStream: boolean;
  /** Whether a peer of the standard may begin with it. */
  readonly isStandard: boolean;
}

/** Long polling: below the 30 s after which common proxies give a silent answer up. */
const LONGEST_HOLD_MS = 25_000;

/** By the name on the wire, the best first. */
export const carrierKinds: Readonly<Partial<Record<string, CarrierKind>>> = {
  __proto__: null as never,
  [TransportName.websocket]: { create: null, isStream: true, isStandard: true },
  [TransportName.sse]: {
    create: (settings, sid) => new SseServerTransport(settings, sid),
    isStream: true,
    isStandard: false,
  },
  [TransportName.polling]: {
    create: (settings, sid) => {
      // A ping answers each GET that has waited for the interval.
      const hold = settings.pingIntervalMs > LONGEST_HOLD_MS ? LONGEST_HOLD_MS : null;
      return new PollRow(settings, sid, TransportName.polling, hold);
    },
    isStream: false,
    isStandard: true,
  },
  [TransportName.shortPolling]: {
    create: (settings, sid) => new PollRow(settings, sid, TransportName.shortPolling, null),
    isStream: false,
    isStandard: false,
  },
};
