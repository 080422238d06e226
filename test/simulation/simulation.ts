/**
 * What: plays many histories, and tells of the first that fails: its seed, how to repeat it, and what is left of it.
 * Must not know: networks, sessions.
 */
import type { History } from './history.ts';
import { historyOf } from './seeded-history.ts';
import { shrink } from './shrunk-history.ts';
import { World } from './world.ts';

export interface Failure {
  readonly seed: number;
  /** The promise that was broken. */
  readonly text: string;
  /** The shortest history that fails in the same way. */
  readonly history: History;
  /** What happens in it. */
  readonly log: readonly string[];
}

export interface Totals {
  histories: number;
  events: number;
  delivered: number;
}

/** The same promise, whatever the numbers. */
const kindOf = (failure: string | null): string => (failure ?? '').replace(/\n.*/s, '').replace(/\d+/g, '#');

/** Plays the history of a seed. */
export function playSeed(seed: number, totals: Totals): Failure | null {
  const history = historyOf(seed);
  const { failure, events, delivered } = new World(history).run();
  totals.histories++;
  totals.events += events;
  totals.delivered += delivered;
  if (failure === null) return null;
  const kind = kindOf(failure);
  const shortest = shrink(history, (other) => kindOf(new World(other).run().failure) === kind);
  const { failure: text, log } = new World(shortest, true).run();
  return { seed, text: text ?? failure, history: shortest, log };
}

/** So many lines of the beginning and of the end are printed. */
const LINES = 40;

/** A failure as it is printed. */
export function describeFailure({ seed, text, history, log }: Failure): string {
  return [
    `Seed ${seed}: ${text}`,
    `Repeat it: npm run simulate -- --layer ends --histories 1 --seed ${seed}`,
    `The shortest history that fails in this way: ${JSON.stringify(history)}`,
    'What happens in it:',
    ...(log.length > 2 * LINES ? [...log.slice(0, LINES), '…', ...log.slice(-LINES)] : log).map(
      (line) => `  ${line}`,
    ),
  ].join('\n');
}
