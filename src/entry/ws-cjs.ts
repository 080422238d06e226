/**
 * What: what `require('tautline/ws')` gives: the class itself, which carries the others.
 * Must not know: anything that ws.ts does not export.
 */
import * as ws from './ws.ts';

export default Object.assign(ws.WebSocket, {
  WebSocket: ws.WebSocket,
  Server: ws.WebSocketServer,
  WebSocketServer: ws.WebSocketServer,
  createWebSocketStream: ws.createWebSocketStream,
  CloseEvent: ws.CloseEvent,
  ErrorEvent: ws.ErrorEvent,
  Event: ws.Event,
  MessageEvent: ws.MessageEvent,
});
