/**
 * What: about how much memory an event takes that waits.
 * Must not know: why it waits, or what an event means.
 */

/** Of a value beside its characters or bytes. */
const VALUE_BYTES = 16;
/** Of an event beside its arguments. */
const EVENT_BYTES = 128;
/** What validation made of an event may be anything, itself among its parts included. */
const VALUES_LIMIT = 10_000;

/** An estimate, in bytes, of what an event keeps. A character counts as one. */
export function eventBytes(event: readonly unknown[]): number {
  const rest: unknown[] = [...event];
  let bytes = EVENT_BYTES;
  for (let count = 0; rest.length > 0 && count < VALUES_LIMIT; count++) {
    const value = rest.pop();
    bytes += VALUE_BYTES;
    if (typeof value === 'string') bytes += value.length;
    else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) bytes += value.byteLength;
    else if (Array.isArray(value)) for (const each of value) rest.push(each);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, each] of Object.entries(value)) {
        bytes += key.length;
        rest.push(each);
      }
    }
  }
  return bytes + rest.length * VALUE_BYTES;
}
