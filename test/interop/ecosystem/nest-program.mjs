/**
 * What: a NestJS program with a gateway, and a client that uses it; prints what both have seen. Run from a folder in which
 * `socket.io` is the official package or ours. `class`: the server is made by an adapter of a few lines instead.
 * Must not know: which package it runs on.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from '@nestjs/websockets';
import { Server } from 'tautline';
import { io } from 'tautline/client';

const way = process.argv[2];
const seen = [];

/** All that a user of Nest writes. */
class TautlineAdapter extends IoAdapter {
  createIOServer(port, options) {
    return new Server(this.httpServer && port === 0 ? this.httpServer : port, options);
  }
}

class Chat {
  afterInit(server) {
    seen.push(['afterInit', typeof server.emit]);
  }
  handleConnection(client) {
    seen.push(['handleConnection', client.handshake.auth]);
  }
  handleDisconnect(client) {
    seen.push(['handleDisconnect', client.connected]);
    disconnected();
  }
  say(text, client) {
    client.join('room');
    this.server.to('room').emit('said', text);
    return `you said ${text}`;
  }
  both() {
    return { event: 'answer', data: [1, 2] };
  }
  fails() {
    throw new WsException('not today');
  }
}

/** What a decorator before a member does; this file runs as it is. */
function decorate(name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(Chat.prototype, name);
  for (const decorator of decorators) decorator(Chat.prototype, name, descriptor);
}
WebSocketGateway({ namespace: 'chat', cors: { origin: '*' } })(Chat);
WebSocketServer()(Chat.prototype, 'server');
MessageBody()(Chat.prototype, 'say', 0);
ConnectedSocket()(Chat.prototype, 'say', 1);
for (const name of ['say', 'both', 'fails']) decorate(name, SubscribeMessage(name));

class App {}
Module({ providers: [Chat] })(App);

let disconnected;
const whenDisconnected = new Promise((resolve) => {
  disconnected = resolve;
});
const app = await NestFactory.create(App, { logger: false });
app.useWebSocketAdapter(way === 'class' ? new TautlineAdapter(app) : new IoAdapter(app));
await app.listen(0, '127.0.0.1');
const isOurs = app.get(Chat).server.server instanceof Server;

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  const client = io(`http://127.0.0.1:${app.getHttpServer().address().port}/chat`, {
    transports,
    forceNew: true,
    auth: { name: 'Ada' },
  });
  const next = (event) => new Promise((resolve) => client.once(event, (...args) => resolve(args)));
  const said = next('said');
  seen.push(await client.emitWithAck('say', 'hello'), await said);
  const answer = next('answer');
  client.emit('both');
  seen.push(await answer);
  const exception = next('exception');
  client.emit('fails', { a: 1 });
  seen.push(await exception);
  client.disconnect();
  await whenDisconnected;
}
await app.close();
process.stdout.write(JSON.stringify({ isOurs, seen }));
