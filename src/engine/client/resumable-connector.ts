/**
 * What: how a session goes on when its connection is lost: attempts to attach another one, and when to give up.
 * Must not know: how a connection is made, or what messages say.
 */
import type { Timer } from '../../base/port.ts';
import type { TransportError } from '../../base/transport-error.ts';
import { parseCount } from '../../protocol/session/session.ts';
import { deafSink, SESSION_UNKNOWN, type Transport, type TransportClosed } from '../../transport/port.ts';
import { PacketType } from '../../wire/engine/packet.ts';
import { backoffDelayMs, defaultBackoff } from './backoff.ts';
import { ATTEMPT_MS, EngineConnector, STEP_MS } from './connector.ts';
import type { CloseDetails, EngineCloseReason } from './events.ts';
import type { Link } from './race.ts';

/** docs/protocol/session.md, "websocket": another connection was attached. */
const REPLACED = 4002;

/** A session that outlives its connections, where the server lets it. */
export abstract class ResumableConnector extends EngineConnector {
  /** When the present connection was last replaced by one that we did not know of. */
  #replacedAtMs = -Infinity;
  /** The server says that a connection of ours has taken over, which we have not heard from yet. */
  #replaced: (() => void) | undefined;
  #deadline: Timer | undefined;
  #retry: Timer | undefined;
  /** Attempts to attach since the last connection that was of use. */
  #attempts = 0;
  /** Counts of the session, together, when a connection was last lost; and when there was one again. */
  #progress = -1;
  #attachedAtMs = 0;

  /** docs/protocol/session.md, "Attaching a connection": the first word of the server over it is its count. */
  protected override attached(link: Link, count: string): void {
    const { name } = this.transport;
    const [received = '', index] = count.split(',');
    const session = this.session!;
    if (Number(received) < session.confirmed) {
      // A POST that the server took after it had said this was answered sooner: what it wants first was let go.
      link.transport.terminate();
      this.#wait();
      return;
    }
    const begin = this.trust(() => {
      this.writeBuffer = [...session.attach(parseCount(received)), ...this.unsent];
      // The server may begin later than it was asked to, since we have confirmed more meanwhile.
      return index ? parseCount(index) : link.next;
    });
    if (begin === undefined) {
      link.transport.close();
      return;
    }
    link.next = begin;
    this.handedOver = 0;
    this.#replaced = undefined;
    this.adopt(link);
    this.#attachedAtMs = this.clock.nowMs();
    this.halt();
    this.watch();
    const { interrupted } = this;
    this.interrupted = undefined;
    if (name !== this.transport.name) this.emitReserved('upgrade', this.transport);
    if (interrupted) this.emitReserved('resumed', this.clock.nowMs() - interrupted.atMs);
    this.flush();
    this.settle();
    if (this.readyState === 'open') this.improve();
  }

