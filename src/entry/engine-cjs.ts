/**
 * What: what `require('tautline/engine')` gives: a function that makes an engine, carrying every export.
 * Must not know: anything that engine.ts does not export.
 */
import type { HttpServerLike } from '../engine/server/attach.ts';
import * as engine from './engine.ts';

/** Makes an engine: on an HTTP server, or with options alone. */
function create(
  server?: HttpServerLike | engine.EngineOptions,
  options?: engine.EngineOptions,
): engine.Server {
  if (server !== undefined && 'on' in server) return engine.attach(server, options);
  return new engine.Server(server);
}

export default Object.assign(create, engine);
