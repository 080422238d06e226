// What: the line that tells how the connection is, and the choice of transports in it.
// Must not know: the board, the chat, how the connection works.

import { TRANSPORT_NAMES, WAYS } from './connection.js';

const line = document.getElementById('status');
const phase = document.getElementById('phase');
const retry = document.getElementById('retry');
const retryNow = document.getElementById('retry-now');
const transport = document.getElementById('transport');
const roundTrip = document.getElementById('round-trip');
const waiting = document.getElementById('waiting');
const select = document.getElementById('way');

/** Shows `connection` and how much waits in `outbox`, from now on. */
export function showStatus(connection, outbox) {
  for (const { id, label } of WAYS) select.append(new Option(label, id));
  select.value = connection.way.id;
  select.addEventListener('change', () => connection.choose(select.value));
  retryNow.addEventListener('click', () => connection.reconnect());
  connection.addEventListener('change', show);
  outbox.addEventListener('change', show);
  // The seconds until the next attempt run down.
  setInterval(() => connection.phase === 'waiting' && show(), 500);
  show();

  function show() {
    const offline = !connection.connected && !navigator.onLine;
    line.dataset.phase = offline ? 'offline' : connection.phase;
    line.dataset.transport = connection.transport ?? '';
    set(phase, offline ? 'Offline' : PHASES[connection.phase](connection));
    set(retry, retryText(connection, offline));
    retryNow.hidden = offline || !['waiting', 'refused'].includes(connection.phase);
    set(
      transport,
      connection.transport === undefined
        ? ''
        : (TRANSPORT_NAMES[connection.transport] ?? connection.transport),
    );
    set(roundTrip, connection.rttMs === undefined ? '' : roundTripText(connection.rttMs));
    const count = outbox.operations.length;
    waiting.dataset.count = count;
    // While connected, a moment on the way is not worth telling.
    set(waiting, count === 0 || connection.connected ? '' : `${count} waiting to be sent`);
  }
}

const PHASES = {
  connecting: () => 'Connecting',
  connected: () => 'Connected',
  waiting: () => 'Connection lost',
  trying: () => 'Connection lost',
  refused: ({ cause }) => cause,
};

function retryText({ phase, retryAtMs }, offline) {
  if (offline) return 'waiting for the network';
  if (phase === 'trying') return 'reconnecting now';
  if (phase !== 'waiting') return '';
  const seconds = Math.max(1, Math.ceil((retryAtMs - Date.now()) / 1000));
  return `reconnecting in ${seconds} s`;
}

const roundTripText = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** Only what is different is written: a screen reader reads the line when it changes. */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
