/**
 * What: header fields as programs hand them in: an object, or pairs as those of `Headers`.
 * Must not know: who sends them.
 */
import { isSequence, toDictionary } from '../../base/web-idl.ts';

/** An object, a `Headers`, a `Map`, or any other iterable of names and values. */
export type HeaderInit = Readonly<Record<string, string>> | Iterable<readonly [string, string]>;

/** The header fields in the form that `http.request` takes. A name that comes twice has both values. */
export function toHeaders(headers: HeaderInit | null | undefined): Record<string, string> {
  const fields: Record<string, string> = {};
  if (headers === undefined || headers === null) return fields;
  const names = new Map<string, string>();
  const pairs = isSequence(headers)
    ? (headers as Iterable<readonly [string, string]>)
    : Object.entries(toDictionary('headers', headers));
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const known = names.get(key);
    if (known === undefined) {
      names.set(key, name);
      fields[name] = `${value}`;
    } else {
      fields[known] += `, ${value}`;
    }
  }
  return fields;
}
