/**
 * What: a page, a WebSocket server that does what a text message tells it, and one that breaks the rules.
 * Must not know: the clients that talk to it.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A frame of a server. */
export function frame(opcode: number, payload: Uint8Array | string, isFinal = true): Buffer {
  const body = Buffer.from(payload as string);
  const head = body.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  head[0] = opcode | (isFinal ? 0x80 : 0);
  head[1] = Math.min(body.length, 126);
  if (body.length >= 126) head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}

/** Close frames with codes that no program may send. */
const closeFrame = (code: number) => frame(8, Buffer.from([code >> 8, code & 0xff]));

/** What the server sends or does when it gets the text `!<name>`. */
const commands: Record<string, (ws: WebSocket, argument: string) => void> = {
  '!close': (ws, argument) => {
    const [code = '', ...reason] = argument.split(' ');
    if (code === '') ws.close();
    else ws.close(Number(code), reason.join(' '));
  },
  '!many': (ws, argument) => {
    for (let i = 0; i < Number(argument); i++) ws.send(`m${i}`);
  },
  '!big': (ws, argument) => ws.send('x'.repeat(Number(argument))),
  '!bytes': (ws, argument) => ws.send(Buffer.from(argument, 'hex')),
  '!ping': (ws) =>
    ws.ping('are you there?', undefined, () => ws.once('pong', (data) => ws.send(`pong ${data}`))),
};

/** The raw ones: answers of {@link ParityServer} under `/raw`. */
const rawCommands: Record<string, (socket: Duplex) => void> = {
  end: (socket) => socket.end(),
  reset: (socket) => (socket as Duplex & { resetAndDestroy(): void }).resetAndDestroy(),
  opcode: (socket) => socket.write(frame(3, '')),
  reserved: (socket) => socket.write(Buffer.from([0xf1, 0x00])),
  masked: (socket) => socket.write(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 0x60])),
  'text in text': (socket) => socket.write(Buffer.concat([frame(1, 'a', false), frame(1, 'b')])),
  continuation: (socket) => socket.write(frame(0, 'a')),
  'long ping': (socket) => socket.write(frame(9, 'x'.repeat(126))),
  'bad text': (socket) => socket.write(frame(1, Buffer.from([0xc3, 0x28]))),
  'bad reason': (socket) => socket.write(frame(8, Buffer.from([0x03, 0xe8, 0xc3, 0x28]))),
  'short close': (socket) => socket.write(frame(8, Buffer.from([0x03]))),
  fragments: (socket) =>
    socket.write(
      Buffer.concat([frame(1, 'fr\u00e9', false), frame(9, 'ping'), frame(0, 'gm', false), frame(0, 'ents')]),
    ),
  'empty fragments': (socket) =>
    socket.write(Buffer.concat([frame(1, '', false), frame(0, '', false), frame(0, '')])),
  'bom and null': (socket) => socket.write(frame(1, '\ufeffa\u0000b')),
  'reason with bom': (socket) =>
    socket.write(frame(8, Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('\ufeffr')]))),
  'close 999': (socket) => socket.write(closeFrame(999)),
  'close 1004': (socket) => socket.write(closeFrame(1004)),
  'close 1005': (socket) => socket.write(closeFrame(1005)),
  'close 1006': (socket) => socket.write(closeFrame(1006)),
  'close 1015': (socket) => socket.write(closeFrame(1015)),
  'close 1016': (socket) => socket.write(closeFrame(1016)),
  'close 2999': (socket) => socket.write(closeFrame(2999)),
  'close 5000': (socket) => socket.write(closeFrame(5000)),
  'close 1014': (socket) => socket.write(closeFrame(1014)),
  'message and close': (socket) => socket.write(Buffer.concat([frame(1, 'last'), closeFrame(1001)])),
  'message behind close': (socket) => socket.write(Buffer.concat([closeFrame(1001), frame(1, 'never')])),
};

/** What it does when it gets a close frame, by path. */
const closeAnswers: Record<string, (socket: Duplex, payload: Buffer) => void> = {
  '/raw': (socket, payload) => socket.end(frame(8, payload)),
  '/raw/end-on-close': (socket) => socket.end(),
  '/raw/other-code': (socket) => socket.end(closeFrame(4321)),
  '/raw/empty-code': (socket) => socket.end(frame(8, '')),
  '/raw/messages-first': (socket, payload) =>
    socket.end(Buffer.concat([frame(1, 'late 1'), frame(1, 'late 2'), frame(8, payload)])),
};

