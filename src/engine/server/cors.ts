/**
 * What: Cross-Origin Resource Sharing (WHATWG Fetch, "CORS protocol"): the option `cors` made into response headers.
 * Must not know: Engine.IO, and how a request that is let in goes on.
 */
import type { IncomingMessage } from 'node:http';
import { matchesOrigin, type OriginRule } from './origin.ts';

/** Decides by program. Call back with an error, or with a rule; `true` lets this origin in. */
export type OriginFunction = (
  requestOrigin: string | undefined,
  callback: (error: Error | null, origin?: OriginRule) => void,
) => void;

/** The option `cors`, as the package of that name has it. */
export interface CorsOptions {
  /**
   * Which origins may connect besides the server's own. Default `'*'` once the option `cors` is given.
   * @see docs/decisions/0002-origin-check.md
   */
  readonly origin?: OriginRule | OriginFunction;
  /** Default `GET,HEAD,PUT,PATCH,POST,DELETE`. */
  readonly methods?: string | readonly string[];
  /** Default: whatever the preflight asks for. */
  readonly allowedHeaders?: string | readonly string[];
  readonly exposedHeaders?: string | readonly string[];
  /** Whether cookies may come along. Default: no. */
  readonly credentials?: boolean;
  /** Seconds for which a browser may remember the preflight. */
  readonly maxAge?: number;
  /** Pass preflights on to the middlewares instead of answering them. */
  readonly preflightContinue?: boolean;
  /** Default 204. */
  readonly optionsSuccessStatus?: number;
}

/** Options chosen for each request. */
export type CorsOptionsDelegate = (
  request: IncomingMessage,
  callback: (error: Error | null, options?: CorsOptions) => void,
) => void;

/** What CORS has to say about a request. */
export interface CorsOutcome {
  /** Whether the request's origin, if it has one, may use the server. */
  readonly allowsOrigin: boolean;
  /** Response headers; of each name one. `Vary` is to be added to what is there. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Set when the request is a preflight that these headers answer. */
  readonly preflightStatus: number | null;
}

const DEFAULT_METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE';
/** CORS is off for this request: no header, and the origin is not let in by it. */
const OFF: CorsOutcome = { allowsOrigin: false, headers: [], preflightStatus: null };

/** Resolves options and origin rule, whichever way they are given, then calls back exactly once. */
export function applyCors(
  cors: CorsOptions | CorsOptionsDelegate | boolean,
  request: IncomingMessage,
  callback: (error: Error | null, outcome: CorsOutcome) => void,
): void {
  const once = (error: Error | null, outcome: CorsOutcome): void => {
    const call = callback;
    callback = ignore;
    call(error, outcome);
  };
  if (typeof cors !== 'function') {
    applyOptions(typeof cors === 'boolean' ? { origin: cors ? '*' : false } : cors, request, once);
    return;
  }
  cors(request, (error, options) => {
    if (error) once(error, OFF);
    else applyOptions(options ?? {}, request, once);
  });
}

function ignore(): void {}

function applyOptions(
  options: CorsOptions,
  request: IncomingMessage,
  callback: (error: Error | null, outcome: CorsOutcome) => void,
): void {
  const { origin = '*' } = options;
  if (typeof origin !== 'function') {
    callback(null, outcomeOf(options, origin, request));
    return;
  }
  origin(request.headers.origin, (error, rule) => {
    if (error) callback(error, OFF);
    else callback(null, outcomeOf(options, rule ?? false, request));
  });
}

function list(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : value.join(',');
}

function outcomeOf(options: CorsOptions, rule: OriginRule, request: IncomingMessage): CorsOutcome {
  if (rule === false) return OFF;
  const { origin } = request.headers;
  const allowsOrigin = origin === undefined || matchesOrigin(origin, rule);
  const headers: [string, string][] = [];
  const vary: string[] = [];
  if (rule === '*') {
    headers.push(['Access-Control-Allow-Origin', '*']);
  } else {
    if (typeof rule === 'string') headers.push(['Access-Control-Allow-Origin', rule]);
    else if (allowsOrigin && origin !== undefined) headers.push(['Access-Control-Allow-Origin', origin]);
    // The answer depends on who asks, so caches must keep the answers apart.
    vary.push('Origin');
  }
  if (options.credentials === true) headers.push(['Access-Control-Allow-Credentials', 'true']);
  const isPreflight = request.method === 'OPTIONS';
  if (isPreflight) addPreflightHeaders(headers, vary, options, request);
  if (options.exposedHeaders !== undefined) {
    headers.push(['Access-Control-Expose-Headers', list(options.exposedHeaders)]);
  }
  if (vary.length > 0) headers.push(['Vary', vary.join(', ')]);
  const isAnswered = isPreflight && options.preflightContinue !== true;
  const preflightStatus = isAnswered ? (options.optionsSuccessStatus ?? 204) : null;
  return { allowsOrigin, headers, preflightStatus };
}

function addPreflightHeaders(
  headers: [string, string][],
  vary: string[],
  options: CorsOptions,
  request: IncomingMessage,
): void {
  headers.push(['Access-Control-Allow-Methods', list(options.methods ?? DEFAULT_METHODS)]);
  if (options.allowedHeaders === undefined) {
    vary.push('Access-Control-Request-Headers');
    const asked = request.headers['access-control-request-headers'];
    if (asked !== undefined) headers.push(['Access-Control-Allow-Headers', asked]);
  } else {
    headers.push(['Access-Control-Allow-Headers', list(options.allowedHeaders)]);
  }
  if (options.maxAge !== undefined) headers.push(['Access-Control-Max-Age', String(options.maxAge)]);
}
