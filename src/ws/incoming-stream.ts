/**
 * What: a message that is read while it arrives, however long it is.
 * Must not know: frames; parts are handed to it.
 */
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import type { NodeConnection } from '../transport/websocket/node-connection.ts';

/**
 * The bytes of one message. The connection reads on only as fast as this is read; destroyed, the rest is passed over.
 * Ends with an error when the connection does before the message is complete.
 */
export class IncomingStream extends Readable {
  readonly #connection: NodeConnection;
  #isHolding = false;

  constructor(connection: NodeConnection) {
    super();
    this.#connection = connection;
  }

  /** @internal `part` is copied. */
  receive(part: Uint8Array): void {
    if (this.destroyed) return;
    if (this.push(Buffer.from(part))) return;
    this.#isHolding = true;
    this.#connection.holdMessages();
  }

  /** @internal */
  receiveEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#release();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#release();
    callback(error);
  }

  #release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#connection.releaseMessages();
  }
}
