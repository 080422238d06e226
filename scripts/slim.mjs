/**
 * What: a plugin for the browser builds: errors have codes only, closed sets are constants, inner names are short.
 * Must not know: what is built, or any name in it.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findShortNames } from './short-names.mjs';

/** Classes whose errors have a code; without words, the code is the message (src/base/errors.ts). */
const CODED = new Set(['PeerError', 'UsageError']);

/** Of these codes the words stay: programs match on them, as they come from Socket.IO. */
const WORDED = /'ENGINE_ERR_NO_TRANSPORTS'/;

/** Calls `visit` with every node of a syntax tree. */
function walk(node, visit) {
  if (Array.isArray(node)) for (const each of node) walk(each, visit);
  else if (typeof node?.type === 'string') {
    visit(node);
    for (const value of Object.values(node)) if (typeof value === 'object') walk(value, visit);
  }
}

/** `export const Name = { key: 'literal' } as const`: the literals as they are written, by key, by name. */
function closedSetsOf(program, code) {
  const sets = new Map();
  for (const { type, declaration } of program.body) {
    if (type !== 'ExportNamedDeclaration' || declaration?.kind !== 'const') continue;
    for (const { id, init } of declaration.declarations) {
      const members = init?.type === 'TSAsExpression' && init.expression.properties;
      if (!members?.length || !members.every(({ value }) => value?.type === 'Literal')) continue;
      sets.set(
        id.name,
        new Map(members.map(({ key, value }) => [key.name, code.slice(value.start, value.end)])),
      );
    }
  }
  return sets;
}

/**
 * The plugin.
 * @param names what {@link findShortNames} wants to know. One plugin makes all builds whose objects meet.
 */
export function slim(names) {
  const files = new Map();
  let renamed;
  return {
    name: 'slim',
    transform: {
      filter: { id: /\/src\/.*(?<!\.d)\.ts$/ },
      handler(code, id) {
        const setsOf = (path, text = readFileSync(path, 'utf8')) => {
          if (!files.has(path)) files.set(path, closedSetsOf(this.parse(text, { lang: 'ts' }), text));
          return files.get(path);
        };
        const program = this.parse(code, { lang: 'ts' });
        const local = new Map(setsOf(id, code));
        for (const { type, source, specifiers } of program.body) {
          if (type !== 'ImportDeclaration' || !source.value.startsWith('.')) continue;
          const sets = setsOf(resolve(dirname(id), source.value));
          for (const specifier of specifiers) {
            const set = sets.get(specifier.imported?.name);
            if (set) local.set(specifier.local.name, set);
          }
        }
        renamed ??= findShortNames(names);
        const edits = (renamed.get(id) ?? []).map(([start, end, text]) => [{ start, end }, text]);
        walk(program, (node) => {
          const isCoded = node.type === 'NewExpression' && CODED.has(node.callee.name);
          if (isCoded && !WORDED.test(code.slice(node.start, node.end))) {
            edits.push([node.arguments[0], "''"]);
          } else if (node.type === 'MemberExpression' && !node.computed) {
            const literal = local.get(node.object.name)?.get(node.property.name);
            if (literal !== undefined) edits.push([node, literal]);
          }
        });
        // From the end on, so that places hold. What lies within a place that was replaced is gone with it.
        let from = Number.POSITIVE_INFINITY;
        for (const [{ start, end }, text] of edits.sort(([a], [b]) => b.start - a.start || b.end - a.end)) {
          const outer = edits.some(
            ([other]) => other.start <= start && other.end >= end && other.end - other.start > end - start,
          );
          if (outer || end > from) continue;
          code = code.slice(0, start) + text + code.slice(end);
          from = start;
        }
        return { code, map: null };
      },
    },
  };
}
