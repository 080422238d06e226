/**
 * What: the other end of a connection as a bare TCP socket, for both roles: it shakes hands and then does what it is told.
 * Must not know: what the connection under test is to make of it.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from '../../../src/entry/ws.ts';
import { close, listen, tautline } from './peers.ts';

export type Role = 'client' | 'server';

/** The head of an upgrade request; `more` are further lines. */
export function upgradeRequest(...more: readonly string[]): string {
  const lines = [
    'GET / HTTP/1.1',
    'Host: a',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function answerTo(request: string, more: readonly string[]): string {
  const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(request)![1]!;
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A bare server that answers each handshake with these lines besides those that it must have. */
export async function answering(lines: readonly string[]): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => socket.write(answerTo(request.toString('latin1'), lines)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

type ClientOptions = NonNullable<ConstructorParameters<typeof WebSocket>[2]>;
type ServerOptions = NonNullable<ConstructorParameters<typeof WebSocketServer>[0]>;

/** A connection of ours and the bare socket at its other end. */
export interface RawScene {
  readonly role: Role;
  readonly socket: WebSocket;
  readonly raw: Socket;
  /** A small frame as the bare end must send it, masked where it is the client. */
  frame(firstByte: number, payload?: Uint8Array | string): Buffer;
  /** Reads until there is a frame with this first byte; gives its payload, unmasked. */
  read(firstByte: number): Promise<Buffer>;
  end(): Promise<void>;
}

/**
 * Opens a connection whose bare end keeps TCP open until it is told otherwise.
 * @param role of our end.
 * @param lines header lines of the bare end's part of the handshake.
 */
export async function openRaw(
  role: Role,
  options: ClientOptions & ServerOptions = {},
  lines: readonly string[] = [],
): Promise<RawScene> {
  const cleanups: (() => unknown)[] = [];
  let raw: Socket;
  let socket: WebSocket;
  let received = Buffer.alloc(0);
  if (role === 'server') {
    const server = await listen(tautline, options);
    cleanups.push(() => close(server));
    raw = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    raw.write(upgradeRequest(...lines));
    [[socket]] = await Promise.all([
      once(server, 'connection') as Promise<[WebSocket]>,
      once(raw, 'readable'),
    ]);
    raw.read();
  } else {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => close(server));
    const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    socket = new tautline.WebSocket(address, { perMessageDeflate: false, ...options });
    [raw] = (await once(server, 'connection')) as [Socket];
    const [request] = (await once(raw, 'data')) as [Buffer];
    raw.write(answerTo(request.toString('latin1'), lines));
    await once(socket, 'open');
  }
  raw.on('error', () => {});
  raw.on('data', (data) => {
    received = Buffer.concat([received, data]);
  });
  const isMasked = role === 'client';
  return {
    role,
    socket,
    raw,
    frame(firstByte, payload = '') {
      const body = Buffer.from(payload as Uint8Array);
      // A key of zeros changes nothing.
      const length = isMasked ? [body.length] : [body.length | 0x80, 0, 0, 0, 0];
      return Buffer.concat([Buffer.from([firstByte, ...length]), body]);
    },
    async read(firstByte) {
      for (;;) {
        const header = isMasked ? 6 : 2;
        const length = received.length < 2 ? 0 : received[1]! & 0x7f;
        if (received.length < header + length) {
          await once(raw, 'data');
          continue;
        }
        const payload = Buffer.from(received.subarray(header, header + length));
        if (isMasked) for (let i = 0; i < length; i++) payload[i]! ^= received[2 + (i & 3)]!;
        const isWanted = received[0] === firstByte;
        received = received.subarray(header + length);
        if (isWanted) return payload;
      }
    },
    async end() {
      raw.destroy();
      for (const cleanup of cleanups) await cleanup();
    },
  };
}
