/**
 * What: a session as the event layer sees it, on the server: packets in and out, whatever carries them.
 * Must not know: transports, HTTP, namespaces.
 */
import type { OutgoingPacket } from '../wire/engine/packet.ts';

/** Told what happens to a peer. One listener, set once, to keep an idle client small. */
export interface PeerListener {
  /** A message; bytes are owned by the listener. */
  peerMessage(data: string | Uint8Array): void;
  /** Exactly once, last. `reason` is one of Engine.IO's: `transport close`, `ping timeout`, ... */
  peerClosed(reason: string, description: unknown): void;
}

export interface Peer {
  readonly id: string;
  readonly isOpen: boolean;
  /** Whether a packet sent now would leave at once; volatile messages are dropped when it would not. */
  readonly isWritable: boolean;
  listener: PeerListener | null;
  /** Queues packets in order; shared instances are encoded once for all receivers. */
  sendPackets(packets: readonly OutgoingPacket[]): void;
  /** Ends the session; `discard` drops what is not yet sent. */
  close(discard?: boolean): void;
}
