/** What: a user's TypeScript ES module, compiled against the packed declarations. */
import { type Namespace, Server, type Socket as ServerSocket } from 'tautline';
import { io, type Socket } from 'tautline/client';
import msgpack from 'tautline/msgpack';
import type WebSocket from 'tautline/ws';
import { WebSocketServer } from 'tautline/ws';

interface FromServer {
  news: (text: string) => void;
}
interface FromClient {
  add: (a: number, b: number, reply: (sum: number) => void) => void;
}

const server = new Server<FromClient, FromServer>(3000, { parser: msgpack });
server.on('connection', (socket: ServerSocket<FromClient, FromServer>) => {
  socket.on('add', (a, b, reply) => reply(a + b));
  socket.emit('news', 'hello');
  // @ts-expect-error: the event does not exist
  socket.emit('old');
});
export const chat: Namespace<FromClient, FromServer> = server.of('/chat');

const socket: Socket<FromServer, FromClient> = io('http://localhost:3000');
socket.on('news', (text) => text.toUpperCase());
socket.emit('add', 1, 2, (sum) => sum.toFixed());
// @ts-expect-error: a number is wanted
socket.emit('add', 'one', 2, () => {});

const wss = new WebSocketServer({ port: 8080 });
wss.on('connection', (ws: WebSocket, request) => {
  ws.on('message', (data, isBinary) => ws.send(data.toString(), { binary: isBinary }));
  ws.on('close', (code, reason) => [code.toFixed(), reason.toString('utf8'), request.url]);
});
