/**
 * What: a connection without a network: the test says what the server does, and sees what was sent.
 * Must not know: the interfaces under test.
 */
import type { ConnectionListener, SendCallback } from '../../../src/transport/websocket/node-connection.ts';
import {
  type Connection,
  type Connector,
  type ConnectorCallbacks,
  connectorKey,
} from '../../../src/websocket/connector.ts';

export class ScriptedConnection implements Connection {
  readonly subprotocol: string;
  isOpen = true;
  shouldWait = false;
  isHeld = false;
  isTerminated = false;
  readonly sent: (string | number[])[] = [];
  readonly callbacks: SendCallback[] = [];
  readonly closes: unknown[][] = [];
  #listener: ConnectionListener | null = null;
  #waiting: (() => void)[] = [];

  constructor(subprotocol: string) {
    this.subprotocol = subprotocol;
  }

  holdMessages(): void {
    this.isHeld = true;
  }
  releaseMessages(): void {
    this.isHeld = false;
    while (!this.isHeld) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
  }

  get listener(): ConnectionListener {
    return this.#listener!;
  }
  start(listener: ConnectionListener): void {
    this.#listener = listener;
  }
  send(data: Uint8Array | string, _isBinary: boolean, _compress?: boolean, callback?: SendCallback): boolean {
    if (!this.isOpen) return false;
    this.sent.push(typeof data === 'string' ? data : [...data]);
    if (callback !== undefined) this.callbacks.push(callback);
    return true;
  }
  close(...args: unknown[]): void {
    this.isOpen = false;
    this.closes.push(args);
  }
  terminate(): void {
    this.isTerminated = true;
    this.end();
  }

  // What the server does.

  #in(step: () => void): void {
    if (this.isHeld) this.#waiting.push(step);
    else step();
  }
  text(text: string): void {
    const bytes = Buffer.from(`<<${text}>>`);
    this.#in(() => this.listener.onMessage(bytes, 2, bytes.length - 2, false, false));
  }
  binary(...bytes: number[]): void {
    const chunk = new Uint8Array([9, ...bytes, 9]);
    this.#in(() => this.listener.onMessage(chunk, 1, chunk.length - 1, true, false));
  }
  closeFrame(code: number, reason = ''): void {
    this.#in(() => {
      this.isOpen = false;
      const bytes = Buffer.from(reason);
      this.listener.onCloseFrame(code, bytes);
      this.listener.onEnding();
      this.listener.onClose(code, bytes, null);
    });
  }
  end(error: Error | null = null): void {
    this.isOpen = false;
    this.listener.onEnding();
    this.listener.onClose(1006, new Uint8Array(0), error);
  }
  /** The operating system takes everything that was sent. */
  take(error?: Error): void {
    for (const callback of this.callbacks.splice(0)) callback(error);
  }
  drain(): void {
    this.shouldWait = false;
    this.listener.onDrain();
  }
}

/** The other end of one handshake. */
export class Script {
  address = '';
  protocols: readonly string[] = [];
  isAborted = false;
  #callbacks: ConnectorCallbacks | null = null;

  readonly init = {
    [connectorKey]: ((address, protocols, _init, callbacks) => {
      this.address = address.href;
      this.protocols = protocols;
      this.#callbacks = callbacks;
      return {
        abort: () => {
          this.isAborted = true;
        },
      };
    }) satisfies Connector,
  };

  get wasAsked(): boolean {
    return this.#callbacks !== null;
  }
  accept(subprotocol = '', extensions = ''): ScriptedConnection {
    const connection = new ScriptedConnection(subprotocol);
    this.#callbacks!.opened(connection, extensions);
    return connection;
  }
  refuse(error: Error): void {
    this.#callbacks!.failed(error);
  }
}

/** The next event of a type. */
export function next<E extends Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => {
    target.addEventListener(type, (event) => resolve(event as E), { once: true });
  });
}

/** A turn of the event loop later: everything that was queued has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
