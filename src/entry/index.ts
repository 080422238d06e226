/**
 * What: `tautline` as ES module: the server with events, rooms and acknowledgements.
 * Must not know: anything but the names that users import.
 */

export { PeerError, UsageError } from '../base/errors.ts';
export type { DefaultEventsMap, EventsMap } from '../base/typed-events.ts';
export type {
  BroadcastFlags,
  BroadcastOptions,
  Room,
  SocketId,
} from '../hub/adapter.ts';
export { BroadcastOperator, type BroadcastTimeoutError, RemoteSocket } from '../hub/broadcast-operator.ts';
export type { DisconnectReason } from '../hub/disconnect-reason.ts';
export type { Handshake } from '../hub/handshake.ts';
export {
  type HistoryEvents,
  type HistoryJoinOptions,
  type HistoryLimits,
  type HistoryMark,
  type HistoryOptions,
  type HistoryStart,
  RoomHistory,
} from '../hub/history.ts';
export type {
  AdapterConstructor,
  ConnectionStateRecoveryOptions,
  ParentNamespaceMatcher,
} from '../hub/hub.ts';
export { type ExtendedError, Namespace } from '../hub/namespace.ts';
export {
  type PresenceEvents,
  type PresenceOptions,
  RoomPresence,
  type SocketReference,
} from '../hub/presence.ts';
export type { PresenceEventName, PresenceMember } from '../hub/presence-members.ts';
export { type Event, Socket, type SocketReservedEventsMap } from '../hub/socket.ts';
export type { ServerOptions, TServerInstance } from '../server/options.ts';
export { Server } from '../server/server.ts';
export type { PacketDecoder, PacketEncoder, Parser } from '../wire/events/parser.ts';
