/**
 * What: makes a history that fails as short as it can be: leaves out and simplifies while it still fails in the same way.
 * Must not know: what a failure is.
 */
import { calm, type Deed, type Fate, type History, type Setting } from './history.ts';

/** What is tried for the settings in place of what they are. */
const plain: readonly Partial<Setting>[] = [
  { tryAllTransports: false },
  { upgrade: false },
  { pingInterval: 25_000, pingTimeout: 20_000, windowMs: 60_000, shortPollingIntervalMs: 5000 },
  { bufferMessages: 1000 },
  { bufferBytes: 1_000_000 },
  { maxPayload: 1_000_000 },
  { requestTimeout: 0 },
  { bufferedBytes: 1_000_000 },
  { slowReader: 'close' },
  { answersEvery: 0 },
];

const without = <Item>(items: readonly Item[], at: number): Item[] => items.filter((_, i) => i !== at);
const replaced = <Item>(items: readonly Item[], at: number, item: Item): Item[] =>
  items.map((other, i) => (i === at ? item : other));

function* simplerDeeds(deed: Deed): Generator<Deed> {
  if (deed.deed !== 'send') return;
  const { everyMs, ...atOnce } = deed;
  if (everyMs !== undefined) yield atOnce;
  if (deed.messages > 1) yield { ...deed, messages: 1 };
  if (deed.messages > 3) yield { ...deed, messages: deed.messages >> 1 };
  if (deed.bytes > 10) yield { ...deed, bytes: 10 };
}

function* simplerFates(fate: Fate): Generator<Fate> {
  const { upMs, downMs } = fate;
  if (fate.fault !== undefined) yield { upMs, downMs };
  if (upMs !== calm.upMs) yield { ...fate, upMs: calm.upMs };
  if (downMs !== calm.downMs) yield { ...fate, downMs: calm.downMs };
}

/** Histories that are a little simpler, the boldest steps first. */
function* simpler(history: History): Generator<History> {
  const { setting, deeds, fates } = history;
  for (let i = deeds.length - 1; i >= 0; i--) yield { ...history, deeds: without(deeds, i) };
  for (let i = fates.length - 1; i >= 0; i--) yield { ...history, fates: without(fates, i) };
  for (const values of plain) {
    const isThere = Object.entries(values).every(([name, value]) => setting[name as keyof Setting] === value);
    if (!isThere) yield { ...history, setting: { ...setting, ...values } };
  }
  for (let i = 0; i < fates.length; i++) {
    const [n, fate] = fates[i]!;
    for (const other of simplerFates(fate)) yield { ...history, fates: replaced(fates, i, [n, other]) };
  }
  for (let i = 0; i < deeds.length; i++) {
    for (const other of simplerDeeds(deeds[i]!)) yield { ...history, deeds: replaced(deeds, i, other) };
  }
}

/**
 * The shortest history that was found.
 * @param fails whether a history fails in the same way.
 * @param tries how many are played at most.
 */
export function shrink(history: History, fails: (history: History) => boolean, tries = 1000): History {
  let shortest = history;
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const candidate of simpler(shortest)) {
      if (tries-- <= 0) return shortest;
      if (!fails(candidate)) continue;
      shortest = candidate;
      hasChanged = true;
      break;
    }
  }
  return shortest;
}
