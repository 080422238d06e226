/**
 * What: requests that the test answers, and a clock that obeys it, for the client's transports over HTTP.
 * Must not know: which transport uses them.
 */
import type { Clock, Timer } from '../../../src/base/port.ts';
import type { Exchange, ExchangeOutcome } from '../../../src/transport/http/client.ts';
import { webTextCodec } from '../../../src/transport/platform/web-text-codec.ts';
import type { ClientTarget, ClientTransportOptions, Transport } from '../../../src/transport/port.ts';

export interface ScriptedRequest {
  readonly isPost: boolean;
  readonly body: string | undefined;
  readonly isLast: boolean;
  readonly isStream: boolean;
  isAborted: boolean;
  /** A piece of an event stream. */
  piece(text: string): void;
  answer(text: string, status?: number): void;
  fail(outcome?: Partial<ExchangeOutcome>): void;
}

export interface ScriptOptions extends ClientTransportOptions {
  isExtended?: boolean;
}

/** Starts a transport whose requests the test answers. */
export function startScript(
  create: (target: ClientTarget, exchange: Exchange) => Transport,
  { isExtended = false, ...options }: ScriptOptions = {},
) {
  const requests: ScriptedRequest[] = [];
  const log: unknown[][] = [];
  let nowMs = 0;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  const clock: Clock = {
    nowMs: () => nowMs,
    setTimer(delayMs, callback): Timer {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
  };
  const advance = (ms: number) => {
    nowMs += ms;
    for (const timer of [...timers]) {
      if (timer.dueMs > nowMs || !timers.delete(timer)) continue;
      timer.callback();
    }
  };
  const target: ClientTarget = { url: () => 'http://h/', isExtended, options, codec: webTextCodec, clock };
  const transport = create(target, (_target, body, isLast, done, received) => {
    const request: ScriptedRequest = {
      isPost: body !== undefined,
      body,
      isLast,
      isStream: received !== undefined,
      isAborted: false,
      piece: (text) => received?.(text),
      answer: (text, status = 200) => done({ status, text }),
      fail: (outcome) => done({ status: 0, text: '', ...outcome }),
    };
    requests.push(request);
    return () => {
      request.isAborted = true;
    };
  });
  transport.sink = {
    transportOpened: () => log.push(['opened']),
    transportReceived: (type, data) => log.push([type, data]),
    transportDrained: () => log.push(['drained']),
    transportClosed: ({ by, error, closeCode }) =>
      log.push(closeCode === undefined ? ['closed', by, error] : ['closed', by, error, closeCode]),
  };
  transport.open();
  return { transport, requests, log, advance, timers, last: () => requests.at(-1)! };
}
