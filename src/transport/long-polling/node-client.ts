/**
 * What: long polling in Node.
 * Must not know: sessions, or how a request is made.
 */
import { nodeExchange } from '../http/node-exchange.ts';
import { type ClientTarget, type ClientTransportFactory, TransportName } from '../port.ts';
import { createPollingClient } from './client.ts';

/** Long polling over node:http. */
export const nodePolling: ClientTransportFactory = Object.assign(
  (target: ClientTarget) => createPollingClient(target, nodeExchange),
  { transportName: TransportName.polling },
);
