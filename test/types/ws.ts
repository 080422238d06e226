/**
 * What: that the events of tautline/ws are typed: what listeners get, what they may ask for, and that mistakes do not compile.
 * Must not know: anything at run time; this file is compiled, never run.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from '../../src/entry/ws.ts';
import type { Same } from './expect-type.ts';

/** Compiles when the value has exactly the type: `exactly<string>()(value)`. */
const exactly =
  <Expected>() =>
  <Value>(_value: Value, ..._verdict: Same<Value, Expected> extends true ? [] : [never]): void => {};

interface Live extends WebSocket {
  isAlive: boolean;
}

class Player extends WebSocket {
  score = 0;
}

const server = new WebSocketServer({ noServer: true });
server.on('connection', function (socket, request) {
  exactly<WebSocketServer>()(this);
  exactly<WebSocket>()(socket);
  exactly<IncomingMessage>()(request);
});
// What a program has put on its sockets it may ask for.
server.on('connection', (socket: Live) => socket.isAlive);
// @ts-expect-error: no socket
server.on('connection', (socket: string) => socket);
// @ts-expect-error: a socket and a request are all there is
server.on('connection', (_socket, _request, _more) => {});
server.on('an event of its own', (anything: number) => anything);

new WebSocketServer({ port: 0, WebSocket: Player }).on('connection', (socket) => {
  exactly<Player>()(socket);
});

const socket = new WebSocket('ws://localhost', { heartbeat: { intervalMs: 1000, timeoutMs: 500 } });
socket.on('message', (data, isBinary) => {
  exactly<RawData>()(data);
  exactly<boolean>()(isBinary);
});
socket.on('message', (data: Buffer) => data.toString());
// @ts-expect-error: a message is no number
socket.on('message', (data: number) => data);
socket.once('close', (code, reason) => {
  exactly<number>()(code);
  exactly<Buffer>()(reason);
});
socket.on('stream', (message, isBinary) => {
  exactly<Readable>()(message);
  exactly<boolean>()(isBinary);
});
socket.on('drain', () => {});
// @ts-expect-error: nothing comes with it
socket.on('drain', (_what) => {});
exactly<boolean>()(socket.send('text', { key: 'a' }));
exactly<Promise<void>>()(socket.ready());
exactly<Promise<void>>()(socket.sendStream(['a', 'b']));
exactly<number>()(socket.sendStatistics.droppedMessages);
// @ts-expect-error: no such policy
new WebSocketServer({ port: 0, slowReader: { limitBytes: 1, policy: 'drop' } });
