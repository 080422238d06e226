/**
 * What: what `tautline/engine/client` exports on every platform.
 * Must not know: any platform's socket or transports but those that all have.
 */
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
export { webPolling as Fetch, webPolling as XHR } from '../transport/long-polling/web.ts';
export {
  type ClientTransportFactory as TransportCtor,
  webTransport as WebTransport,
} from '../transport/port.ts';
export { webWebSocket as WebSocket } from '../transport/websocket/web.ts';
export type { Handshake as HandshakeData } from '../wire/engine/handshake.ts';
