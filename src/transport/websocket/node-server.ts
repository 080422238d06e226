/**
 * What: Engine.IO packets over one WebSocket connection, on the server.
 * Must not know: handshakes, sessions, frames (a shared frame is encoded by wire/websocket).
 */
import { Buffer } from 'node:buffer';
import { PeerError } from '../../base/errors.ts';
import { decodePacket, encodePacket, type IncomingPacket, packetTypeOf } from '../../wire/engine/codec.ts';
import { type OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { encodeServerFrame } from '../../wire/websocket/frame.ts';
import { Opcode } from '../../wire/websocket/opcode.ts';
import { asBuffer, decodeText } from '../platform/node-byte-codec.ts';
import { type Transport, type TransportClosed, TransportName, type TransportSink } from '../port.ts';
import type { ConnectionListener, NodeConnection } from './node-connection.ts';

/** RFC 6455 section 7.4.1: the message does not fit what the endpoint expects to be in it. */
const INVALID_PAYLOAD = 1007;

/** A binary message above this part of the chunk it lies in is kept as a view; a smaller one is copied out. */
const WORTH_PINNING = 1 / 2;

/** What is told of a connection whose transport has ended: nothing. Lets go of the session while TCP ends. */
const DEAF: ConnectionListener = {
  onMessage() {},
  onPieces() {},
  onStreamStart() {},
  onStreamData() {},
  onStreamEnd() {},
  onPing() {},
  onPong() {},
  onCloseFrame() {},
  onEnding() {},
  onError() {},
  onDrain() {},
  onClose() {},
};

const NOBODY: TransportSink = {
  transportOpened() {},
  transportReceived() {},
  transportDrained() {},
  transportClosed() {},
};

/**
 * A WebSocket as a transport. Writable unless the peer reads too slowly; one write per turn whatever is sent.
 * Plain fields: one for each client.
 */
export class WebSocketServerTransport implements Transport, ConnectionListener {
  /** The connection below, for those who must reach it (`socket.conn.transport.socket`). */
  readonly socket: NodeConnection;
  readonly sid: string;
  sink: TransportSink = NOBODY;
  /** @internal */ isClosed = false;
  /** @internal Nothing more comes from the network, and nothing is held up any more. */ isEnding = false;
  /** @internal Whether the session extension was negotiated, and counts are packets. */ isExtended = false;

  /** The caller starts the connection, with this as its listener, once a sink is set. */
  constructor(connection: NodeConnection, sid: string) {
    this.socket = connection;
    this.sid = sid;
  }

  get name(): typeof TransportName.websocket {
    return TransportName.websocket;
  }

  get isWritable(): boolean {
    return !this.isClosed && !this.socket.shouldWait;
  }

  /** The same as `isWritable`, under the name that engine.io has for it. */
  get writable(): boolean {
    return this.isWritable;
  }

  get bufferedBytes(): number {
    return this.socket.bufferedBytes;
  }

  open(): void {}

  pause(callback: () => void): void {
    callback();
  }

  holdReading(isHeld: boolean): void {
    if (!isHeld) this.socket.releaseMessages();
    else if (!this.isEnding) this.socket.holdMessages();
  }

  send(packets: readonly OutgoingPacket[]): void {
    for (let i = 0; i < packets.length; i++) this.#sendPacket(packets[i]!);
  }

  /** Starts the closing handshake behind what was sent. */
  close(code?: number, reason?: string): void {
    this.#leave(undefined, code, reason);
  }

  terminate(): void {
    if (this.isClosed) return;
    this.socket.terminate();
    this.#leave(undefined);
  }

  #sendPacket(packet: OutgoingPacket): void {
    const { socket } = this;
    const { data } = packet;
    const isBinary = typeof data !== 'string';
    if (packet.compress && socket.isDeflated) {
      socket.send(encodePacket(packet), isBinary, true);
    } else if (packet.websocketFrame === undefined) {
      // Most packets have one receiver: for the first, the message is written straight into the connection's outbox.
      packet.websocketFrame = null;
      socket.send(encodePacket(packet), isBinary, false);
    } else {
      packet.websocketFrame ??= encodeServerFrame(
        isBinary ? Opcode.binary : Opcode.text,
        encodePacket(packet),
        socket.options.codec,
      );
      socket.sendFrame(packet.websocketFrame);
    }
  }

  /** Says goodbye to both sides: the connection closes on its own from here on. */
  #leave(error: Error | undefined, code?: number, reason = error?.message): void {
    if (this.isClosed) return;
    const { socket } = this;
    socket.listener = DEAF;
    socket.close(code, reason);
    this.#tell(error === undefined ? { by: 'byUs' } : { by: 'failed', error });
  }

  #tell(closed: TransportClosed): void {
    this.isClosed = true;
    const { sink } = this;
    this.sink = NOBODY;
    sink.transportClosed(closed);
  }

  // What the connection tells.

  onMessage(source: Uint8Array, start: number, end: number, isBinary: boolean, isOwned: boolean): void {
    if (isBinary) {
      const buffer = asBuffer(source);
      this.sink.transportReceived(PacketType.message, isOwned ? buffer : kept(buffer, start, end));
      return;
    }
    const text = decodeText(source, start, end);
    const type = packetTypeOf(text);
    if (type !== undefined) {
      this.sink.transportReceived(type, text.slice(1));
      return;
    }
    const packet = this.#decode(text);
    if (packet !== null) this.sink.transportReceived(packet.type, packet.data);
  }

  /** What is rare: binary as base64, and what is no packet at all. */
  #decode(text: string): IncomingPacket | null {
    try {
      return decodePacket(text, this.socket.options.codec, this.isExtended);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#leave(error, INVALID_PAYLOAD);
      return null;
    }
  }

  onCloseFrame(code: number, reason: Uint8Array): void {
    this.#end({ by: 'byPeer', closeCode: code, closeReason: asBuffer(reason).toString() });
  }

  onError(error: Error): void {
    this.#end({ by: 'failed', error });
  }

  onClose(code: number, _reason: Uint8Array, error: Error | null): void {
    if (error === null) this.#end({ by: 'byPeer', closeCode: code });
    else this.#end({ by: 'failed', error });
  }

  onDrain(): void {
    this.sink.transportDrained();
  }

  /** What was held up came before the end, which must not be heard of only when somebody can take it all. */
  onEnding(): void {
    this.isEnding = true;
    this.socket.releaseMessages();
  }

  onPing(): void {}
  onPong(): void {}
  onPieces(): void {}
  onStreamStart(): void {}
  onStreamData(): void {}
  onStreamEnd(): void {}

  #end(closed: TransportClosed): void {
    if (this.isClosed) return;
    this.socket.listener = DEAF;
    this.#tell(closed);
  }
}

function kept(source: Buffer, start: number, end: number): Buffer {
  const view = source.subarray(start, end);
  return view.length >= source.buffer.byteLength * WORTH_PINNING ? view : Buffer.from(view);
}
