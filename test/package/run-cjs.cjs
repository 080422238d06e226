/** What: a user's CommonJS module; the shapes that `require` gives are those of the packages that we replace. */
const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const tautline = require('tautline');
const io = require('tautline/client');
const WebSocket = require('tautline/ws');
const protocol = require('tautline/protocol');
const { Adapter } = require('tautline/adapter');
const engineServer = require('tautline/engine');
const engine = require('tautline/engine/client');
const msgpack = require('tautline/msgpack');
const standard = require('tautline/websocket');

assert.equal(WebSocket.WebSocket, WebSocket);
assert.equal(WebSocket.Server, WebSocket.WebSocketServer);
assert.equal(typeof WebSocket.createWebSocketStream, 'function');
assert.equal(io.io, io);
assert.equal(io.connect, io);
assert.equal(typeof io.Manager, 'function');
assert.equal(typeof Adapter, 'function');
assert.ok(engineServer({ pingInterval: 1000 }) instanceof engineServer.Server);
assert.equal(typeof msgpack.Decoder, 'function');
assert.equal(typeof engine, 'function');
assert.equal(typeof engine.Socket, 'function');
assert.equal(typeof standard.WebSocketStream, 'function');
assert.equal(typeof protocol.websocket.WebSocketConnection, 'function');
assert.equal(protocol.engine.encodePacket(new protocol.engine.OutgoingPacket('4', 'hi')), '4hi');

const httpServer = createServer();
const server = tautline(httpServer);
assert.ok(server instanceof tautline.Server);
assert.ok(new tautline.Server() instanceof tautline.Server);
httpServer.listen(0, '127.0.0.1', () => {
  server.on('connection', (socket) => socket.on('shout', (text, reply) => reply(text.toUpperCase())));
  const socket = io(`http://127.0.0.1:${httpServer.address().port}`);
  socket.emit('shout', 'hello', (answer) => {
    assert.equal(answer, 'HELLO');
    socket.disconnect();
    server.close();
  });
});
