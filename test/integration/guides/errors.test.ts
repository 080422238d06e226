/**
 * What: shows that every error code in the sources is in the guide to errors, and no other.
 * Must not know: what a code means.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** Names of others that stand in the sources: HTTP/2's errors (RFC 9113 section 7), Node's and zlib's. */
const foreign = new Set([
  ...[
    'NO_ERROR',
    'PROTOCOL_ERROR',
    'INTERNAL_ERROR',
    'FLOW_CONTROL_ERROR',
    'SETTINGS_TIMEOUT',
    'STREAM_CLOSED',
  ],
  ...['FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM'],
  ...['INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED', 'EAI_AGAIN', 'ERR_BUFFER_TOO_LARGE'],
  ...['Z_BUF_ERROR', 'Z_DATA_ERROR'],
]);

function codesIn(text: string, quote: string): string[] {
  const pattern = new RegExp(`${quote}([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)${quote}`, 'g');
  return [...text.matchAll(pattern)].map(([, code = '']) => code);
}

const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
const sources = names
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({
    name,
    // Without comments, which may name any code.
    text: readFileSync(join(root, 'src', name), 'utf8').replace(/\/\*.*?\*\/|^\s*\/\/[^\n]*/gms, ''),
  }));
const guide = readFileSync(join(root, 'docs/guides/errors.md'), 'utf8');
const described = new Set(codesIn(guide, '`'));

describe('the guide to errors', () => {
  it('has every code of the sources', () => {
    const missing: string[] = [];
    let count = 0;
    for (const { name, text } of sources) {
      for (const code of codesIn(text, "'")) {
        if (foreign.has(code)) continue;
        count++;
        if (!described.has(code)) missing.push(`${code} (${name})`);
      }
    }
    expect(missing).toEqual([]);
    // Should the pattern ever miss them all, nothing would be missing.
    expect(count).toBeGreaterThan(100);
  });

  it('has no code that the sources do not have', () => {
    const known = new Set(sources.flatMap(({ text }) => codesIn(text, "'")));
    expect([...described].filter((code) => !known.has(code) && !code.startsWith('ERR_'))).toEqual([]);
  });
});
