/**
 * What: the client's side of the event stream transport: one GET that goes on, POSTs beside it.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { createPacketEventReader } from '../../wire/engine/event-stream.ts';
import { createHttpClient, type Exchange } from '../http/client.ts';
import type { ClientTarget, Transport } from '../port.ts';

/** docs/protocol/session.md, "sse": one event a packet down, POSTs up. */
export function createSseClient(target: ClientTarget, exchange: Exchange): Transport {
  return createHttpClient(target, exchange, {
    name: 'sse',
    readError: 'event stream error',
    createReader: createPacketEventReader,
  });
}
