/**
 * What: long polling on the server: answers GETs with packets when there are some, takes packets out of POSTs.
 * Must not know: sessions, which requests belong together (it is given its own), origins and CORS.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PeerError } from '../../base/errors.ts';
import type { Timer } from '../../base/port.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { type Transport, type TransportClosed, TransportName, type TransportSink } from '../port.ts';
import { answerPackets, type PollingSettings, refuse, respond } from './node-answer.ts';
import { readBody } from './node-body.ts';
import { BINARY_BODY, decodeBody, isBinaryBody, PollingError } from './node-post.ts';
import { PostTaking } from './node-post-taking.ts';

export type { PollingSettings, ResponseHeaders } from './node-answer.ts';
export { PollingError };

const NOOP_AND_CLOSE = [new OutgoingPacket(PacketType.noop), new OutgoingPacket(PacketType.close)];
const CLOSE = [NOOP_AND_CLOSE[1]!];

const SESSION_CLOSED = 'The session was closed.';

const IGNORED: TransportSink = {
  transportOpened() {},
  transportReceived() {},
  transportDrained() {},
  transportClosed() {},
};

/** `closing`: the client is told with its next poll. `closed`: `transportClosed` was called. */
type State = 'open' | 'closing' | 'closed';

/**
 * One client's polls and POSTs. Writable while a GET waits for its answer.
 * @see https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
 */
export class PollingServerTransport implements Transport {
  readonly name = TransportName.polling;
  readonly sid: string;
  sink: TransportSink = IGNORED;
  readonly #settings: PollingSettings;
  #state: State = 'open';
  /** The answer of the GET that waits; its `req` is the request. */
  #poll: ServerResponse | null = null;
  /** Gives up the POST that is being read, and answers it. */
  #stopPost: (() => void) | null = null;
  /** The POST whose packets are being taken. */
  #taking: PostTaking | null = null;
  /** Whether no more packets are taken for now. */
  isHeld = false;
  #closeTimer: Timer | null = null;

  constructor(settings: PollingSettings, sid: string) {
    this.#settings = settings;
    this.sid = sid;
  }

  get isWritable(): boolean {
    return this.#poll !== null && this.#state === 'open';
  }

  /** Whether `transportClosed` was called. */
  get #isClosed(): boolean {
    return this.#state === 'closed';
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

  holdReading(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (!isHeld) this.#taking?.goOn();
  }

