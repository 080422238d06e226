/**
 * What: the servers under test with the API of `ws`: `ws` itself and `tautline/ws`, the same lines for both.
 * Must not know: how it is loaded.
 *
 * node websocket.mjs <module> <echo | broadcast> [loop] [compress]
 */
import { reportListening, versionOf } from './control.mjs';

const [module = 'ws', task = 'echo', ...options] = process.argv.slice(2);
const { WebSocketServer } = await import(module);

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: options.includes('compress'),
});
// Peers differ in the name only where one has an operation that the other lacks.
const hasBroadcast = typeof server.broadcast === 'function' && !options.includes('loop');

server.on('connection', (/** @type {import('ws').WebSocket} */ socket) => {
  if (task === 'echo') {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  } else if (hasBroadcast) {
    socket.on('message', (data, isBinary) => server.broadcast(data, { binary: isBinary }));
  } else {
    socket.on('message', (data, isBinary) => {
      for (const client of server.clients) client.send(data, { binary: isBinary });
    });
  }
});
server.on('listening', () => reportListening(server.address().port, versionOf(module)));
