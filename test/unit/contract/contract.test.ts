import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CONTRACT_ERROR, defineContract, judge } from '../../../src/contract/contract.ts';
import type { StandardSchema } from '../../../src/contract/standard-schema.ts';

/** A schema without a library. */
function schema(validate: (value: unknown) => unknown): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

const libraries: [string, StandardSchema, StandardSchema][] = [
  ['zod', z.object({ name: z.string(), tags: z.array(z.number()) }), z.string()],
  ['valibot', v.object({ name: v.string(), tags: v.array(v.number()) }), v.string()],
  ['arktype', type({ name: 'string', tags: 'number[]' }), type('string')],
];

describe('judging by a contract', () => {
  it.each(libraries)('takes schemas of %s, and tells path and reason', async (_title, object, text) => {
    const right = [{ name: 'Ada', tags: [1] }, 'x'];
    expect(await judge('say', 'CODE', [object, text], right)).toEqual({ values: right });
    const wrong = await judge('say', 'CODE', [object, text], [{ name: 'Ada', tags: [1, 'two'] }, 5]);
    expect(wrong).toEqual({
      refusal: {
        code: 'CODE',
        event: 'say',
        message: expect.stringMatching(/^What "say" carries does not keep the contract at 0.tags.1: ./),
        issues: [
          { path: [0, 'tags', 1], message: expect.stringMatching(/./) },
          { path: [1], message: expect.stringMatching(/./) },
        ],
      },
    });
  });

  it('gives the values that the schemas make', () => {
    const schemas = [z.string().transform(Number), z.number().default(7)];
    expect(judge('e', 'C', schemas, ['5'])).toEqual({ values: [5, 7] });
  });

  it('waits for schemas that take their time, and only then', async () => {
    const slow = schema(async (value) => ({ value }));
    expect(judge('e', 'C', [z.string()], ['a'])).toEqual({ values: ['a'] });
    const verdict = judge('e', 'C', [slow, z.string()], [1, 'a']);
    expect(verdict).toBeInstanceOf(Promise);
    expect(await verdict).toEqual({ values: [1, 'a'] });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('secret');
      },
    ],
  ])('refuses where a schema %s, and says no more', async (_title, validate) => {
    expect(await judge('e', 'C', [schema(validate)], [1])).toEqual({
      refusal: {
        code: CONTRACT_ERROR.schema,
        event: 'e',
        message: 'What "e" carries could not be validated.',
      },
    });
  });

  it('refuses where a schema finds fault without saying which', () => {
    expect(judge('e', 'C', [schema(() => ({ issues: [] }))], [1])).toMatchObject({ refusal: { issues: [] } });
  });

  it('tells at most ten issues', () => {
    const verdict = judge('e', 'C', [z.array(z.number())], [Array.from({ length: 50 }, () => 'x')]);
    expect(verdict).toHaveProperty('refusal.issues.length', 10);
  });

  it('writes keys that are objects or symbols into the path', () => {
    const odd = schema(() => ({ issues: [{ message: 'no', path: [{ key: 'a' }, Symbol('b'), 0] }] }));
    expect(judge('e', 'C', [odd], [1])).toMatchObject({
      refusal: { issues: [{ path: [0, 'a', 'Symbol(b)', 0] }] },
    });
  });
});

describe('a contract', () => {
  it('knows an event by its schema, its list or its parts, whatever its name', () => {
    const { clientToServer } = defineContract({
      clientToServer: {
        one: z.string(),
        list: [type('string'), z.number()],
        none: [],
        ['__proto__']: { args: [z.string()] },
      },
    });
    expect([...clientToServer].map(([name, { args }]) => [name, args?.length])).toEqual([
      ['one', 1],
      ['list', 2],
      ['none', 0],
      ['__proto__', 1],
    ]);
  });

  it.each([
    ['no schema', { args: [z.string(), 'text'] }],
    ['a list of something else', [5]],
    ['an answer and parts', { ack: [z.string()], part: z.string() }],
    ['a number for an event', 5],
    ['null for an event', null],
    ['a text for an event', 'text'],
    ['a key that no event has, for nothing would be validated', { arg: [z.string()] }],
    ['a schema for the list of arguments', { args: z.string() }],
    ['a schema for the list of answers', { ack: z.string() }],
  ])('cannot be made with %s', (_title, declared) => {
    expect(() => defineContract({ clientToServer: { e: declared as never } })).toThrow(
      expect.objectContaining({ code: 'CONTRACT_ERR_SCHEMA' }),
    );
  });

  it.each(['connect', 'disconnecting', 'newListener', 'tautline:stream'])(
    'cannot be made with the name %s, which no event of a program has',
    (name) => {
      const wrong = expect.objectContaining({
        code: 'CONTRACT_ERR_SCHEMA',
        message: `"${name}" is a reserved event name.`,
      });
      expect(() => defineContract({ serverToClient: { [name]: [] } })).toThrow(wrong);
    },
  );

  it.each([null, undefined, 5, { clientToServer: null }, { serverToClient: 'say' }])(
    'is an object, not %j',
    (spec) => {
      expect(() => defineContract(spec as never)).toThrow(
        expect.objectContaining({ name: 'UsageError', code: 'CONTRACT_ERR_SCHEMA' }),
      );
    },
  );
});
