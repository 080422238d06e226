/**
 * What: puts frames out through a connection's sink, each role in its way (RFC 6455 sections 5.2 and 5.3).
 * Must not know: the connection's state; who calls has made sure that the frame may go.
 */
import {
  formatFrameHeader,
  frameHeaderLength,
  writeFrameHeader,
  writeMaskedFrameHeader,
} from '../../wire/websocket/frame.ts';
import { mask, readKey } from '../../wire/websocket/mask.ts';
import type { ConnectionOptions, ConnectionSink } from './connection-port.ts';

/** A server's larger payloads are not copied behind their header but put out as they are. */
const joinUpToBytes = 4096;
/** Up to this length a loop copies faster than the platform does. */
const loopUpToBytes = 32;

const keyBytes = new Uint8Array(4);

/** RFC 6455 section 5.3: each frame has a new key, and nobody can foresee it. */
function newKey(options: ConnectionOptions): number {
  options.random.fill(keyBytes);
  return readKey(keyBytes, 0);
}

/** Puts out a frame. @param firstByte from `frameFirstByte`. */
export function putBytes(
  options: ConnectionOptions,
  sink: ConnectionSink,
  firstByte: number,
  payload: Uint8Array,
): void {
  const { length } = payload;
  if (options.role === 'server') {
    const headerLength = frameHeaderLength(length, false);
    if (length > joinUpToBytes) {
      const offset = sink.connectionReserve(headerLength);
      writeFrameHeader(sink.outputTarget, offset, firstByte, length);
      sink.connectionOutput(payload);
      return;
    }
    const offset = sink.connectionReserve(headerLength + length);
    const target = sink.outputTarget;
    const at = writeFrameHeader(target, offset, firstByte, length);
    copyPayload(target, at, payload);
    return;
  }
  // RFC 6455 section 5.1: a client masks every frame that it sends.
  const key = newKey(options);
  const offset = sink.connectionReserve(frameHeaderLength(length, true) + length);
  const target = sink.outputTarget;
  const at = writeMaskedFrameHeader(target, offset, firstByte, length, key);
  copyPayload(target, at, payload);
  mask(target, at, at + length, key);
}

function copyPayload(target: Uint8Array, offset: number, payload: Uint8Array): void {
  const { length } = payload;
  if (length > loopUpToBytes) {
    target.set(payload, offset);
    return;
  }
  for (let i = 0; i < length; i++) target[offset + i] = payload[i]!;
}

/** As {@link putBytes} for a payload that is text: it is encoded where the frame is written. */
export function putText(
  options: ConnectionOptions,
  sink: ConnectionSink,
  firstByte: number,
  text: string,
): void {
  const { codec } = options;
  const length = codec.utf8Length(text);
  if (options.role === 'server') {
    // As many bytes as characters: all of it is ASCII.
    if (length === text.length && length <= joinUpToBytes && sink.connectionCharacters !== undefined) {
      sink.connectionCharacters(formatFrameHeader(firstByte, length) + text);
      return;
    }
    const offset = sink.connectionReserve(frameHeaderLength(length, false) + length);
    const target = sink.outputTarget;
    codec.writeUtf8(target, text, writeFrameHeader(target, offset, firstByte, length));
    return;
  }
  const key = newKey(options);
  const offset = sink.connectionReserve(frameHeaderLength(length, true) + length);
  const target = sink.outputTarget;
  const at = writeMaskedFrameHeader(target, offset, firstByte, length, key);
  codec.writeUtf8(target, text, at);
  mask(target, at, at + length, key);
}
