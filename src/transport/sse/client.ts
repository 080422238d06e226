/**
 * What: the client's side of the event stream transport: one GET that goes on, POSTs beside it.
 * Must not know: fetch, node:http, sessions, or what messages mean.
 */
import { decodePacket } from '../../wire/engine/codec.ts';
import { createPacketEventReader } from '../../wire/engine/event-stream.ts';
import { createHttpClient, type Exchange, type ExchangeOutcome } from '../http/client.ts';
import type { ClientTarget, Transport } from '../port.ts';

/** docs/protocol/session.md, "sse": one event a packet down, POSTs up. */
export function createSseClient(target: ClientTarget, exchange: Exchange): Transport {
  return createHttpClient(target, exchange, {
    name: 'sse',
    readError: 'event stream error',
    isStream: true,
    fetch(target, listener) {
      let isOver = false;
      const end = (outcome: ExchangeOutcome) => {
        if (isOver) return;
        isOver = true;
        listener.ended(outcome, false);
      };
      let ended: Pick<ExchangeOutcome, 'code' | 'cause'> = { code: 'TRANSPORT_ERR_PROTOCOL' };
      const read = createPacketEventReader((text) => {
        if (isOver) return;
        const { type, data } = decodePacket(text, target.codec, target.isExtended);
        try {
          isOver = !listener.packetReceived(type, data, undefined);
        } catch (error) {
          // A listener's exception is not the connection's: what follows in the stream must still be heard.
          queueMicrotask(() => {
            throw error;
          });
        }
      });
      const abort = exchange(
        target,
        undefined,
        false,
        (outcome) => end(outcome.status === 200 ? { ...outcome, ...ended } : outcome),
        (text) => {
          ended = { code: 'TRANSPORT_ERR_CLOSED' };
          try {
            read(text);
          } catch (cause) {
            abort();
            end({ status: 200, text: '', code: 'TRANSPORT_ERR_PROTOCOL', cause });
          }
        },
      );
      return () => {
        isOver = true;
        abort();
      };
    },
  });
}
