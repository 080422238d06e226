/**
 * What: lets requests of foreign pages in only where the option `cors` allows their origin, on every transport alike.
 * Must not know: sessions, transports, and how a refusal is answered.
 */
import type { IncomingMessage } from 'node:http';
import { applyCors, type CorsOutcome } from './cors.ts';
import type { ServerOptions } from './options.ts';
import { isSameOrigin } from './origin.ts';
import { errors, type Refusal } from './refusal.ts';
import { hostOf } from './request.ts';

/** RFC 9110 section 5.5: what may stand in a header's value. A lenient HTTP parser lets more through. */
const VALID_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const NO_CORS: CorsOutcome = { allowsOrigin: false, headers: [], preflightStatus: null };

/** Calls back once: with a refusal, or with `null` and what CORS adds to the answer. */
export function checkOrigin(
  cors: ServerOptions['cors'],
  request: IncomingMessage,
  callback: (refusal: Refusal | null, outcome: CorsOutcome) => void,
): void {
  const { origin } = request.headers;
  if (origin !== undefined && !VALID_VALUE.test(origin)) {
    callback({ code: errors.BAD_REQUEST, context: { name: 'INVALID_ORIGIN', origin } }, NO_CORS);
    return;
  }
  if (cors === undefined) {
    callback(isOwnPage(request) ? null : refusalFor(request), NO_CORS);
    return;
  }
  applyCors(cors, request, (error, outcome) => {
    if (error !== null) {
      callback({ code: errors.BAD_REQUEST, context: { name: 'MIDDLEWARE_FAILURE', error } }, NO_CORS);
      return;
    }
    // A preflight is answered whoever asks: headers that name no origin, or another one, are the refusal.
    const isIn = outcome.allowsOrigin || outcome.preflightStatus !== null || isOwnPage(request);
    callback(isIn ? null : refusalFor(request), outcome);
  });
}

/**
 * No origin: no page, or one that asks its own server. `Sec-Fetch-Site` is written by the browser and cannot be set
 * by pages; it tells the same where a proxy has replaced the host.
 */
function isOwnPage(request: IncomingMessage): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  return origin === undefined || site === 'same-origin' || isSameOrigin(origin, hostOf(request));
}

function refusalFor(request: IncomingMessage): Refusal {
  const { origin } = request.headers;
  const host = hostOf(request);
  const message =
    `The origin ${JSON.stringify(origin)} is not the server's own (its host is ${JSON.stringify(host)}) ` +
    'and is not allowed by the option cors.origin.';
  return { code: errors.FORBIDDEN, context: { name: 'ORIGIN_NOT_ALLOWED', message, origin, host } };
}
