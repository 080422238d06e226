/** What: a user's ES module; every entry is imported from the installed package and does its main job once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server } from 'tautline';
import { Adapter } from 'tautline/adapter';
import io, { connect, Manager, io as named } from 'tautline/client';
import { createOutbox, indexedDbOutbox, MemoryOutboxStore } from 'tautline/client/outbox';
import { withStreams } from 'tautline/client/stream';
import { defineContract, withContract } from 'tautline/contract';
import * as engine from 'tautline/engine';
import { Socket as EngineSocket } from 'tautline/engine/client';
import msgpack, { Encoder } from 'tautline/msgpack';
import * as protocol from 'tautline/protocol';
import { createEventStream, EventSource } from 'tautline/sse';
import { WebSocket as StandardWebSocket } from 'tautline/websocket';
import WebSocket, { createWebSocketStream, WebSocketServer } from 'tautline/ws';

assert.equal(io, named);
assert.equal(io, connect);
assert.equal(typeof Manager, 'function');
assert.equal(typeof createWebSocketStream, 'function');
assert.equal(WebSocket.OPEN, 1);
assert.equal(WebSocket.Server, WebSocketServer);
assert.equal(WebSocket.createWebSocketStream, createWebSocketStream);
assert.equal(protocol.engine.encodePacket(new protocol.engine.OutgoingPacket('4', 'hi')), '4hi');

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(wss, 'listening');
wss.on('connection', (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })));
const ws = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
await once(ws, 'open');
ws.send('hello');
const [data, isBinary] = await once(ws, 'message');
assert.equal(String(data), 'hello');
assert.equal(isBinary, false);
ws.close();
await once(ws, 'close');
await new Promise((resolve) => wss.close(resolve));

const httpServer = createServer();
const server = new Server(httpServer);
server.on('connection', (socket) => socket.on('add', (a, b, reply) => reply(a + b)));
await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${httpServer.address().port}`;
for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  const socket = io(url, { transports, forceNew: true });
  assert.equal(await socket.emitWithAck('add', 2, 3), 5, transports.join());
  socket.disconnect();
}
assert.equal(typeof indexedDbOutbox('name').saved, 'function');
const kept = io(url, { forceNew: true, outbox: createOutbox(new MemoryOutboxStore()) });
assert.equal(await kept.emitWithAck('add', 2, 3), 5);
kept.disconnect();
const text = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'no text' }] }),
  },
};
const contract = defineContract({
  clientToServer: { say: { args: [text], ack: [text] }, letters: { args: [text], part: text } },
});
server.of('/checked').contract(contract);
server.of('/checked').on('connection', (socket) => {
  socket.on('say', (word, reply) => reply(word));
  socket.onStream('letters', (word) => word);
});
const checked = withStreams(withContract(io(`${url}/checked`, { forceNew: true }), contract));
assert.equal(await checked.emitWithAck('say', 'hi'), 'hi');
await assert.rejects(checked.emitWithAck('say', 5), { code: 'CONTRACT_ERR_INVALID_ARGUMENTS' });
const letters = [];
for await (const letter of checked.stream('letters', 'hi')) letters.push(letter);
assert.deepEqual(letters, ['h', 'i']);
checked.disconnect();
assert.ok(server.of('/').adapter instanceof Adapter);
const session = new EngineSocket(url.replace('http', 'ws'), {
  transports: ['websocket'],
  path: '/socket.io/',
});
await new Promise((resolve) => session.once('open', resolve));
assert.ok(server.engine instanceof engine.Server);
session.close();
const standard = new StandardWebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
const opening = await new Promise((resolve) => standard.addEventListener('message', resolve));
assert.match(opening.data, /^0\{"sid"/);
standard.close();
for (const [name, type] of [
  ['socket.io.js', /javascript/],
  ['socket.io.min.js', /javascript/],
  ['socket.io.msgpack.min.js', /javascript/],
  ['socket.io.esm.min.js', /javascript/],
  ['socket.io.min.js.map', /json/],
]) {
  const answer = await fetch(`${url}/socket.io/${name}`);
  assert.equal(answer.status, 200, name);
  assert.match(answer.headers.get('content-type'), type, name);
  assert.match(await answer.text(), /engine\.io/, name);
}
await server.close();

// The script with MessagePack in it, as a page has it: the function `io` that speaks it by itself.
const packed = new Server(createServer().listen(0, '127.0.0.1'), { parser: msgpack });
assert.equal(msgpack.Encoder, Encoder);
await once(packed.httpServer, 'listening');
const packedUrl = `http://127.0.0.1:${packed.httpServer.address().port}`;
const script = await (await fetch(`${packedUrl}/socket.io/socket.io.msgpack.min.js`)).text();
const page = {};
new Function(script).call(page);
packed.on('connection', (socket) => socket.on('add', (a, b, reply) => reply(a + b)));
const speaker = (page.io ?? globalThis.io)(packedUrl);
assert.equal(await speaker.emitWithAck('add', 2, 3), 5);
speaker.disconnect();
await packed.close();

const pusher = createServer((request, response) => {
  createEventStream(request, response).send({ event: 'tick', data: '1', id: '7' });
});
await new Promise((resolve) => pusher.listen(0, '127.0.0.1', resolve));
const source = new EventSource(`http://127.0.0.1:${pusher.address().port}`);
const tick = await new Promise((resolve) => source.addEventListener('tick', resolve));
assert.deepEqual([tick.data, tick.lastEventId], ['1', '7']);
source.close();
pusher.closeAllConnections();
pusher.close();
