/**
 * What: the value of Sec-WebSocket-Extensions as data, and back (RFC 6455 section 9.1).
 * Must not know: any extension, or who may offer what.
 */
import { isToken, skipSpace, skipToken } from '../../base/token.ts';

/** One element of the list: a name with parameters in their order; `true` is a parameter without a value. */
export interface Extension {
  readonly name: string;
  readonly parameters: readonly ExtensionParameter[];
}
/** A parameter of an extension; `true` where it has no value. */
export type ExtensionParameter = readonly [name: string, value: string | true];

const comma = 0x2c;
const semicolon = 0x3b;
const equals = 0x3d;
const quote = 0x22;
const backslash = 0x5c;

/** Reads one value from front to back; each character is looked at once. */
class ExtensionReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** extension-list = 1#extension, where empty elements are not let pass (see below). */
  list(): Extension[] | null {
    const extensions: Extension[] = [];
    do {
      const extension = this.#extension();
      if (extension === null) return null;
      extensions.push(extension);
    } while (this.#take(comma));
    return this.#at === this.#text.length ? extensions : null;
  }

  /** extension = extension-token *( ";" extension-param ) */
  #extension(): Extension | null {
    const name = this.#token();
    if (name === null) return null;
    const parameters: ExtensionParameter[] = [];
    while (this.#take(semicolon)) {
      const parameter = this.#parameter();
      if (parameter === null) return null;
      parameters.push(parameter);
    }
    return { name, parameters };
  }

  /** extension-param = token [ "=" (token | quoted-string) ] */
  #parameter(): ExtensionParameter | null {
    const name = this.#token();
    if (name === null) return null;
    if (!this.#take(equals)) return [name, true];
    this.#at = skipSpace(this.#text, this.#at);
    const isQuoted = this.#text.charCodeAt(this.#at) === quote;
    const value = isQuoted ? this.#quotedToken() : this.#token();
    return value === null ? null : [name, value];
  }

  #token(): string | null {
    const start = skipSpace(this.#text, this.#at);
    this.#at = skipToken(this.#text, start);
    return this.#at === start ? null : this.#text.slice(start, this.#at);
  }

  /** RFC 6455 section 9.1: what is quoted must be a token once the escapes are removed. */
  #quotedToken(): string | null {
    let value = '';
    for (let i = this.#at + 1; i < this.#text.length; i++) {
      const code = this.#text.charCodeAt(i);
      if (code === quote) {
        this.#at = i + 1;
        return isToken(value) ? value : null;
      }
      if (code === backslash) i++;
      value += this.#text.charAt(i);
    }
    return null;
  }

  #take(code: number): boolean {
    const at = skipSpace(this.#text, this.#at);
    if (this.#text.charCodeAt(at) !== code) {
      // White space may end the value, but not stand between two elements without their separator.
      if (at === this.#text.length) this.#at = at;
      return false;
    }
    this.#at = at + 1;
    return true;
  }
}

/**
 * Reads the value of one or several (joined with commas) Sec-WebSocket-Extensions headers, in linear time.
 * Empty list elements are refused, as ws does: RFC 9110 section 5.6.1 forbids to send them.
 * @returns `null` when it is not what the grammar says.
 */
export function parseExtensions(value: string): Extension[] | null {
  return new ExtensionReader(value).list();
}

/** The inverse, in the form `name; parameter; parameter=value, name`. */
export function formatExtensions(extensions: readonly Extension[]): string {
  return extensions
    .map(({ name, parameters }) =>
      [name, ...parameters.map(([key, value]) => (value === true ? key : `${key}=${value}`))].join('; '),
    )
    .join(', ');
}
