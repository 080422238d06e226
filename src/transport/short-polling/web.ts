/**
 * What: short polling in browsers.
 * Must not know: Node, or how a request is made.
 */
import { webExchange } from '../http/web.ts';
import { type ClientTransportFactory, transportFactory } from '../port.ts';
import { createShortPollingClient } from './client.ts';

/** Short polling over fetch. */
export const webShortPolling: ClientTransportFactory = /* @__PURE__ */ transportFactory(
  'short-polling',
  (target) => createShortPollingClient(target, webExchange),
);
