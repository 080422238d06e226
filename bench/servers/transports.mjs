/**
 * What: the server of the comparison of transports: greets each client, answers each message; one transport alone.
 * Must not know: how it is loaded.
 *
 * node transports.mjs <transport>
 */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { versionOf } from './control.mjs';

const [transport = 'websocket'] = process.argv.slice(2);
const module = 'tautline';
const { Server } = await import(module);

const http = createServer();
const io = new Server(http, { transports: [transport] });
io.on('connection', (/** @type {import('socket.io').Socket} */ socket) => {
  socket.emit('hello');
  socket.on('say', (sentAtMs, text) => socket.emit('say', sentAtMs, text));
});
let requests = 0;
// Behind the server, which passes its own requests to nobody who was there before.
for (const event of ['request', 'upgrade']) http.on(event, () => requests++);

http.listen(0, '127.0.0.1', () => {
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ port, version: versionOf(module) })}\n`);
});

// Each line is a question; no collection before the answer, which would be a part of the cost.
createInterface({ input: process.stdin })
  .on('line', () => {
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${JSON.stringify({ requests, cpuMicroseconds: user + system })}\n`);
  })
  .on('close', () => process.exit(0));
