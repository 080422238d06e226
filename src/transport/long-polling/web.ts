/**
 * What: long polling in browsers.
 * Must not know: Node, or how a request is made.
 */
import { webExchange } from '../http/web.ts';
import { type ClientTransportFactory, transportFactory } from '../port.ts';
import { createPollingClient } from './client.ts';

/** Long polling over fetch. */
export const webPolling: ClientTransportFactory = /* @__PURE__ */ transportFactory('polling', (target) =>
  createPollingClient(target, webExchange),
);
