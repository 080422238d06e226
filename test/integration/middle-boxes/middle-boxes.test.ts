/**
 * What: nginx and haproxy between clients and servers: who gets through over what, and why; and that nothing is lost.
 * Must not know: how a transport works.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TransportDecision } from '../../../src/engine/client/events.ts';
import type { BoxKind } from './box.ts';
import {
  byTurns,
  type Change,
  deaf,
  gathering,
  refusing,
  stripping,
  swallowing,
  withoutUpgrade,
} from './configuration.ts';
import { everything, Scene } from './scene.ts';

/** What becomes of a client with one transport alone: it connects, or fails with this code. */
type Fate = 'connects' | 'TRANSPORT_ERR_STATUS' | 'TRANSPORT_ERR_TIMEOUT';

interface Row {
  readonly kind: BoxKind;
  readonly what: string;
  readonly changes: readonly Change[];
  readonly websocket: Fate;
  readonly sse: Fate;
  /** The first steps of a client that chooses for itself, until it is connected. */
  readonly choice: readonly string[];
  /** What the official client ends with. */
  readonly standard: 'websocket' | 'polling';
}

const connects = { websocket: 'connects', sse: 'connects' } as const;
const refused = { websocket: 'TRANSPORT_ERR_STATUS', sse: 'connects', standard: 'polling' } as const;
const straight = ['websocket started', 'websocket opened'];
const byStatus = ['websocket started', 'websocket failed: TRANSPORT_ERR_STATUS', 'sse started', 'sse opened'];

const rows: readonly Row[] = [
  {
    kind: 'nginx',
    what: 'as the guide has it',
    changes: [],
    ...connects,
    choice: straight,
    standard: 'websocket',
  },
  {
    kind: 'nginx',
    what: 'that gathers and compresses',
    changes: [gathering],
    ...connects,
    choice: straight,
    standard: 'websocket',
  },
  { kind: 'nginx', what: 'without upgrades', changes: [withoutUpgrade], ...refused, choice: byStatus },
  {
    kind: 'nginx',
    what: 'without upgrades that gathers and compresses',
    changes: [withoutUpgrade, gathering],
    ...refused,
    choice: byStatus,
  },
  {
    kind: 'nginx',
    what: 'without upgrades that gathers whatever it is told',
    changes: [withoutUpgrade, gathering, deaf],
    ...refused,
    sse: 'TRANSPORT_ERR_TIMEOUT',
    choice: [
      'websocket started',
      'websocket failed: TRANSPORT_ERR_STATUS',
      'sse started',
      'polling started',
      'sse overtaken: polling',
      'polling opened',
    ],
  },
  {
    kind: 'haproxy',
    what: 'as the guide has it',
    changes: [],
    ...connects,
    choice: straight,
    standard: 'websocket',
  },
  { kind: 'haproxy', what: 'that refuses upgrades', changes: [refusing], ...refused, choice: byStatus },
  { kind: 'haproxy', what: 'that strips upgrades', changes: [stripping], ...refused, choice: byStatus },
  {
    kind: 'haproxy',
    what: 'that swallows upgrades',
    changes: [swallowing],
    ...refused,
    websocket: 'TRANSPORT_ERR_TIMEOUT',
    // No word of a failure: nobody has waited for it.
    choice: ['websocket started', 'sse started', 'websocket overtaken: sse', 'sse opened'],
  },
];

const stepOf = ({ transport, outcome, reason }: TransportDecision): string => {
  const why = reason instanceof Error ? (reason as Error & { code?: string }).code : reason;
  return `${transport} ${outcome}${why === undefined ? '' : `: ${why}`}`;
};

describe.each(rows.map((row) => [`${row.kind} ${row.what}`, row] as const))('%s', (_, row) => {
  const { kind, changes, choice, standard, ...fates } = row;
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.start(kind, changes);
  });
  afterAll(() => scene.end());

  it(`lets a client that chooses for itself connect: ${choice.join(', ')}`, async () => {
    const visitor = scene.visit('chooser');
    const { engine } = visitor.client.io;
    let steps: string[] = [];
    visitor.client.once('connect', () => {
      steps = engine.decision.map(stepOf);
    });
    expect(await visitor.connected).toBeUndefined();
    // What is better may be tried behind that.
    expect(steps.slice(0, choice.length)).toEqual(choice);
    visitor.talk(0.5);
    await visitor.settled();
    visitor.talk(1);
    await visitor.settled();
    expect(scene.exchanged(visitor)).toEqual(everything);
    expect(visitor.told).toEqual([]);
    expect(engine.transport.name).toBe(choice.at(-1)!.split(' ')[0]);
  });

  it.each([
    ['websocket', fates.websocket],
    ['sse', fates.sse],
    ['polling', 'connects'],
    ['short-polling', 'connects'],
  ] as const)('for %s alone: %s', async (name, fate) => {
    const visitor = scene.visit(name, {
      transports: [name],
      shortPollingIntervalMs: 20,
      timeout: 1500,
      reconnection: false,
    });
    const error = await visitor.connected;
    if (fate !== 'connects') {
      expect(error).toMatchObject({ code: fate, transport: name, step: 'open' });
      return;
    }
    expect(error).toBeUndefined();
    visitor.talk(0.5);
    await visitor.settled();
    visitor.talk(1);
    await visitor.settled();
    expect(scene.exchanged(visitor)).toEqual(everything);
    expect([visitor.client.io.engine.transport.name, visitor.told]).toEqual([name, []]);
  });

  it(`serves the official client over ${standard}`, async () => {
    const visitor = scene.visitAsStandard('official');
    expect(await visitor.connected).toBeUndefined();
    const { engine } = visitor.client.io;
    visitor.talk(0.5);
    if (standard === 'websocket' && engine.transport.name !== standard) {
      await new Promise((resolve) => engine.once('upgrade', resolve));
    }
    visitor.talk(1);
    await visitor.settled();
    expect(scene.exchanged(visitor)).toEqual(everything);
    expect([engine.transport.name, visitor.told]).toEqual([standard, []]);
  });
});

describe('nginx that gathers whatever it is told', () => {
  it('has the session taken back from an event stream that was tried as the better one', async () => {
    const scene = await Scene.start('nginx', [withoutUpgrade, gathering, deaf]);
    try {
      const visitor = scene.visit('improver', { transports: ['polling', 'sse'] });
      expect(await visitor.connected).toBeUndefined();
      visitor.talk(0.5);
      await visitor.settled();
      visitor.talk(1);
      await visitor.settled();
      expect(scene.exchanged(visitor)).toEqual(everything);
      expect(visitor.client.io.engine.decision.map(stepOf)).toEqual([
        'polling started',
        'polling opened',
        'sse started',
        'sse failed: TRANSPORT_ERR_TIMEOUT',
        'polling started',
        'polling opened',
      ]);
      expect(visitor.told).toEqual([]);
    } finally {
      await scene.end();
    }
  });
});

describe('the haproxy of the guide', () => {
  it('brings who keeps cookies back to the same node, whatever its address', async () => {
    const scene = await Scene.start('haproxy', [byTurns]);
    try {
      for (const name of ['one', 'two', 'three']) {
        const visitor = scene.visit(name, { transports: ['polling'], withCredentials: true });
        expect(await visitor.connected).toBeUndefined();
        visitor.talk(1);
        await visitor.settled();
        expect(scene.exchanged(visitor)).toEqual(everything);
      }
      expect(scene.nodes.map((node) => node.got.size > 0)).toEqual([true, true]);
    } finally {
      await scene.end();
    }
  });
});
