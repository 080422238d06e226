/**
 * What: the shape of a scenario, and the two ways in which all present ones load a server.
 * Must not know: any single scenario, or how results are shown.
 */
import { runLoad, startLoad } from '../harness/load.mjs';
import { startServer } from '../harness/server.mjs';

/**
 * @typedef {import('../harness/server.mjs').Peer} Peer
 * @typedef {import('../harness/load.mjs').Sample} Sample
 * @typedef {import('../harness/load.mjs').Plan} Plan
 *
 * @typedef {object} Run what one run of one peer gave
 * @property {number} value in the scenario's unit
 * @property {string} version of the peer
 * @property {Omit<Sample, 'sample'>} [load] absent where nothing was to be saturated
 * @property {Record<string, number>} [details]
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {string} label
 *
 * @typedef {object} Target the design's section 4
 * @property {string} case
 * @property {string} [against] a peer; the value is then a ratio
 * @property {number} [atLeast]
 * @property {number} [atMost]
 *
 * @typedef {object} Settings
 * @property {number} seconds
 * @property {number} warmup seconds
 * @property {boolean} profile
 * @property {{ kind: 'c' | 'node', command: string[] }} generator
 */

/**
 * @typedef {object} Metric one of several figures that a run gives, by its key in `details`
 * @property {string} key
 * @property {string} label with its unit
 */

/**
 * @template {Case} [C=Case]
 * @typedef {object} Scenario
 * @property {string} name as on the command line; a prefix selects a group
 * @property {string} title
 * @property {string} unit
 * @property {string} about one sentence for the report
 * @property {boolean} [lowerIsBetter]
 * @property {Record<string, Peer>} family
 * @property {string[]} peers that run unless others are asked for; the first is ours
 * @property {string} reference the peer that ratios are shown against
 * @property {C[]} cases
 * @property {Target[]} targets
 * @property {Metric[]} [metrics] the columns of its table, in place of the value and its ratios
 * @property {(Metric & { case: string })[]} [panels] what its picture shows, in place of a panel for each case
 * @property {(value: number) => string} [format] how a value is shown
 * @property {number} [mostRounds] where a run takes long, or gives many samples
 * @property {(peer: Peer, chosen: C, settings: Settings) => Promise<Run>} run
 */

/**
 * Gives back what it gets, so that an editor checks it.
 * @template {Case} C
 * @param {Scenario<C>} scenario
 */
export const defineScenario = (scenario) => scenario;

/**
 * Starts the server, loads it for a window, stops it.
 * @param {Peer} peer
 * @param {string[]} words for the server
 * @param {Omit<Plan, 'port' | 'pid' | 'warmup' | 'window'>} plan
 * @param {Settings} settings
 * @param {(sample: Buffer) => void} [check] the first frame received, where the plan has no `reply`
 * @returns {Promise<Run>}
 */
export async function measureRate(peer, words, plan, settings, check) {
  const server = await startServer(peer, words, settings);
  try {
    const { sample, ...load } = await runLoad(settings.generator, {
      ...plan,
      port: server.port,
      pid: server.pid,
      warmup: Math.round(settings.warmup * 1000),
      window: Math.round(settings.seconds * 1000),
    });
    if (load.count === 0) throw new Error('nothing arrived within the window');
    check?.(Buffer.from(sample, 'hex'));
    return { value: load.count / load.seconds, version: server.version, load };
  } finally {
    await server.stop();
  }
}

/**
 * Resident bytes of the server for each idle connection, full collections before and after.
 * @param {Peer} peer
 * @param {string[]} words for the server
 * @param {Omit<Plan, 'mode' | 'port' | 'pid'>} plan
 * @param {Settings} settings
 * @returns {Promise<Run>}
 */
export async function measureIdle(peer, words, plan, settings) {
  const server = await startServer(peer, words, settings);
  const hold = async (/** @type {number} */ connections, /** @type {() => Promise<any>} */ measure) => {
    const load = startLoad(settings.generator, {
      ...plan,
      mode: 'hold',
      port: server.port,
      pid: server.pid,
      connections,
    });
    try {
      await load.next();
      return await measure();
    } finally {
      await load.stop();
    }
  };
  try {
    // A few connections first: what is loaded and compiled once belongs to no connection.
    await hold(1, async () => undefined);
    const before = await server.memory();
    const held = await hold(plan.connections, () => server.memory());
    const per = (/** @type {'rss' | 'heapUsed' | 'external'} */ key) =>
      (held[key] - before[key]) / plan.connections;
    return {
      value: per('rss'),
      version: server.version,
      details: {
        heapUsed: per('heapUsed'),
        external: per('external'),
        rssBefore: before.rss,
        rssHeld: held.rss,
      },
    };
  } finally {
    await server.stop();
  }
}
