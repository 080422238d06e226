/**
 * What: the event layer over WebSocket: echo, broadcast and idle memory, as for plain WebSocket.
 * Must not know: processes and results.
 */
import { eventPeers } from '../harness/peers.mjs';
import { encodeClientFrame, encodeServerFrame, makeText, makeUpgrade, Opcode } from '../harness/plan.mjs';
import { defineScenario, measureIdle, measureRate } from './scenario.mjs';

/** Engine.IO 4 message with a Socket.IO 5 event: `42["say","…"]`. */
const event = Buffer.from(`42["say","${makeText(64)}"]`);
/** Connects to the main namespace; the server has then sent its open packet and its answer. */
const opening = {
  ...makeUpgrade({ path: '/socket.io/?EIO=4&transport=websocket' }),
  greeting: encodeClientFrame(Opcode.text, Buffer.from('40')),
  greeted: 2,
};
const traffic = {
  message: encodeClientFrame(Opcode.text, event),
  reply: encodeServerFrame(Opcode.text, event),
};
const common = { family: eventPeers, peers: ['tautline', 'socket.io'], reference: 'socket.io' };

export const eventsEcho = defineScenario({
  ...common,
  name: 'events-echo',
  title: 'Events: echo of a 64-byte text, 50 connections',
  unit: 'messages/s',
  about:
    "`socket.on('say', (text) => socket.emit('say', text))` on 50 connections, 1 or 16 events under way on each.",
  cases: [
    { name: '1', label: '1 in flight', inflight: 1 },
    { name: '16', label: '16 in flight', inflight: 16 },
  ],
  targets: [
    { case: '1', against: 'socket.io', atLeast: 1.5 },
    { case: '16', against: 'socket.io', atLeast: 8 },
  ],
  run: (peer, { inflight }, settings) =>
    measureRate(
      peer,
      ['echo'],
      { mode: 'echo', connections: 50, inflight, ...opening, ...traffic },
      settings,
    ),
});

export const eventsBroadcast = defineScenario({
  ...common,
  name: 'events-broadcast',
  title: 'Events: broadcast of a 64-byte text to 1,000 connections',
  unit: 'deliveries/s',
  about:
    "`socket.on('say', (text) => io.emit('say', text))` with 1,000 connections, 1 or 16 events under way.",
  cases: [
    { name: '1', label: '1 in flight', inflight: 1 },
    { name: '16', label: '16 in flight', inflight: 16 },
  ],
  targets: [
    { case: '1', against: 'socket.io', atLeast: 1.5 },
    { case: '16', against: 'socket.io', atLeast: 15 },
  ],
  run: (peer, { inflight }, settings) =>
    measureRate(
      peer,
      ['broadcast'],
      { mode: 'broadcast', connections: 1000, inflight, ...opening, ...traffic },
      settings,
    ),
});

export const eventsIdle = defineScenario({
  ...common,
  name: 'events-idle',
  title: 'Events: resident memory per idle client',
  unit: 'bytes',
  about: 'As for plain WebSocket, with 15,000 clients connected to the main namespace.',
  lowerIsBetter: true,
  cases: [{ name: '15000', label: '15,000 held' }],
  targets: [{ case: '15000', atMost: 6500 }],
  run: (peer, _, settings) =>
    measureIdle(peer, ['echo'], { connections: 15000, sources: 8, ...opening }, settings),
});
