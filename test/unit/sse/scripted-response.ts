/**
 * What: a request and a response without a network: the test says when the client reads and when it leaves.
 * Must not know: what is written.
 */
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The members of a response that are used, as node:http has them. */
export class ScriptedResponse extends EventEmitter {
  status = 0;
  headers: Record<string, unknown> = {};
  headersSent = false;
  writableEnded = false;
  destroyed = false;
  /** What `write` answers. */
  hasRoom = true;
  text = '';
  flushes = 0;
  flush?: () => void;

  get writableLength(): number {
    return this.hasRoom ? 0 : 16_384;
  }
  writeHead(status: number, headers: Record<string, unknown>): void {
    this.status = status;
    this.headers = headers;
    this.headersSent = true;
  }
  flushHeaders(): void {}
  write(data: Uint8Array | string): boolean {
    this.text += Buffer.from(data as string).toString();
    return this.hasRoom;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.leave();
  }

  // What the client does.

  read(): void {
    this.hasRoom = true;
    this.emit('drain');
  }
  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }

  /** What was written since the last call. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  get asResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

export function request(headers: Record<string, string> = {}, method = 'GET', url = '/'): IncomingMessage {
  return { method, url, headers } as unknown as IncomingMessage;
}
