/**
 * What: the floor under everything on Node: node:net, a handshake without checks, a frame loop without rules.
 * Must not know: how it is loaded. It is no WebSocket server; it shows what Node's sockets alone cost.
 *
 * node net.mjs <echo | broadcast>
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { reportListening } from './control.mjs';

const [task = 'echo'] = process.argv.slice(2);
const sockets = new Set();

let outbox = /** @type {Buffer[]} */ ([]);
function flushBroadcast() {
  const bytes = outbox.length === 1 ? /** @type {Buffer} */ (outbox[0]) : Buffer.concat(outbox);
  outbox = [];
  for (const socket of sockets) socket.write(bytes);
}

/** @param {import('node:net').Socket} socket */
function accept(socket) {
  let rest = /** @type {Buffer | null} */ (null);
  let isOpen = false;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
  socket.on('data', (/** @type {Buffer} */ data) => {
    const chunk = rest ? Buffer.concat([rest, data]) : data;
    rest = null;
    let at = 0;
    if (!isOpen) {
      const end = chunk.indexOf('\r\n\r\n');
      if (end < 0) {
        rest = chunk;
        return;
      }
      const key = /sec-websocket-key: (.*)\r\n/i.exec(chunk.toString('latin1', 0, end + 2))?.[1] ?? '';
      const answer = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer}\r\n\r\n`,
      );
      isOpen = true;
      sockets.add(socket);
      at = end + 4;
    }
    // Replies are never longer than what they answer: the mask's four bytes fall away.
    const out = Buffer.allocUnsafe(chunk.length);
    let wrote = 0;
    while (at < chunk.length) {
      const left = chunk.length - at;
      if (left < 2) break;
      const short = chunk[at + 1] & 127;
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (left < head + 4) break;
      const length =
        short === 127 ? chunk.readUInt32BE(at + 6) : short === 126 ? chunk.readUInt16BE(at + 2) : short;
      if (left < head + 4 + length) break;
      const mask = at + head;
      const payload = mask + 4;
      if ((chunk[at] & 15) === 8) {
        socket.end(Buffer.from([0x88, 0]));
        return;
      }
      chunk.copy(out, wrote, at, mask);
      out[wrote + 1] &= 127;
      wrote += head;
      for (let i = 0; i < length; i++) out[wrote + i] = chunk[payload + i] ^ chunk[mask + (i & 3)];
      wrote += length;
      at = payload + length;
    }
    if (at < chunk.length) rest = chunk.subarray(at);
    if (wrote === 0) return;
    if (task === 'echo') {
      socket.write(out.subarray(0, wrote));
    } else {
      if (outbox.length === 0) setImmediate(flushBroadcast);
      outbox.push(out.subarray(0, wrote));
    }
  });
}

const server = createServer(accept);
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, () => {
  const address = server.address();
  reportListening(typeof address === 'object' && address ? address.port : 0, process.version);
});
