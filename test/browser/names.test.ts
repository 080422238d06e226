/**
 * What: the browser builds keep every name that programs and tools know, though inner names are shortened there.
 * Must not know: which names are inner ones.
 */
import { expect, it } from 'vitest';

const emitter = [
  ...['on', 'once', 'off', 'emit', 'listeners', 'hasListeners'],
  ...['addEventListener', 'removeEventListener', 'removeListener', 'removeAllListeners'],
];

const known = {
  Socket: [
    ...emitter,
    ...[
      'io',
      'nsp',
      'id',
      'connected',
      'disconnected',
      'active',
      'recovered',
      'auth',
      'receiveBuffer',
      'sendBuffer',
    ],
    ...['connect', 'open', 'disconnect', 'close', 'emitWithAck', 'send', 'timeout', 'volatile', 'compress'],
    ...['onAny', 'prependAny', 'offAny', 'listenersAny'],
    ...['onAnyOutgoing', 'prependAnyOutgoing', 'offAnyOutgoing', 'listenersAnyOutgoing'],
    ...['_queue', 'acks', 'onpacket'],
  ],
  Manager: [
    ...emitter,
    ...['opts', 'open', 'connect', 'socket', 'engine', 'nsps', 'reconnection', 'reconnectionAttempts'],
    ...['reconnectionDelay', 'reconnectionDelayMax', 'randomizationFactor', 'timeout'],
    ...['_readyState', '_reconnecting'],
  ],
  engine: [
    ...emitter,
    ...['id', 'readyState', 'transport', 'writeBuffer', 'binaryType', 'opts', 'decision'],
    ...['write', 'send', 'close', '_pingTimeoutTime'],
  ],
};

interface Built {
  readonly Manager: new (
    uri: string,
    opts: object,
  ) => {
    readonly engine: { readonly transport: object };
    socket(namespace: string): { disconnect(): void };
  };
}

it.each(['client-browser.mjs', 'browser/socket.io.esm.min.js'])(
  '%s has all that programs reach',
  async (file) => {
    const { Manager }: Built = await import(new URL(`../../dist/${file}`, import.meta.url).href);
    const manager = new Manager('http://127.0.0.1:1', { reconnection: false, transports: ['websocket'] });
    const socket = manager.socket('/');
    const missing = (object: object, names: readonly string[]) => names.filter((name) => !(name in object));
    expect({
      Socket: missing(socket, known.Socket),
      Manager: missing(manager, known.Manager),
      engine: missing(manager.engine, known.engine),
      transport: missing(manager.engine.transport, ['name']),
    }).toEqual({ Socket: [], Manager: [], engine: [], transport: [] });
    socket.disconnect();
  },
);
