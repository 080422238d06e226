/**
 * What: limits how often clients emit, per event and per socket, address or user, by a policy that has a name.
 * Must not know: how tokens are counted or kept, or how events are handed on.
 */
import { EventEmitter } from 'node:events';
import { UsageError } from '../base/errors.ts';
import type { Clock } from '../base/port.ts';
import type { EventRefusal } from '../base/refusal.ts';
import { networkOf } from '../engine/server/admission.ts';
import { MemoryRateLimitStore } from '../limits/memory-store.ts';
import type { RateLimitStore } from '../limits/store.ts';
import type { BucketDecision, BucketShape } from '../limits/token-bucket.ts';
import { STREAM_EVENT } from '../streams/message.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import type { EventArguments } from '../wire/events/packet.ts';
import { type EventGuard, type GuardedEvent, refuseEvent } from './event-guard.ts';
import type { AnySocket } from './socket.ts';

/**
 * What happens to an event above a limit.
 *
 * `refuse`: the sender is told, with the time after which it may try again. `drop`: nobody is told. `delay`: it waits
 * for its token, and so do those behind it that share the limit, in order; above `maxDelayMs`, counted from when it
 * came, it is refused. Other events pass it. `disconnect`: the sender is told, and its connection is closed.
 */
export type RateLimitPolicy = 'refuse' | 'drop' | 'delay' | 'disconnect';

/**
 * Whose events are counted together: a socket's, an address's, or of whoever the function says; null: not counted.
 *
 * Where the function throws, the event is refused (`EVENT_ERR_GUARD_FAILED`).
 */
export type RateLimitKey = 'socket' | 'address' | ((socket: AnySocket) => string | null | undefined);

/** One limit. */
export interface RateLimitRule {
  /** The events that share the limit, streams among them. Default: all together. */
  readonly events?: string | readonly string[];
  /** How many events within {@link perMs}. */
  readonly limit: number;
  /** In milliseconds. Default 1000. */
  readonly perMs?: number;
  /** How many may come at once after a silence. Default: as many as `limit`. */
  readonly burst?: number;
  /** Whose events are counted together. Default `socket`. Of IPv6 addresses the first 64 bits count, as one host. */
  readonly per?: RateLimitKey;
  /** Default `refuse`: who is not told cannot do better. */
  readonly policy?: RateLimitPolicy;
  /** With `delay`: how long an event may wait, in milliseconds. Default 5000. */
  readonly maxDelayMs?: number;
  /** Names the limit in keys, and to the operator. Default: its place among the rules. */
  readonly name?: string;
}

/** What a {@link RateLimiter} is made of beside its rules. */
export interface RateLimiterOptions {
  /** Where tokens are counted. Default: in memory, for this server alone. */
  readonly store?: RateLimitStore;
  /**
   * What happens when the store fails. Default `pass`: a store that is down should not take the service with it. Each
   * failure is counted, and told by `storeError`.
   */
  readonly whenStoreFails?: 'pass' | 'refuse';
  /** Time. Default: the process's. */
  readonly clock?: Clock;
}

/** How many events came to what. */
export interface RateLimitCounters {
  passed: number;
  refused: number;
  dropped: number;
  delayed: number;
  disconnected: number;
  storeErrors: number;
}

/** What a {@link RateLimiter} tells the operator. */
export interface RateLimiterEvents {
  /** An event was not let through at once. */
  limited: [
    event: { socket: AnySocket; event: string; rule: string; policy: RateLimitPolicy; waitMs: number },
  ];
  /** The store failed. */
  storeError: [error: unknown];
}

interface Rule {
  readonly name: string;
  readonly events: ReadonlySet<string> | null;
  readonly shape: BucketShape;
  readonly per: RateLimitKey;
  readonly policy: RateLimitPolicy;
  readonly longestWaitMs: number;
}

