/**
 * What: the short ways to an engine: on an HTTP server that is there, or on one of its own.
 * Must not know: sessions, transports.
 */
import { createServer } from 'node:http';
import { UsageError } from '../../base/errors.ts';
import type { HttpServerLike } from './attach.ts';
import type { AttachOptions, ServerOptions } from './options.ts';
import { Server } from './server.ts';

/** Options of the engine and of how it is attached. */
export type EngineOptions = ServerOptions & AttachOptions;

/** Makes an engine that answers on an HTTP server. */
export function attach(httpServer: HttpServerLike, options: EngineOptions = {}): Server {
  return new Server(options).attach(httpServer, options);
}

/**
 * Makes an engine with an HTTP server of its own, which answers everything else with 501.
 * @param port 0: any free one.
 * @param listening called once the server listens.
 */
export function listen(
  port: number,
  options?: EngineOptions | (() => void) | null,
  listening?: () => void,
): Server {
  const isBare = typeof options === 'function';
  const httpServer = createServer((_request, response) => {
    response.writeHead(501, { 'Content-Type': 'text/plain' });
    response.end('Not Implemented');
  });
  const engine = attach(httpServer, isBare ? {} : (options ?? {}));
  httpServer.listen(port, isBare ? options : listening);
  return engine;
}

/** Not for us: engine.io has it for µWebSockets.js. */
export class uServer {
  /** @throws {UsageError} always. */
  constructor() {
    throw new UsageError('uServer is for uWebSockets.js apps. Use Server with a server of node:http', {
      code: 'SERVER_ERR_UNSUPPORTED_APP',
    });
  }
}
