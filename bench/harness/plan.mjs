/**
 * What: makes the bytes that a load generator sends and expects: upgrade requests, masked frames, replies.
 * Must not know: processes, peers, or how a scenario counts.
 */
import { createHash } from 'node:crypto';

export const Opcode = /** @type {const} */ ({ text: 1, binary: 2, close: 8 });

/** Any key but zero will do: what costs a server time is that there is one. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** RFC 6455 section 4.2.2: what a server must answer to KEY. */
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/**
 * RFC 6455 section 5.2: FIN, no reserved bits, the length in its shortest form.
 * @param {number} opcode
 * @param {Uint8Array} payload
 * @param {number} maskBit 0x80 in frames of clients
 */
function header(opcode, payload, maskBit) {
  const length = payload.length;
  if (length < 126) return Buffer.from([0x80 | opcode, maskBit | length]);
  if (length < 65536) return Buffer.from([0x80 | opcode, maskBit | 126, length >> 8, length & 255]);
  const head = Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = maskBit | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/**
 * @param {number} opcode
 * @param {Uint8Array} payload
 */
export function encodeServerFrame(opcode, payload) {
  return Buffer.concat([header(opcode, payload, 0), payload]);
}

/**
 * @param {number} opcode
 * @param {Uint8Array} payload
 */
export function encodeClientFrame(opcode, payload) {
  const masked = Buffer.from(payload);
  for (let i = 0; i < masked.length; i++) masked[i] = Number(masked[i]) ^ Number(MASK[i & 3]);
  return Buffer.concat([header(opcode, payload, 0x80), MASK, masked]);
}

/** Text of a length in which every byte is known and no two neighbours are equal. */
export function makeText(/** @type {number} */ length) {
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';
  return Array.from({ length }, (_, i) => alphabet[(i * 7 + (i >> 6)) & 63]).join('');
}

/**
 * The upgrade request and what its answer must contain.
 * @param {{ path?: string, extensions?: string }} [options]
 */
export function makeUpgrade(options = {}) {
  const request = [
    `GET ${options.path ?? '/'} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
    ...(options.extensions ? [`Sec-WebSocket-Extensions: ${options.extensions}`] : []),
    '\r\n',
  ].join('\r\n');
  return { request: Buffer.from(request), accept: ACCEPT };
}

/** RFC 6455 section 5.5.1: status 1000, no reason. */
export const closeFrame = encodeClientFrame(Opcode.close, Uint8Array.from([0x03, 0xe8]));