  protected override attachFailed(transport: Transport, closed: TransportClosed, isLast: boolean): void {
    const { closeCode, closeReason = '', error } = closed;
    if (this.interrupted) {
      if (closeCode === SESSION_UNKNOWN) {
        // The end and the count, where the server still knows them.
        const [, count] = /(\d+)}?$/.exec(closeReason) ?? [];
        if (count) this.receive(PacketType.count, count);
        this.end(this.interrupted.reason, { description: 'session unknown', context: error });
      } else if (isLast) this.#wait();
    } else if ((error as Partial<TransportError> | undefined)?.code === 'TRANSPORT_ERR_TIMEOUT') {
      if (transport.name === 'sse') this.choice.gathers();
      // The server may have moved, and must be told that we have not.
      this.race((name) => name === this.transport.name);
    } else if (isLast) this.#replaced?.();
  }

  /** The connection is of no use any more; the session looks for another one. */
  protected override lost(reason: EngineCloseReason, description?: CloseDetails | Error): void {
    const { transport, opts, session } = this;
    if (!session || this.readyState !== 'open' || opts.reconnection === false) {
      this.end(reason, description);
      return;
    }
    if (this.interrupted) return;
    const nowMs = this.clock.nowMs();
    transport.sink = deafSink;
    transport.terminate();
    this.halt();
    this._pingTimeoutTime = Infinity;
    this.handedOver = 0;
    session.detach(nowMs);
    this.interrupted = { reason, description, atMs: nowMs };
    this.#deadline = this.clock.setTimer(session.nextDeadlineMs - nowMs, () =>
      this.end(reason, { description: 'session expired', context: description }),
    );
    this.note(transport, 'lost', description instanceof Error ? description : reason);
    this.emitReserved('interrupted', reason, description);
    // A message that breaks each connection that carries it must not break them in a row.
    const progress = session.received + session.confirmed;
    const { reconnectionDelay = defaultBackoff.reconnectionDelay } = opts;
    if (progress > this.#progress || nowMs - this.#attachedAtMs >= reconnectionDelay) {
      this.#progress = progress;
      this.#attempts = 0;
      this.#reattach();
    } else this.#wait();
  }

  /** Tries again later. */
  #wait(): void {
    const delayMs = backoffDelayMs(
      this.#attempts++,
      { ...defaultBackoff, ...this.opts },
      this.platform.chance(),
    );
    this.#retry?.cancel();
    this.#retry = this.clock.setTimer(delayMs, () => this.#reattach());
  }

  #reattach(): void {
    if (this.readyState !== 'open') return;
    this.#retry?.cancel();
    if (this.interrupted) this.#retry = this.clock.setTimer(ATTEMPT_MS, () => this.#reattach());
    this.failed.clear();
    const { transports } = this.handshake!.session!;
    const { name } = this.transport;
    this.race(
      (other) => (this.opts.upgrade === false ? other === name : transports.includes(other)),
      // One after the other, so that none of ours comes late and replaces the one that was first.
      this.#wasReplaced() ? Infinity : STEP_MS,
    );
  }

  #wasReplaced(): boolean {
    return this.clock.nowMs() - this.#replacedAtMs < ATTEMPT_MS;
  }

  protected override check(quietMs = 0): void {
    if (this.readyState !== 'open') return;
    const heardMs = this._pingTimeoutTime - this.limitMs;
    if (!this.session) this.tick();
    else if (this.interrupted || this.clock.nowMs() - heardMs >= quietMs) this.#reattach();
  }

  /** Ends the session if the server tells what cannot be true: no other connection would mend it. @internal */
  protected trust<T>(listen: () => T): T | undefined {
    try {
      return listen();
    } catch (error) {
      this.end('transport error', error as Error);
      return undefined;
    }
  }

  protected override transportClosed({ by, error, context, closeCode, ...closed }: TransportClosed): void {
    const isBroken = by === 'failed';
    if (closeCode === REPLACED && this.session) {
      const description = { description: 'connection replaced', context };
      if (this.stopRace) {
        this.#replaced = () => this.lost('transport close', description);
        return;
      }
      // docs/protocol/session.md, "websocket": a double. Two must not take the session from each other for ever.
      if (this.#wasReplaced()) {
        this.end('transport close', description);
        return;
      }
      this.#replacedAtMs = this.clock.nowMs();
    }
    const reason = isBroken ? 'transport error' : 'transport close';
    const isWebSocket = this.transport.name === 'websocket';
    const { description = isWebSocket ? 'websocket connection closed' : 'transport closed by the server' } =
      closed;
    const details = isBroken ? error : { description, context };
    // A server that ends the session says so in a packet, or does not know it any more.
    if (this.session && closeCode !== SESSION_UNKNOWN && (isBroken || closeCode !== undefined)) {
      this.lost(reason, details);
    } else if (isBroken) this.fail(error!);
    else this.end(reason, details);
  }

  protected override halt(): void {
    super.halt();
    this.#deadline?.cancel();
    this.#retry?.cancel();
  }
}
