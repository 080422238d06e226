/**
 * What: `tautline/websocket`, the WHATWG interfaces for Node.
 * Must not know: how they work.
 */
export type {
  CloseEventInit,
  ErrorEventInit,
  EventInit,
  MessageData,
  MessageEventInit,
} from '../base/event.ts';
export { CloseEvent, ErrorEvent, MessageEvent } from '../base/event.ts';
export type { ConnectionInit, WebSocketInit } from '../websocket/init.ts';
export type { BinaryType, WebSocketEventMap } from '../websocket/websocket.ts';
export { WebSocket } from '../websocket/websocket.ts';
export type { WebSocketCloseInfo } from '../websocket/websocket-error.ts';
export { WebSocketError } from '../websocket/websocket-error.ts';
export type { WebSocketOpenInfo, WebSocketStreamOptions } from '../websocket/websocket-stream.ts';
export { WebSocketStream } from '../websocket/websocket-stream.ts';
