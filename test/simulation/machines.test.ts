import { describe, expect, it } from 'vitest';
import { playMachines } from './machines.ts';
import { loadMutated, machineMutations } from './mutation.ts';

/** The machines alone are quick: `npm run simulate` plays as many of these as are asked for. */
const HISTORIES = 50_000;

describe('two machines of the session, over connections that break at any step', () => {
  it.each([1, Math.floor(Math.random() * 2 ** 31)])(
    `keep their promises in ${HISTORIES} histories from %i on`,
    (first) => {
      for (let seed = first; seed < first + HISTORIES; seed++) {
        const failure = playMachines(seed);
        if (failure !== null) expect.fail(failure);
      }
    },
  );

  it.each(machineMutations.map(([what, ...edits]) => [what, edits] as const))(
    'are caught within 2,000 when one %s',
    async (_what, edits) => {
      const broken = await loadMutated<typeof import('./machines.ts')>('test/simulation/machines.ts', edits);
      let seed = 1;
      while (seed <= 2000 && broken.playMachines(seed) === null) seed++;
      expect(seed).toBeLessThanOrEqual(2000);
    },
  );
});
