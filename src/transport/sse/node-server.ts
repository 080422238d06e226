/**
 * What: the event stream transport on a server: packets down as events, on one response. POSTs are the engine's.
 * Must not know: sessions, origins and CORS, where the response came from.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, TextCodec, Timer } from '../../base/port.ts';
import { encodePacketAsText } from '../../wire/engine/codec.ts';
import { formatPacketEvent } from '../../wire/engine/event-stream.ts';
import { type OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import {
  deafSink,
  type Transport,
  type TransportClosed,
  TransportName,
  type TransportSink,
} from '../port.ts';
import { eventStreamHeaders, type ResponseListener, ResponseStream } from './node-response.ts';

/** What the event streams of a server share. */
export interface SseSettings {
  readonly codec: TextCodec;
  readonly clock: Clock;
  /** How long a client has to read what was sent before its stream was ended. */
  readonly closeTimeoutMs: number;
  /** Called with the headers of the answer before they are sent; may add to them. */
  readonly onHeaders: (
    headers: Record<string, string | number | string[]>,
    request: IncomingMessage,
    sid: string,
  ) => void;
}

/** For clients that come back by themselves, as a browser's EventSource: the network is probably still there. */
const RETRY = 'retry: 1000\n\n';

/**
 * How long the transport outlives a stream that broke off. Its client, if it is there, opens another at once: proxies
 * with a short patience cut every stream, and that is no interruption.
 */
const NEXT_STREAM_MS = 3_000;

/** One event stream. Writable while it is there and its client reads. */
export class SseServerTransport implements Transport, ResponseListener {
  readonly name = TransportName.sse;
  readonly sid: string;
  sink: TransportSink = deafSink;
  readonly #settings: SseSettings;
  #stream: ResponseStream | null = null;
  /** What the client has counted after the last message that was sent. */
  #index = 0;
  #isClosed = false;
  #timer: Timer | null = null;

  constructor(settings: SseSettings, sid: string) {
    this.#settings = settings;
    this.sid = sid;
  }

  get isWritable(): boolean {
    return !this.#isClosed && this.#stream?.isWritable === true;
  }

  /** The same as `isWritable`, under the name that engine.io has for it. */
  get writable(): boolean {
    return this.isWritable;
  }

  get bufferedBytes(): number {
    return this.#stream?.bufferedBytes ?? 0;
  }

  open(): void {}

  pause(callback: () => void): void {
    callback();
  }

  /**
   * Answers a GET (`response.req`) with the stream. Once only; until then nothing can be sent.
   * @param index the index of the first message that will be sent.
   */
  handleGet(response: ServerResponse, index: number): void {
    const { onHeaders } = this.#settings;
    const headers: Record<string, string | number | string[]> = { ...eventStreamHeaders };
    onHeaders(headers, response.req, this.sid);
    this.#index = index;
    const stream = new ResponseStream(response, headers as OutgoingHttpHeaders, this);
    this.#stream = stream;
    if (this.#isClosed) {
      stream.end();
    } else if (stream.isOver) {
      this.responseClosed();
    } else {
      stream.write(RETRY);
      this.sink.transportDrained();
    }
  }

  send(packets: readonly OutgoingPacket[]): void {
    const stream = this.#stream;
    if (stream === null || this.#isClosed) return;
    let text = '';
    for (const packet of packets) {
      const encoded = encodePacketAsText(packet, this.#settings.codec);
      text += formatPacketEvent(encoded, packet.type === PacketType.message ? ++this.#index : '');
    }
    stream.write(text);
  }

  /** What was sent still leaves. */
  close(): void {
    if (this.#isClosed) return;
    const { clock, closeTimeoutMs } = this.#settings;
    const stream = this.#stream;
    this.#end({ by: 'byUs' });
    if (stream === null || stream.isOver) return;
    stream.end();
    // Who reads nothing would hold its connection for as long as the operating system lets it.
    this.#timer = clock.setTimer(closeTimeoutMs, () => stream.destroy());
  }

  terminate(): void {
    this.#end({ by: 'byUs' });
    this.#stream?.destroy();
  }

  /** @internal */
  responseDrained(): void {
    this.sink.transportDrained();
  }

  /** @internal */
  responseClosed(): void {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    this.#timer = this.#settings.clock.setTimer(NEXT_STREAM_MS, () => this.#end({ by: 'byPeer' }));
  }

  #end(closed: TransportClosed): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    const { sink } = this;
    this.sink = deafSink;
    sink.transportClosed(closed);
  }
}
