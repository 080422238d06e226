/**
 * What: `tautline/adapter`: what programs extend to keep rooms, sessions, presence and history elsewhere.
 * Must not know: anything but the names that users import.
 */
export {
  Adapter,
  type BroadcastFlags,
  type BroadcastOptions,
  type PrivateSessionId,
  type Room,
  type Session,
  type SessionToPersist,
  type SocketDetails,
  type SocketId,
} from '../hub/adapter.ts';
export { ClusterAdapter } from '../hub/cluster-adapter.ts';
export {
  type ClusterAnswer,
  type ClusterMessage,
  type ClusterRequest,
  type ClusterResponse,
  type EncodedOptions,
  MessageType,
  type Offset,
  type ServerId,
} from '../hub/cluster-message.ts';
export { type ClusterAdapterOptions, ClusterAdapterWithHeartbeat } from '../hub/heartbeat-adapter.ts';
export type {
  HistoryEntry,
  HistoryLimits,
  HistoryPage,
  HistoryQuery,
  HistoryStore,
} from '../hub/history-store.ts';
export { MemoryHistoryStore, type MemoryHistoryStoreOptions } from '../hub/memory-history-store.ts';
export { MemoryPresenceStore } from '../hub/memory-presence-store.ts';
export type { PresenceChange, PresenceEntry, PresenceStore } from '../hub/presence-store.ts';
export { SessionAwareAdapter } from '../hub/session-aware-adapter.ts';
