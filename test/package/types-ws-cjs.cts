/** What: a CommonJS module as it was written for `ws` and its types, with nothing changed but the import. */
import WebSocket = require('tautline/ws');

export const wss = new WebSocket.Server({ port: 8080, verifyClient: ({ secure }) => secure });
export const typed: WebSocket.Server = wss;
wss.on('connection', (ws: WebSocket, request) => {
  ws.on('message', (data: WebSocket.RawData) => ws.send(`${request.url} ${data}`));
});
const options: WebSocket.ServerOptions = { noServer: true };
export const second: WebSocket.WebSocketServer = new WebSocket.WebSocketServer(options);
const ws = new WebSocket('ws://localhost:8080', { perMessageDeflate: false });
ws.onclose = (event: WebSocket.CloseEvent) => event.code;
export const stream = WebSocket.createWebSocketStream(ws);
