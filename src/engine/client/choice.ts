/**
 * What: which transports are worth trying and in which order, and what is remembered of how they did.
 * Must not know: connections, sessions, time.
 */
import { type ClientTransportFactory, TransportName } from '../../transport/port.ts';
import type { EngineOptions, EnginePlatform } from './options.ts';

/** What the choice is made from when the program makes none, the best first. `short-polling` is nobody's choice. */
const LADDER: readonly string[] = [TransportName.websocket, TransportName.sse, TransportName.polling];

const MEMORY_KEY = 'tautline ';

/** Which transport worked last, by origin. */
const winners = new Map<string, string>();
/** On the way to which origins event streams do not get through. */
const gathering = new Set<string>();

/** The smaller, the better. */
const rankOf = (name: string) => (LADDER.indexOf(name) + 4) % 4;

/** The transports of one session. */
export interface Choice {
  /** Whether the program leaves the choice to us. */
  readonly isFree: boolean;
  /** As the program wants them, the one named in front; or by rank, the smallest first. */
  inOrder(first?: string, rank?: (name: string) => number): ClientTransportFactory[];
  /** The most promising first. */
  ranked(): ClientTransportFactory[];
  /** Whether a transport is better than another, as far as is known of the way there. */
  isBetter(name: string, other: string): boolean;
  /** This one works: it comes first the next time. */
  remember(name: string): void;
  /** Something on the way gathers answers until they end: event streams do not get through. */
  gathers(): void;
}

/** @param origin of the server. */
export function createChoice(
  { rememberUpgrade, transportImplementations, transports }: EngineOptions,
  platform: EnginePlatform,
  origin: string,
): Choice {
  const given = transportImplementations ?? transports;
  const factories = (given ?? LADDER).flatMap((choice) =>
    typeof choice === 'string'
      ? platform.transports.filter(({ transportName }) => transportName === choice)
      : choice,
  );
  const inOrder: Choice['inOrder'] = (first, rank = (_: string) => 0) => {
    const rankFirst = ({ transportName: name }: ClientTransportFactory) => (name === first ? -1 : rank(name));
    return [...factories].sort((a, b) => rankFirst(a) - rankFirst(b));
  };
  /** What the browser remembers beyond the page, if the program wants that and the user allows it. */
  const memory = () => {
    try {
      return rememberUpgrade ? platform.memory?.() : undefined;
    } catch {
      return undefined;
    }
  };
  const key = MEMORY_KEY + origin;
  return {
    isFree: !given,
    inOrder,
    ranked: () => inOrder(winners.get(origin) ?? memory()?.[key], rankOf),
    isBetter: (name, other) => rankOf(name) < rankOf(other) && !(name === 'sse' && gathering.has(origin)),
    remember(name) {
      winners.set(origin, name);
      const storage = memory();
      if (storage) storage[key] = name;
    },
    gathers: () => gathering.add(origin),
  };
}
