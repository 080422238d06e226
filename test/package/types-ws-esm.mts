/** What: an ES module as it was written for `ws` and its types, with nothing changed but the import. */
import { createServer, type IncomingMessage } from 'node:http';
import WebSocket, {
  createWebSocketStream,
  type RawData,
  type ServerOptions,
  WebSocketServer,
} from 'tautline/ws';

interface Client extends WebSocket {
  isAlive?: boolean;
}
interface Live extends WebSocket {
  isAlive: boolean;
}

const options: ServerOptions = { noServer: true, maxPayload: 1024, perMessageDeflate: { threshold: 512 } };
const wss = new WebSocketServer(options);
const http = createServer();
http.on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (ws: WebSocket, req: IncomingMessage) =>
    wss.emit('connection', ws, req),
  );
});
wss.on('connection', function connection(ws: Client, request) {
  ws.isAlive = true;
  ws.on('pong', () => {
    ws.isAlive = true;
  });
  ws.on('error', console.error);
  ws.on('message', (data: RawData, isBinary: boolean) => {
    for (const client of wss.clients) {
      if (client !== ws && client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
  ws.on('close', (code: number, reason: Buffer) => [code.toFixed(), reason.toString('utf8'), request.url]);
});

wss.on('connection', (ws: Live) => {
  ws.isAlive = true;
  ws.on('message', (bytes: Buffer) => bytes.readUInt8(0));
});

const ws = new WebSocket('wss://localhost:8443', ['chat'], {
  headers: { cookie: 'a=b' },
  rejectUnauthorized: false,
});
ws.onmessage = (event: WebSocket.MessageEvent) => event.data;
ws.addEventListener('close', (event: WebSocket.CloseEvent) => [event.code, event.reason, event.wasClean]);
const text: WebSocket.RawData = Buffer.from('x');
const data: WebSocket.Data = 'x';
ws.send(text, (error) => error?.message);
ws.send(text, (error?: Error): void => console.error(error?.message));
ws.send(data);
const clientOptions: WebSocket.ClientOptions = { handshakeTimeout: 1000 };
export const again = new WebSocket('ws://localhost', clientOptions);
export const other: WebSocket.Server = new WebSocket.Server({ port: 0 });
export const verify: WebSocket.VerifyClientCallbackAsync = ({ origin, req }, callback) =>
  callback(origin === 'x' && req.url === '/', 403, 'Forbidden');
createWebSocketStream(ws, { encoding: 'utf8' }).pipe(process.stdout);
