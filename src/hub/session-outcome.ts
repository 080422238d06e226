/**
 * What: what a program reads, as the `description` of `disconnect`, of the end of a session that outlived its connections.
 * Must not know: how sessions count, or why this one ended.
 */
import type { SessionReport } from '../engine/port.ts';
import { asBuffer } from '../transport/platform/node-byte-codec.ts';
import { type Packet, PacketType } from '../wire/events/packet.ts';
import type { PacketDecoder } from '../wire/events/parser.ts';

/** An event or an answer of ours that the client has not confirmed. Whether it arrived cannot be known. */
export interface UnconfirmedPacket {
  readonly type: 'event' | 'ack';
  /** Of an event its name and its arguments, of an acknowledgement its arguments. */
  readonly data: readonly unknown[];
  /** The number by which an acknowledgement finds its event. */
  readonly id?: number;
}

/** The end of a session, for one namespace. */
export class SessionOutcome {
  readonly #report: SessionReport;
  readonly #nsp: string;
  readonly #createDecoder: () => PacketDecoder;
  #unconfirmed: readonly UnconfirmedPacket[] | null = null;

  /** @internal */
  constructor(report: SessionReport, nsp: string, createDecoder: () => PacketDecoder) {
    this.#report = report;
    this.#nsp = nsp;
    this.#createDecoder = createDecoder;
  }

  /** `closed`, `expired`, `overflow` or `protocol`. */
  get end(): SessionReport['end'] {
    return this.#report.end;
  }

  get message(): string {
    return this.#report.message;
  }

  /** What is described where a session has one connection only: an error, or nothing. */
  get cause(): unknown {
    return this.#report.cause;
  }

  /**
   * What was emitted to this client in this namespace and is not confirmed, in order; read from the messages when it
   * is first asked for. An event of which the text was confirmed and an attachment was not is left out.
   */
  get unconfirmed(): readonly UnconfirmedPacket[] {
    this.#unconfirmed ??= this.#decode();
    return this.#unconfirmed;
  }

  #decode(): UnconfirmedPacket[] {
    const packets: UnconfirmedPacket[] = [];
    const decoder = this.#createDecoder();
    decoder.on('decoded', ({ type, nsp, id, data }: Packet) => {
      if (nsp !== this.#nsp || !Array.isArray(data)) return;
      const isAck = type === PacketType.ack || type === PacketType.binaryAck;
      packets.push({ type: isAck ? 'ack' : 'event', data, ...(id !== undefined && { id }) });
    });
    for (const { data } of this.#report.unconfirmed) {
      try {
        decoder.add(typeof data === 'string' ? data : asBuffer(data));
      } catch {
        // An attachment whose text was confirmed.
      }
    }
    decoder.destroy();
    return packets;
  }
}
