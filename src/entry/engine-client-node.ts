/**
 * What: `tautline/engine/client` for Node: a session over node:http and our own WebSocket, without events.
 * Must not know: browsers.
 */
import type { EngineOptions } from '../engine/client/options.ts';
import { EngineSocket } from '../engine/client/socket.ts';
import { nodePlatform } from './node-platform.ts';

/** A session with an Engine.IO server; connects when it is made. */
export class Socket extends EngineSocket {
  /** @param uri of the server, or the options. */
  constructor(uri?: string | Partial<EngineOptions>, opts?: Partial<EngineOptions>) {
    super(nodePlatform, uri, opts);
  }
}

/** The transports of this platform by name. */
export const transports = /* @__PURE__ */ Object.fromEntries(
  nodePlatform.transports.map((factory) => [factory.transportName, factory]),
);

/** Makes a {@link Socket}. */
export default function connect(
  uri?: string | Partial<EngineOptions>,
  opts?: Partial<EngineOptions>,
): Socket {
  return new Socket(uri, opts);
}

export { TransportError } from '../base/transport-error.ts';
export { Transport, type TransportReservedEvents } from '../engine/client/custom-transport.ts';
export type {
  CloseDetails,
  EngineCloseReason,
  EngineData,
  EngineEvents as SocketReservedEvents,
  EnginePacket,
  WriteOptions,
} from '../engine/client/events.ts';
export type {
  BinaryType,
  EngineOptions as SocketOptions,
  TransportName,
} from '../engine/client/options.ts';
export { parseUri as parse } from '../engine/client/parse-uri.ts';
export { protocol } from '../engine/client/socket.ts';
export { installTimerFunctions, nextTick } from '../engine/client/timers.ts';
export { nodePolling as NodeXHR } from '../transport/long-polling/node-client.ts';
export { webPolling as Fetch, webPolling as XHR } from '../transport/long-polling/web.ts';
export {
  type ClientTransportFactory as TransportCtor,
  webTransport as WebTransport,
} from '../transport/port.ts';
export { nodeWebSocket as NodeWebSocket } from '../transport/websocket/node-client.ts';
export { webWebSocket as WebSocket } from '../transport/websocket/web.ts';
export type { Handshake as HandshakeData } from '../wire/engine/handshake.ts';
