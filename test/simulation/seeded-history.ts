/**
 * What: makes a history out of a seed: mostly short ones, in which every fault meets every other one sooner or later.
 * Must not know: how a history is played, and what may go wrong in it.
 */
import { chanceFrom, type Deed, type End, type Fate, faults, type History, type Setting } from './history.ts';

class Dice {
  readonly #chance: () => number;

  constructor(seed: number) {
    this.#chance = chanceFrom(seed);
  }

  is(probability: number): boolean {
    return this.#chance() < probability;
  }

  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#chance() * (most - least + 1));
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.whole(0, items.length - 1)]!;
  }
}

/** `null`: the client chooses. */
const transportChoices = [
  null,
  null,
  null,
  ['websocket'],
  ['polling'],
  ['sse'],
  ['short-polling'],
  ['polling', 'websocket'],
  ['polling', 'sse', 'websocket'],
  ['websocket', 'polling'],
  ['sse', 'polling'],
] as const;

const paces = [
  { pingInterval: 300, pingTimeout: 200, windowMs: 1_000, shortPollingIntervalMs: 100 },
  { pingInterval: 2_000, pingTimeout: 2_000, windowMs: 10_000, shortPollingIntervalMs: 700 },
  // Longer than a long poll is held.
  { pingInterval: 40_000, pingTimeout: 5_000, windowMs: 30_000, shortPollingIntervalMs: 5000 },
  { pingInterval: 25_000, pingTimeout: 20_000, windowMs: 60_000, shortPollingIntervalMs: 5000 },
] as const;

const ends: readonly End[] = ['client', 'server'];
const noticed = ['both', 'client', 'server', 'nobody'] as const;

function setting(dice: Dice): Setting {
  const transports = dice.of(transportChoices);
  return {
    ...(transports && { transports }),
    tryAllTransports: dice.is(0.5),
    upgrade: dice.is(0.9),
    ...dice.of(paces),
    bufferMessages: dice.is(0.8) ? 1000 : dice.whole(1, 8),
    bufferBytes: dice.is(0.9) ? 1_000_000 : dice.whole(100, 1000),
    maxPayload: dice.is(0.9) ? 1_000_000 : 250,
    requestTimeout: dice.is(0.8) ? 0 : 3000,
    bufferedBytes: dice.is(0.9) ? 1_000_000 : dice.whole(0, 2000),
    slowReader: dice.is(0.9) ? 'close' : 'drop newest',
    answersEvery: dice.of([0, 0, 1, 3]),
  };
}

function deed(dice: Dice, atMs: number): Deed {
  const spanMs = dice.of([20, 200, 2_000, 20_000]);
  const ms = dice.whole(1, spanMs);
  const choice = dice.whole(0, 99);
  if (choice < 60) {
    const messages = dice.is(0.08) ? dice.whole(30, 70) : dice.whole(1, 4);
    const send = { atMs, deed: 'send', end: dice.of(ends), bytes: dice.of([10, 20, 100]) } as const;
    if (dice.is(0.2)) return { ...send, messages: dice.whole(3, 12), everyMs: dice.of([2, 15, 150]) };
    return { ...send, messages };
  }
  if (choice < 72) return { atMs, deed: 'cut', noticed: dice.of(noticed) };
  if (choice < 78) return { atMs, deed: 'outage', ms, noticed: dice.of(noticed), isSilent: dice.is(0.5) };
  if (choice < 82) return { atMs, deed: 'slow', ms };
  if (choice < 88) return { atMs, deed: 'sleep', end: dice.of(ends), ms: ms * (dice.is(0.1) ? 10 : 1) };
  if (choice < 92) return { atMs, deed: 'restart', end: dice.of(ends), isOrderly: dice.is(0.5) };
  if (choice < 98) return { atMs, deed: 'page', event: dice.of(['offline', 'online', 'visibilitychange']) };
  return { atMs, deed: 'close', end: dice.of(ends) };
}

function fate(dice: Dice): Fate {
  const times = dice.of([[5], [1, 5, 50], [1, 50, 400, 1500]] as const);
  const upMs = dice.of(times);
  const downMs = dice.of(times);
  if (dice.is(0.4)) return { upMs, downMs };
  const afterMs = dice.whole(0, dice.of([5, 50, 500, 2_000]));
  return { upMs, downMs, fault: dice.of(faults), afterMs, noticed: dice.of(noticed) };
}

/** The history of a seed; the same seed always gives the same one. */
export function historyOf(seed: number): History {
  const dice = new Dice(seed);
  const spanMs = dice.of([50, 500, 5_000, 30_000]);
  const times = Array.from({ length: dice.whole(1, 9) }, () => dice.whole(0, spanMs)).sort((a, b) => a - b);
  const fates: [number, Fate][] = [];
  const howMany = dice.whole(0, dice.of([3, 10, 25]));
  const share = dice.of([0.2, 0.6, 1]);
  for (let n = 0; n < howMany; n++) if (dice.is(share)) fates.push([n, fate(dice)]);
  return { setting: setting(dice), deeds: times.map((atMs) => deed(dice, atMs)), fates };
}
