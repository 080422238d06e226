/**
 * What: the client's side of long polling as a row of HTTP exchanges, whoever carries them out.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { TransportError, type TransportErrorCode, type TransportStep } from '../../base/transport-error.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { decodePayload, encodePayload } from '../../wire/engine/payload.ts';
import {
  type ClientTarget,
  deafSink,
  SESSION_UNKNOWN,
  type Transport,
  type TransportClosed,
} from '../port.ts';

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

/** A poll that was cut after so many milliseconds has met somebody's patience, not a broken network. */
const PATIENCE_MS = 1000;

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
    // docs/protocol/session.md, "Attaching a connection": code 1 is a session that is not, or no more, known.
    const isUnknown = status === 400 && /"code":1\b/.test(text);
    end({ by: 'failed', error, closeCode: isUnknown ? SESSION_UNKNOWN : undefined });
  };

  const resume = () => {
    const callback = paused;
    if (callback && !abortGet && !abortPost) {
      paused = null;
      callback();
    }
  };

  const poll = () => {
    const { clock, isExtended } = target;
    const startMs = clock.nowMs();
    abortGet = exchange(target, undefined, false, (outcome) => {
      abortGet = null;
      if (isEnded) return;
      const { status, text } = outcome;
      if (status !== 200) {
        // A session replays what an answer that got lost held. Proxies with a short patience cut every long poll: that
        // is no interruption; but where a request fails soon, the network does.
        const isWorn = isExtended && isOpen && status !== 400 && clock.nowMs() - startMs > PATIENCE_MS;
        if (isWorn) poll();
        else fail('xhr poll error', 'read', outcome);
        return;
      }
      const packets: IncomingPacket[] = [];
      let malformed: ExchangeOutcome | undefined;
      try {
        decodePayload(text, target.codec, (type, data) => packets.push({ type, data }), isExtended);
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
          if (!isOpen && (type === PacketType.open || type === PacketType.count)) {
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
      const { text } = outcome;
      if (target.isExtended && text.startsWith(PacketType.count)) {
        transport.sink.transportReceived(PacketType.count, text.slice(1));
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
