/**
 * What: one connection of a client: reads its packets and hands each to the socket of its namespace.
 * Must not know: what sockets do with packets, how they are encoded, or which transport carries them.
 */
import type { IncomingMessage } from 'node:http';
import { PeerError } from '../base/errors.ts';
import type { Timer } from '../base/port.ts';
import type { Untyped } from '../base/typed-events.ts';
import { isSessionReport, type PeerListener } from '../engine/port.ts';
import type { Socket as EngineSocket } from '../engine/server/session.ts';
import { asBuffer } from '../transport/platform/node-byte-codec.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import type { OutgoingPacket } from '../wire/engine/packet.ts';
import { decodePacket, isPacketValid, PendingPacket } from '../wire/events/codec.ts';
import { type ConnectPacket, type Packet, PacketType } from '../wire/events/packet.ts';
import type { PacketDecoder } from '../wire/events/parser.ts';
import { Backlog, type BackloggedClient } from './backlog.ts';
import type { DisconnectReason } from './disconnect-reason.ts';
import { type ClientConnection, EmitterPeer } from './emitter-peer.ts';
import type { AnyHub } from './hub.ts';
import { checkEntry, forgetEntry } from './namespace-limits.ts';
import { toOutgoing } from './outgoing.ts';
import { SessionOutcome } from './session-outcome.ts';
import type { AnySocket } from './socket.ts';

/** Options with which adapters written for Socket.IO hand over what they have encoded. */
interface WriteOptions {
  volatile?: boolean;
  compress?: boolean;
}

/** An exception of the application ends where such exceptions end, not in the parser that called it. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

/**
 * The sockets of one connection, and the packets between.
 *
 * There are thousands of these, mostly with one socket in one namespace: everything else is made when needed.
 */
export class Client implements PeerListener, BackloggedClient {
  /** The session's sending side. @internal */
  readonly peer: ClientConnection;
  readonly #hub: AnyHub;
  /** The sockets by namespace; the first one stands alone as long as it is the only one. */
  #socket: AnySocket | null = null;
  #sockets: Map<string, AnySocket> | null = null;
  /** Namespaces whose middlewares have not finished, and what is to be done if the connection ends before. */
  #entering: Map<string, (() => void) | null> | null = null;
  #pending: PendingPacket | null = null;
  #decoder: PacketDecoder | null;
  #connectTimer: Timer | null;
  #isClosed = false;
  #backlog: Backlog | null = null;

  constructor(hub: AnyHub, peer: ClientConnection) {
    this.#hub = hub;
    this.peer = peer;
    this.#decoder = hub.createDecoder();
    this.#decoder?.on('decoded', (packet) => this.#receiveForeign(packet));
    this.#connectTimer = nodeClock.setTimer(hub._connectTimeout, () => this.#connectTimedOut());
    peer.listener = this;
  }

  /** The session that carries this client, as its engine made it. */
  get conn(): EngineSocket {
    const { peer } = this;
    return (peer instanceof EmitterPeer ? peer.session : peer) as unknown as EngineSocket;
  }

  /** The id of the session. */
  get id(): string {
    return this.peer.id;
  }

  /** The request that opened the connection. */
  get request(): IncomingMessage {
    return this.peer.request as IncomingMessage;
  }

  // Socket.IO protocol 5, "Connection to a namespace": who does not enter one in time is closed.
  #connectTimedOut(): void {
    this.#connectTimer = null;
    if (this.#socket === null) this.close();
  }

