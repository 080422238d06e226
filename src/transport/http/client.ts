/**
 * What: the client's side of a transport over HTTP: GETs fetch packets, POSTs bring them, whoever carries them out.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { explainStatus } from '../../base/http-status.ts';
import type { Timer } from '../../base/port.ts';
import { TransportError, type TransportErrorCode, type TransportStep } from '../../base/transport-error.ts';
import { decodePacket } from '../../wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { encodePayload, SEPARATOR } from '../../wire/engine/payload.ts';
import {
  type ClientTarget,
  type ClientTransportOptions,
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

/** One way to fetch packets. */
export interface HttpKind {
  readonly name: TransportName;
  /** The message of the error when fetching fails. */
  readonly readError: string;
  /**
   * A GET goes on until the connection ends: makes what takes the packets, as text, out of the pieces of one answer.
   * Absent: an answer is a payload of packets.
   */
  createReader?(): (piece: string) => Iterable<string>;
  /** How long to wait after a complete answer before the next GET, in ms; 0: not at all. */
  pauseMs?(options: ClientTransportOptions, text: string): number;
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
  /** Whether something was sent since the last GET began, and an answer to it may be there. */
  let isAnswerDue = false;
  /** For the next GET. */
  let wait: Timer | undefined;
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
    if (callback && (kind.createReader || !abortGet) && !abortPost) {
      paused = null;
      callback();
    }
  };

  /** Takes packets out of an answer. @throws {PeerError} when one cannot be read; those before it were passed on. */
  const read = (texts: Iterable<string>, context?: unknown) => {
    for (const text of texts) {
      const { type, data } = decodePacket(text, target.codec, target.isExtended);
      if (isEnded) return;
      if (type === PacketType.close) {
        end({ by: 'byPeer', context });
        return;
      }
      if (!isOpen && (type === PacketType.open || type === PacketType.count)) {
        isOpen = true;
        transport.sink.transportOpened();
      }
      try {
        transport.sink.transportReceived(type, data);
      } catch (error) {
        // A listener's exception is not the connection's: what follows must still be heard.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  };

  const get = () => {
    isAnswerDue = false;
    wait?.cancel();
    wait = undefined;
    const { clock } = target;
    const startMs = clock.nowMs();
    const split = kind.createReader?.();
    // A stream that ends has broken, and one that never began was none.
    let problem: Partial<ExchangeOutcome> | undefined = split && { code: 'TRANSPORT_ERR_PROTOCOL' };
    let isOver = false;
    const finish = (outcome: ExchangeOutcome) => {
      if (isOver) return;
      isOver = true;
      abortGet = null;
      if (isEnded || (isClosing && target.isExtended)) return;
      // A session replays what an answer that got lost held. Proxies with a short patience cut everything that takes
      // long: that is no interruption; but where a request fails soon, the network does.
      const { status, text } = outcome;
      const isWorn = target.isExtended && isOpen && status !== 400 && clock.nowMs() - startMs > PATIENCE_MS;
      if ((problem || status !== 200) && !isWorn) {
        fail(kind.readError, 'read', { ...outcome, ...(status === 200 && problem) });
      } else if (paused) resume();
      else {
        const pauseMs = !isAnswerDue && kind.pauseMs?.(target.options, text);
        if (pauseMs) {
          wait = clock.setTimer(pauseMs, get);
          abortGet = () => wait?.cancel();
        } else get();
      }
    };
    const take = (texts: Iterable<string>, context?: unknown) => {
      try {
        read(texts, context);
      } catch (cause) {
        problem = { code: 'TRANSPORT_ERR_PROTOCOL', cause };
      }
    };
    const abort = exchange(
      target,
      undefined,
      false,
      (outcome) => {
        if (!split && outcome.status === 200) take(outcome.text.split(SEPARATOR), outcome.context);
        finish(outcome);
      },
      split &&
        ((piece) => {
          problem = { code: 'TRANSPORT_ERR_CLOSED' };
          take(split(piece));
          if (!problem.cause) return;
          abort();
          finish({ status: 200, text: '' });
        }),
    );
    abortGet = () => {
      isOver = true;
      abort();
    };
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
        if (wait) get();
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
