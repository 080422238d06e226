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
  const url = target.url(body !== undefined);
  const options: RequestInit = {
    // A type that needs no preflight. `same-origin` is what an XMLHttpRequest without credentials does.
    headers: {
      ...(body !== undefined && { 'content-type': 'text/plain;charset=UTF-8' }),
      ...(received && { accept: EVENT_STREAM }),
      ...extraHeaders,
    },
    credentials: withCredentials ? 'include' : 'same-origin',
    cache: 'no-store',
    signal: controller.signal,
  };
  fetch(url, { ...options, method: body === undefined ? 'GET' : 'POST', body, keepalive: isLast })
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
    .catch(async (cause: unknown) => ({
      status: 0,
      text: '',
      cause,
      code: isLate
        ? ('TRANSPORT_ERR_TIMEOUT' as const)
        : (await isForbidden(url, options))
          ? ('TRANSPORT_ERR_CORS' as const)
          : undefined,
    }))
    .then((outcome) => {
      timer?.cancel();
      done(outcome);
    });
  return () => controller.abort();
};

/**
 * Whether a server of another origin answers, but not to this page: a browser does not say so, but lets a request through
 * of which the page reads nothing (WHATWG Fetch, mode `no-cors`). Without the query, it begins no session.
 */
async function isForbidden(url: string, options: RequestInit): Promise<boolean> {
  const { origin, pathname } = new URL(url);
  if (origin === globalThis.location?.origin) return false;
  const ask = (more: RequestInit) =>
    fetch(origin + pathname, { ...options, ...more, method: 'HEAD' }).then(
      () => true,
      () => false,
    );
  return (await ask({ mode: 'no-cors', headers: {} })) && !(await ask({}));
}