  /** A message of the session. @internal */
  peerMessage(data: string | Uint8Array): void {
    if (this.#isClosed) return;
    let packet: Packet | null;
    try {
      packet = this.#decode(data);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (packet !== null) this.#receive(packet);
  }

  /** The session has no connection, for now. @internal */
  peerInterrupted(reason: string, description: unknown): void {
    this.#tellAll((socket) => socket.interrupted(reason as DisconnectReason, description));
  }

  /** The session has a connection again. @internal */
  peerResumed(gapMs: number): void {
    this.#tellAll((socket) => socket.resumed(gapMs));
  }

  #tellAll(tell: (socket: AnySocket) => void): void {
    for (const socket of this.#allSockets()) {
      try {
        tell(socket);
      } catch (error) {
        throwLater(error);
      }
    }
  }

  /** The session has ended. @internal */
  peerClosed(reason: string, description: unknown): void {
    this.#end(reason as DisconnectReason, description);
  }

  /** What of the client's events waits. @internal */
  get backlog(): Backlog {
    this.#backlog ??= new Backlog(this);
    return this.#backlog;
  }

  /** @internal */
  holdReading(isHeld: boolean): void {
    this.peer.holdReading?.(isHeld);
  }

  /** Whether something that the client is to answer is not answered yet. @internal */
  get owesAnswer(): boolean {
    return this.#allSockets().some((socket) => socket.owesAnswer);
  }

  /** Takes a message as if it had come from the peer. */
  ondata(data: unknown): void {
    this.peerMessage(data as string | Uint8Array);
  }

  /** @returns null while attachments are missing, or when a custom parser takes it from here. */
  #decode(data: string | Uint8Array): Packet | null {
    if (this.#decoder !== null) {
      this.#decoder.add(typeof data === 'string' ? data : asBuffer(data));
      return null;
    }
    const pending = this.#pending;
    if (typeof data === 'string') {
      if (pending !== null) {
        throw new PeerError('A text came where an attachment was due', { code: 'EVENT_ERR_ATTACHMENT' });
      }
      const packet = decodePacket(data);
      if (packet.attachments === undefined) return packet;
      this.#pending = new PendingPacket(packet as PendingPacket['packet']);
      return null;
    }
    if (pending === null || !(data instanceof Uint8Array)) {
      throw new PeerError('Bytes came that belong to no packet', { code: 'EVENT_ERR_ATTACHMENT' });
    }
    const packet = pending.add(asBuffer(data));
    if (packet !== null) this.#pending = null;
    return packet;
  }

