/**
 * What: gives sessions of another Engine.IO implementation the shape of ours, for `server.bind(engine)`.
 * Must not know: namespaces and sockets.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Peer, PeerListener } from '../engine/port.ts';
import type { OutgoingPacket } from '../wire/engine/packet.ts';

/** What the hub reads of a session beside {@link Peer}. */
export interface ClientConnection extends Peer {
  /** The request that opened the session; absent where the transport has none. */
  readonly request?: IncomingMessage;
  readonly remoteAddress?: string;
}

/** The part of `engine.io`'s Socket that is used. */
export interface EmitterSession extends EventEmitter {
  readonly id: string;
  readonly readyState: string;
  readonly request?: IncomingMessage;
  readonly remoteAddress?: string;
  readonly transport?: { readonly writable?: boolean };
  write(data: string | Uint8Array, options?: { compress?: boolean }): unknown;
  close(discard?: boolean): unknown;
}

/** A session that reports by events, seen as a {@link ClientConnection}. */
export class EmitterPeer implements ClientConnection {
  /** The session itself, as its engine made it. */
  readonly session: EmitterSession;
  listener: PeerListener | null = null;

  constructor(session: EmitterSession) {
    this.session = session;
    session.on('data', (data: unknown) => {
      // Other engines may hand over an ArrayBuffer.
      const message = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
      this.listener?.peerMessage(message as string | Uint8Array);
    });
    session.on('close', (reason: string, description: unknown) =>
      this.listener?.peerClosed(reason, description),
    );
  }

  get id(): string {
    return this.session.id;
  }

  get isOpen(): boolean {
    return this.session.readyState === 'open';
  }

  get isWritable(): boolean {
    return this.session.transport?.writable !== false;
  }

  get request(): IncomingMessage | undefined {
    return this.session.request;
  }

  get remoteAddress(): string | undefined {
    return this.session.remoteAddress;
  }

  sendPackets(packets: readonly OutgoingPacket[]): void {
    for (const { data, compress } of packets) this.session.write(data, { compress });
  }

  close(discard?: boolean): void {
    this.session.close(discard);
  }
}
