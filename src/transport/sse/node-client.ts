/**
 * What: the event stream transport of clients in Node.
 * Must not know: sessions, or how a request is made.
 */
import { nodeExchange } from '../http/node-exchange.ts';
import { type ClientTransportFactory, transportFactory } from '../port.ts';
import { createSseClient } from './client.ts';

/** An event stream over node:http. */
export const nodeSse: ClientTransportFactory = /* @__PURE__ */ transportFactory('sse', (target) =>
  createSseClient(target, nodeExchange),
);
