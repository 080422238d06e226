/**
 * What: a session as the event layer sees it, on the server: packets in and out, whatever carries them.
 * Must not know: transports, HTTP, namespaces.
 */
import type { SessionEnd } from '../protocol/session/session.ts';
import type { OutgoingPacket } from '../wire/engine/packet.ts';

/** What the end of a session that outlives its connections tells; see docs/protocol/session.md, "End". */
export interface SessionReport {
  readonly end: SessionEnd;
  readonly message: string;
  /** What was sent and never confirmed, in order. Whether it arrived cannot be known. */
  readonly unconfirmed: readonly OutgoingPacket[];
  /** Why its last connection ended, or what the peer did: what a session of one connection would have told. */
  readonly cause: unknown;
}

/** Told what happens to a peer. One listener, set once, to keep an idle client small. */
export interface PeerListener {
  /** A message; bytes are owned by the listener. */
  peerMessage(data: string | Uint8Array): void;
  /** The session has no connection; it waits for one, and what is sent waits with it. */
  peerInterrupted(reason: string, description: unknown): void;
  /** The session has a connection again. `gapMs`: for how long it had none, in milliseconds. */
  peerResumed(gapMs: number): void;
  /** Exactly once, last. `reason` is one of Engine.IO's: `transport close`, `ping timeout`, ... */
  peerClosed(reason: string, description: unknown): void;
}

/** Whether what `peerClosed` told is the report of a session that outlived its connections. */
export function isSessionReport(value: unknown): value is SessionReport {
  return value instanceof SessionOver;
}

/** @internal The report as the engine makes it. */
export class SessionOver implements SessionReport {
  readonly end: SessionEnd;
  readonly unconfirmed: readonly OutgoingPacket[];
  readonly cause: unknown;

  constructor(end: SessionEnd, unconfirmed: readonly OutgoingPacket[], cause: unknown) {
    this.end = end;
    this.unconfirmed = unconfirmed;
    this.cause = cause;
  }

  get message(): string {
    const { length } = this.unconfirmed;
    return `${MESSAGE_BY_END[this.end]} ${length === 1 ? '1 message is' : `${length} messages are`} unconfirmed.`;
  }
}

const MESSAGE_BY_END: Readonly<Record<SessionEnd, string>> = {
  closed: 'The session was closed.',
  expired: 'No connection came back within the window of the session.',
  overflow: 'More waited for the client than may.',
  protocol: 'One side of the session broke its protocol.',
};

export interface Peer {
  readonly id: string;
  readonly isOpen: boolean;
  /** Whether a packet sent now would leave at once; volatile messages are dropped when it would not. */
  readonly isWritable: boolean;
  listener: PeerListener | null;
  /** Queues packets in order; shared instances are encoded once for all receivers. */
  sendPackets(packets: readonly OutgoingPacket[]): void;
  /** What would be told if it ended now; of a session that outlives its connections. */
  report?(): SessionReport;
  /** Stops reading what the client sends, or goes on, where the transport can; the others read on. */
  holdReading?(isHeld: boolean): void;
  /** Ends the session; `discard` drops what is not yet sent. */
  close(discard?: boolean): void;
}
