/** What: a user's TypeScript CommonJS module, compiled against the packed declarations. */
import tautline = require('tautline');
import io = require('tautline/client');
import WebSocket = require('tautline/ws');

const server: tautline.Server = tautline(3000);
server.on('connection', (socket) => socket.emit('news', 1));
export const other = new tautline.Server(3001);

const socket: io.Socket = io('http://localhost:3000');
socket.on('connect', () => socket.id);

const ws = new WebSocket('ws://localhost:8080');
ws.on('open', () => ws.send('hello'));
export const wss = new WebSocket.WebSocketServer({ port: 8080 });
export const stream = WebSocket.createWebSocketStream(ws);

import engineServer = require('tautline/engine');
import engine = require('tautline/engine/client');
import adapter = require('tautline/adapter');
import msgpack = require('tautline/msgpack');
import standard = require('tautline/websocket');

export const sessions: engineServer.Server = engineServer.listen(3002, { pingInterval: 1000 });
sessions.on('connection', (peer: engineServer.Socket) => peer.send('hello'));
export const session: engine.Socket = engine('ws://localhost:3000');
export class OwnAdapter extends adapter.Adapter {}
export const plain = new standard.WebSocket('ws://localhost:3000');
export const packed = tautline(3003, { parser: msgpack });
