/**
 * What: a contract: the events of a namespace, each with the schemas of what it carries; and judging against it.
 * Must not know: sockets, who sends, or what happens to what does not keep it.
 */
import { UsageError } from '../base/errors.ts';
import type { EventRefusal, RefusalIssue } from '../base/refusal.ts';
import { reservedEvents } from '../wire/events/packet.ts';
import type { ContractSpec, EventDeclaration, EventDeclarations, EventSpec } from './contract-types.ts';
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts';

/** The events of one namespace, declared once for both ends. */
export interface Contract<Spec extends ContractSpec = ContractSpec> {
  readonly spec: Spec;
  /** What clients emit, by name. @internal */
  readonly clientToServer: ReadonlyMap<string, EventSpec>;
  /** What the server emits, by name. @internal */
  readonly serverToClient: ReadonlyMap<string, EventSpec>;
  /** What clients give as `auth`; undefined: anything. @internal */
  readonly auth: StandardSchema | undefined;
}

/** What is wrong, and how much of it is told. */
export const CONTRACT_ERROR = {
  event: 'CONTRACT_ERR_UNKNOWN_EVENT',
  args: 'CONTRACT_ERR_INVALID_ARGUMENTS',
  ack: 'CONTRACT_ERR_UNEXPECTED_ACK',
  answer: 'CONTRACT_ERR_INVALID_ANSWER',
  part: 'CONTRACT_ERR_INVALID_PART',
  auth: 'CONTRACT_ERR_INVALID_AUTH',
  schema: 'CONTRACT_ERR_SCHEMA_FAILED',
} as const;
const ISSUES_LIMIT = 10;

const SPEC_KEYS: ReadonlySet<string> = new Set(['args', 'ack', 'part']);

/** What the two ends say to each other beside the program's events. */
const OWN_NAMES = /^tautline:/;

/**
 * Declares the events of a namespace, with the schemas of any library that has the Standard Schema interface.
 *
 * Give it to `io.contract()` or `io.of(name).contract()` on the server and, if you like, to `withContract()` on the
 * client.
 * @throws {UsageError} `CONTRACT_ERR_SCHEMA`: something declared is no schema, or under a name that no event can have.
 */
export function defineContract<const Spec extends ContractSpec>(spec: Spec): Contract<Spec> {
  const { auth } = isObject(spec) ? spec : ({} as Spec);
  const directions = [spec?.clientToServer, spec?.serverToClient];
  if (!isObject(spec) || !directions.every((each) => each === undefined || isObject(each))) {
    const message = 'A contract is an object; so are clientToServer and serverToClient.';
    throw new UsageError(message, { code: 'CONTRACT_ERR_SCHEMA' });
  }
  if (auth !== undefined && !isSchema(auth)) {
    throw new UsageError('auth is declared with something that is no Standard Schema.', {
      code: 'CONTRACT_ERR_SCHEMA',
    });
  }
  return {
    spec,
    clientToServer: read(spec.clientToServer),
    serverToClient: read(spec.serverToClient),
    auth,
  };
}

function read(declarations: EventDeclarations = {}): ReadonlyMap<string, EventSpec> {
  // A Map, so that `__proto__` is a name like any other.
  return new Map(Object.entries(declarations).map(([name, declared]) => [name, readEvent(name, declared)]));
}

function readEvent(name: string, declared: EventDeclaration): EventSpec {
  if (reservedEvents.has(name) || OWN_NAMES.test(name)) {
    throw new UsageError(`"${name}" is a reserved event name.`, { code: 'CONTRACT_ERR_SCHEMA' });
  }
  // Whoever writes no TypeScript may declare anything, which as a spec would be an event without arguments.
  const isSpec = isObject(declared) && Object.keys(declared).every((key) => SPEC_KEYS.has(key));
  const spec = isSchema(declared)
    ? { args: [declared] }
    : isList(declared)
      ? { args: declared }
      : isSpec
        ? (declared as EventSpec)
        : { args: [declared as StandardSchema] };
  const { args = [], ack, part } = spec;
  const lists: readonly unknown[] = [args, ack ?? [], part === undefined ? [] : [part]];
  if (
    !lists.every((list) => Array.isArray(list) && list.every(isSchema)) ||
    (ack !== undefined && part !== undefined)
  ) {
    const message = `"${name}" is declared with something that is no Standard Schema, or both as a stream and with ack.`;
    throw new UsageError(message, { code: 'CONTRACT_ERR_SCHEMA' });
  }
  return { args, ack, part };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isList(declared: EventDeclaration): declared is readonly StandardSchema[] {
  return Array.isArray(declared);
}

/** Schemas of arktype are functions. */
function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Partial<StandardSchema>)['~standard'];
  return typeof standard?.validate === 'function';
}

