/**
 * What: turns the messages of a parser into packets of the session, to be shared by all receivers.
 * Must not know: receivers.
 */
import { UsageError } from '../base/errors.ts';
import { OutgoingPacket, PacketType } from '../wire/engine/packet.ts';
import type { Attachment } from '../wire/events/packet.ts';

/**
 * One packet of the session for each message.
 * @throws {UsageError} `EVENT_ERR_BLOB`: a server sends bytes; `await blob.arrayBuffer()` first.
 */
export function toOutgoing(messages: readonly (string | Attachment)[], compress: boolean): OutgoingPacket[] {
  return messages.length === 1
    ? [onePacket(messages[0]!, compress)]
    : messages.map((message) => onePacket(message, compress));
}

function onePacket(message: string | Attachment, compress: boolean): OutgoingPacket {
  if (typeof message !== 'string' && !(message instanceof Uint8Array)) {
    throw new UsageError('A server cannot send a Blob; send what blob.arrayBuffer() resolves to', {
      code: 'EVENT_ERR_BLOB',
    });
  }
  return new OutgoingPacket(PacketType.message, message, compress);
}
