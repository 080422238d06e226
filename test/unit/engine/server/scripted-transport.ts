/**
 * What: a connection whose other side is the test, for sessions on the server.
 */
import {
  deafSink,
  type Transport,
  type TransportClosed,
  TransportName,
  type TransportSink,
} from '../../../../src/transport/port.ts';
import type { OutgoingPacket } from '../../../../src/wire/engine/packet.ts';
import { PacketType } from '../../../../src/wire/engine/packet.ts';

export class ScriptedTransport implements Transport {
  readonly name: TransportName;
  sink: TransportSink = deafSink;
  bufferedBytes = 0;
  /** Whether it takes packets: a stream unless it is blocked, a row while a poll waits. */
  takes = true;
  isClosed = false;
  /** The code it was closed with; `null`: it was terminated. */
  code: number | null | undefined;
  /** Packets as text, those of a row joined by answer. */
  readonly sent: string[] = [];
  readonly instances: OutgoingPacket[] = [];

  constructor(name: TransportName = TransportName.websocket) {
    this.name = name;
    this.takes = name === TransportName.websocket;
  }

  get isWritable(): boolean {
    return this.takes && !this.isClosed;
  }

  open(): void {}

  pause(callback: () => void): void {
    callback();
  }

  send(packets: readonly OutgoingPacket[]): void {
    if (this.isClosed) return;
    this.instances.push(...packets);
    const texts = packets.map(({ type, data }) => `${type}${String(data)}`);
    if (this.name === TransportName.websocket) {
      this.sent.push(...texts);
    } else {
      this.takes = false;
      this.sent.push(texts.join(' '));
    }
  }

  close(code?: number): void {
    this.#end({ by: 'byUs' }, code);
  }

  terminate(): void {
    this.#end({ by: 'byUs' }, null);
  }

  #end(closed: TransportClosed, code: number | null | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.code = code;
    const { sink } = this;
    this.sink = deafSink;
    sink.transportClosed(closed);
  }

  // What the test does.

  /** The peer says something. */
  say(...packets: string[]): void {
    for (const packet of packets) {
      this.sink.transportReceived(packet.charAt(0) as PacketType, packet.slice(1));
    }
  }

  /** A GET comes to a row, or a stream takes packets again. */
  drain(): void {
    this.takes = true;
    this.sink.transportDrained();
  }

  /** The connection ends without our doing. */
  break(closed: TransportClosed = { by: 'byPeer', closeCode: 1006 }): void {
    this.isClosed = true;
    const { sink } = this;
    this.sink = deafSink;
    sink.transportClosed(closed);
  }

  take(): string[] {
    return this.sent.splice(0);
  }
}

export { PacketType };
