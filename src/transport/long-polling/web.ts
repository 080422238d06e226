/**
 * What: long polling in browsers, over fetch.
 * Must not know: Node, or what the bodies mean.
 */
import type { ClientTarget, ClientTransportFactory } from '../port.ts';
import { createPollingClient, type Exchange } from './client.ts';

const exchange: Exchange = (target, body, isLast, done) => {
  const { extraHeaders, withCredentials, requestTimeout } = target.options;
  const controller = new AbortController();
  let isLate = false;
  const timer = requestTimeout
    ? target.clock.setTimer(requestTimeout, () => {
        isLate = true;
        controller.abort();
      })
    : null;
  fetch(target.url(body !== undefined), {
    method: body === undefined ? 'GET' : 'POST',
    body,
    // A type that needs no preflight. `same-origin` is what an XMLHttpRequest without credentials does.
    headers: { ...(body !== undefined && { 'content-type': 'text/plain;charset=UTF-8' }), ...extraHeaders },
    credentials: withCredentials ? 'include' : 'same-origin',
    cache: 'no-store',
    keepalive: isLast,
    signal: controller.signal,
  })
    .then(async (response) => ({ status: response.status, text: await response.text(), context: response }))
    .catch((cause: unknown) => ({
      status: 0,
      text: '',
      cause,
      code: isLate ? ('TRANSPORT_ERR_TIMEOUT' as const) : undefined,
    }))
    .then((outcome) => {
      timer?.cancel();
      done(outcome);
    });
  return () => controller.abort();
};

/** Long polling over fetch. */
export const webPolling: ClientTransportFactory = /* @__PURE__ */ Object.assign(
  (target: ClientTarget) => createPollingClient(target, exchange),
  { transportName: 'polling' as const },
);
