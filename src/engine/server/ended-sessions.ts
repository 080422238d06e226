/**
 * What: how the latest sessions have ended, for their clients that come back too late.
 * Must not know: sessions that live, and how clients are told.
 */
import type { SessionEnd } from '../../protocol/session/session.ts';

/** The last word about a session. */
export interface EndedSession {
  /** `gone`: it lives, but what the client asks for was confirmed before, and let go. */
  readonly end: SessionEnd | 'gone';
  /** How many of the client's messages were received: the rest is what the client can call lost. */
  readonly received: number;
}

/** Some hundred bytes each; a client that comes after so many others have ended reads that its session is unknown. */
const MOST = 1_000;

export class EndedSessions {
  /** Oldest first. */
  readonly #bySid = new Map<string, EndedSession>();

  note(sid: string, ended: EndedSession): void {
    this.#bySid.set(sid, ended);
    if (this.#bySid.size <= MOST) return;
    for (const oldest of this.#bySid.keys()) {
      this.#bySid.delete(oldest);
      return;
    }
  }

  find(sid: string): EndedSession | undefined {
    return this.#bySid.get(sid);
  }
}
