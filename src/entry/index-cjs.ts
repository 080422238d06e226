/**
 * What: what `require('tautline')` gives: a function that makes a Server, and carries every export.
 * Must not know: anything that index.ts does not export.
 */
import type { ServerOptions, TServerInstance } from '../server/options.ts';
import { Server } from '../server/server.ts';
import * as tautline from './index.ts';

/** Makes a server; callable with and without `new`. */
function create(
  srv?: TServerInstance | number | Partial<ServerOptions>,
  opts?: Partial<ServerOptions>,
): Server {
  return new Server(srv, opts);
}

export default Object.assign(create, tautline);