/** Values that keep the contract, perhaps others than came; or why they do not. */
export type Verdict = { readonly values: unknown[] } | { readonly refusal: EventRefusal };

/**
 * Validates values one by one; at once, if the schemas do.
 * @param values what is beyond the schemas is passed over.
 */
export function judge(
  event: string,
  code: string,
  schemas: readonly StandardSchema[],
  values: readonly unknown[],
): Verdict | Promise<Verdict> {
  const results: (SchemaResult<unknown> | Promise<SchemaResult<unknown>>)[] = [];
  let isAsync = false;
  try {
    for (let i = 0; i < schemas.length; i++) {
      const result = schemas[i]!['~standard'].validate(values[i]);
      isAsync ||= result instanceof Promise;
      results.push(result);
    }
  } catch {
    return { refusal: schemaFailed(event) };
  }
  if (!isAsync) return verdictOf(event, code, results as SchemaResult<unknown>[]);
  return Promise.all(results).then(
    (all) => verdictOf(event, code, all),
    () => ({ refusal: schemaFailed(event) }),
  );
}

/** The fault of a schema, of which the peer needs to know no more. */
function schemaFailed(event: string): EventRefusal {
  return refusalOf(event, CONTRACT_ERROR.schema, `What "${event}" carries could not be validated.`);
}

export function refusalOf(
  event: string,
  code: string,
  message: string,
  issues?: RefusalIssue[],
): EventRefusal {
  return issues === undefined ? { code, message, event } : { code, message, event, issues };
}

function verdictOf(event: string, code: string, results: readonly SchemaResult<unknown>[]): Verdict {
  const values: unknown[] = [];
  const issues: RefusalIssue[] = [];
  for (const [index, result] of results.entries()) {
    if (result.issues === undefined) values.push(result.value);
    else
      for (const issue of result.issues) issues.push({ path: pathOf(index, issue), message: issue.message });
  }
  if (issues.length === 0 && values.length === results.length) return { values };
  const [first] = issues;
  const where = first === undefined ? '' : ` at ${first.path.join('.')}: ${first.message}`;
  const message = `What "${event}" carries does not keep the contract${where}`;
  return { refusal: refusalOf(event, code, message, issues.slice(0, ISSUES_LIMIT)) };
}

/** Under which name credentials are refused: no event has it. */
const AUTH_NAME = 'connect';

/** Validates credentials. Their paths begin with a key of theirs: they are no list of arguments. */
export function judgeAuth(schema: StandardSchema, auth: unknown): Verdict | Promise<Verdict> {
  const verdict = judge(AUTH_NAME, CONTRACT_ERROR.auth, [schema], [auth]);
  return verdict instanceof Promise ? verdict.then(asAuth) : asAuth(verdict);
}

function asAuth(verdict: Verdict): Verdict {
  if ('values' in verdict) return verdict;
  const { code, issues } = verdict.refusal;
  if (issues === undefined) {
    return { refusal: refusalOf(AUTH_NAME, code, 'The credentials could not be validated.') };
  }
  const own = issues.map(({ path, message }) => ({ path: path.slice(1), message }));
  const [first] = own;
  const where = first === undefined ? '' : ` at ${first.path.join('.')}: ${first.message}`;
  const message = `The credentials do not keep the contract${where}`;
  return { refusal: refusalOf(AUTH_NAME, code, message, own) };
}

function pathOf(index: number, { path = [] }: SchemaIssue): (string | number)[] {
  // A list of our own: arktype's paths are arrays of another class, whose map() puts a number in front of one.
  const keys = Array.from(path, (step) => (typeof step === 'object' ? step.key : step));
  return [index, ...keys.map((key) => (typeof key === 'number' ? key : String(key)))];
}
