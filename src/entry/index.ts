/**
 * What: `tautline` as ES module: the server with events, rooms and acknowledgements.
 * Must not know: anything but the names that users import.
 */

export { PeerError, UsageError } from '../base/errors.ts';
export { type EventRefusal, type RefusalAnswer, type RefusalIssue, RefusedError } from '../base/refusal.ts';
export type { DefaultEventsMap, EventsMap } from '../base/typed-events.ts';
export type {
  BroadcastFlags,
  BroadcastOptions,
  Room,
  SocketId,
} from '../hub/adapter.ts';
export { BroadcastOperator, type BroadcastTimeoutError, RemoteSocket } from '../hub/broadcast-operator.ts';
export type { ContractOptions } from '../hub/contract-guard.ts';
export type { DisconnectReason } from '../hub/disconnect-reason.ts';
export {
  type EventGuard,
  type GuardedAnswer,
  type GuardedEvent,
  refuseEvent,
} from '../hub/event-guard.ts';
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
export type { NamespaceLimits } from '../hub/namespace-limits.ts';
export {
  type PresenceEvents,
  type PresenceMember,
  type PresenceOptions,
  RoomPresence,
  type SocketReference,
} from '../hub/presence.ts';
export type { PresenceEventName } from '../hub/presence-members.ts';
export {
  type RateLimitCounters,
  RateLimiter,
  type RateLimiterEvents,
  type RateLimiterOptions,
  type RateLimitKey,
  type RateLimitPolicy,
  type RateLimitRule,
} from '../hub/rate-limiter.ts';
export { type Event, Socket, type SocketReservedEventsMap } from '../hub/socket.ts';
export { MemoryRateLimitStore } from '../limits/memory-store.ts';
export type { RateLimitStore } from '../limits/store.ts';
export { type BucketDecision, type BucketShape, takeToken } from '../limits/token-bucket.ts';
export type { ServerOptions, TServerInstance } from '../server/options.ts';
export { Server } from '../server/server.ts';
export type { AskedStream } from '../streams/asked-stream.ts';
export type { EventIterator, EventsOptions, EventsOverflow } from '../streams/event-iterator.ts';
export { StreamError, type StreamErrorDetails } from '../streams/stream-error.ts';
export type { OnStreamOptions } from '../streams/stream-peer.ts';
export type {
  StreamContext,
  StreamHandler,
  StreamNames,
  StreamOptions,
  StreamPart,
} from '../streams/typed-streams.ts';
export type { LooselyTypedParser, PacketDecoder, PacketEncoder, Parser } from '../wire/events/parser.ts';
