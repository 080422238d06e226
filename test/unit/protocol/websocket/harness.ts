/**
 * What: a connection with a sink that writes down what it is told, and frames made by hand, legal or not.
 * Must not know: the code under test beyond its public names; frames are built here a second time, on purpose.
 */
import type { PeerError } from '../../../../src/base/errors.ts';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  type ConnectionOptions,
  type ConnectionSink,
  type Role,
  WebSocketConnection,
} from '../../../../src/protocol/websocket/connection.ts';

export const roles: readonly Role[] = ['server', 'client'];
export const other: Record<Role, Role> = { server: 'client', client: 'server' };

export const Op = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const hex = (data: Uint8Array): string =>
  Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

export function concatLarge(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** A frame as someone sends it; every bit can be wrong. */
export interface TestFrame {
  opcode: number;
  payload?: Uint8Array | string;
  fin?: boolean;
  rsv1?: boolean;
  rsv2?: boolean;
  rsv3?: boolean;
  /** Default: as the sender must. */
  masked?: boolean;
  /** Default: the shortest. 1, 2 or 8 bytes. */
  lengthBytes?: 1 | 2 | 8;
  /** Default: the payload's. */
  claimedLength?: bigint;
  key?: readonly [number, number, number, number];
}

export function frame(sender: Role, parts: TestFrame): Uint8Array {
  const payload =
    typeof parts.payload === 'string' ? utf8(parts.payload) : (parts.payload ?? new Uint8Array(0));
  const length = parts.claimedLength ?? BigInt(payload.length);
  const lengthBytes = parts.lengthBytes ?? (length < 126n ? 1 : length < 65536n ? 2 : 8);
  const masked = parts.masked ?? sender === 'client';
  const key = parts.key ?? [0x37, 0xfa, 0x21, 0x3d];
  const first =
    (parts.fin === false ? 0 : 0x80) |
    (parts.rsv1 ? 0x40 : 0) |
    (parts.rsv2 ? 0x20 : 0) |
    (parts.rsv3 ? 0x10 : 0) |
    parts.opcode;
  const header = [first];
  const maskBit = masked ? 0x80 : 0;
  if (lengthBytes === 1) header.push(maskBit | Number(length));
  else {
    header.push(maskBit | (lengthBytes === 2 ? 126 : 127));
    for (let i = lengthBytes - 1; i >= 0; i--) header.push(Number((length >> BigInt(8 * i)) & 0xffn));
  }
  if (!masked) return concatLarge([Uint8Array.from(header), payload]);
  header.push(...key);
  return concatLarge([Uint8Array.from(header), payload.map((byte, i) => byte ^ key[i % 4]!)]);
}

/** The frames in what a connection has put out. */
export interface SeenFrame {
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  masked: boolean;
  key: Uint8Array | null;
  payload: Uint8Array;
}

export function readFrames(wire: Uint8Array): SeenFrame[] {
  const frames: SeenFrame[] = [];
  let at = 0;
  while (at < wire.length) {
    const first = wire[at]!;
    const second = wire[at + 1]!;
    at += 2;
    let length = second & 0x7f;
    if (length >= 126) {
      const lengthBytes = length === 126 ? 2 : 8;
      length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + wire[at++]!;
    }
    const masked = (second & 0x80) !== 0;
    const key = masked ? wire.slice(at, at + 4) : null;
    if (masked) at += 4;
    const payload = wire.slice(at, at + length);
    if (payload.length !== length) throw new Error('a frame that was put out is cut');
    if (key !== null) for (let i = 0; i < length; i++) payload[i]! ^= key[i % 4]!;
    at += length;
    frames.push({
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      rsv1: (first & 0x40) !== 0,
      masked,
      key,
      payload,
    });
  }
  return frames;
}

/** One thing that the sink was told, as a line that reads well in a failure. */
export type Line = string;

export class Recorder implements ConnectionSink {
  lines: Line[] = [];
  messages: { data: Uint8Array; isBinary: boolean; isOwned: boolean }[] = [];
  pieces: Uint8Array[][] = [];
  error: PeerError | null = null;
  outputs: Uint8Array[] = [];
  outputTarget: Uint8Array = new Uint8Array(0);
  /** Called for each line, so that a test can act from within. */
  on: (line: Line) => void = () => {};

  #note(line: Line): void {
    this.lines.push(line);
    this.on(line);
  }

  connectionMessage(
    source: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isOwned: boolean,
  ): void {
    const data = source.slice(start, end);
    if (isOwned && (start !== 0 || end !== source.length)) throw new Error('an owned message that is a part');
    this.messages.push({ data: isOwned ? source : data, isBinary, isOwned });
    this.#note(isBinary ? `binary ${hex(data)}` : `text ${textOf(data)}`);
  }
  connectionPieces(pieces: Uint8Array[]): void {
    this.pieces.push(pieces);
    this.#note(`pieces ${hex(concatLarge(pieces))}`);
  }
  connectionStreamStart(isBinary: boolean): void {
    this.#note(`start ${isBinary ? 'binary' : 'text'}`);
  }
  connectionStreamData(part: Uint8Array): void {
    this.#note(`part ${hex(part)}`);
  }
  connectionStreamEnd(): void {
    this.#note('end');
  }
  connectionPing(data: Uint8Array): void {
    this.#note(`ping ${hex(data)}`);
  }
  connectionPong(data: Uint8Array): void {
    this.#note(`pong ${hex(data)}`);
  }
  connectionCloseReceived(code: number, reason: Uint8Array): void {
    this.#note(`close ${code} ${textOf(reason)}`);
  }
  connectionFailed(error: PeerError): void {
    this.error = error;
    this.#note(`failed ${error.code} ${error.closeCode}`);
  }
  connectionEnded(): void {
    this.#note('ended');
  }
  connectionReserve(length: number): number {
    // Not at 0, to see that the offset is heeded.
    const room = new Uint8Array(length + 3);
    this.outputTarget = room;
    this.outputs.push(room.subarray(3));
    return 3;
  }
  connectionOutput(data: Uint8Array): void {
    this.outputs.push(data);
  }

  /** Everything that was put out, in order. */
  get wire(): Uint8Array {
    return concatLarge(this.outputs);
  }

  get frames(): SeenFrame[] {
    return readFrames(this.wire);
  }
}