/** Handshakes that must fail, by path: status line and further lines. */
const refusals: Record<string, string[]> = {
  '/refuse/200': ['HTTP/1.1 200 OK', 'Content-Length: 0'],
  '/refuse/403': ['HTTP/1.1 403 Forbidden', 'Content-Length: 0'],
  '/refuse/500': ['HTTP/1.1 500 Oh', 'Content-Length: 0'],
  '/refuse/302': ['HTTP/1.1 302 Found', 'Location: /', 'Content-Length: 0'],
  '/refuse/accept': [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: bm8=',
  ],
  '/refuse/upgrade': ['HTTP/1.1 101 Switching Protocols', 'Upgrade: other', 'Connection: Upgrade', 'ACCEPT'],
  '/refuse/protocol': [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'ACCEPT',
    'Sec-WebSocket-Protocol: unasked',
  ],
  '/refuse/extension': [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'ACCEPT',
    'Sec-WebSocket-Extensions: unasked',
  ],
  '/refuse/no-http': ['SSH-2.0-server'],
};

function acceptLine(request: IncomingMessage): string {
  const key = request.headers['sec-websocket-key'] ?? '';
  return `Sec-WebSocket-Accept: ${createHash('sha1')
    .update(key + GUID)
    .digest('base64')}`;
}

export class ParityServer {
  readonly #server: Server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    // So that the page may have shared memory.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.end('<!doctype html><title>parity</title>');
  });
  readonly #sockets = new Set<Duplex>();
  readonly #plain = new WebSocketServer({ noServer: true });
  readonly #deflated = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  readonly #choosing = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('b') ? 'b' : false),
  });

  async start(): Promise<void> {
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    const path = request.url ?? '/';
    const refusal = refusals[path];
    if (refusal !== undefined) {
      socket.end(
        [...refusal.map((line) => (line === 'ACCEPT' ? acceptLine(request) : line)), '', ''].join('\r\n'),
      );
    } else if (path === '/refuse/silence') {
      socket.end();
    } else if (path.startsWith('/raw')) {
      this.#serveRaw(request, socket, path);
    } else if (path !== '/hang') {
      const server = path === '/deflate' ? this.#deflated : path === '/choose' ? this.#choosing : this.#plain;
      server.handleUpgrade(request, socket, head, (ws) => serve(ws, path));
    }
  }

  /** Understands small unfragmented frames, each in a chunk of its own or not. */
  #serveRaw(request: IncomingMessage, socket: Duplex, path: string): void {
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        acceptLine(request),
        '',
        '',
      ].join('\r\n'),
    );
    let held = Buffer.alloc(0);
    let hasClosed = false;
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 6 && held.length >= 6 + (held[1]! & 0x7f)) {
        const length = held[1]! & 0x7f;
        const opcode = held[0]! & 0x0f;
        const key = held.subarray(2, 6);
        const payload = Buffer.from(held.subarray(6, 6 + length).map((byte, i) => byte ^ key[i & 3]!));
        held = held.subarray(6 + length);
        if (opcode === 1) {
          const command = payload.toString();
          hasClosed = command.includes('close') || command.includes('reason');
          rawCommands[command]?.(socket);
        } else if (opcode === 8) {
          if (hasClosed) socket.end();
          else (closeAnswers[path] ?? closeAnswers['/raw']!)(socket, payload);
        }
      }
    });
  }
}

function serve(ws: WebSocket, path: string): void {
  ws.on('error', () => {});
  if (path === '/greet') ws.send('welcome');
  if (path === '/close') ws.close(1001, 'not now');
  ws.on('message', (data: Buffer, isBinary) => {
    const text = isBinary ? '' : data.toString();
    const space = text.indexOf(' ');
    const name = space === -1 ? text : text.slice(0, space);
    const command = commands[name];
    if (command !== undefined) command(ws, space === -1 ? '' : text.slice(space + 1));
    else ws.send(data, { binary: isBinary });
  });
}
