/**
 * What: docs/conformance.md names tests that exist, for every section of the RFCs that has a rule for an endpoint.
 * Must not know: what the tests do.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/conformance.md'), 'utf8');

/** The part of the document under a heading. */
function chapter(heading: string): string {
  const part = document.split(/^## /m).find((text) => text.startsWith(heading));
  if (part === undefined) throw new Error(`docs/conformance.md has no chapter ${heading}`);
  return part;
}

/** The rows of a chapter's table: section or id, whose, rule, test. */
function rows(heading: string): string[][] {
  return chapter(heading)
    .split('\n')
    .filter((line) => /^\| (?!section |id |-)/.test(line))
    .map((line) => line.slice(2, -2).split(' | '));
}

/** Sections that contain MUST, SHALL or REQUIRED for an endpoint. Those not here only define, advise, or are for others. */
const sections: Record<string, string[]> = {
  'RFC 6455': (
    '3 4.1 4.2.1 4.2.2 4.3 4.4 5.1 5.2 5.3 5.4 5.5 5.5.1 5.5.2 5.5.3 5.6 6.1 6.2 7.1.1 7.1.2 7.1.5 7.1.6 7.1.7 ' +
    '7.2.1 7.2.2 7.4.1 7.4.2 8.1 9.1 10.4 11.3.1 11.3.2 11.3.3 11.3.4 11.3.5'
  ).split(' '),
  'RFC 7692': '5 5.1 5.2 6 6.1 6.2 7.1 7.1.1.1 7.1.1.2 7.1.2.1 7.1.2.2 7.2.1 7.2.2 7.2.3.4 7.2.3.6'.split(
    ' ',
  ),
  'RFC 8441': '3 4 5'.split(' '),
};

const chapters = [...Object.keys(sections), 'Published vulnerabilities'];
const sources = new Map<string, string>();

describe.each(chapters)('the list of %s', (heading) => {
  it.each(rows(heading))('names a test that exists for %s (%s): %s', (...row) => {
    const [, file, title] = /^`(.+\.test\.ts)` › (.+)$/.exec(row[3] ?? '') ?? [];
    if (file === undefined || title === undefined) throw new Error(`no test in the row: ${row.join(' | ')}`);
    const source = sources.get(file) ?? readFileSync(join(root, 'test', file), 'utf8');
    sources.set(file, source);
    expect(source).toContain(title);
  });
});

it.each(Object.entries(sections))('%s: every section with a rule is listed', (heading, expected) => {
  const listed = new Set(rows(heading).map(([section]) => section));
  expect(expected.filter((section) => !listed.has(section))).toEqual([]);
});
