/**
 * What: the connections that were only let in to be told that they are not wanted, until their clients have closed them.
 * Must not know: why they are not wanted, or what they are told.
 */
import type { WebSocketServerTransport } from '../../transport/websocket/node-server.ts';

/**
 * Each may wait half a minute for its client's close frame, and belongs to no session that any limit counts. Who opens
 * ever more of them loses the first: it was told, and has nothing else to wait for.
 */
const MOST = 1_000;

/** The connections that wait, oldest first. */
export class Farewells {
  readonly #waiting = new Set<WebSocketServerTransport>();

  /** How many wait. */
  get count(): number {
    return this.#waiting.size;
  }

  /** Says the word, and sees to it that no more wait than may. */
  tell(transport: WebSocketServerTransport, code: number, reason: string): void {
    if (transport.isClosed) return;
    transport.close(code, reason);
    this.#waiting.add(transport);
    transport.socket.socket.once('close', () => this.#waiting.delete(transport));
    if (this.#waiting.size <= MOST) return;
    for (const oldest of this.#waiting) {
      this.#waiting.delete(oldest);
      oldest.socket.terminate();
      return;
    }
  }
}
