/**
 * What: a Socket.IO protocol 5 packet to and from its text and attachments; how JSON is written and read is given.
 * Must not know: who sends packets or what carries them; one packet at a time, no state but a packet's own.
 */
import { PeerError, UsageError } from '../../base/errors.ts';
import { containsBinary, depthLimit, isBinary, restoreAttachments, toAttachment } from './binary.ts';
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

/** What `JSON.stringify` takes as its second argument. */
export type JsonReplacer = (this: unknown, key: string, value: unknown) => unknown;
/** What `JSON.parse` takes as its second argument. */
export type JsonReviver = (this: unknown, key: string, value: unknown) => unknown;

/** How the data of a packet is written and read. */
export interface JsonPort {
  /** As JSON.stringify. @throws {TypeError} what that throws, for a BigInt say. */
  stringify(value: unknown, replacer?: JsonReplacer): string;
  /** As JSON.parse, of `text` from `start` on. @throws {SyntaxError} */
  parse(text: string, start: number): unknown;
}

const INVALID = 'EVENT_ERR_INVALID_PACKET';

/** Most attachments of one packet, as socket.io-parser has it. */
export const defaultAttachmentLimit = 10;

/**
 * Most arguments of an event or an answer, its name included. Listeners are called with each argument on the stack: a
 * message of 1 MB can have half a million of them, and the call that is too large for the stack would end the process.
 */
export const argumentLimit = 1000;

const slash = 47;
const digitZero = 48;

/**
 * Writes a packet: its text, then its attachments in order.
 *
 * An event or acknowledgement that carries bytes anywhere becomes its binary kind by itself.
 * @throws {UsageError} `EVENT_ERR_TOO_DEEP`, `EVENT_ERR_TOO_MANY_...` `ATTACHMENTS`, `ARGUMENTS`; what `json` throws.
 */
export function writePacket(
  packet: Packet,
  json: JsonPort,
  attachmentLimit: number = defaultAttachmentLimit,
): [string, ...Attachment[]] {
  const { type, data, nsp, id } = packet;
  let attachments: Attachment[] | undefined;
  // A packet handed on by another server may say binary and have no bytes left.
  let head = `${type >= PacketType.binaryEvent ? type - 3 : type}`;
  let text = '';
  checkArguments(data, UsageError);
  if (Array.isArray(data) && containsBinary(data)) {
    const found: Attachment[] = [];
    attachments = found;
    text = json.stringify(data, function (this: unknown, key, value) {
      // A Buffer has passed its toJSON() by now: the holder still has the bytes themselves.
      const raw = isBinary(value) ? value : (this as Record<string, unknown>)[key];
      return isBinary(raw) ? { _placeholder: true, num: found.push(toAttachment(raw)) - 1 } : value;
    });
    checkAttachments(found.length, UsageError, attachmentLimit);
    head = `${+head + 3}${found.length}-`;
  } else if (data !== undefined) text = json.stringify(data);
  // Socket.IO protocol 5, "Packet encoding": <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
  if (nsp !== '/') head += `${nsp},`;
  if (id !== undefined) head += id;
  text = head + text;
  return attachments ? [text, ...attachments] : [text];
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
 * Reads the text of a packet. When `attachments` is above zero, a {@link PendingPacket} takes it from there.
 * @throws {PeerError} `EVENT_ERR_INVALID_PACKET`, `EVENT_ERR_TOO_DEEP`, `EVENT_ERR_TOO_MANY_...` `ATTACHMENTS`, `ARGUMENTS`.
 */
export function readPacket(
  text: string,
  json: JsonPort,
  attachmentLimit: number = defaultAttachmentLimit,
): Packet {
  const type = text.charCodeAt(0) - digitZero;
  if (!(type >= 0 && type <= 6))
    throw new PeerError(`Unknown packet type "${text.charAt(0)}"`, { code: INVALID });
  let at = 1;
  let attachments: number | undefined;
  if (type >= PacketType.binaryEvent) {
    at = endOfDigits(text, 1);
    attachments = Number(text.slice(1, at));
    if (attachments === 0 || text.charAt(at) !== '-')
      throw new PeerError('A binary packet without attachments', { code: INVALID });
    checkAttachments(attachments, PeerError, attachmentLimit);
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
    if (!Number.isSafeInteger(id))
      throw new PeerError('An acknowledgement id above 2^53 - 1', { code: INVALID });
    at = idEnd;
  }
  const data = at < text.length ? parseData(text, at, json) : undefined;
  if (!isDataValid(type, data, id)) {
    throw new PeerError(`The data of a packet of type ${type} has the wrong shape`, { code: INVALID });
  }
  return { type, nsp, data, id, attachments } as Packet;
}

function parseData(text: string, start: number, json: JsonPort): unknown {
  let data: unknown;
  try {
    data = json.parse(text, start);
  } catch {
    throw new PeerError('The data of a packet is not JSON', { code: INVALID });
  }
  checkArguments(data, PeerError);
  // Each level costs two characters, so short texts need no measuring.
  if (text.length > 2 * depthLimit) restoreAttachments(data, null);
  return data;
}

/** @throws `EVENT_ERR_TOO_MANY_ARGUMENTS`, as the fault of whoever has written the list. */
export function checkArguments(data: unknown, Fault: typeof PeerError | typeof UsageError): void {
  if (!Array.isArray(data) || data.length <= argumentLimit) return;
  throw new Fault(`An event may have ${argumentLimit} arguments. Send a list as one of them`, {
    code: 'EVENT_ERR_TOO_MANY_ARGUMENTS',
    limit: { name: 'arguments', value: argumentLimit },
  });
}

/** @throws `EVENT_ERR_TOO_MANY_ATTACHMENTS`, as the fault of whoever has written them. */
export function checkAttachments(
  count: number,
  Fault: typeof PeerError | typeof UsageError,
  limit = defaultAttachmentLimit,
): void {
  // NaN is none.
  if (!(count > limit)) return;
  throw new Fault(`At most ${limit} attachments`, {
    code: 'EVENT_ERR_TOO_MANY_ATTACHMENTS',
    limit: { name: 'attachments', value: limit },
  });
}

/** Whether data has the shape that a packet of this type must have. */
export function isDataValid(type: number, data: unknown, id: unknown): boolean {
  const isObject = typeof data === 'object' && data !== null;
  if (type === PacketType.connect) return data === undefined || (isObject && !Array.isArray(data));
  if (type === PacketType.disconnect) return data === undefined;
  if (type === PacketType.connectError) return typeof data === 'string' || isObject;
  if (type === PacketType.ack || type === PacketType.binaryAck) {
    return Array.isArray(data) && data.length <= argumentLimit && id !== undefined;
  }
  return isEvent(data);
}

/** Whether this is an event's name and its arguments, as a peer may send them. */
export function isEvent(data: unknown): data is EventArguments {
  if (!Array.isArray(data) || data.length > argumentLimit) return false;
  const name: unknown = data[0];
  return typeof name === 'string' ? !reservedEvents.has(name) : typeof name === 'number';
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
