/**
 * What: how many namespaces clients may ask for, under which names, and how much of their credentials is kept.
 * Must not know: how namespaces are found and entered.
 */
import { UsageError } from '../base/errors.ts';

/** The option `namespaceLimits`. What is above one is refused by a `connect_error` with a code that says so. */
export interface NamespaceLimits {
  /** Most namespaces that one connection is in, or is about to enter. Default 1000: more than pages have parts. */
  perConnection: number;
  /**
   * Most namespaces that a pattern or a function has made for clients. Default 10000. Above it those without sockets
   * are given up, as `cleanupEmptyChildNamespaces` does at once; only where there is none, another one is refused.
   */
  dynamic: number;
  /** Most characters of a name. Default 1000. */
  nameCharacters: number;
  /**
   * Most characters, as JSON, of the `auth` that one connection gives to all namespaces that it is in. Default 1000000,
   * which is what a single message may have by default. Those of less than 1000 are not counted.
   */
  authCharacters: number;
}

const defaults: NamespaceLimits = {
  perConnection: 1000,
  dynamic: 10_000,
  nameCharacters: 1000,
  authCharacters: 1_000_000,
};

/**
 * Fills in the defaults.
 * @throws {UsageError} `NAMESPACE_ERR_LIMIT`
 */
export function resolveNamespaceLimits(given: Partial<NamespaceLimits> = {}): NamespaceLimits {
  const limits = { ...defaults, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= 0) continue;
    throw new UsageError(`namespaceLimits.${name} cannot be ${String(value)}.`, {
      code: 'NAMESPACE_ERR_LIMIT',
    });
  }
  return limits;
}

/** Why a client is not let into a namespace, as the packet CONNECT_ERROR has it. */
export interface EntryRefusal {
  readonly message: string;
  readonly data: { readonly code: string; readonly limit: { readonly name: string; readonly value: number } };
}

function refusal(message: string, code: string, name: keyof NamespaceLimits, value: number): EntryRefusal {
  return { message, data: { code, limit: { name: `namespaceLimits.${name}`, value } } };
}

/** There are too many namespaces of a pattern. */
export function tooManyDynamic({ dynamic }: NamespaceLimits): EntryRefusal {
  return refusal(
    'No further namespace can be made here',
    'NAMESPACE_ERR_TOO_MANY_DYNAMIC',
    'dynamic',
    dynamic,
  );
}

/** Below it credentials cost about what their socket costs, and are bounded by the number of namespaces. */
const SMALL_AUTH = 1000;

/** Of connections that gave large credentials: how large, by namespace. */
const largeAuths = new WeakMap<object, Map<string, number>>();

function sayBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** A parser of the program's own may read what JSON has no words for. What contains itself has no end. */
function charactersOf(auth: unknown): number {
  try {
    return JSON.stringify(auth, sayBigInt)?.length ?? 0;
  } catch {
    return Infinity;
  }
}

/**
 * Whether a connection may ask for a namespace. What it gives counts until {@link forgetEntry}.
 * @param count in how many namespaces it is already.
 * @returns why not; null when it may.
 */
export function checkEntry(
  connection: object,
  count: number,
  name: string,
  auth: unknown,
  { perConnection, nameCharacters, authCharacters }: NamespaceLimits,
): EntryRefusal | null {
  if (count >= perConnection) {
    const message = `A connection may be in ${perConnection} namespaces`;
    return refusal(message, 'NAMESPACE_ERR_TOO_MANY', 'perConnection', perConnection);
  }
  if (name.length > nameCharacters) {
    const message = `The name of a namespace may have ${nameCharacters} characters`;
    return refusal(message, 'NAMESPACE_ERR_NAME_TOO_LONG', 'nameCharacters', nameCharacters);
  }
  const characters = charactersOf(auth);
  if (characters <= SMALL_AUTH) return null;
  const known = largeAuths.get(connection) ?? new Map<string, number>();
  let sum = characters;
  for (const each of known.values()) sum += each;
  if (sum > authCharacters) {
    const message = `What a connection gives as auth may have ${authCharacters} characters in all`;
    return refusal(message, 'NAMESPACE_ERR_AUTH_TOO_LARGE', 'authCharacters', authCharacters);
  }
  largeAuths.set(connection, known.set(name, characters));
  return null;
}

/** A connection is not in a namespace any more. */
export function forgetEntry(connection: object, name: string): void {
  largeAuths.get(connection)?.delete(name);
}
