/**
 * What: the client's side of long polling: a GET waits at the server for packets, the next one follows at once.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { createHttpClient, type Exchange } from '../http/client.ts';
import type { ClientTarget, Transport } from '../port.ts';

/** Engine.IO protocol 4, "HTTP long-polling": GET waits for packets, POST brings them. One of each at a time. */
export function createPollingClient(target: ClientTarget, exchange: Exchange): Transport {
  return createHttpClient(target, exchange, {
    name: 'polling',
    readError: 'xhr poll error',
  });
}
