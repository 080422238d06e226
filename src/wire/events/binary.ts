/**
 * What: finds bytes inside of messages, takes them out on the way out, and puts them back on the way in.
 * Must not know: packets, JSON text, or how attachments travel.
 */
import { toBytes } from '../../base/bytes.ts';
import { PeerError, UsageError } from '../../base/errors.ts';
import type { Attachment, IncomingBytes } from './packet.ts';

/**
 * Deepest nesting of a message. JSON.parse takes half a million levels, at which the first recursive function of
 * the application (JSON.stringify among them) would end the process; nobody nests a thousand levels on purpose.
 */
export const depthLimit = 1000;

const tooDeep = 'EVENT_ERR_TOO_DEEP';
const limit = { name: 'depth', value: depthLimit };

/** Whether the value is bytes: a buffer, a view of one, or a Blob. */
export function isBinary(value: unknown): value is ArrayBuffer | ArrayBufferView | Blob {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Blob;
}

/**
 * Whether there are bytes anywhere inside of the value.
 * @throws {UsageError} `EVENT_ERR_TOO_DEEP` when the value is nested too deeply, or contains itself.
 */
export function containsBinary(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isBinary(value)) return true;
  if (depth > depthLimit) {
    throw new UsageError(`A message may be nested ${depthLimit} levels deep and may not contain itself`, {
      code: tooDeep,
      limit,
    });
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (containsBinary(value[i], depth + 1)) return true;
    }
    return false;
  }
  // JSON sends what toJSON() gives, so bytes are looked for there.
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return containsBinary(toJSON.call(value), depth + 1);
  for (const key in value) {
    if (Object.hasOwn(value, key) && containsBinary((value as Record<string, unknown>)[key], depth + 1)) {
      return true;
    }
  }
  return false;
}

/** The bytes as the transports take them. */
export function toAttachment(value: ArrayBuffer | ArrayBufferView | Blob): Attachment {
  return value instanceof Blob ? value : toBytes(value);
}

/**
 * Puts attachments in the place of their placeholders, in place, and bounds the nesting.
 * @param attachments taken out of the list as they are placed; null: the value is only measured.
 * @throws {PeerError} `EVENT_ERR_ATTACHMENT` for a placeholder of nothing or of what has its place, `EVENT_ERR_TOO_DEEP`.
 */
export function restoreAttachments(
  value: unknown,
  attachments: (IncomingBytes | undefined)[] | null,
  depth = 0,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > depthLimit) {
    throw new PeerError(`A message may be nested ${depthLimit} levels deep`, { code: tooDeep, limit });
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = restoreAttachments(value[i], attachments, depth + 1);
    return value;
  }
  const record = value as Record<string, unknown>;
  // Socket.IO protocol 5, "Packet encoding": an attachment is replaced by {"_placeholder":true,"num":index}.
  if (attachments !== null && Object.hasOwn(record, '_placeholder') && record._placeholder === true) {
    const { num } = record;
    const attachment = typeof num === 'number' ? attachments[num] : undefined;
    if (attachment === undefined) {
      throw new PeerError('A placeholder names an attachment that does not exist, or is placed already', {
        code: 'EVENT_ERR_ATTACHMENT',
      });
    }
    // Each has one place, as in what any encoder writes. In forty thousand places, the one megabyte of a peer would be
    // forty gigabytes for whoever sends the event on.
    attachments[num as number] = undefined;
    return attachment;
  }
  for (const key in record) {
    // Only own keys, `__proto__` among them: JSON.parse defines it as data, and setting what is own stays own.
    if (Object.hasOwn(record, key)) record[key] = restoreAttachments(record[key], attachments, depth + 1);
  }
  return record;
}