/** Keys that differ from frame to frame and can be foreseen. */
export function countingRandom(): { fill(target: Uint8Array): void } {
  let next = 1;
  return {
    fill(target) {
      for (let i = 0; i < target.length; i++) target[i] = (next++ * 37) & 0xff;
    },
  };
}

export type Overrides = Partial<ConnectionOptions>;

export function optionsFor(role: Role, overrides: Overrides = {}): ConnectionOptions {
  return {
    role,
    codec: portableByteCodec,
    random: countingRandom(),
    deflate: null,
    payloadLimitBytes: 1 << 20,
    fragmentLimit: 0,
    chunkLimit: 0,
    memoryBudgetBytes: 0,
    ownedUpToBytes: 0,
    checkUtf8: true,
    autoPong: true,
    autoClose: true,
    ...overrides,
  };
}

export interface Opened {
  connection: WebSocketConnection;
  sink: Recorder;
}

export function open(role: Role, overrides: Overrides = {}): Opened {
  const sink = new Recorder();
  return { connection: new WebSocketConnection(optionsFor(role, overrides), sink), sink };
}

/** The ways to cut bytes that every parser is fed with: whole, byte by byte, in two at every place. */
export function everySplit(wire: Uint8Array): Uint8Array[][] {
  const ways: Uint8Array[][] = [[wire], Array.from(wire, (byte) => bytes(byte))];
  for (let i = 1; i < wire.length; i++) ways.push([wire.slice(0, i), wire.slice(i)]);
  return ways;
}

/** Feeds copies, since a connection unmasks in place, and spoils them afterwards, since it must not keep them. */
export function feed(connection: WebSocketConnection, pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) {
    const chunk = piece.slice();
    connection.receive(chunk);
    chunk.fill(0xee);
  }
}

/** Feeds `wire` to a new connection in every way and calls `check` each time. */
export function inEverySplit(
  role: Role,
  wire: Uint8Array,
  check: (opened: Opened, pieces: readonly Uint8Array[]) => void,
  overrides: Overrides = {},
): void {
  for (const pieces of everySplit(wire)) {
    const opened = open(role, overrides);
    feed(opened.connection, pieces);
    check(opened, pieces);
  }
}
