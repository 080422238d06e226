/**
 * What: medians, spreads and ratios of runs, and what may be believed of them.
 * Must not know: processes, terminals, files.
 */
import { median } from 'simple-statistics';

/**
 * @typedef {import('../scenarios/scenario.mjs').Run} Run
 * @typedef {import('../scenarios/scenario.mjs').Target} Target
 *
 * @typedef {Run & { peer: string, round: number }} Measured
 *
 * @typedef {object} CaseResult
 * @property {string} name
 * @property {string} label
 * @property {Measured[]} runs
 *
 * @typedef {{ median: number, min: number, max: number }} Spread
 */

/** Below this share of its core a server had nothing to do, and the figure is not its own. */
const SATURATED = 0.95;

/**
 * @param {number[]} values
 * @returns {Spread}
 */
export function spreadOf(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** @param {CaseResult} result @param {string} peer */
const runsOf = (result, peer) => result.runs.filter((run) => run.peer === peer);

/** @param {CaseResult} result */
export const peersOf = (result) => [...new Set(result.runs.map((run) => run.peer))];

/** @param {CaseResult} result @param {string} peer */
export const figureOf = (result, peer) => spreadOf(runsOf(result, peer).map((run) => run.value));

/**
 * One peer's value divided by another's, round by round, so that what slowed a whole round slows both.
 * @param {CaseResult} result
 * @param {string} peer
 * @param {string} reference
 * @returns {Spread | null} null where no round has both
 */
export function ratioOf(result, peer, reference) {
  const ratios = runsOf(result, peer).flatMap((run) => {
    const other = result.runs.find((one) => one.peer === reference && one.round === run.round);
    return other ? [run.value / other.value] : [];
  });
  return ratios.length > 0 ? spreadOf(ratios) : null;
}

/** Medians of the shares of a core, and of the server's processor time for one unit of work. @param {CaseResult} result @param {string} peer */
export function coresOf(result, peer) {
  const loads = runsOf(result, peer).flatMap((run) => (run.load ? [run.load] : []));
  if (loads.length === 0) return null;
  return {
    server: median(loads.map((load) => load.serverRan)),
    load: median(loads.map((load) => load.loadRan)),
    microsecondsEach: median(loads.map((load) => (1e6 * load.serverRan * load.seconds) / load.count)),
  };
}

/**
 * Why a figure is not the server's own, or nothing.
 * `generator-bound`: the server was idle for a part of the window.
 * `disturbed`: it had work, and another process had its core.
 * @param {CaseResult} result
 * @param {string} peer
 */
export function doubtOf(result, peer) {
  const loads = runsOf(result, peer).flatMap((run) => (run.load ? [run.load] : []));
  const unsaturated = loads.filter((load) => load.serverRan < SATURATED);
  if (unsaturated.length * 2 <= loads.length) return '';
  const disturbed = unsaturated.filter(
    (load) => load.serverRan + load.serverWaited >= SATURATED || load.loadWaited > 1 - SATURATED,
  );
  return disturbed.length * 2 > unsaturated.length ? 'disturbed' : 'generator-bound';
}

/**
 * @param {CaseResult} result
 * @param {Target} target
 * @param {string} ours the peer that has the target
 * @returns {{ text: string, verdict: 'met' | 'missed' | 'not shown' } | null} `not shown`: another process disturbed the
 *   runs, or the peer was not at its limit; null where what it compares did not run
 */
export function judge(result, target, ours) {
  const peers = peersOf(result);
  if (!peers.includes(ours)) return null;
  const spread = target.against ? ratioOf(result, ours, target.against) : figureOf(result, ours);
  if (!spread) return null;
  const value = spread.median;
  const limit = target.atLeast ?? target.atMost ?? 0;
  const isMet = target.atLeast === undefined ? value <= limit : value >= limit;
  const show = (/** @type {number} */ number) => (target.against ? formatRatio(number) : formatValue(number));
  const sign = target.atLeast === undefined ? '≤' : '≥';
  const what = target.against ? `${ours} ÷ ${target.against}` : ours;
  const text = `${what}: ${show(value)}, target ${sign} ${show(limit)}`;
  // Ours may be generator-bound: the figure is then the least that it can do.
  const doubts = [doubtOf(result, ours), target.against ? doubtOf(result, target.against) : ''];
  const isShown = !doubts.includes('disturbed') && doubts[1] === '' && (doubts[0] === '' || isMet);
  return { text, verdict: !isShown ? 'not shown' : isMet ? 'met' : 'missed' };
}

/** @param {number} value */
export function formatValue(value) {
  return Math.round(value).toLocaleString('en-US');
}

/** @param {number} ratio */
export function formatRatio(ratio) {
  return `${ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)} ×`;
}

/** @param {number} share */
export function formatShare(share) {
  return `${Math.round(share * 100)} %`;
}
