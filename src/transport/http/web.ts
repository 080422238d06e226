/**
 * What: one HTTP exchange in browsers, over fetch.
 * Must not know: Node, what the bodies mean, or for which transport it is.
 */
import { EVENT_STREAM, type Exchange } from './client.ts';

/** Carries out an exchange over fetch. */
export const webExchange: Exchange = (target, body, isLast, done, received) => {
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
    headers: {
      ...(body !== undefined && { 'content-type': 'text/plain;charset=UTF-8' }),
      ...(received && { accept: EVENT_STREAM }),
      ...extraHeaders,
    },
    credentials: withCredentials ? 'include' : 'same-origin',
    cache: 'no-store',
    keepalive: isLast,
    signal: controller.signal,
  })
    .then(async (response) => {
      const { status, body, headers } = response;
      const outcome = { status, text: '', context: response };
      if (received && status === 200 && body && headers.get('content-type')?.startsWith(EVENT_STREAM)) {
        timer?.cancel();
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return outcome;
          received(value);
        }
      }
      return { ...outcome, text: await response.text() };
    })
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
