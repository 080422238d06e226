/**
 * What: the default parser of browsers, in as few bytes as it can be: they load it with each page.
 * Must not know: sockets; parser.ts says the same faster, and bounds how deep a message is nested.
 */
import { Emitter, type NoEvents } from '../../base/emitter.ts';
import { PeerError, UsageError } from '../../base/errors.ts';
import { containsBinary, isBinary } from './binary.ts';
import type { Parser } from './message-decoder.ts';
import type { Attachment, IncomingBytes, Packet } from './packet.ts';
import { checkAttachments, isDataValid } from './text.ts';

const INVALID = 'EVENT_ERR_INVALID_PACKET';
const UNEXPECTED = 'EVENT_ERR_ATTACHMENT';

/** A packet whose attachments are still on their way; its data is read once they are there. */
interface Pending {
  readonly packet: { type: number; nsp: string; id: number | undefined; data?: unknown };
  readonly json: string | undefined;
  /** How many attachments it has; NaN: none. */
  readonly count: number;
  readonly attachments: IncomingBytes[];
}

/** Socket.IO protocol 5, "Packet encoding": <type>[<attachments>-][<namespace>,][<ack id>][<JSON>] */
function readHead(text: string): Pending {
  const [, type, count, nsp = '/', id, json] =
    /^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d+)?(.*)/s.exec(text) ?? [];
  // Binary kinds have attachments, others have none.
  if (!type || (+type > 4 ? !+count! : count)) throw new PeerError('This is no packet', { code: INVALID });
  checkAttachments(+count!, PeerError);
  return { packet: { type: +type, nsp, id: id ? +id : undefined }, json, count: +count!, attachments: [] };
}

/** Reads the data of a packet that is complete. */
function readData({ packet, json, attachments }: Pending): Packet {
  let isLost = false;
  // Socket.IO protocol 5, "Packet encoding": an attachment is replaced by {"_placeholder":true,"num":index}.
  const restore = (_: string, value: { _placeholder?: unknown; num?: unknown } | null) => {
    if (value?._placeholder !== true) return value;
    const index = +(value.num as number);
    const attachment = attachments[index];
    isLost ||= !attachment;
    // Each has one place, as in what any encoder writes.
    delete attachments[index];
    return attachment;
  };
  try {
    if (json) packet.data = JSON.parse(json, attachments[0] && restore);
  } catch {
    packet.type = -1;
  }
  if (isLost) throw new PeerError('A placeholder names no attachment', { code: UNEXPECTED });
  const { type, data, id } = packet;
  // An id that JavaScript cannot hold would come back as another one.
  if (!isDataValid(type, data, id) || (id as number) > Number.MAX_SAFE_INTEGER) {
    throw new PeerError('The data of a packet is not JSON, or of another shape', { code: INVALID });
  }
  return packet as Packet;
}

/** JSON with attachments. */
export const plainParser: Parser = {
  Encoder: class {
    encode({ type, nsp, data, id }: Packet): (string | Attachment)[] {
      const attachments: Attachment[] = [];
      // Entering a namespace has no attachments.
      const hasBinary = Array.isArray(data) && containsBinary(data);
      const place = function (this: Record<string, unknown>, key: string, value: unknown) {
        // What has a toJSON() has passed it by now: the holder still has the bytes themselves.
        const bytes = isBinary(value) ? value : this[key];
        return isBinary(bytes)
          ? { _placeholder: true, num: attachments.push(bytes as Attachment) - 1 }
          : value;
      };
      const json = data ? JSON.stringify(data, hasBinary ? place : undefined) : '';
      checkAttachments(attachments.length, UsageError);
      const head = hasBinary ? `${type + 3}${attachments.length}-` : type;
      return [`${head}${nsp === '/' ? '' : `${nsp},`}${id ?? ''}${json}`, ...attachments];
    }
  },
  Decoder: class extends Emitter<NoEvents, NoEvents, { decoded: (packet: Packet) => void }> {
    #pending: Pending | undefined;

    add(message: string | IncomingBytes): void {
      let pending = this.#pending;
      if ((typeof message === 'string') === !!pending) {
        throw new PeerError('A text came for an attachment, or bytes for a text', { code: UNEXPECTED });
      }
      if (pending) pending.attachments.push(message as IncomingBytes);
      else pending = readHead(message as string);
      const isComplete = !(pending.attachments.length < pending.count);
      this.#pending = isComplete ? undefined : pending;
      if (isComplete) this.emitReserved('decoded', readData(pending));
    }

    destroy(): void {
      this.#pending = undefined;
    }
  },
};
