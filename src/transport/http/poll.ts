/**
 * What: one GET whose answer is a payload of packets, as long and short polling fetch them.
 * Must not know: when to ask again, sessions.
 */
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import { decodePayload } from '../../wire/engine/payload.ts';
import type { ClientTarget } from '../port.ts';
import type { Exchange, FetchListener } from './client.ts';

/** Engine.IO protocol 4, "HTTP long-polling": a GET is answered with packets. */
export function fetchPayload(exchange: Exchange, target: ClientTarget, listener: FetchListener): () => void {
  return exchange(target, undefined, false, (outcome) => {
    if (outcome.status !== 200) {
      listener.ended(outcome, false);
      return;
    }
    const packets: IncomingPacket[] = [];
    let end = outcome;
    try {
      const { codec, isExtended } = target;
      decodePayload(outcome.text, codec, (packet) => packets.push(packet), isExtended);
    } catch (cause) {
      end = { ...outcome, cause, code: 'TRANSPORT_ERR_PROTOCOL' };
    }
    try {
      packets.every(({ type, data }) => listener.packetReceived(type, data, outcome.context));
    } finally {
      // Also when a listener threw: its exception is not the connection's.
      listener.ended(end, end === outcome);
    }
  });
}
