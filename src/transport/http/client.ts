/**
 * What: the client's side of a transport over HTTP: GETs fetch packets, POSTs bring them, whoever carries them out.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { explainStatus } from '../../base/http-status.ts';
import { TransportError, type TransportErrorCode, type TransportStep } from '../../base/transport-error.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { encodePayload } from '../../wire/engine/payload.ts';
import {
  type ClientTarget,
  deafSink,
  SESSION_UNKNOWN,
  type Transport,
  type TransportClosed,
  type TransportName,
} from '../port.ts';

/** The type of an event stream. */
export const EVENT_STREAM = 'text/event-stream';

/** How an HTTP exchange ended. */
export interface ExchangeOutcome {
  /** 0: there was no answer. */
  readonly status: number;
  readonly text: string;
  /** Why the exchange is worth nothing. Default: there was no answer, or the status. */
  readonly code?: TransportErrorCode;
  readonly cause?: unknown;
  /** The platform's response or request, for users. */
  readonly context?: unknown;
}

/**
 * Carries out one exchange: GET without a body, POST with one. `done` is called once, never before the return.
 * @param isLast the exchange must get through even if the page is left.
 * @param received asks for an event stream, and is given its text piece by piece; `done` then has none. An answer that
 *   is no event stream is given to `done` as ever.
 * @returns gives up; both may still be called.
 */
export type Exchange = (
  target: ClientTarget,
  body: string | undefined,
  isLast: boolean,
  done: (outcome: ExchangeOutcome) => void,
  received?: (text: string) => void,
) => () => void;

/** Told of what one GET brings, in order. After the last packet `ended` is called, once. */
export interface FetchListener {
  /** False: the transport is over, and nothing more is wanted. */
  packetReceived(type: PacketType, data: string | Uint8Array, context: unknown): boolean;
  /** @param isComplete the answer was what it should be, and another GET may follow. */
  ended(outcome: ExchangeOutcome, isComplete: boolean): void;
}

/** One way to fetch packets. */
export interface HttpKind {
  readonly name: TransportName;
  /** The message of the error when fetching fails. */
  readonly readError: string;
  /** Whether a GET goes on until the connection ends. */
  readonly isStream?: boolean;
  /** Starts one GET. @returns gives up; the listener may still be called. */
  fetch(target: ClientTarget, listener: FetchListener): () => void;
  /** How long to wait after a complete answer before the next GET, in ms; 0: not at all. */
  pauseMs?(target: ClientTarget, outcome: ExchangeOutcome): number;
}

/** A GET that was cut after so many milliseconds has met somebody's patience, not a broken network. */
const PATIENCE_MS = 1000;

/** One GET and one POST at a time. */
export function createHttpClient(target: ClientTarget, exchange: Exchange, kind: HttpKind): Transport {
  let isOpen = false;
  let isClosing = false;
  let isEnded = false;
  /** Gives up the GET, or the wait for the next one. */
  let abortGet: (() => void) | null = null;
  let abortPost: (() => void) | null = null;
  /** Whether something was sent since the last GET began, and an answer to it may be there; and ends the wait for the next. */
  let isAnswerDue = false;
  let wake: (() => void) | undefined;
  let paused: (() => void) | null = null;

  const end = (closed: TransportClosed) => {
    if (isEnded) return;
    isEnded = true;
    abortGet?.();
    abortPost?.();
    transport.sink.transportClosed(closed);
  };

  const fail = (message: string, step: TransportStep, outcome: ExchangeOutcome) => {
    const { status, text, code, cause, context } = outcome;
    const error = new TransportError(message, {
      transport: kind.name,
      step: isOpen ? step : 'open',
      code: code ?? (status ? explainStatus(status, text) : 'TRANSPORT_ERR_NETWORK'),
      description: status,
      context,
      cause: cause ?? new Error(`HTTP status ${status}: ${text.slice(0, 200)}`),
    });
    // docs/protocol/session.md, "Attaching a connection": code 1 is a session that is not, or no more, known.
    const isUnknown = status === 400 && /"code":1\b/.test(text);
    end({ by: 'failed', error, closeCode: isUnknown ? SESSION_UNKNOWN : undefined, closeReason: text });
  };

  const resume = () => {
    const callback = paused;
    if (callback && (kind.isStream || !abortGet) && !abortPost) {
      paused = null;
      callback();
    }
  };

  const get = () => {
    isAnswerDue = false;
    wake = undefined;
    const { clock } = target;
    const startMs = clock.nowMs();
    abortGet = kind.fetch(target, {
      packetReceived(type, data, context) {
        if (isEnded) return false;
        if (type === PacketType.close) {
          end({ by: 'byPeer', context });
          return false;
        }
        if (!isOpen && (type === PacketType.open || type === PacketType.count)) {
          isOpen = true;
          transport.sink.transportOpened();
        }
        transport.sink.transportReceived(type, data);
        return !isEnded;
      },
      ended(outcome, isComplete) {
        abortGet = null;
        if (isEnded || (isClosing && target.isExtended)) return;
        // A session replays what an answer that got lost held. Proxies with a short patience cut everything that takes
        // long: that is no interruption; but where a request fails soon, the network does.
        const isLong = clock.nowMs() - startMs > PATIENCE_MS;
        const isWorn = target.isExtended && isOpen && outcome.status !== 400 && isLong;
        if (!isComplete && !isWorn) fail(kind.readError, 'read', outcome);
        else if (paused) resume();
        else {
          const pauseMs = !isAnswerDue && kind.pauseMs?.(target, outcome);
          if (pauseMs) {
            const timer = clock.setTimer(pauseMs, get);
            abortGet = () => timer.cancel();
            wake = () => {
              timer.cancel();
              get();
            };
          } else get();
        }
      },
    });
  };

  const post = (packets: readonly OutgoingPacket[], isLast: boolean, done: () => void) => {
    abortPost = exchange(target, encodePayload(packets, target.codec), isLast, (outcome) => {
      abortPost = null;
      if (isEnded) return;
      if (outcome.status !== 200 && !isLast) {
        fail('xhr post error', 'write', outcome);
        return;
      }
      const { text } = outcome;
      if (target.isExtended && text.startsWith(PacketType.count)) {
        transport.sink.transportReceived(PacketType.count, text.slice(1));
      }
      done();
    });
  };

  const sayGoodbye = () => post([new OutgoingPacket(PacketType.close)], true, () => end({ by: 'byUs' }));

  const transport: Transport = {
    name: kind.name,
    get isWritable() {
      return isOpen && !isClosing && !abortPost;
    },
    bufferedBytes: 0,
    sink: deafSink,
    open: get,
    send(packets) {
      post(packets, false, () => {
        if (isClosing) {
          sayGoodbye();
          return;
        }
        transport.sink.transportDrained();
        isAnswerDue = true;
        wake?.();
        resume();
      });
    },
    close() {
      if (isEnded || isClosing) return;
      isClosing = true;
      // Before the first word of the server there is nothing to close; it notices the cut.
      // Who polls on would keep the session alive for as long as a POST hangs. A session of the standard ends with its GET.
      if (target.isExtended) abortGet?.();
      if (!isOpen) end({ by: 'byUs' });
      else if (!abortPost) sayGoodbye();
    },
    terminate: () => end({ by: 'byUs' }),
    pause(callback) {
      paused = callback;
      resume();
    },
  };
  return transport;
}
