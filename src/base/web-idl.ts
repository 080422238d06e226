/**
 * What: how Web IDL turns JavaScript values into the types that the standard's interfaces take.
 * Must not know: any interface; memory, for which a platform is asked (`websocket/buffer-source.ts`).
 */
/** @throws {TypeError} when a call has fewer arguments than the interface asks for. */
export function requireArguments(what: string, present: number, wanted: number): void {
  if (present >= wanted) return;
  const noun = wanted === 1 ? 'argument' : 'arguments';
  throw new TypeError(`${what}: ${wanted} ${noun} required, but only ${present} present`);
}

/** `DOMString`. @throws {TypeError} for a symbol; whatever the object's `toString` throws. */
export function toDomString(value: unknown): string {
  return typeof value === 'string' ? value : `${value}`;
}

/** `USVString`: a `DOMString` in which lone surrogates became U+FFFD. */
export function toUsvString(value: unknown): string {
  // In Node from version 20 on; in the library of TypeScript from ES2024 on.
  return (toDomString(value) as string & { toWellFormed(): string }).toWellFormed();
}

/** `ToNumber`: unlike `Number()`, it throws for a BigInt. */
function toNumber(value: unknown): number {
  return +(value as number);
}

/** `[Clamp] unsigned short`: the nearest of 0 to 65535, halves to even; NaN is 0. */
export function toClampedUnsignedShort(value: unknown): number {
  const number = toNumber(value);
  if (Number.isNaN(number)) return 0;
  const clamped = Math.min(Math.max(number, 0), 65_535);
  const floor = Math.floor(clamped);
  if (clamped - floor !== 0.5) return Math.round(clamped);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** An unsigned integer of `bits` bits without attributes: the fraction is cut, the rest taken modulo 2^bits. */
export function toUnsigned(value: unknown, bits: 16 | 32): number {
  const number = toNumber(value);
  if (!Number.isFinite(number)) return 0;
  const modulus = 2 ** bits;
  // The last addition makes a plain zero of -0.
  return (((Math.trunc(number) % modulus) + modulus) % modulus) + 0;
}

/** Anything on which members can be looked up. */
export type Members = Readonly<Record<PropertyKey, unknown>>;

/** Objects and functions. */
export function isObject(value: unknown): value is Members {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A dictionary: `undefined` and `null` are an empty one. @throws {TypeError} for other primitives. */
export function toDictionary(what: string, value: unknown): Members {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new TypeError(`${what} is not an object`);
  return value;
}

/** Whether the value is taken for a sequence: an object with an iterator method. */
export function isSequence(value: unknown): value is Iterable<unknown> {
  if (!isObject(value)) return false;
  const method = value[Symbol.iterator];
  return method !== undefined && method !== null;
}

/** `sequence<DOMString>`. @throws {TypeError} when it is not an object with an iterator method. */
export function toStrings(what: string, value: unknown): string[] {
  if (!isSequence(value)) throw new TypeError(`${what} is not a sequence`);
  const strings: string[] = [];
  for (const item of value) strings.push(toDomString(item));
  return strings;
}
