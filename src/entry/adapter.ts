/**
 * What: `tautline/adapter`: what programs extend to keep rooms and sessions elsewhere, as `socket.io-adapter` has it.
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
export { SessionAwareAdapter } from '../hub/session-aware-adapter.ts';
