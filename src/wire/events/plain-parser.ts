/**
 * What: the default parser of browsers: small rather than fast, with the platform's JSON.
 * Must not know: sockets; parser.ts says the same faster.
 */
import { MessageDecoder, type Parser } from './message-decoder.ts';
import type { Packet } from './packet.ts';
import { plainJson, readPacket, writePacket } from './text.ts';

/** JSON with attachments. */
export const plainParser: Parser = {
  Encoder: class {
    encode(packet: Packet) {
      return writePacket(packet, plainJson);
    }
  },
  Decoder: class extends MessageDecoder {
    constructor() {
      super((text) => readPacket(text, plainJson));
    }
  },
};
