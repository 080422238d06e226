/**
 * What: the client's side of short polling: each GET is answered at once, the next one follows after an interval.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { createHttpClient, type Exchange } from '../http/client.ts';
import type { ClientTarget, Transport } from '../port.ts';

/** Half a second of waiting on average, for one request a second. */
const DEFAULT_INTERVAL_MS = 1000;

/** docs/protocol/session.md, "polling": an answer ends after about 1 MiB. Behind one so long there is likely more. */
const LONG_ANSWER = 512 * 1024;

/** docs/protocol/session.md, "polling and short-polling". */
export function createShortPollingClient(target: ClientTarget, exchange: Exchange): Transport {
  return createHttpClient(target, exchange, {
    name: 'short-polling',
    readError: 'xhr poll error',
    pauseMs: (options, text) =>
      text.length < LONG_ANSWER ? (options.shortPollingIntervalMs ?? DEFAULT_INTERVAL_MS) : 0,
  });
}
