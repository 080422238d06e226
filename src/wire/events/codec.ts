/**
 * What: Socket.IO protocol 5 packets to and from text with attachments, fast, and with a program's JSON functions.
 * Must not know: who sends them or what carries them.
 */
import { parseFrom, parsePair, stringifyList } from './json.ts';
import { type Attachment, type EventPacket, type Packet, PacketType } from './packet.ts';
import {
  argumentLimit,
  isDataValid,
  isEvent,
  type JsonPort,
  type JsonReplacer,
  type JsonReviver,
  readPacket,
  writePacket,
} from './text.ts';

export {
  argumentLimit,
  defaultAttachmentLimit,
  isEvent,
  type JsonReplacer,
  type JsonReviver,
  PendingPacket,
} from './text.ts';

/** The type of an event, as it stands on the wire. */
const digitTwo = 50;

const quickJson: JsonPort = {
  stringify: (value, replacer) =>
    replacer === undefined && Array.isArray(value) ? stringifyList(value) : JSON.stringify(value, replacer),
  parse: parseFrom,
};

/**
 * Encodes a packet: its text, then its attachments in order.
 *
 * An event or acknowledgement that carries bytes anywhere becomes its binary kind by itself.
 * @param replacer given to JSON.stringify; bytes never come to it.
 * @param attachmentLimit most attachments of one packet; default 10, for receivers take no more.
 * @throws {UsageError} `EVENT_ERR_TOO_DEEP`, `EVENT_ERR_TOO_MANY_ARGUMENTS`, `EVENT_ERR_TOO_MANY_ATTACHMENTS`; {TypeError} what JSON.stringify throws, for a BigInt say.
 */
export function encodePacket(
  packet: Packet,
  replacer?: JsonReplacer,
  attachmentLimit?: number,
): [string, ...Attachment[]] {
  if (replacer === undefined) {
    if (isPlainEvent(packet)) return [`2${stringifyList(packet.data)}`];
    return writePacket(packet, quickJson, attachmentLimit);
  }
  const json: JsonPort = {
    ...quickJson,
    stringify: (value, placeholders) =>
      JSON.stringify(value, function (this: unknown, key, each) {
        const replaced = placeholders ? placeholders.call(this, key, each) : each;
        return replaced === each ? replacer.call(this, key, each) : replaced;
      }),
  };
  return writePacket(packet, json, attachmentLimit);
}

/** Whether it is what most packets are: an event of the main namespace with no answer, and no objects to look into. */
function isPlainEvent(packet: Packet): packet is EventPacket {
  if (packet.type !== PacketType.event || packet.nsp !== '/' || packet.id !== undefined) return false;
  const { data } = packet;
  if (data.length > argumentLimit) return false;
  for (let i = 0; i < data.length; i++) if (typeof data[i] === 'object' && data[i] !== null) return false;
  return true;
}

/**
 * Decodes the text of a packet. When `attachments` is above zero, a {@link PendingPacket} takes it from there.
 * @param reviver given to JSON.parse.
 * @param attachmentLimit most attachments of one packet; default 10, as socket.io-parser has it.
 * @throws {PeerError} `EVENT_ERR_INVALID_PACKET`, `EVENT_ERR_TOO_DEEP`, `EVENT_ERR_TOO_MANY_ATTACHMENTS`,
 *   `EVENT_ERR_TOO_MANY_ARGUMENTS`.
 */
export function decodePacket(text: string, reviver?: JsonReviver, attachmentLimit?: number): Packet {
  if (reviver === undefined && text.charCodeAt(0) === digitTwo) {
    const data = parsePair(text, 1);
    if (isEvent(data))
      return { type: PacketType.event, nsp: '/', data, id: undefined, attachments: undefined };
  }
  const json =
    reviver === undefined
      ? quickJson
      : { ...quickJson, parse: (all: string, start: number) => JSON.parse(all.slice(start), reviver) };
  return readPacket(text, json, attachmentLimit);
}

/** Whether a value that a custom parser has decoded is a packet that may be acted upon. */
export function isPacketValid(packet: unknown): packet is Packet {
  if (typeof packet !== 'object' || packet === null) return false;
  const { type, nsp, id, data } = packet as Partial<Packet>;
  return (
    typeof nsp === 'string' &&
    (id === undefined || Number.isSafeInteger(id)) &&
    Object.values<unknown>(PacketType).includes(type) &&
    isDataValid(type as number, data, id)
  );
}
