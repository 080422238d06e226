// What: the connection to the server, and what there is to tell about it: its state, transport, round trip.
// Must not know: the board, the chat, the page's elements.

import { io } from '/socket.io/socket.io.esm.min.js';
import { kept, person, room } from './identity.js';

/** The ways to connect that the page offers; without `transports` the client finds the best one itself. */
export const WAYS = [
  { id: 'automatic', label: 'Automatic', transports: undefined },
  { id: 'websocket', label: 'WebSocket', transports: ['websocket'] },
  { id: 'sse', label: 'Server-sent events', transports: ['sse'] },
  { id: 'polling', label: 'Long polling', transports: ['polling'] },
  { id: 'short-polling', label: 'Short polling', transports: ['short-polling'] },
];

/** What the transports are called to people. */
export const TRANSPORT_NAMES = {
  websocket: 'WebSocket',
  polling: 'Long polling',
  sse: 'Server-sent events',
  'short-polling': 'Short polling',
};

const MEASURE_EVERY_MS = 4000;
const CONFIRM_WITHIN_MS = 10_000;
/** Delays double from the first to the last. Each page draws its own first one, so that after a restart of the
 * server they do not all come back at once; without further chance, the page can tell how long it will wait. */
const FIRST_DELAY_MS = 500 + Math.random() * 500;
const LAST_DELAY_MS = 5000;

/**
 * The connection and its state, as a `change` event and these fields:
 * - `phase`: `connecting`, `connected`, `waiting` (until `retryAtMs`), `trying`, `refused` (for `cause`)
 * - `transport`: its name, while connected; `rttMs`: the last measured round trip
 */
export class Connection extends EventTarget {
  phase = 'connecting';
  transport = undefined;
  rttMs = undefined;
  retryAtMs = undefined;
  cause = undefined;
  way = WAYS.find(({ id }) => id === kept.get('way')) ?? WAYS[0];
  socket;
  #attempts = 0;

  constructor() {
    super();
    this.socket = io({
      autoConnect: false,
      auth: (answer) => answer({ room, key: person.key, name: person.name }),
      transports: this.way.transports,
      reconnectionDelay: FIRST_DELAY_MS,
      reconnectionDelayMax: LAST_DELAY_MS,
      randomizationFactor: 0,
      timeout: 8000,
    });
    this.#listen();
  }

  get connected() {
    return this.phase === 'connected';
  }

  open() {
    this.socket.connect();
  }

  /** Ends the wait, or the connection, and connects again now. */
  reconnect() {
    this.#attempts = 0;
    this.#tell({ phase: 'connecting' });
    this.socket.disconnect().connect();
  }

  /** Connects in another way, which is kept through a reload. */
  choose(id) {
    this.way = WAYS.find((way) => way.id === id) ?? WAYS[0];
    kept.set('way', this.way.id);
    this.socket.io.opts.transports = this.way.transports;
    this.reconnect();
  }

  /** Sends what matters only now. Without a connection it is dropped. */
  send(event, value) {
    if (this.connected) this.socket.emit(event, value);
  }

  /** Sends what is confirmed; resolves with the confirmation, rejects if it does not come. */
  ask(event, ...values) {
    return new Promise((resolve, reject) => {
      this.socket.timeout(CONFIRM_WITHIN_MS).emit(event, ...values, (error, answer) => {
        if (error) reject(error);
        else resolve(answer);
      });
    });
  }

  #listen() {
    const { socket } = this;
    socket.on('connect', () => {
      this.#attempts = 0;
      this.#tell({ phase: 'connected', transport: socket.io.engine.transport.name });
      this.#measure();
      // The first one waits behind the room's contents; the next one tells what is usual.
      setTimeout(() => this.#measure(), 1000);
    });
    // The session goes on without a connection: what is sent meanwhile arrives later, once and in order.
    socket.on('interrupted', () => this.#tell({ phase: 'trying' }));
    socket.on('resumed', () => {
      this.#tell({ phase: 'connected', transport: socket.io.engine.transport.name });
      this.#measure();
    });
    socket.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return;
      if (socket.active) this.#wait();
      else this.#tell({ phase: 'refused', cause: 'The server ended the connection.' });
    });
    socket.on('connect_error', (error) => {
      // While the socket is active it tries again by itself; otherwise the server has answered with a refusal.
      if (socket.active) this.#wait();
      else this.#tell({ phase: 'refused', cause: error.message });
    });
    socket.io.on('reconnect_attempt', () => {
      this.#attempts += 1;
      this.#tell({ phase: 'trying' });
    });
    socket.io.on('open', () => {
      socket.io.engine.on('upgrade', (transport) => {
        if (!this.connected) return;
        this.#tell({ phase: 'connected', transport: transport.name });
        this.#measure();
      });
    });

    setInterval(() => this.#measure(), MEASURE_EVERY_MS);
    document.addEventListener('visibilitychange', () => this.#measure());
    addEventListener('online', () => this.phase === 'waiting' && this.reconnect());
    addEventListener('offline', () => this.#tell({}));
  }

  #wait() {
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** this.#attempts, LAST_DELAY_MS);
    this.#tell({ phase: 'waiting', retryAtMs: Date.now() + delayMs });
  }

  async #measure() {
    if (!this.connected || document.hidden) return;
    const { transport } = this;
    const sentMs = performance.now();
    try {
      await this.ask('echo');
      if (this.connected && this.transport === transport) this.#tell({ rttMs: performance.now() - sentMs });
    } catch {}
  }

  #tell(changes) {
    Object.assign(this, changes);
    if (!this.connected) this.transport = this.rttMs = undefined;
    if (this.phase !== 'waiting') this.retryAtMs = undefined;
    this.dispatchEvent(new Event('change'));
  }
}
