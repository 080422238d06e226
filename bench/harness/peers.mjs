/**
 * What: the servers that can be compared, by family; a scenario names which of them it runs.
 * Must not know: scenarios and results.
 */

/** @typedef {import('./server.mjs').Peer} Peer */

/** Servers of plain WebSocket. @type {Record<string, Peer>} */
export const websocketPeers = {
  tautline: { label: 'tautline/ws', server: 'websocket.mjs', words: ['tautline/ws'] },
  /** `broadcast` replaced by the loop over clients that users of `ws` write. */
  'tautline-loop': {
    label: 'tautline/ws (loop)',
    server: 'websocket.mjs',
    words: ['tautline/ws'],
    options: ['loop'],
  },
  ws: { label: 'ws + bufferutil', server: 'websocket.mjs', words: ['ws'] },
  'ws-js': { label: 'ws', server: 'websocket.mjs', words: ['ws'], environment: { WS_NO_BUFFER_UTIL: '1' } },
  bun: { label: 'Bun', server: 'bun.mjs', words: [], runtime: 'bun' },
  net: { label: 'bare node:net', server: 'net.mjs', words: [] },
};

/** One server for each transport alone. @type {Record<string, Peer>} */
export const transportPeers = Object.fromEntries(
  ['websocket', 'sse', 'polling', 'short-polling'].map((name) => [
    name,
    { label: name, server: 'transports.mjs', words: [name] },
  ]),
);

/** Servers of events with the wire and API of Socket.IO. @type {Record<string, Peer>} */
export const eventPeers = {
  tautline: { label: 'tautline', server: 'events.mjs', words: ['tautline'] },
  'socket.io': { label: 'socket.io', server: 'events.mjs', words: ['socket.io'] },
};
