/**
 * What: whether and how the answer of a poll is compressed: the client's Accept-Encoding against the server's option.
 * Must not know: packets' meaning, responses.
 */
import type { IncomingMessage } from 'node:http';
import { type BrotliOptions, brotliCompress, constants, deflate, gzip, type ZlibOptions } from 'node:zlib';
import type { OutgoingPacket } from '../../wire/engine/packet.ts';

/** The option `httpCompression`: zlib's options and a threshold. */
export interface PollCompression extends ZlibOptions {
  /** Answers shorter than this many bytes are sent as they are. Default 1024: headers and CPU outweigh less. */
  readonly threshold?: number;
}

/** One way to compress, as it is named in `Content-Encoding`. */
export interface Encoding {
  readonly name: string;
  compress(bytes: Uint8Array, callback: (error: Error | null, bytes: Uint8Array) => void): void;
}

const DEFAULT_THRESHOLD_BYTES = 1024;

/** In the order in which they are preferred when the client values them alike. */
const ENCODINGS = ['gzip', 'deflate', 'br'] as const;
type EncodingName = (typeof ENCODINGS)[number];

/** Brotli's default (11) takes a hundred times as long as gzip; 4 is about gzip's speed and smaller. */
const BROTLI: BrotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/** @returns `null` when the answer is to be sent as it is. */
export function chooseEncoding(
  compression: PollCompression,
  request: IncomingMessage,
  text: string,
  packets: readonly OutgoingPacket[],
): Encoding | null {
  if (text.length < (compression.threshold ?? DEFAULT_THRESHOLD_BYTES)) return null;
  if (!packets.some((packet) => packet.compress)) return null;
  const accepted = request.headers['accept-encoding'];
  const name = typeof accepted === 'string' ? preferredEncoding(accepted) : null;
  if (name === null) return null;
  return {
    name,
    compress(bytes, callback) {
      const done = (error: Error | null, compressed: Uint8Array): void => callback(error, compressed);
      if (name === 'gzip') gzip(bytes, compression, done);
      else if (name === 'deflate') deflate(bytes, compression, done);
      else brotliCompress(bytes, BROTLI, done);
    },
  };
}

/**
 * The encoding that the client values most.
 * RFC 9110 section 12.5.3: a list of codings with weights; 0 means not acceptable, `*` any that is not named.
 */
export function preferredEncoding(header: string): EncodingName | null {
  const weights = new Map<string, number>();
  for (const element of header.split(',')) {
    const [coding = '', ...parameters] = element.split(';');
    let weight = 1;
    for (const parameter of parameters) {
      const [key = '', value = ''] = parameter.split('=');
      if (key.trim().toLowerCase() === 'q') weight = Number(value.trim());
    }
    weights.set(coding.trim().toLowerCase(), weight >= 0 && weight <= 1 ? weight : 0);
  }
  let best: EncodingName | null = null;
  let bestWeight = 0;
  for (const name of ENCODINGS) {
    const weight = weights.get(name) ?? weights.get('*') ?? 0;
    if (weight > bestWeight) {
      best = name;
      bestWeight = weight;
    }
  }
  return best;
}