  /** Takes over a request that belongs to this transport and sees to its answer. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'GET') this.#takePoll(response);
    else if (request.method === 'POST') this.#takePost(request, response);
    else this.#refuse(response, 405, `Polling knows GET and POST, not ${request.method}.`);
  }

  send(packets: readonly OutgoingPacket[]): void {
    const poll = this.#poll;
    if (poll === null || this.#state !== 'open') return;
    this.#poll = null;
    this.#answer(poll, packets);
  }

  /** Tells the client with the waiting poll, or with the next one if none waits. */
  close(): void {
    if (this.#state !== 'open') return;
    if (this.#poll !== null) {
      this.terminate();
      return;
    }
    this.#state = 'closing';
    this.#closeTimer = this.#settings.clock.setTimer(this.#settings.closeTimeoutMs, () => this.terminate());
  }

  /** Ends at once; a poll that waits is still answered with the close packet, as nothing else may be said to it. */
  terminate(): void {
    this.#end({ by: 'byUs' });
  }

  #takePoll(response: ServerResponse): void {
    // Engine.IO protocol 4, "HTTP long-polling": one GET at a time; a second one ends the session.
    if (this.#poll !== null) {
      const error = new PeerError('overlap from client', { code: PollingError.overlappingPoll });
      this.#refuse(response, 400, 'A poll of this session is already waiting: overlap from client.');
      this.#end({ by: 'failed', error });
      return;
    }
    if (this.#state === 'closed') {
      this.#answer(response, CLOSE);
      return;
    }
    if (this.#state === 'closing') {
      this.#answer(response, NOOP_AND_CLOSE);
      this.#end({ by: 'byUs' });
      return;
    }
    this.#poll = response;
    response.on('close', () => {
      if (this.#poll !== response) return;
      this.#poll = null;
      const message = 'poll connection closed prematurely';
      this.#end({ by: 'failed', error: new PeerError(message, { code: PollingError.pollAborted }) });
    });
    this.sink.transportDrained();
  }

  #takePost(request: IncomingMessage, response: ServerResponse): void {
    const { bodyLimitBytes, bodyLimitName } = this.#settings;
    if (this.#stopPost !== null || this.#taking !== null) {
      this.#refuse(response, 400, 'A POST of this session is still being read: overlap from client.');
      this.#failPost('data request overlap from client', PollingError.overlappingPost);
      return;
    }
    // Binary bodies were a thing of protocol 3; since 4 binary travels as base64 in text.
    if (isBinaryBody(request)) {
      this.#refuse(response, 400, BINARY_BODY);
      this.#failPost('invalid content', PollingError.invalidContent);
      return;
    }
    let hasEnded = false;
    const stopReading = readBody(request, bodyLimitBytes, (outcome, body) => {
      hasEnded = true;
      this.#stopPost = null;
      if (outcome === 'complete') {
        this.#receive(body, response);
      } else if (outcome === 'aborted') {
        this.#failPost('data request connection closed prematurely', PollingError.postAborted);
      } else {
        const message = `The body is above the limit of ${bodyLimitBytes} bytes (${bodyLimitName}).`;
        this.#refuse(response, 413, message);
        const limit = { name: bodyLimitName, value: bodyLimitBytes };
        const error = new PeerError(message, { code: PollingError.bodyTooLarge, limit });
        this.#end({ by: 'failed', error });
      }
    });
    if (hasEnded) return;
    this.#stopPost = () => {
      stopReading();
      this.#refuse(response, 400, SESSION_CLOSED);
    };
  }

  #receive(body: Uint8Array, response: ServerResponse): void {
    if (this.#state === 'closed') {
      this.#refuse(response, 400, SESSION_CLOSED);
      return;
    }
    const packets: IncomingPacket[] = [];
    const error = decodeBody(this.#settings.codec, body, packets);
    const transport = this;
    const taking = new PostTaking(this.#settings, packets, response, {
      get isHeld() {
        return transport.isHeld;
      },
      take({ type, data }) {
        // After the end the sink is one that ignores, so what follows a close packet is dropped.
        if (type === PacketType.close) transport.#end({ by: 'byPeer' });
        else transport.sink.transportReceived(type, data);
      },
      taken(isGivenUp) {
        transport.#taking = null;
        transport.#taken(response, error, isGivenUp);
      },
    });
    if (!taking.isOver) this.#taking = taking;
  }

  #taken(response: ServerResponse, error: PeerError | null, isGivenUp: boolean): void {
    if (isGivenUp) {
      this.#failPost('data request connection closed prematurely', PollingError.postAborted);
    } else if (error === null) {
      // `text/html` because old browsers offer anything else for download.
      respond(this.#settings, response, this.sid, 200, 'text/html', 'ok');
    } else {
      // Deviation: the official server says `ok` to a malformed payload and then forgets the session.
      this.#refuse(response, 400, error.message);
      this.#end({ by: 'failed', error });
    }
  }

  #failPost(message: string, code: string): void {
    this.#end({ by: 'failed', error: new PeerError(message, { code }) });
  }

  #end(closed: TransportClosed): void {
    if (this.#state === 'closed') return;
    // What came before the end is a part of the conversation, whoever can take it.
    if (closed.by !== 'byUs') this.#taking?.takeRest();
    if (this.#isClosed) return;
    this.#state = 'closed';
    this.#closeTimer?.cancel();
    this.#closeTimer = null;
    this.#stopPost?.();
    this.#stopPost = null;
    const poll = this.#poll;
    this.#poll = null;
    // An orderly end by the client is answered with a noop, everything else with the close packet, as officially.
    if (poll !== null) this.#answer(poll, closed.by === 'byPeer' ? [NOOP_AND_CLOSE[0]!] : CLOSE);
    const { sink } = this;
    this.sink = IGNORED;
    // If it is ours, the rest is passed to nobody; its POST is answered.
    this.#taking?.takeRest();
    sink.transportClosed(closed);
  }

  #answer(response: ServerResponse, packets: readonly OutgoingPacket[]): void {
    answerPackets(this.#settings, response, this.sid, packets);
  }

  #refuse(response: ServerResponse, status: number, message: string): void {
    refuse(this.#settings, response, this.sid, status, message);
  }
}
