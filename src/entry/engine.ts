/**
 * What: `tautline/engine`: sessions over all transports without the event layer, as `engine.io` has them.
 * Must not know: anything but the names that users import.
 */
export { PeerError, UsageError } from '../base/errors.ts';
export type { CookieOptions } from '../engine/server/cookie.ts';
export type { CorsOptions, CorsOptionsDelegate } from '../engine/server/cors.ts';
export { attach, type EngineOptions, listen, uServer } from '../engine/server/listen.ts';
export type { Middleware } from '../engine/server/middleware.ts';
export type { AllowRequest, AttachOptions, ServerOptions } from '../engine/server/options.ts';
export * as parser from '../engine/server/packet-parser.ts';
export { protocol } from '../engine/server/packet-parser.ts';
export type { ConnectionError, ErrorCode } from '../engine/server/refusal.ts';
export { Server, type ServerEvents } from '../engine/server/server.ts';
export { Socket } from '../engine/server/session.ts';
export type {
  CloseReason,
  PacketView,
  ReadyState,
  SendOptions,
  SocketEvents,
} from '../engine/server/session-events.ts';
export { Transport, transports } from '../engine/server/transports.ts';
