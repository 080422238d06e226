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

// As the standard has them: enumerable, neither writable nor configurable, on the class and on its instances.
for (const [name, value] of [
  ['CONNECTING', 0],
  ['OPEN', 1],
  ['CLOSING', 2],
  ['CLOSED', 3],
] as const) {
  Object.defineProperty(WebSocket, name, { enumerable: true, value });
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true, value });
}
for (const name of [
  'binaryType',
  'bufferedAmount',
  'extensions',
  'isPaused',
  'protocol',
  'readyState',
  'url',
  'onopen',
  'onmessage',
  'onclose',
  'onerror',
]) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}

export type { AddressInfo } from 'node:net';
export type { ClientOptions } from './client.ts';
export type { Data, EventListenerOptions, WebSocketEventMap } from './event.ts';
export { CloseEvent, ErrorEvent, Event, MessageEvent } from './event.ts';
export type { HeartbeatOptions, PerMessageDeflateOptions } from './options.ts';
export { WebSocketServer } from './server.ts';
export type {
  BroadcastOptions,
  ClientInfo,
  ServerEvents,
  ServerOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
  VerifyClientResult,
} from './server-options.ts';
export type { SendOptions } from './session.ts';
export { createWebSocketStream } from './stream.ts';
export type { BinaryType, RawData, WebSocketEvents } from './websocket.ts';
export { WebSocket } from './websocket.ts';
