/**
 * What: puts onto the class WebSocket what programs written for `ws` reach through it, and names all public types.
 * Must not know: how any of it works.
 */
import { CloseEvent, ErrorEvent, Event, MessageEvent } from './event.ts';
import { WebSocketServer } from './server.ts';
import { createWebSocketStream } from './stream.ts';
import { WebSocket } from './websocket.ts';

Object.assign(WebSocket, {
  WebSocket,
  Server: WebSocketServer,
  WebSocketServer,
  createWebSocketStream,
  CloseEvent,
  ErrorEvent,
  Event,
  MessageEvent,
});

export type { ClientOptions } from './client.ts';
export type { Data, EventListenerOptions, WebSocketEventMap } from './event.ts';
export { CloseEvent, ErrorEvent, Event, MessageEvent } from './event.ts';
export type { HeartbeatOptions, PerMessageDeflateOptions } from './options.ts';
export type {
  BroadcastOptions,
  ClientInfo,
  ServerEvents,
  ServerOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
  VerifyClientResult,
} from './server.ts';
export { WebSocketServer } from './server.ts';
export type { SendOptions } from './session.ts';
export { createWebSocketStream } from './stream.ts';
export type { BinaryType, RawData, WebSocketEvents } from './websocket.ts';
export { WebSocket } from './websocket.ts';
