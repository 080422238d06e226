/**
 * What: messages of 16 KiB there and back on 50 connections: unmasking and copying.
 * Must not know: processes and results.
 */
import { websocketPeers } from '../harness/peers.mjs';
import { encodeClientFrame, encodeServerFrame, makeText, makeUpgrade, Opcode } from '../harness/plan.mjs';
import { defineScenario, measureRate } from './scenario.mjs';

const payload = Buffer.from(makeText(16384));

export const echoLarge = defineScenario({
  name: 'echo-large',
  title: 'Echo of 16 KiB, 50 connections',
  unit: 'messages/s',
  about:
    'Each of 50 connections keeps one binary message of 16 KiB under way; `ws` with and without its native addon.',
  family: websocketPeers,
  peers: ['tautline', 'ws', 'ws-js', 'bun'],
  reference: 'ws',
  cases: [{ name: '1', label: '1 in flight' }],
  targets: [{ case: '1', against: 'ws', atLeast: 1 }],
  run: (peer, _, settings) =>
    measureRate(
      peer,
      ['echo'],
      {
        mode: 'echo',
        connections: 50,
        inflight: 1,
        ...makeUpgrade(),
        message: encodeClientFrame(Opcode.binary, payload),
        reply: encodeServerFrame(Opcode.binary, payload),
      },
      settings,
    ),
});
