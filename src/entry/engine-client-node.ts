/**
 * What: `tautline/engine/client` for Node: a session over node:http and our own WebSocket, without events.
 * Must not know: browsers.
 */
import type { EngineOptions } from '../engine/client/options.ts';
import { EngineSocket } from '../engine/client/socket.ts';
import { nodePlatform } from './node-platform.ts';

/** A session with an Engine.IO server; connects when it is made. */
export class Socket extends EngineSocket {
  /** @param uri of the server, or the options. */
  constructor(uri?: string | Partial<EngineOptions>, opts?: Partial<EngineOptions>) {
    super(nodePlatform, uri, opts);
  }
}

/** The transports of this platform by name. */
export const transports = /* @__PURE__ */ Object.fromEntries(
  nodePlatform.transports.map((factory) => [factory.transportName, factory]),
);

/** Makes a {@link Socket}. */
export default function connect(
  uri?: string | Partial<EngineOptions>,
  opts?: Partial<EngineOptions>,
): Socket {
  return new Socket(uri, opts);
}

export { nodePolling as NodeXHR } from '../transport/long-polling/node-client.ts';
export { nodeWebSocket as NodeWebSocket } from '../transport/websocket/node-client.ts';
export * from './engine-client-exports.ts';
