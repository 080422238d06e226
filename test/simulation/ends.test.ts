import { describe, expect, it } from 'vitest';
import type { History } from './history.ts';
import { mendedHistories, rareHistories } from './mended-histories.ts';
import { endMutations, loadMutated, machineMutations } from './mutation.ts';
import { historyOf } from './seeded-history.ts';
import { describeFailure, playSeed, type Totals } from './simulation.ts';
import { World } from './world.ts';

/** `npm test` has no time for more; `npm run simulate` has. */
const BUDGET_MS = 4_000;

function play(seed: number, totals: Totals): void {
  const failure = playSeed(seed, totals);
  if (failure !== null) expect.fail(describeFailure(failure));
}

describe('the client and the server, over a network that does what it likes', () => {
  const totals: Totals = { histories: 0, events: 0, delivered: 0 };

  it.each(mendedHistories)('do not repeat that %s', (_what, history) => {
    expect(new World(history).run().failure).toBeNull();
  });

  it('keep their promises in what chance hardly finds', () => {
    for (const history of rareHistories) expect(new World(history).run().failure).toBeNull();
  });

  it('keep their promises in the first 300 histories', () => {
    for (let seed = 1; seed <= 300; seed++) play(seed, totals);
  });

  it('keep their promises in histories of a new seed', () => {
    const first = Math.floor(Math.random() * 2 ** 31);
    const untilMs = performance.now() + BUDGET_MS;
    let seed = first;
    while (performance.now() < untilMs) play(seed++, totals);
    console.info(`${seed - first} histories from seed ${first} on.`);
    // Else the network would have kept everything to itself.
    expect(totals.delivered).toBeGreaterThan(totals.histories);
  });
});

describe('a broken end is caught within 1,000 histories', () => {
  const table = [...machineMutations, ...endMutations].map(([what, ...edits]) => [what, edits] as const);

  it.each(table)('that %s', async (_what, edits) => {
    const broken = await loadMutated<typeof import('./world.ts')>('test/simulation/world.ts', edits);
    const fails = (history: History) => new broken.World(history).run().failure !== null;
    let isCaught = mendedHistories.some(([, history]) => fails(history)) || rareHistories.some(fails);
    for (let seed = 1; !isCaught && seed <= 1000; seed++) isCaught = fails(historyOf(seed));
    expect(isCaught).toBe(true);
  });
});
