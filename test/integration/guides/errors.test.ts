/**
 * What: shows that every error code in the sources is in the guide to errors, and no other.
 * Must not know: what a code means.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** What zlib and HTTP/2 (RFC 9113 section 7) call their errors. */
const foreign = /^(Z_|HTTP_1_1_REQUIRED$)/;

/** By their family, or by where they stand: other names in capitals are no codes. */
const inSources =
  /'(\w+_ERR_\w+|(?:WS|HTTP|SSE)_[A-Z0-9_]+)'|(?:code|context: \{ name|badRequest\(\{ name): '([A-Z0-9]+_[A-Z0-9_]+)'/g;
const codesIn = (text: string) =>
  [...text.matchAll(inSources)]
    .map(([, byFamily, byPlace]) => byFamily ?? byPlace ?? '')
    .filter((code) => !foreign.test(code));

const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
const sources = names
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({
    name,
    // Without comments, which may name any code.
    text: readFileSync(join(root, 'src', name), 'utf8').replace(/\/\*.*?\*\/|^\s*\/\/[^\n]*/gms, ''),
  }));
const guide = readFileSync(join(root, 'docs/guides/errors.md'), 'utf8');
const described = new Set(
  [...guide.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)].map(([, code = '']) => code),
);

describe('the guide to errors', () => {
  it('has every code of the sources', () => {
    const missing: string[] = [];
    let count = 0;
    for (const { name, text } of sources) {
      for (const code of codesIn(text)) {
        count++;
        if (!described.has(code)) missing.push(`${code} (${name})`);
      }
    }
    expect(missing).toEqual([]);
    // Should the pattern ever miss them all, nothing would be missing.
    expect(count).toBeGreaterThan(100);
  });

  it('has no code that the sources do not have', () => {
    const text = sources.map((source) => source.text).join('\n');
    const ours = [...described].filter((code) => !code.startsWith('ERR_') && !foreign.test(code));
    expect(ours.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });
});
