/**
 * What: a WebSocket as a Duplex stream.
 * Must not know: frames and sockets; it uses the public surface only, so any look-alike will do.
 */
import { Duplex, type DuplexOptions } from 'node:stream';
import { ReadyState } from './session.ts';
import type { RawData, WebSocket } from './websocket.ts';

type Done = (error?: Error | null) => void;

class WebSocketDuplex extends Duplex {
  readonly #socket: WebSocket;
  /** What the socket reported; it goes before the error that `destroy` was given. */
  #failure: Error | null = null;
  /** What waits for `open`. */
  #waiting: (() => void) | null = null;

  constructor(socket: WebSocket, options: DuplexOptions | undefined) {
    super({
      ...options,
      // A message is bytes on this side whatever the reader gets: the sizes of the buffers are counted in bytes.
      objectMode: false,
      writableObjectMode: false,
      autoDestroy: true,
      emitClose: true,
    });
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('open', () => this.#proceed());
    socket.once('error', (error) => {
      this.#failure = error;
      this.destroy(error);
    });
    socket.once('close', () => {
      this.#proceed();
      if (!this.destroyed) this.push(null);
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.destroyed) return;
    const chunk: unknown = !isBinary && this.readableObjectMode ? data.toString() : data;
    if (!this.push(chunk)) this.#socket.pause();
  }

  #proceed(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  /** Runs `action` when the socket has left CONNECTING. A stream has one write or final under way at most. */
  #whenOpen(action: () => void): void {
    if (this.#socket.readyState === ReadyState.connecting) this.#waiting = action;
    else action();
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#whenOpen(() => this.#socket.send(chunk, done));
  }

  override _final(done: Done): void {
    this.#whenOpen(() => {
      if (this.#socket.readyState === ReadyState.closed) {
        done();
        return;
      }
      this.#socket.once('close', () => done());
      this.#socket.close();
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#socket.readyState === ReadyState.closed) {
      done(this.#failure ?? error);
      return;
    }
    this.#socket.once('close', () => done(this.#failure ?? error));
    // After an error of its own the socket closes by itself, and its peer still gets the close frame.
    if (this.#failure === null) this.#socket.terminate();
  }
}

/**
 * Makes a Duplex of a WebSocket: what is written is sent, messages are read, `end` closes.
 * Writes wait for `open`. Text is read as a string when `readableObjectMode` is set, otherwise as bytes.
 * @param options of the Duplex; `encoding`, `allowHalfOpen`, `readableObjectMode` and the marks pass through.
 */
export function createWebSocketStream(socket: WebSocket, options?: DuplexOptions): Duplex {
  return new WebSocketDuplex(socket, options);
}
