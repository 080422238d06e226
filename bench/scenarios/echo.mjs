/**
 * What: small messages there and back on 50 connections, one and sixteen at a time on each.
 * Must not know: processes and results.
 */
import { websocketPeers } from '../harness/peers.mjs';
import { encodeClientFrame, encodeServerFrame, makeText, makeUpgrade, Opcode } from '../harness/plan.mjs';
import { defineScenario, measureRate } from './scenario.mjs';

const payload = Buffer.from(makeText(64));

export const echo = defineScenario({
  name: 'echo',
  title: 'Echo of 64 bytes, 50 connections',
  unit: 'messages/s',
  about:
    'Each of 50 connections keeps 1 or 16 binary messages of 64 bytes under way; the server sends each one back.',
  family: websocketPeers,
  peers: ['tautline', 'ws', 'bun', 'net'],
  reference: 'ws',
  cases: [
    { name: '1', label: '1 in flight', inflight: 1 },
    { name: '16', label: '16 in flight', inflight: 16 },
  ],
  targets: [
    { case: '1', against: 'ws', atLeast: 1.08 },
    { case: '16', against: 'ws', atLeast: 10 },
    { case: '16', against: 'bun', atLeast: 0.8 },
  ],
  run: (peer, { inflight }, settings) =>
    measureRate(
      peer,
      ['echo'],
      {
        mode: 'echo',
        connections: 50,
        inflight,
        ...makeUpgrade(),
        message: encodeClientFrame(Opcode.binary, payload),
        reply: encodeServerFrame(Opcode.binary, payload),
      },
      settings,
    ),
});
