/**
 * What: a WebSocket of bare bytes over node:net, for tests that must not depend on anybody's client.
 */
import { connect, type Socket as NetSocket } from 'node:net';
import { onTestFinished } from 'vitest';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export interface CloseFrame {
  readonly code: number | null;
  readonly reason: string;
}

/** Texts as strings, binary messages as Buffers. */
export class RawWebSocket {
  readonly received: (string | Buffer)[] = [];
  /** The close frame, once one has come. */
  closed: CloseFrame | null = null;
  /** The status line and headers of the answer. */
  head = '';
  readonly net: NetSocket;
  hasEnded = false;
  #rest: Buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];

  constructor(port: number, path: string) {
    this.net = connect(port, '127.0.0.1');
    this.net.setNoDelay(true);
    this.net.on('error', () => {});
    this.net.on('data', (chunk: Buffer) => this.#take(chunk));
    this.net.on('close', () => {
      this.hasEnded = true;
      this.#changed();
    });
    this.net.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    onTestFinished(() => {
      this.net.destroy();
    });
  }

  /** Resolves once so many messages have come, with all of them. */
  async until(count: number): Promise<(string | Buffer)[]> {
    await this.#when(() => this.received.length >= count);
    return this.received;
  }

  async untilClosed(): Promise<CloseFrame> {
    await this.#when(() => this.closed !== null);
    return this.closed!;
  }

  /** Resolves once the connection is no more, with a close frame or without. */
  async untilEnded(): Promise<CloseFrame | null> {
    await this.#when(() => this.hasEnded);
    return this.closed;
  }

  send(...messages: (string | Buffer)[]): void {
    this.net.write(
      Buffer.concat(messages.map((data) => frame(typeof data === 'string' ? 1 : 2, Buffer.from(data)))),
    );
  }

  close(code?: number): void {
    const payload = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) payload.writeUInt16BE(code);
    this.net.write(frame(8, payload));
  }

  /** As a network does that breaks: no close frame. */
  cut(): void {
    this.net.destroy();
  }

  async #when(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.hasEnded) {
        throw new Error(`The connection ended; received ${JSON.stringify(this.received)}, ${this.head}`);
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (this.head === '') {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.head = this.#rest.subarray(0, end).toString();
      this.#rest = this.#rest.subarray(end + 4);
    }
    while (this.#takeFrame());
    this.#changed();
  }

  #takeFrame(): boolean {
    const rest = this.#rest;
    if (rest.length < 2) return false;
    const short = rest[1]! & 0x7f;
    const headLength = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (rest.length < headLength) return false;
    const length =
      short === 127 ? Number(rest.readBigUInt64BE(2)) : short === 126 ? rest.readUInt16BE(2) : short;
    if (rest.length < headLength + length) return false;
    const payload = Buffer.from(rest.subarray(headLength, headLength + length));
    this.#rest = rest.subarray(headLength + length);
    const opcode = rest[0]! & 0x0f;
    if (opcode === 1) this.received.push(payload.toString());
    else if (opcode === 2) this.received.push(payload);
    else if (opcode === 8) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : null;
      this.closed = { code, reason: payload.subarray(2).toString() };
    }
    return true;
  }
}

/** A masked frame; the key of zeros leaves the payload as it is. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extended = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (extended.length === 2) extended.writeUInt16BE(length);
  else if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length));
  const short = length < 126 ? length : extended.length === 2 ? 126 : 127;
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | short]), extended, Buffer.alloc(4), payload]);
}
