/**
 * What: the attempt to carry a session over to a better transport: probe, release of the poll, takeover.
 * Must not know: HTTP, and which transports there are.
 */
import type { Clock, Timer } from '../../base/port.ts';
import { deafSink, type Transport, type TransportSink } from '../../transport/port.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import type { Socket } from './session.ts';

const PROBE = 'probe';
const PONG_PROBE = [new OutgoingPacket(PacketType.pong, PROBE)];
const NOOP = [new OutgoingPacket(PacketType.noop)];

/**
 * How long later polls of the same upgrade are held. The first is released at once, so that the handover takes one
 * round trip; a client that goes on polling without ever upgrading must not make the two of us spin.
 */
const LATER_RELEASE_MS = 100;

/**
 * One attempt. Engine.IO protocol 4, "Upgrade": the client sends ping `probe` on the new transport, the server
 * answers pong `probe` and releases the poll that waits; the client stops polling and sends `upgrade`.
 * Nothing is lost: until then messages travel by the old transport, or wait in the session.
 */
export class UpgradeAttempt implements TransportSink {
  readonly #session: Socket;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timeout: Timer;
  #releaseTimer: Timer | null = null;
  #isProbed = false;
  #hasReleased = false;

  constructor(session: Socket, transport: Transport, clock: Clock, timeoutMs: number) {
    this.#session = session;
    this.#transport = transport;
    this.#clock = clock;
    this.#timeout = clock.setTimer(timeoutMs, () => this.#fail());
    session.upgradeAttempt = this;
    transport.sink = this;
  }

  /** The session is over; so is this. */
  abandon(): void {
    this.#stop();
    this.#transport.close();
  }

  /** A poll waits on the old transport: answers it, so that the client can stop polling. */
  releasePoll(): void {
    if (!this.#isProbed || this.#releaseTimer !== null) return;
    const { transport } = this.#session;
    if (!transport.isWritable) return;
    if (!this.#hasReleased) {
      this.#hasReleased = true;
      transport.send(NOOP);
      return;
    }
    this.#releaseTimer = this.#clock.setTimer(LATER_RELEASE_MS, () => {
      this.#releaseTimer = null;
      if (transport.isWritable) transport.send(NOOP);
    });
  }

  #fail(): void {
    this.#stop();
    if (this.#session.upgradeAttempt === this) this.#session.upgradeAttempt = null;
    this.#transport.close();
  }

  #stop(): void {
    this.#timeout.cancel();
    this.#releaseTimer?.cancel();
    this.#transport.sink = deafSink;
  }

  // What the new transport tells.

  transportOpened(): void {}

  transportDrained(): void {}

  transportReceived(type: PacketType, data: string | Uint8Array): void {
    if (type === PacketType.ping && data === PROBE) {
      this.#isProbed = true;
      this.#transport.send(PONG_PROBE);
      this.#session.emit('upgrading', this.#transport);
      this.releasePoll();
    } else if (type === PacketType.upgrade) {
      this.#stop();
      this.#session.takeTransport(this.#transport);
    } else {
      this.#fail();
    }
  }

  transportClosed(): void {
    this.#fail();
  }
}