const DEFAULT_PER_MS = 1000;
const DEFAULT_MAX_DELAY_MS = 5000;
const POLICIES: ReadonlySet<unknown> = new Set<RateLimitPolicy>(['refuse', 'drop', 'delay', 'disconnect']);

const KEYS: ReadonlySet<unknown> = new Set<RateLimitKey>(['socket', 'address']);
const FAILURE_POLICIES: ReadonlySet<unknown> = new Set(['pass', 'refuse']);

/** What a rule says of an event. */
type Ruling = 'pass' | 'stop' | Promise<'pass' | 'stop'>;

/**
 * Limits how often clients emit: `io.guard(new RateLimiter([...]))`.
 *
 * An event passes when each rule that counts it has a token for it. Acknowledgements, and what streams say once they
 * are open, are not counted.
 */
export class RateLimiter extends EventEmitter<RateLimiterEvents> implements EventGuard {
  /** How many events came to what, since the beginning. */
  readonly counters: RateLimitCounters = {
    passed: 0,
    refused: 0,
    dropped: 0,
    delayed: 0,
    disconnected: 0,
    storeErrors: 0,
  };
  readonly #rules: readonly Rule[];
  readonly #store: RateLimitStore;
  readonly #whenStoreFails: 'pass' | 'refuse';
  readonly #clock: Clock;

  /** @throws {UsageError} `RATE_ERR_LIMIT`: a rule cannot be kept, or there is none, or an option cannot be. */
  constructor(rules: RateLimitRule | readonly RateLimitRule[], options: RateLimiterOptions = {}) {
    super();
    const all = Array.isArray(rules) ? (rules as readonly RateLimitRule[]) : [rules as RateLimitRule];
    if (all.length === 0) throw new UsageError('There must be a rule.', { code: 'RATE_ERR_LIMIT' });
    this.#rules = all.map(readRule);
    this.#store = options.store ?? new MemoryRateLimitStore();
    this.#whenStoreFails = options.whenStoreFails ?? 'pass';
    if (typeof this.#store.take !== 'function' || !FAILURE_POLICIES.has(this.#whenStoreFails)) {
      const message = "A store has a method take(), and whenStoreFails is 'pass' or 'refuse'.";
      throw new UsageError(message, { code: 'RATE_ERR_LIMIT' });
    }
    this.#clock = options.clock ?? nodeClock;
  }

  checkEvent(socket: AnySocket, event: EventArguments): GuardedEvent | Promise<GuardedEvent> {
    const name = nameOf(event);
    if (name === null) return event;
    const ruling = this.#rule(socket, name, event, 0);
    if (ruling instanceof Promise) return ruling.then((later) => this.#decided(event, later));
    return this.#decided(event, ruling);
  }

  laneOf(event: string): string | null {
    // Those that share a limit which makes them wait stay in order, and the others do not wait for them.
    const rule = this.#rules.find(({ policy, events }) => policy === 'delay' && (events?.has(event) ?? true));
    return rule?.name ?? null;
  }

  #decided(event: EventArguments, ruling: 'pass' | 'stop'): GuardedEvent {
    if (ruling === 'stop') return null;
    this.counters.passed++;
    return event;
  }

