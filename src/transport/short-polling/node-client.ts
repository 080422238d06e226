/**
 * What: short polling of clients in Node.
 * Must not know: sessions, or how a request is made.
 */
import { nodeExchange } from '../http/node-exchange.ts';
import { type ClientTransportFactory, transportFactory } from '../port.ts';
import { createShortPollingClient } from './client.ts';

/** Short polling over node:http. */
export const nodeShortPolling: ClientTransportFactory = /* @__PURE__ */ transportFactory(
  'short-polling',
  (target) => createShortPollingClient(target, nodeExchange),
);