  #receiveForeign(packet: Packet): void {
    // Parsers of other formats write null for what is not there.
    const { type, nsp, id, data } = (packet ?? {}) as Record<keyof Packet, unknown>;
    const plain: unknown = { type, nsp, id: id ?? undefined, data: data ?? undefined };
    if (isPacketValid(plain)) this.#receive(plain);
    else this.#fail(invalidPacket());
  }

  #receive(packet: Packet): void {
    const socket = this.#socketOf(packet.nsp);
    try {
      if (
        socket !== undefined &&
        packet.type !== PacketType.connect &&
        packet.type !== PacketType.connectError
      ) {
        socket.receivePacket(packet);
      } else if (socket === undefined && packet.type === PacketType.connect) {
        this.#enter(packet);
      } else {
        // A second CONNECT, or anything for a namespace that was not entered: this peer does not keep the protocol.
        this.close();
      }
    } catch (error) {
      throwLater(error);
    }
  }

  #socketOf(nsp: string): AnySocket | undefined {
    const first = this.#socket;
    if (first !== null && first.nsp.name === nsp) return first;
    return this.#sockets?.get(nsp);
  }

  #enter(packet: ConnectPacket): void {
    const { nsp: name } = packet;
    const auth = packet.data as Record<string, Untyped> | undefined;
    this.#entering ??= new Map();
    if (this.#entering.has(name)) {
      this.close();
      return;
    }
    const count = this.#entering.size + (this.#socket === null ? 0 : 1) + (this.#sockets?.size ?? 0);
    const refusal = checkEntry(this, count, name, auth, this.#hub._namespaceLimits);
    if (refusal !== null) {
      this.#left(name);
      this.sendPacket({ type: PacketType.connectError, nsp: name, data: refusal });
      return;
    }
    this.#entering.set(name, null);
    this.#hub.findNamespace(name, auth ?? {}, (namespace) => {
      if (namespace === null || !('admit' in namespace)) {
        this.#left(name);
        forgetEntry(this, name);
        const data = namespace ?? { message: 'Invalid namespace' };
        this.sendPacket({ type: PacketType.connectError, nsp: name, data });
        return;
      }
      namespace.admit(this, auth, (socket) => {
        this.#left(name);
        if (socket !== null) this.#add(socket);
        else forgetEntry(this, name);
      });
    });
  }

  /** Calls back if the connection ends before the namespace was entered; at once if it has ended. @internal */
  ifEndsEntering(namespace: string, callback: () => void): void {
    if (this.#isClosed) callback();
    else this.#entering?.set(namespace, callback);
  }

  #left(name: string): void {
    this.#entering?.delete(name);
    if (this.#entering?.size === 0) this.#entering = null;
  }

  #add(socket: AnySocket): void {
    if (this.#socket === null) this.#socket = socket;
    else {
      this.#sockets ??= new Map();
      this.#sockets.set(socket.nsp.name, socket);
    }
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
  }

  /** Forgets a socket that has left its namespace. @internal */
  remove(socket: AnySocket): void {
    forgetEntry(this, socket.nsp.name);
    if (this.#socket === socket) {
      // Another one takes the place, so that packets and the timeout find it.
      const [next] = this.#sockets?.values() ?? [];
      this.#socket = next ?? null;
      if (next !== undefined) this.#sockets?.delete(next.nsp.name);
    } else if (this.#sockets?.get(socket.nsp.name) === socket) {
      this.#sockets.delete(socket.nsp.name);
    }
  }

  #allSockets(): AnySocket[] {
    return this.#socket === null ? [] : [this.#socket, ...(this.#sockets?.values() ?? [])];
  }

  /** Encodes one packet and sends it. @internal */
  sendPacket(packet: Packet, compress = true, isVolatile = false): void {
    if (!this.peer.isOpen || (isVolatile && !this.peer.isWritable)) return;
    this.peer.sendPackets(this.#hub.encodePacket(packet, compress));
  }

  /** Sends packets that were encoded for many. @internal */
  sendEncoded(packets: readonly OutgoingPacket[], isVolatile: boolean): void {
    if (!this.peer.isOpen || (isVolatile && !this.peer.isWritable)) return;
    this.peer.sendPackets(packets);
  }

  /** Sends what an adapter written for Socket.IO has encoded with `nsp.server.encoder`. */
  writeToEngine(encodedPackets: (string | Uint8Array)[] | string, options: WriteOptions = {}): void {
    const messages = Array.isArray(encodedPackets) ? encodedPackets : [encodedPackets];
    this.sendEncoded(toOutgoing(messages, options.compress ?? true), options.volatile === true);
  }

  /** Disconnects every socket, then closes the connection. @internal */
  disconnect(): void {
    for (const socket of this.#allSockets()) socket.disconnect();
    this.close();
  }

  /** Closes the connection. */
  close(): void {
    // A session that ends at once reports `forced close`; as in Socket.IO, that is the reason then.
    if (this.peer.isOpen) this.peer.close();
    this.#end('forced server close', undefined);
  }

  /** The peer has sent what no peer should: its sockets are told why, and it is closed. */
  #fail(error: Error): void {
    for (const socket of this.#allSockets()) socket.reportError(error);
    this.peer.close();
    this.#end('forced close', error);
  }

  /** What the socket of a namespace is told that ends while the session still lives. @internal */
  outcomeOf(namespace: string): unknown {
    return this.#describe(this.peer.report?.(), namespace);
  }

  /** A program is told its events, not the session's messages. */
  #describe(description: unknown, namespace: string): unknown {
    if (!isSessionReport(description)) return description;
    return new SessionOutcome(description, namespace, () => new this.#hub._parser.Decoder());
  }

  #end(reason: DisconnectReason, description: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.peer.listener = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#pending = null;
    this.#decoder?.destroy();
    this.#decoder = null;
    this.#backlog?.end();
    this.#tellAll((socket) => socket.end(reason, this.#describe(description, socket.nsp.name)));
    this.#socket = null;
    this.#sockets = null;
    for (const giveUp of this.#entering?.values() ?? []) giveUp?.();
  }
}

function invalidPacket(): PeerError {
  return new PeerError('The parser gave what is no packet', { code: 'EVENT_ERR_INVALID_PACKET' });
}
