/**
 * What: a row of polls that a session counts on, for long and for short polling: any answer may get lost, and is replayed.
 * Must not know: what is said in the answers, POSTs, and the session; it holds the GET that waits and answers it.
 */
import type { ServerResponse } from 'node:http';
import { PeerError } from '../../base/errors.ts';
import type { Timer } from '../../base/port.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import {
  deafSink,
  type Transport,
  type TransportClosed,
  type TransportName,
  type TransportSink,
} from '../port.ts';
import { answerPackets, type PollingSettings } from './node-answer.ts';
import { PollingError } from './node-post.ts';

const NOOP = [new OutgoingPacket(PacketType.noop)];

/**
 * How long the row outlives a GET that broke off. Its client, if it is there, asks again at once: proxies with a short
 * patience cut every long poll, and that is no interruption.
 */
export const NEXT_POLL_MS = 3_000;

/** One client's GETs, one after the other. Writable while one waits for its answer. */
export class PollRow implements Transport {
  readonly name: TransportName;
  readonly sid: string;
  sink: TransportSink = deafSink;
  readonly #settings: PollingSettings;
  /** How long a GET may wait; `null`: something will be said in time. */
  readonly #holdMs: number | null;
  #poll: ServerResponse | null = null;
  /** Of the GET that waits, or of the next one that must come. */
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(settings: PollingSettings, sid: string, name: TransportName, holdMs: number | null) {
    this.#settings = settings;
    this.sid = sid;
    this.name = name;
    this.#holdMs = holdMs;
  }

  get isWritable(): boolean {
    return this.#poll !== null;
  }

  /** The same as `isWritable`, under the name that engine.io has for it. */
  get writable(): boolean {
    return this.isWritable;
  }

  get bufferedBytes(): number {
    return 0;
  }

  open(): void {}

  pause(callback: () => void): void {
    callback();
  }

  /** Takes over a GET and sees to its answer. One that waits is answered: its client has given it up. */
  handleGet(response: ServerResponse): void {
    if (this.#isClosed) {
      answerPackets(this.#settings, response, this.sid, NOOP);
      return;
    }
    this.#answerWith(NOOP);
    this.#poll = response;
    response.on('close', () => this.#abandoned(response));
    if (this.#holdMs !== null) this.#startTimer(this.#holdMs, () => this.#answerWith(NOOP));
    this.sink.transportDrained();
  }

  send(packets: readonly OutgoingPacket[]): void {
    this.#answerWith(packets);
  }

  close(): void {
    this.#end({ by: 'byUs' });
  }

  terminate(): void {
    this.#end({ by: 'byUs' });
  }

  #answerWith(packets: readonly OutgoingPacket[]): void {
    const poll = this.#poll;
    this.#stopTimer();
    if (poll === null) return;
    this.#poll = null;
    answerPackets(this.#settings, poll, this.sid, packets);
  }

  #abandoned(response: ServerResponse): void {
    if (this.#poll !== response) return;
    this.#poll = null;
    const error = new PeerError('The client gave up its poll and sent no other.', {
      code: PollingError.pollAborted,
    });
    this.#startTimer(NEXT_POLL_MS, () => this.#end({ by: 'byPeer', error }));
  }

  #end(closed: TransportClosed): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#answerWith(NOOP);
    const { sink } = this;
    this.sink = deafSink;
    sink.transportClosed(closed);
  }

  #startTimer(delayMs: number, callback: () => void): void {
    this.#stopTimer();
    this.#timer = this.#settings.clock.setTimer(delayMs, () => {
      this.#timer = null;
      callback();
    });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
