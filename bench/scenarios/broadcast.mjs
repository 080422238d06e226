/**
 * What: every message goes to 1,000 connections; one and sixteen messages at a time.
 * Must not know: processes and results.
 */
import { websocketPeers } from '../harness/peers.mjs';
import { encodeClientFrame, encodeServerFrame, makeText, makeUpgrade, Opcode } from '../harness/plan.mjs';
import { defineScenario, measureRate } from './scenario.mjs';

const payload = Buffer.from(makeText(64));

export const broadcast = defineScenario({
  name: 'broadcast',
  title: 'Broadcast of 64 bytes to 1,000 connections',
  unit: 'deliveries/s',
  about:
    'One of 1,000 connections (or 16 in turn) sends binary messages of 64 bytes, the server sends each to all; ' +
    'the next one leaves when all have got one of the 1 or 16 under way.',
  family: websocketPeers,
  peers: ['tautline', 'ws', 'bun', 'net'],
  reference: 'ws',
  cases: [
    { name: '1', label: '1 in flight', inflight: 1, senders: 1 },
    { name: '16', label: '16 in flight', inflight: 16, senders: 1 },
    { name: '16x16', label: '16 in flight, from 16', inflight: 16, senders: 16 },
  ],
  targets: [
    { case: '1', against: 'ws', atLeast: 1.25 },
    { case: '16', against: 'ws', atLeast: 20 },
    { case: '16', against: 'bun', atLeast: 0.9 },
  ],
  run: (peer, { inflight, senders }, settings) =>
    measureRate(
      peer,
      ['broadcast'],
      {
        mode: 'broadcast',
        connections: 1000,
        inflight,
        senders,
        ...makeUpgrade(),
        message: encodeClientFrame(Opcode.binary, payload),
        reply: encodeServerFrame(Opcode.binary, payload),
      },
      settings,
    ),
});
