/**
 * What: every message of 1 KiB goes to 200 connections that have negotiated compression as browsers do.
 * Must not know: processes and results.
 */
import { inflateRawSync } from 'node:zlib';
import { websocketPeers } from '../harness/peers.mjs';
import { encodeClientFrame, makeUpgrade, Opcode } from '../harness/plan.mjs';
import { defineScenario, measureRate } from './scenario.mjs';

const LENGTH = 1024;
/** Together longer than a window of 32 KiB: none is found again as a copy of an earlier one. */
const VARIANTS = 40;

/** What a ticker or a chat sends: JSON whose names repeat and whose values differ. */
function makeTicks(/** @type {number} */ seed) {
  let state = seed;
  const next = (/** @type {number} */ below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const ticks = Array.from({ length: 16 }, () => ({
    symbol: `T${next(1000)}`,
    price: next(100000) / 100,
    change: next(2000) / 1000 - 1,
    volume: next(1000000),
  }));
  return Buffer.from(JSON.stringify(ticks).padEnd(LENGTH, ' ').slice(0, LENGTH));
}
const payloads = Array.from({ length: VARIANTS }, (_, i) => makeTicks(i + 1));

/** @throws {Error} when the frame does not inflate to the message (RFC 7692 section 7.2.2) */
function checkFrame(/** @type {Buffer} */ frame) {
  if ((Number(frame[0]) & 0x40) === 0) throw new Error('the message was sent without compression');
  const start = (Number(frame[1]) & 127) === 126 ? 4 : 2;
  const inflated = inflateRawSync(Buffer.concat([frame.subarray(start), Buffer.from([0, 0, 0xff, 0xff])]), {
    finishFlush: 2,
  });
  if (!inflated.equals(/** @type {Buffer} */ (payloads[0]))) throw new Error('altered reply');
}

export const broadcastCompressed = defineScenario({
  name: 'broadcast-compressed',
  title: 'Broadcast of 1 KiB, compressed, to 200 connections',
  unit: 'deliveries/s',
  about:
    'As the broadcast, with 1 KiB of JSON to 200 connections that offer `permessage-deflate; client_max_window_bits`, ' +
    'the offer of Chromium and Firefox.',
  family: websocketPeers,
  peers: ['tautline', 'ws', 'bun'],
  reference: 'ws',
  cases: [{ name: '1', label: '1 in flight' }],
  targets: [{ case: '1', against: 'ws', atLeast: 8 }],
  run: (peer, _, settings) =>
    measureRate(
      peer,
      ['broadcast', 'compress'],
      {
        mode: 'broadcast',
        connections: 200,
        inflight: 1,
        ...makeUpgrade({ extensions: 'permessage-deflate; client_max_window_bits' }),
        require: 'permessage-deflate',
        message: Buffer.concat(payloads.map((payload) => encodeClientFrame(Opcode.text, payload))),
        frames: VARIANTS,
      },
      settings,
      checkFrame,
    ),
});
