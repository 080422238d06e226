/**
 * What: the subpath `tautline/ws` as an ES module.
 * Must not know: anything but what it hands on.
 */
export { CloseEvent, ErrorEvent, Event, MessageEvent } from '../ws/event.ts';
export { WebSocketServer } from '../ws/server.ts';
export { createWebSocketStream } from '../ws/stream.ts';
export { WebSocket, WebSocket as default } from '../ws/websocket.ts';
