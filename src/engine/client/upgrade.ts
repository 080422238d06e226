/**
 * What: the standard upgrade: tries a better transport beside the one in use, and moves to it when it works.
 * Must not know: any transport, or what the session does meanwhile.
 */
import { TransportError } from '../../base/transport-error.ts';
import { deafSink, type Transport } from '../../transport/port.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';

/** The session that wants to move. */
export interface UpgradeHost {
  /** Makes the transport in use finish what is under way and start nothing else, then calls back. */
  pauseCurrent(callback: () => void): void;
  /** The candidate works; nothing may be sent until it is adopted or has failed. */
  upgradeBegins(candidate: Transport): void;
  /** The candidate carries the session from now on. */
  upgradeEnds(candidate: Transport): void;
  /** @param isFatal the old transport was paused already, so that there is none left. */
  upgradeFailed(error: Error, isFatal: boolean): void;
}

/**
 * Tries a transport. Engine.IO protocol 4, "Upgrade": ping with `probe` and pong with `probe` on the candidate, then
 * the old transport is emptied, then the upgrade packet makes the server switch.
 * @returns gives the candidate up without a word, unless it has been adopted.
 */
export function startUpgrade(candidate: Transport, host: UpgradeHost): () => void {
  let isOver = false;
  let isPausing = false;

  const fail = (cause?: unknown) => {
    if (isOver) return;
    isOver = true;
    candidate.terminate();
    const { message = 'no pong', code = 'TRANSPORT_ERR_PROTOCOL' } = (cause ?? {}) as Partial<TransportError>;
    const details = { transport: candidate.name, step: 'probe', code, cause } as const;
    host.upgradeFailed(new TransportError(`probe error: ${message}`, details), isPausing);
  };

  candidate.sink = {
    ...deafSink,
    transportOpened() {
      candidate.send([new OutgoingPacket(PacketType.ping, 'probe')]);
    },
    transportReceived(type, data) {
      if (isPausing) return;
      if (type !== PacketType.pong || data !== 'probe') {
        fail();
        return;
      }
      isPausing = true;
      host.upgradeBegins(candidate);
      if (isOver) return;
      host.pauseCurrent(() => {
        if (isOver) return;
        isOver = true;
        candidate.send([new OutgoingPacket(PacketType.upgrade)]);
        host.upgradeEnds(candidate);
      });
    },
    transportClosed: ({ error }) => fail(error ?? new Error('transport closed')),
  };
  candidate.open();
  return () => {
    if (isOver) return;
    isOver = true;
    candidate.terminate();
  };
}
