/**
 * What: long polling in Node.
 * Must not know: sessions, or how a request is made.
 */
import { nodeExchange } from '../http/node-exchange.ts';
import { type ClientTransportFactory, transportFactory } from '../port.ts';
import { createPollingClient } from './client.ts';

/** Long polling over node:http. */
export const nodePolling: ClientTransportFactory = /* @__PURE__ */ transportFactory('polling', (target) =>
  createPollingClient(target, nodeExchange),
);
