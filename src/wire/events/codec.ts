/**
 * What: writes Socket.IO protocol 5 packets as text with attachments, and reads them.
 * Must not know: who sends them or what carries them; one packet at a time, no state but a packet's own.
 */
import { PeerError } from '../../base/errors.ts';
import { containsBinary, depthLimit, isBinary, restoreAttachments, toAttachment } from './binary.ts';
import { parseFrom, stringifyList } from './json.ts';
import {
  type AckPacket,
  type Attachment,
  type EventArguments,
  type EventPacket,
  type IncomingBytes,
  type Packet,
  PacketType,
  reservedEvents,
} from './packet.ts';

export type JsonReplacer = (this: unknown, key: string, value: unknown) => unknown;
export type JsonReviver = (this: unknown, key: string, value: unknown) => unknown;

/** Most attachments of one packet, as socket.io-parser has it. */
export const defaultAttachmentLimit = 10;

const slash = 47;
const digitZero = 48;

/**
 * Encodes a packet: its text, then its attachments in order.
 *
 * An event or acknowledgement that carries bytes anywhere becomes its binary kind by itself.
 * @throws {UsageError} `EVENT_ERR_TOO_DEEP`; {TypeError} what JSON.stringify throws, for a BigInt say.
 */
export function encodePacket(packet: Packet, replacer?: JsonReplacer): [string, ...Attachment[]] {
  const { type, data, nsp } = packet;
  const isList = Array.isArray(data);
  if (isList && containsBinary(data)) return encodeBinary(packet, replacer);
  // Socket.IO protocol 5, "Packet encoding": <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
  // A packet handed on by another server may say binary and have no bytes left.
  let text = `${type >= PacketType.binaryEvent ? type - 3 : type}`;
  if (nsp !== '/') text += `${nsp},`;
  if (packet.id !== undefined) text += packet.id;
  if (isList && replacer === undefined) text += stringifyList(data);
  else if (data !== undefined) text += JSON.stringify(data, replacer);
  return [text];
}

function encodeBinary(packet: Packet, replacer: JsonReplacer | undefined): [string, ...Attachment[]] {
  const attachments: Attachment[] = [];
  const json = JSON.stringify(packet.data, function (this: Record<string, unknown>, key, value) {
    // A Buffer has passed its toJSON() by now: the holder still has the bytes themselves.
    const raw = isBinary(value) ? value : this[key];
    if (isBinary(raw)) {
      attachments.push(toAttachment(raw));
      return { _placeholder: true, num: attachments.length - 1 };
    }
    return replacer === undefined ? value : replacer.call(this, key, value);
  });
  const type =
    packet.type === PacketType.ack || packet.type === PacketType.binaryAck
      ? PacketType.binaryAck
      : PacketType.binaryEvent;
  const nsp = packet.nsp === '/' ? '' : `${packet.nsp},`;
  return [`${type}${attachments.length}-${nsp}${packet.id ?? ''}${json}`, ...attachments];
}

function invalid(message: string, code = 'EVENT_ERR_INVALID_PACKET'): PeerError {
  return new PeerError(message, { code });
}

/** Reads a decimal number at `start`. @returns its end; `start` when there is none. */
function endOfDigits(text: string, start: number): number {
  let end = start;
  while (true) {
    const code = text.charCodeAt(end) - digitZero;
    if (!(code >= 0 && code <= 9)) return end;
    end++;
  }
}

/**
 * Decodes the text of a packet. When `attachments` is above zero, a {@link PendingPacket} takes it from there.
 * @throws {PeerError} `EVENT_ERR_INVALID_PACKET`, `EVENT_ERR_TOO_MANY_ATTACHMENTS`, `EVENT_ERR_TOO_DEEP`.
 */
export function decodePacket(
  text: string,
  reviver?: JsonReviver,
  attachmentLimit: number = defaultAttachmentLimit,
): Packet {
  const type = text.charCodeAt(0) - digitZero;
  if (!(type >= 0 && type <= 6)) throw invalid(`Unknown packet type "${text.charAt(0)}"`);
  let at = 1;
  let attachments: number | undefined;
  if (type >= PacketType.binaryEvent) {
    at = endOfDigits(text, 1);
    attachments = Number(text.slice(1, at));
    if (attachments === 0 || text.charAt(at) !== '-') throw invalid('A binary packet without attachments');
    if (attachments > attachmentLimit) {
      throw new PeerError(`A packet may have ${attachmentLimit} attachments`, {
        code: 'EVENT_ERR_TOO_MANY_ATTACHMENTS',
        limit: { name: 'attachments', value: attachmentLimit },
      });
    }
    at++;
  }
  let nsp = '/';
  if (text.charCodeAt(at) === slash) {
    const comma = text.indexOf(',', at);
    const end = comma === -1 ? text.length : comma;
    nsp = text.slice(at, end);
    at = end + 1;
  }
  let id: number | undefined;
  const idEnd = endOfDigits(text, at);
  if (idEnd > at) {
    id = Number(text.slice(at, idEnd));
    // A number that JavaScript cannot hold would come back as another one.
    if (!Number.isSafeInteger(id)) throw invalid('An acknowledgement id above 2^53 - 1');
    at = idEnd;
  }
  const data = at < text.length ? parseData(text, at, reviver) : undefined;
  if (!isDataValid(type, data, id)) {
    throw invalid(`The data of a packet of type ${type} has the wrong shape`);
  }
  return { type, nsp, data, id, attachments } as Packet;
}

function parseData(text: string, start: number, reviver: JsonReviver | undefined): unknown {
  let data: unknown;
  try {
    data = reviver === undefined ? parseFrom(text, start) : JSON.parse(text.slice(start), reviver);
  } catch {
    throw invalid('The data of a packet is not JSON');
  }
  // Each level costs two characters, so short texts need no measuring.
  if (text.length > 2 * depthLimit) restoreAttachments(data, null);
  return data;
}

function isDataValid(type: number, data: unknown, id: unknown): boolean {
  switch (type) {
    case PacketType.connect:
      return data === undefined || (typeof data === 'object' && data !== null && !Array.isArray(data));
    case PacketType.disconnect:
      return data === undefined;
    case PacketType.connectError:
      return typeof data === 'string' || (typeof data === 'object' && data !== null);
    case PacketType.ack:
    case PacketType.binaryAck:
      return Array.isArray(data) && id !== undefined;
    default:
      return isEvent(data);
  }
}

/** Whether this is an event's name and its arguments, as a peer may send them. */
export function isEvent(data: unknown): data is EventArguments {
  return Array.isArray(data) && isEventName(data[0]);
}

function isEventName(name: unknown): boolean {
  return typeof name === 'string' ? !reservedEvents.has(name) : typeof name === 'number';
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

/** A binary packet whose attachments are still on their way. */
export class PendingPacket {
  readonly packet: EventPacket | AckPacket;
  readonly attachments: IncomingBytes[] = [];

  constructor(packet: EventPacket | AckPacket) {
    this.packet = packet;
  }

  /**
   * Takes the next attachment.
   * @returns the whole packet once the last one is there, before that null.
   * @throws {PeerError} `EVENT_ERR_ATTACHMENT`, `EVENT_ERR_TOO_DEEP`.
   */
  add(bytes: IncomingBytes): EventPacket | AckPacket | null {
    const { attachments, packet } = this;
    attachments.push(bytes);
    if (attachments.length < (packet.attachments ?? 0)) return null;
    restoreAttachments(packet.data, attachments);
    return packet;
  }
}
