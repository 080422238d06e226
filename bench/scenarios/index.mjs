/**
 * What: all scenarios, in the order in which they run and are reported. A new one is one file and one line here.
 * Must not know: how scenarios work.
 */
import { broadcast } from './broadcast.mjs';
import { broadcastCompressed } from './broadcast-compressed.mjs';
import { connect } from './connect.mjs';
import { echo } from './echo.mjs';
import { echoLarge } from './echo-large.mjs';
import { eventsBroadcast, eventsEcho, eventsIdle } from './events.mjs';
import { idle } from './idle.mjs';
import { transportsIdle, transportsMessages } from './transports.mjs';

/** @type {import('./scenario.mjs').Scenario<any>[]} */
export const scenarios = [
  echo,
  echoLarge,
  broadcast,
  broadcastCompressed,
  connect,
  idle,
  eventsEcho,
  eventsBroadcast,
  eventsIdle,
  transportsMessages,
  transportsIdle,
];

/**
 * A full name selects one scenario, the first part of a name all that begin with it.
 * @param {string[]} names none means all
 * @throws {Error} for a name that selects nothing
 */
export function selectScenarios(names) {
  if (names.length === 0) return scenarios;
  const chosen = new Set();
  for (const name of names) {
    const exact = scenarios.filter((scenario) => scenario.name === name);
    const found =
      exact.length > 0 ? exact : scenarios.filter((scenario) => scenario.name.startsWith(`${name}-`));
    if (found.length === 0) {
      throw new Error(
        `No scenario ${name}. There are: ${scenarios.map((scenario) => scenario.name).join(', ')}`,
      );
    }
    for (const scenario of found) chosen.add(scenario);
  }
  return scenarios.filter((scenario) => chosen.has(scenario));
}
