/**
 * What: the servers under test with the API of Socket.IO: `socket.io` and `tautline`, the same lines for both.
 * Must not know: how it is loaded.
 *
 * node events.mjs <module> <echo | broadcast>
 */
import { createServer } from 'node:http';
import { reportListening, versionOf } from './control.mjs';

const [module = 'socket.io', task = 'echo'] = process.argv.slice(2);
const { Server } = await import(module);

const http = createServer();
const io = new Server(http);
io.on('connection', (/** @type {import('socket.io').Socket} */ socket) => {
  if (task === 'echo') socket.on('say', (text) => socket.emit('say', text));
  else socket.on('say', (text) => io.emit('say', text));
});
http.listen(0, '127.0.0.1', () => {
  const address = http.address();
  reportListening(typeof address === 'object' && address ? address.port : 0, versionOf(module));
});
