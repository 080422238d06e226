import { describe, expect, it } from 'vitest';
import { loadMutated, outboxMutations } from './mutation.ts';
import { OutboxWorld, playOutbox, type Step } from './outbox.ts';

const HISTORIES = 1_500;

/** Histories that once failed. */
const mended: readonly (readonly [what: string, history: readonly Step[]])[] = [
  [
    'a page forgets its own lane because it has asked twice for one that it took over',
    [
      ['a page emits', 0],
      ['a page emits', 1],
      ['a page is loaded again', 0],
      ['a session begins', 0],
      ['a page emits', 0],
      ['a session begins', 1],
      ['the server hears', 0],
      ['a page hears', 0],
      ['the server hears', 1],
      ['a session ends', 0],
      ['a page is loaded again', 1],
    ],
  ],
  [
    'a page does not ask what the server has because it was due while a lane was taken over',
    [
      ['a page emits', 0],
      ['a page is loaded again', 1],
      ['a page emits', 1],
      ['a session begins', 1],
      ['a session begins', 0],
      ['the server hears', 0],
      ['the server hears', 0],
      ['a page is loaded again', 0],
      ['time passes', 1],
    ],
  ],
];

describe('outboxes of two pages, over sessions that end at any step', () => {
  it.each(mended)('do not repeat that %s', async (_what, history) => {
    expect(await new OutboxWorld().run(history)).toBeNull();
  });

  it.each([1, Math.floor(Math.random() * 2 ** 31)])(
    `keep their promises in ${HISTORIES} histories from %i on`,
    async (first) => {
      for (let seed = first; seed < first + HISTORIES; seed++) {
        const failure = await playOutbox(seed);
        if (failure !== null) expect.fail(failure);
      }
    },
    30_000,
  );

  it.each(outboxMutations.map(([what, ...edits]) => [what, edits] as const))(
    'are caught within 300 when one %s',
    async (_what, edits) => {
      const broken = await loadMutated<typeof import('./outbox.ts')>('test/simulation/outbox.ts', edits);
      let seed = 1;
      while (seed <= 300 && (await broken.playOutbox(seed)) === null) seed++;
      expect(seed).toBeLessThanOrEqual(300);
    },
    30_000,
  );
});