  #rule(socket: AnySocket, name: string, event: EventArguments, first: number): Ruling {
    for (let i = first; i < this.#rules.length; i++) {
      const rule = this.#rules[i]!;
      if (rule.events !== null && !rule.events.has(name)) continue;
      const owner = ownerOf(socket, rule.per);
      if (owner === null) continue;
      const decision = this.#take(rule, owner);
      const ruling =
        decision instanceof Promise
          ? decision.then((later) => this.#apply(rule, later, socket, name, event))
          : this.#apply(rule, decision, socket, name, event);
      if (ruling instanceof Promise) {
        return ruling.then((later) => (later === 'stop' ? later : this.#rule(socket, name, event, i + 1)));
      }
      if (ruling === 'stop') return ruling;
    }
    return 'pass';
  }

  #take(rule: Rule, owner: string): BucketDecision | Promise<BucketDecision> {
    const { shape, longestWaitMs } = rule;
    try {
      const decision = this.#store.take(`${rule.name}|${owner}`, shape, longestWaitMs, this.#clock.nowMs());
      return decision instanceof Promise ? decision.catch((error) => this.#storeFailed(error)) : decision;
    } catch (error) {
      return this.#storeFailed(error);
    }
  }

  #storeFailed(error: unknown): BucketDecision {
    this.counters.storeErrors++;
    this.emit('storeError', error);
    return { isGranted: this.#whenStoreFails === 'pass', waitMs: 0, fullAtMs: 0 };
  }

  #apply(
    rule: Rule,
    { isGranted, waitMs }: BucketDecision,
    socket: AnySocket,
    name: string,
    event: EventArguments,
  ): Ruling {
    if (isGranted && waitMs === 0) return 'pass';
    this.emit('limited', { socket, event: name, rule: rule.name, policy: rule.policy, waitMs });
    if (isGranted) {
      this.counters.delayed++;
      return new Promise((resolve) => {
        this.#clock.setTimer(waitMs, () => resolve('pass'));
      });
    }
    this.#stop(rule, waitMs, socket, name, event);
    return 'stop';
  }

  #stop(rule: Rule, waitMs: number, socket: AnySocket, name: string, event: EventArguments): void {
    if (rule.policy === 'drop') {
      this.counters.dropped++;
      return;
    }
    const retryAfterMs = Math.ceil(waitMs);
    const message = `"${name}" comes too often; it may come again in ${retryAfterMs} ms.`;
    const refusal: EventRefusal = { code: 'RATE_ERR_LIMITED', message, event: name, retryAfterMs };
    refuseEvent(socket, event, refusal);
    if (rule.policy === 'disconnect') {
      this.counters.disconnected++;
      socket.disconnect(true);
    } else {
      this.counters.refused++;
    }
  }
}

/** What is counted: a stream that is asked for under its own name, what it says then not at all. */
function nameOf(event: EventArguments): string | null {
  const [name, kind, , stream] = event;
  if (name !== STREAM_EVENT) return String(name);
  return kind === 'open' && typeof stream === 'string' ? stream : null;
}

function ownerOf(socket: AnySocket, per: RateLimitKey): string | null {
  if (per === 'socket') return socket.id;
  if (per === 'address') return networkOf(socket.client.peer.remoteAddress ?? '');
  return per(socket) ?? null;
}

function readRule(given: RateLimitRule, index: number): Rule {
  const { limit, perMs = DEFAULT_PER_MS, burst = limit, policy = 'refuse', per = 'socket' } = given;
  const { maxDelayMs = DEFAULT_MAX_DELAY_MS, name = String(index), events } = given;
  const isCounted = events === undefined || (events.length > 0 && [events].flat().every(isName));
  if (!isCounted || !isName(name) || (typeof per !== 'function' && !KEYS.has(per))) {
    const message = `Rate limit ${String(name)}: events and name are texts, per is 'socket', 'address' or a function.`;
    throw new UsageError(message, { code: 'RATE_ERR_LIMIT' });
  }
  const isRight =
    isPositive(limit) &&
    isPositive(perMs) &&
    burst >= 1 &&
    Number.isFinite(burst) &&
    maxDelayMs >= 0 &&
    POLICIES.has(policy);
  if (!isRight) {
    const message = `Rate limit ${name}: limit and perMs are above 0, burst is at least 1, and the policy has a name.`;
    throw new UsageError(message, { code: 'RATE_ERR_LIMIT' });
  }
  return {
    name,
    events: events === undefined ? null : new Set(typeof events === 'string' ? [events] : events),
    shape: { tokens: limit, perMs, burst },
    per,
    policy,
    longestWaitMs: policy === 'delay' ? maxDelayMs : 0,
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isPositive(value: number): boolean {
  return value > 0 && Number.isFinite(value);
}
