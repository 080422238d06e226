/**
 * What: `tautline/engine/client` for browsers: a session over fetch and the browser's WebSocket, without events.
 * Must not know: Node.
 */
import type { EngineOptions } from '../engine/client/options.ts';
import { EngineSocket } from '../engine/client/socket.ts';
import { webPlatform } from './web-platform.ts';

/** A session with an Engine.IO server; connects when it is made. */
export class Socket extends EngineSocket {
  /** @param uri of the server, or the options. */
  constructor(uri?: string | Partial<EngineOptions>, opts?: Partial<EngineOptions>) {
    super(webPlatform, uri, opts);
  }
}

/** The transports of this platform by name. */
export const transports = /* @__PURE__ */ Object.fromEntries(
  webPlatform.transports.map((factory) => [factory.transportName, factory]),
);

/** Makes a {@link Socket}. */
export default function connect(
  uri?: string | Partial<EngineOptions>,
  opts?: Partial<EngineOptions>,
): Socket {
  return new Socket(uri, opts);
}

export * from './engine-client-exports.ts';
