/**
 * What: the sessions of an HTTP/2 server, so that they can be asked to end when the server is closed.
 * Must not know: what their streams carry.
 */
import type { EventEmitter } from 'node:events';
import type { Http2Session } from 'node:http2';

/**
 * Keeps account of the sessions of a server. A server of another kind has none.
 * Node 20 leaves them alone when the server closes, so that it would wait until the last browser has gone.
 */
export class Http2Sessions {
  readonly #sessions = new Set<Http2Session>();

  constructor(server: EventEmitter) {
    server.on('session', (session: Http2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
  }

  /** Sends GOAWAY (RFC 9113 section 6.8): streams that are open end in their own time, new ones are not taken. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}
