/**
 * What: connections that open, close in good order, and make room for the next: 100 at a time.
 * Must not know: processes and results.
 */
import { websocketPeers } from '../harness/peers.mjs';
import { closeFrame, makeUpgrade } from '../harness/plan.mjs';
import { defineScenario, measureRate } from './scenario.mjs';

export const connect = defineScenario({
  name: 'connect',
  title: 'New connections',
  unit: 'connections/s',
  about:
    '100 at a time connect over TCP, upgrade, and close with a close frame each way before the next begins.',
  family: websocketPeers,
  peers: ['tautline', 'ws', 'bun', 'net'],
  reference: 'ws',
  cases: [{ name: '100', label: '100 at a time' }],
  targets: [{ case: '100', against: 'ws', atLeast: 1.5 }],
  run: (peer, _, settings) =>
    measureRate(
      peer,
      ['echo'],
      { mode: 'churn', connections: 100, sources: 100, ...makeUpgrade(), closing: closeFrame },
      settings,
    ),
});
