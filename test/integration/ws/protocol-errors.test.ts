/**
 * What: frames that break the protocol, sent raw to either role: the error, its code, and the close frame sent back.
 * Must not know: how the frames are parsed.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from '../../../src/entry/ws.ts';
import { close, type Implementation, implementations, Journal, listen } from './peers.ts';

interface Case {
  readonly title: string;
  /** Frames of a server; a client's are made of them by masking. Several make one chunk. */
  readonly frames: readonly (readonly [firstByte: number, payload: Buffer, length?: Buffer])[];
  readonly error: string;
  readonly closeCode: number;
  readonly options?: { maxPayload?: number; maxFragments?: number; perMessageDeflate?: boolean };
}

const text = (content: string) => Buffer.from(content);
const invalidFrame = (what: string, code: string, type = 'RangeError') =>
  `${type}(Invalid WebSocket frame: ${what}, ${code})`;

const cases: Case[] = [
  {
    title: 'an unknown opcode',
    frames: [[0x83, text('')]],
    error: invalidFrame('invalid opcode 3', 'WS_ERR_INVALID_OPCODE'),
    closeCode: 1002,
  },
  {
    title: 'an unknown control opcode',
    frames: [[0x8b, text('')]],
    error: invalidFrame('invalid opcode 11', 'WS_ERR_INVALID_OPCODE'),
    closeCode: 1002,
  },
  {
    title: 'a continuation of nothing',
    frames: [[0x80, text('')]],
    error: invalidFrame('invalid opcode 0', 'WS_ERR_INVALID_OPCODE'),
    closeCode: 1002,
  },
  {
    title: 'a new message within a message',
    frames: [
      [0x01, text('a')],
      [0x81, text('b')],
    ],
    error: invalidFrame('invalid opcode 1', 'WS_ERR_INVALID_OPCODE'),
    closeCode: 1002,
  },
  {
    title: 'RSV1 without compression',
    frames: [[0xc1, text('')]],
    error: invalidFrame('RSV1 must be clear', 'WS_ERR_UNEXPECTED_RSV_1'),
    closeCode: 1002,
  },
  {
    title: 'RSV2',
    frames: [[0xa1, text('')]],
    error: invalidFrame('RSV2 and RSV3 must be clear', 'WS_ERR_UNEXPECTED_RSV_2_3'),
    closeCode: 1002,
  },
  {
    title: 'RSV3',
    frames: [[0x91, text('')]],
    error: invalidFrame('RSV2 and RSV3 must be clear', 'WS_ERR_UNEXPECTED_RSV_2_3'),
    closeCode: 1002,
  },
  {
    title: 'RSV1 on a control frame',
    frames: [[0xc9, text('')]],
    error: invalidFrame('RSV1 must be clear', 'WS_ERR_UNEXPECTED_RSV_1'),
    closeCode: 1002,
    options: { perMessageDeflate: true },
  },
  {
    title: 'RSV1 on a continuation',
    frames: [
      [0x01, text('a')],
      [0xc0, text('b')],
    ],
    error: invalidFrame('RSV1 must be clear', 'WS_ERR_UNEXPECTED_RSV_1'),
    closeCode: 1002,
    options: { perMessageDeflate: true },
  },
  {
    title: 'a fragmented ping',
    frames: [[0x09, text('')]],
    error: invalidFrame('FIN must be set', 'WS_ERR_EXPECTED_FIN'),
    closeCode: 1002,
  },
  {
    title: 'a ping that is too long',
    frames: [[0x89, Buffer.alloc(126)]],
    error: invalidFrame('invalid payload length 126', 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'),
    closeCode: 1002,
  },
  {
    title: 'a close frame of one byte',
    frames: [[0x88, Buffer.from([3])]],
    error: invalidFrame('invalid payload length 1', 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'),
    closeCode: 1002,
  },
  {
    title: 'close code 1005',
    frames: [[0x88, Buffer.from([0x03, 0xed])]],
    error: invalidFrame('invalid status code 1005', 'WS_ERR_INVALID_CLOSE_CODE'),
    closeCode: 1002,
  },
  {
    title: 'close code 0',
    frames: [[0x88, Buffer.from([0, 0])]],
    error: invalidFrame('invalid status code 0', 'WS_ERR_INVALID_CLOSE_CODE'),
    closeCode: 1002,
  },
  {
    title: 'a close reason that is not UTF-8',
    frames: [[0x88, Buffer.from([0x03, 0xe8, 0xff])]],
    error: invalidFrame('invalid UTF-8 sequence', 'WS_ERR_INVALID_UTF8', 'Error'),
    closeCode: 1007,
  },
  {
    title: 'text that is not UTF-8',
    frames: [[0x81, Buffer.from([0xce, 0xba, 0xe1, 0xbd])]],
    error: invalidFrame('invalid UTF-8 sequence', 'WS_ERR_INVALID_UTF8', 'Error'),
    closeCode: 1007,
  },
  {
    title: 'text in fragments that is not UTF-8',
    frames: [
      [0x01, Buffer.from([0xce, 0xba, 0xe1])],
      [0x80, Buffer.from([0xbd])],
    ],
    error: invalidFrame('invalid UTF-8 sequence', 'WS_ERR_INVALID_UTF8', 'Error'),
    closeCode: 1007,
  },
  {
    title: 'a message above the limit',
    frames: [[0x82, Buffer.alloc(26)]],
    error: 'RangeError(Max payload size exceeded, WS_ERR_UNSUPPORTED_MESSAGE_LENGTH)',
    closeCode: 1009,
    options: { maxPayload: 25 },
  },
  {
    title: 'fragments above the limit',
    frames: [
      [0x02, Buffer.alloc(20)],
      [0x80, Buffer.alloc(6)],
    ],
    error: 'RangeError(Max payload size exceeded, WS_ERR_UNSUPPORTED_MESSAGE_LENGTH)',
    closeCode: 1009,
    options: { maxPayload: 25 },
  },
  {
    title: 'a length above 2^53 - 1',
    frames: [[0x82, text(''), Buffer.from('7f0020000000000000', 'hex')]],
    error:
      'RangeError(Unsupported WebSocket frame: payload length > 2^53 - 1, WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH)',
    closeCode: 1009,
    options: { maxPayload: 0 },
  },
  {
    title: 'too many fragments',
    frames: [
      [0x02, text('a')],
      [0x00, text('b')],
      [0x00, text('c')],
    ],
    error: 'RangeError(Too many message fragments, WS_ERR_TOO_MANY_BUFFERED_PARTS)',
    closeCode: 1008,
    options: { maxFragments: 2 },
  },
  {
    title: 'what is not DEFLATE',
    frames: [[0xc1, Buffer.from([0xff, 0xff, 0xff])]],
    error: 'Error(invalid block type, Z_DATA_ERROR)',
    closeCode: 1007,
    options: { perMessageDeflate: true },
  },
];

/** One frame; from a client with an all-zero key, which changes nothing but the header. */
function encode([firstByte, payload, length]: Case['frames'][number], isMasked: boolean): Buffer {
  let header: Buffer;
  if (length !== undefined) header = Buffer.from(length);
  else if (payload.length < 126) header = Buffer.from([payload.length]);
  else header = Buffer.from([126, payload.length >> 8, payload.length & 0xff]);
  if (isMasked) header[0]! |= 0x80;
  return Buffer.concat([
    Buffer.from([firstByte]),
    header,
    isMasked ? Buffer.alloc(4) : Buffer.alloc(0),
    payload,
  ]);
}

/** The code of the first close frame in what was received. */
function closeCodeIn(received: Buffer, isMasked: boolean): number {
  const at = received.indexOf(0x88);
  const start = at + 2 + (isMasked ? 4 : 0);
  const key = isMasked ? received.subarray(at + 2, at + 6) : Buffer.alloc(4);
  return ((received[start]! ^ key[0]!) << 8) | (received[start + 1]! ^ key[1]!);
}

function note(socket: WebSocket, journal: Journal): Promise<void> {
  socket.on('message', (data) => journal.note('message', data));
  socket.on('error', (error) => journal.note('error', error));
  return new Promise((resolve) => {
    socket.on('close', (code, reason) => {
      journal.note('close', code, reason);
      resolve();
    });
  });
}

async function toServer(implementation: Implementation, { frames, options = {} }: Case) {
  const journal = new Journal();
  const server = await listen(implementation, options);
  const noted = new Promise<void>((resolve) => {
    server.on('connection', (socket) => note(socket, journal).then(resolve));
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  );
  let received = Buffer.alloc(0);
  socket.on('data', (data) => {
    const isFirst = received.length === 0;
    received = Buffer.concat([received, data]);
    if (isFirst) {
      received = Buffer.alloc(1);
      socket.write(Buffer.concat(frames.map((frame) => encode(frame, true))));
    }
  });
  await noted;
  socket.destroy();
  await close(server);
  return { journal: journal.lines, closeCode: closeCodeIn(received, false) };
}

async function toClient(implementation: Implementation, { frames, options = {} }: Case) {
  const journal = new Journal();
  let received = Buffer.alloc(0);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(data.toString('latin1'))![1]!;
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const extensions = options.perMessageDeflate ? 'Sec-WebSocket-Extensions: permessage-deflate\r\n' : '';
      const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${extensions}\r\n`;
      // In one packet with the answer, too.
      socket.write(Buffer.concat([Buffer.from(head), ...frames.map((frame) => encode(frame, false))]));
      socket.on('data', (more) => {
        received = Buffer.concat([received, more]);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new implementation.WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
    ...options,
  });
  const closed = note(socket, journal);
  const ended = new Promise((resolve) => {
    server.on('connection', (raw) => raw.on('end', resolve));
  });
  await ended;
  for (const raw of sockets) raw.destroy();
  await closed;
  await close(server);
  return { journal: journal.lines, closeCode: closeCodeIn(received, true) };
}

describe.each(cases)('$title', (one) => {
  test.each(implementations)('to a server of $name', async (implementation) => {
    const { journal, closeCode } = await toServer(implementation, one);
    expect(journal).toEqual([`error ${one.error}`, 'close 1006 Buffer()']);
    expect(closeCode).toBe(one.closeCode);
  });

  test.each(implementations)('to a client of $name', async (implementation) => {
    const { journal, closeCode } = await toClient(implementation, one);
    expect(journal).toEqual([`error ${one.error}`, 'close 1006 Buffer()']);
    expect(closeCode).toBe(one.closeCode);
  });
});
