/**
 * What: the event stream transport in browsers.
 * Must not know: Node, or how a request is made.
 *
 * Over fetch, not over the browser's EventSource: that one tells neither a status nor why it failed, sends no headers
 * of the program's, and comes back by itself when the session is to decide where.
 */
import { webExchange } from '../http/web.ts';
import { type ClientTransportFactory, transportFactory } from '../port.ts';
import { createSseClient } from './client.ts';

/** An event stream over fetch. */
export const webSse: ClientTransportFactory = /* @__PURE__ */ transportFactory('sse', (target) =>
  createSseClient(target, webExchange),
);
