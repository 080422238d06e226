/**
 * What: resident memory for each of 15,000 connections that are open and silent.
 * Must not know: processes and results.
 */
import { websocketPeers } from '../harness/peers.mjs';
import { encodeClientFrame, makeText, makeUpgrade, Opcode } from '../harness/plan.mjs';
import { defineScenario, measureIdle } from './scenario.mjs';

const message = encodeClientFrame(Opcode.binary, Buffer.from(makeText(64)));

export const idle = defineScenario({
  name: 'idle',
  title: 'Resident memory per idle connection',
  unit: 'bytes',
  about:
    'What the resident memory grows by, divided by the 15,000 connections held; a full collection before and after.',
  lowerIsBetter: true,
  family: websocketPeers,
  peers: ['tautline', 'ws', 'bun', 'net'],
  reference: 'ws',
  cases: [
    { name: 'silent', label: '15,000 that never spoke', before: {} },
    { name: 'used', label: '15,000 after one echo each', before: { greeting: message, greeted: 1 } },
  ],
  targets: [{ case: 'silent', atMost: 5200 }],
  run: (peer, { before }, settings) =>
    measureIdle(peer, ['echo'], { connections: 15000, sources: 8, ...makeUpgrade(), ...before }, settings),
});
