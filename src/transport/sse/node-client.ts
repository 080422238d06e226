/**
 * What: the event stream transport of clients in Node.
 * Must not know: sessions, or how a request is made.
 */
import { nodeExchange } from '../http/node-exchange.ts';
import { type ClientTarget, type ClientTransportFactory, TransportName } from '../port.ts';
import { createSseClient } from './client.ts';

/** An event stream over node:http. */
export const nodeSse: ClientTransportFactory = Object.assign(
  (target: ClientTarget) => createSseClient(target, nodeExchange),
  { transportName: TransportName.sse },
);
