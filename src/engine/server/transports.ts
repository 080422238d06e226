/**
 * What: the transports of a server as programs name them: by the name on the wire, and as a kind of object.
 * Must not know: how any of them carries packets.
 */
import { PollRow } from '../../transport/long-polling/node-row.ts';
import { PollingServerTransport } from '../../transport/long-polling/node-server.ts';
import { type Transport as ServerTransport, TransportName } from '../../transport/port.ts';
import { SseServerTransport } from '../../transport/sse/node-server.ts';
import { WebSocketServerTransport } from '../../transport/websocket/node-server.ts';

/** The classes that carry sessions, by the name on the wire. */
export const transports = {
  [TransportName.polling]: PollingServerTransport,
  [TransportName.websocket]: WebSocketServerTransport,
  [TransportName.sse]: SseServerTransport,
  [TransportName.shortPolling]: PollRow,
} as const;

const kinds = Object.values(transports);

export type Transport = ServerTransport;

/** For `socket.transport instanceof Transport`. Transports share an interface here, not a class. */
export const Transport = {
  [Symbol.hasInstance](value: unknown): value is ServerTransport {
    return kinds.some((kind) => value instanceof kind);
  },
};
