/**
 * What: the client's side of long polling as a row of HTTP exchanges, whoever carries them out.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { TransportError, type TransportErrorCode, type TransportStep } from '../../base/transport-error.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { decodePayload, encodePayload } from '../../wire/engine/payload.ts';
import { type ClientTarget, deafSink, type Transport, type TransportClosed } from '../port.ts';

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
 * @returns gives up; `done` may still be called.
 */
export type Exchange = (
  target: ClientTarget,
  body: string | undefined,
  isLast: boolean,
  done: (outcome: ExchangeOutcome) => void,
) => () => void;

/** Engine.IO protocol 4, "HTTP long-polling": GET waits for packets, POST brings them. One of each at a time. */
export function createPollingClient(target: ClientTarget, exchange: Exchange): Transport {
  let isOpen = false;
  let isClosing = false;
  let isEnded = false;
  let abortGet: (() => void) | null = null;
  let abortPost: (() => void) | null = null;
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
      transport: 'polling',
      step: isOpen ? step : 'open',
      code: code ?? (status ? 'TRANSPORT_ERR_STATUS' : 'TRANSPORT_ERR_NETWORK'),
      description: status,
      context,
      cause: cause ?? new Error(`HTTP status ${status}: ${text.slice(0, 200)}`),
    });
    end({ by: 'failed', error });
  };

  const resume = () => {
    const callback = paused;
    if (callback && !abortGet && !abortPost) {
      paused = null;
      callback();
    }
  };

  const poll = () => {
    abortGet = exchange(target, undefined, false, (outcome) => {
      abortGet = null;
      if (isEnded) return;
      if (outcome.status !== 200) {
        fail('xhr poll error', 'read', outcome);
        return;
      }
      const packets: IncomingPacket[] = [];
      let malformed: ExchangeOutcome | undefined;
      try {
        decodePayload(outcome.text, target.codec, (type, data) => packets.push({ type, data }));
      } catch (cause) {
        malformed = { ...outcome, cause, code: 'TRANSPORT_ERR_PROTOCOL' };
      }
      try {
        for (const { type, data } of packets) {
          if (isEnded) return;
          if (type === PacketType.close) {
            end({ by: 'byPeer', context: outcome.context });
            return;
          }
          if (type === PacketType.open && !isOpen) {
            isOpen = true;
            transport.sink.transportOpened();
          }
          transport.sink.transportReceived(type, data);
        }
      } finally {
        // Also when a listener threw: its exception is not the connection's.
        if (malformed) fail('xhr poll error', 'read', malformed);
        else if (paused) resume();
        else if (!isEnded) poll();
      }
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
      done();
    });
  };

  const sayGoodbye = () => post([new OutgoingPacket(PacketType.close)], true, () => end({ by: 'byUs' }));

  const transport: Transport = {
    name: 'polling',
    get isWritable() {
      return isOpen && !isClosing && !abortPost;
    },
    bufferedBytes: 0,
    sink: deafSink,
    open: poll,
    send(packets) {
      post(packets, false, () => {
        if (isClosing) {
          sayGoodbye();
          return;
        }
        transport.sink.transportDrained();
        resume();
      });
    },
    close() {
      if (isEnded || isClosing) return;
      isClosing = true;
      // Before the answer to the first poll there is nothing to close; the server notices the cut.
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
