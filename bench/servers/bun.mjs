/**
 * What: Bun's own WebSocket server under test (C++ inside); runs under Bun only.
 * Must not know: how it is loaded.
 *
 * bun bun.mjs <echo | broadcast> [compress]
 */
import { reportListening } from './control.mjs';

const [task = 'echo', ...options] = process.argv.slice(2);
const compress = options.includes('compress');
const bun = Reflect.get(globalThis, 'Bun');

const server = bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(/** @type {Request} */ request, /** @type {any} */ self) {
    return self.upgrade(request) ? undefined : new Response('', { status: 426 });
  },
  websocket: {
    perMessageDeflate: compress,
    open(/** @type {any} */ socket) {
      if (task === 'broadcast') socket.subscribe('all');
    },
    message(/** @type {any} */ socket, /** @type {string | Uint8Array} */ message) {
      if (task === 'echo') socket.send(message, compress);
      else server.publish('all', message, compress);
    },
  },
});
reportListening(server.port, bun.version);
