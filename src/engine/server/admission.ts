/**
 * What: how many sessions there may be, and how many may be beginning, in all and for one address.
 * Must not know: what a session is, and how a refusal is answered.
 */
import type { IncomingMessage } from 'node:http';
import { UsageError } from '../../base/errors.ts';
import { errors, type Refusal } from './refusal.ts';

/** What is done with messages for a client that does not read them. */
export type SlowReaderPolicy = 'close' | 'drop newest';

/** The option `limits`. Whoever is above one is refused, or closed, with a reason that names it. */
export interface LimitOptions {
  /** Most sessions at one time. Default: no limit. */
  readonly sessions?: number;
  /** Most sessions of one address. Default: no limit, since behind a proxy all clients may have the same. */
  readonly sessionsPerAddress?: number;
  /**
   * Most clients whose first request is with a middleware, `allowRequest` or `generateId`. Default 10000: more than
   * any of them answers within a client's patience.
   */
  readonly handshakes?: number;
  /** The same for one address. Default: no limit. */
  readonly handshakesPerAddress?: number;
  /**
   * Most bytes of messages that wait for a client that reads too slowly. Default 16 MiB. In a resumable session these
   * wait behind what is under way and not confirmed (`session.bufferBytes`), also while it has no connection.
   */
  readonly bufferedBytes?: number;
  /**
   * Default `close`: a client that misses messages without knowing is worse than one that connects again. With
   * `drop newest`, what does not fit is dropped, event by event, and counted (`droppedMessages`).
   */
  readonly slowReader?: SlowReaderPolicy;
  /** The address to count for a request. Default: the connection's; of IPv6 the first 64 bits, which one host has. */
  readonly addressOf?: (request: IncomingMessage) => string;
}

export type ResolvedLimits = Required<LimitOptions>;

const DEFAULTS: ResolvedLimits = {
  sessions: Number.POSITIVE_INFINITY,
  sessionsPerAddress: Number.POSITIVE_INFINITY,
  handshakes: 10_000,
  handshakesPerAddress: Number.POSITIVE_INFINITY,
  bufferedBytes: 16 * 1024 * 1024,
  slowReader: 'close',
  addressOf: ({ socket }) => networkOf(socket?.remoteAddress ?? ''),
};

/**
 * Fills in the defaults.
 * @throws {UsageError} `ENGINE_ERR_INVALID_LIMIT`
 */
export function resolveLimits(options: LimitOptions = {}): ResolvedLimits {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const isRight =
      name === 'addressOf'
        ? typeof value === 'function'
        : name === 'slowReader'
          ? value === 'close' || value === 'drop newest'
          : typeof value === 'number' && value >= 0;
    if (isRight) continue;
    throw new UsageError(`limits.${name} cannot be ${String(value)}.`, { code: 'ENGINE_ERR_INVALID_LIMIT' });
  }
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

/** One host or one customer has a /64 of IPv6, and could otherwise be as many addresses as it likes. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [head = '', tail = ''] = (address.split('%')[0] as string).split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === '' ? [] : tail.split(':');
  // `::` stands for as many zeros as are missing; what follows it may still reach into the first four groups.
  const zeros = address.includes('::')
    ? Array.from({ length: 8 - groups.length - behind.length }, () => '0')
    : [];
  return `${[...groups, ...zeros, ...behind].slice(0, 4).join(':')}::/64`;
}

/** How many there are, and how many of each address, where that is limited. */
class Tally {
  #total = 0;
  readonly #byAddress = new Map<string, number>();
  readonly #most: number;
  readonly #mostPerAddress: number;
  readonly #name: string;

  constructor(name: string, most: number, mostPerAddress: number) {
    this.#name = name;
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  get countsAddresses(): boolean {
    return this.#mostPerAddress !== Number.POSITIVE_INFINITY;
  }

  /** @returns why there cannot be another one; `null` when there can. */
  refusalFor(address: () => string): Refusal | null {
    if (this.#total >= this.#most) return limitRefusal(503, this.#name, this.#most);
    if (!this.countsAddresses) return null;
    const count = this.#byAddress.get(address()) ?? 0;
    if (count < this.#mostPerAddress) return null;
    return limitRefusal(429, `${this.#name}PerAddress`, this.#mostPerAddress);
  }

  /** @returns what takes it off again, once. */
  add(address: () => string): () => void {
    this.#total++;
    const key = this.countsAddresses ? address() : null;
    if (key !== null) this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    let isThere = true;
    return () => {
      if (!isThere) return;
      isThere = false;
      this.#total--;
      if (key === null) return;
      const left = this.#byAddress.get(key)! - 1;
      if (left === 0) this.#byAddress.delete(key);
      else this.#byAddress.set(key, left);
    };
  }
}

function limitRefusal(status: 429 | 503, limit: string, value: number): Refusal {
  const message = `The limit of ${value} (limits.${limit}) is reached. Try again later.`;
  return { code: errors.BAD_REQUEST, status, context: { name: 'LIMIT_REACHED', message, limit, value } };
}

/** Counts what comes in, and says who is one too many. */
export class Admission {
  readonly #limits: ResolvedLimits;
  readonly #sessions: Tally;
  readonly #handshakes: Tally;
  /** Of sessions whose address is counted: what takes them off. */
  readonly #leaving = new WeakMap<object, () => void>();
  readonly #isLimited: boolean;

  constructor(limits: ResolvedLimits) {
    this.#limits = limits;
    this.#sessions = new Tally('sessions', limits.sessions, limits.sessionsPerAddress);
    this.#handshakes = new Tally('handshakes', limits.handshakes, limits.handshakesPerAddress);
    const { sessions } = limits;
    this.#isLimited = this.#sessions.countsAddresses || sessions !== Number.POSITIVE_INFINITY;
  }

  /** A client begins; `left` takes it off the handshakes again, and may be called more than once. */
  begin(request: IncomingMessage): { readonly refusal: Refusal } | { readonly left: () => void } {
    const address = (): string => this.#limits.addressOf(request);
    const refusal = this.sessionRefusal(request) ?? this.#handshakes.refusalFor(address);
    return refusal === null ? { left: this.#handshakes.add(address) } : { refusal };
  }

  /** Why no session can begin for this request; asked again when it does, for others have meanwhile. */
  sessionRefusal(request: IncomingMessage): Refusal | null {
    return this.#isLimited ? this.#sessions.refusalFor(() => this.#limits.addressOf(request)) : null;
  }

  /** A session has begun. */
  enter(session: object, request: IncomingMessage): void {
    if (!this.#isLimited) return;
    this.#leaving.set(
      session,
      this.#sessions.add(() => this.#limits.addressOf(request)),
    );
  }

  /** A session is over. */
  leave(session: object): void {
    this.#leaving.get(session)?.();
    this.#leaving.delete(session);
  }
}
