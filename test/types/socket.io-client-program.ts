/**
 * What: a program on the types of socket.io-client and engine.io-client. It must compile with only the imports changed, too:
 * test/interop/client-types.test.ts.
 * Must not know: anything of Tautline's.
 */

import {
  type SocketReservedEvents as EngineEvents,
  type SocketOptions as EngineOptions,
  Socket as EngineSocket,
  type HandshakeData,
  installTimerFunctions,
  nextTick,
  parse,
  Transport,
  type TransportCtor,
  type TransportError,
  type TransportName,
  type TransportReservedEvents,
  transports,
  type WriteOptions,
} from 'engine.io-client';
import officialConnect, {
  connect,
  type DisconnectDescription,
  type ExtendedError,
  Fetch,
  io,
  Manager,
  type ManagerOptions,
  type ManagerReservedEvents,
  NodeWebSocket,
  NodeXHR,
  protocol,
  type Socket,
  type SocketOptions,
  type SocketReservedEvents,
  WebSocket,
  WebTransport,
  XHR,
} from 'socket.io-client';

interface ServerEvents {
  news: (text: string, count?: number) => void;
  ask: (question: string, reply: (answer: boolean) => void) => void;
}

interface ClientEvents {
  say: (text: string) => void;
  add: (a: number, b: number, reply: (sum: number) => void) => void;
  save: (data: Uint8Array, reply: (error: Error, id: string) => void) => void;
}

const socketOptions: Partial<SocketOptions> = { auth: { token: 'x' }, retries: 3, ackTimeout: 1000 };
const engineOptions: EngineOptions = {
  host: 'h',
  hostname: 'h',
  secure: true,
  port: 1,
  query: { a: 1 },
  agent: false,
  upgrade: true,
  forceBase64: false,
  timestampParam: 't',
  timestampRequests: true,
  transports: ['polling', 'websocket', 'webtransport'],
  transportImplementations: [Fetch, WebSocket],
  tryAllTransports: true,
  rememberUpgrade: true,
  requestTimeout: 1,
  transportOptions: { polling: { extraHeaders: { a: 'b' } } },
  pfx: 'x',
  key: 'x',
  passphrase: 'x',
  cert: 'x',
  ca: ['x'],
  ciphers: 'x',
  rejectUnauthorized: true,
  extraHeaders: { a: 'b' },
  withCredentials: true,
  closeOnBeforeunload: true,
  useNativeTimers: true,
  autoUnref: true,
  perMessageDeflate: { threshold: 1 },
  path: '/x',
  addTrailingSlash: false,
  protocols: ['a'],
};
const managerOptions: Partial<ManagerOptions> = {
  ...engineOptions,
  forceNew: true,
  multiplex: false,
  path: '/socket.io',
  reconnection: true,
  reconnectionAttempts: 3,
  reconnectionDelay: 1,
  reconnectionDelayMax: 2,
  randomizationFactor: 0.5,
  timeout: 10,
  autoConnect: false,
};

const socket: Socket<ServerEvents, ClientEvents> = io('http://localhost/', {
  ...managerOptions,
  ...socketOptions,
});
const others: Socket[] = [
  officialConnect('/a'),
  connect(),
  io({ autoConnect: false }),
  io('/b', { transports: [XHR] }),
];
const authed: Socket = io({
  auth: (callback) => callback({ token: 1 }),
  transports: [NodeXHR, NodeWebSocket],
});
const later = { name: WebTransport };

socket.on('news', (text, count = 0) => text.repeat(count));
socket.on('ask', (question, reply) => reply(question.endsWith('?')));
socket.emit('say', 'hello').emit('add', 1, 2, (sum) => sum.toFixed());
socket.timeout(10).emit('add', 1, 2, (error, sum) => (error instanceof Error ? 0 : sum.toFixed()));
socket.compress(true).volatile.emit('say', 'x');
const sums: Promise<number>[] = [socket.emitWithAck('add', 1, 2), socket.timeout(5).emitWithAck('add', 1, 2)];

const reasonOf = (reason: Socket.DisconnectReason): string => reason;
const describeIt = (description?: DisconnectDescription): string | undefined =>
  description instanceof Error ? description.message : description?.description;
const onDisconnect: SocketReservedEvents['disconnect'] = (reason, description) => {
  reasonOf(reason);
  describeIt(description);
};
socket
  .on('disconnect', onDisconnect)
  .on('connect', () => {})
  .on('connect_error', (error: ExtendedError) => error.data);
socket
  .onAny((event, ...args) => [event, args])
  .prependAnyOutgoing((...args) => args)
  .offAny();
const listeners: ((...args: never[]) => void)[] = [...socket.listenersAny(), ...socket.listeners('news')];
const id: string | undefined = socket.id;
const flags: boolean[] = [socket.connected, socket.disconnected, socket.active, socket.recovered];
const buffered: number = socket.receiveBuffer.length + socket.sendBuffer.length;
socket.auth = { token: 'y' };
socket.connect().disconnect().open().close().send('x');
socket.off('news').off().removeAllListeners().hasListeners('news');

class Chat {
  private readonly socket: Socket<ServerEvents, ClientEvents>;
  constructor(manager: Manager<ServerEvents, ClientEvents>) {
    this.socket = manager.socket('/chat', socketOptions) as Socket<ServerEvents, ClientEvents>;
  }
  get isOpen(): boolean {
    return this.socket.connected && this.socket.io.engine.readyState === 'open';
  }
}

const manager = new Manager<ServerEvents, ClientEvents>('http://localhost', managerOptions);
const chat = new Chat(manager);
manager.on('reconnect_attempt', (attempt) => attempt.toFixed());
manager.on('error', (error) => error.message);
manager.on('close', (reason, description) => [reason.length, describeIt(description)]);
const onError: ManagerReservedEvents['reconnect_error'] = (error) => error.message;
manager
  .on('reconnect_error', onError)
  .once('open', () => {})
  .off('ping');
manager
  .reconnection(true)
  .reconnectionAttempts(1)
  .reconnectionDelay(1)
  .reconnectionDelayMax(2)
  .randomizationFactor(0)
  .timeout(5);
const numbers: number[] = [
  manager.reconnectionAttempts(),
  manager.reconnectionDelay(),
  manager.randomizationFactor(),
];
manager.open((error?: Error) => error?.message).connect();
manager.opts.query = { token: 1 };
manager.opts.extraHeaders = { a: 'b' };
manager.opts.extraHeaders.c = 'd';

const { engine } = socket.io;
engine.once('upgrade', () => engine.transport.name.length);
engine.on('packet', ({ type, data }) => [type, data]);
engine.on('packetCreate', ({ type, data }) => [type, data]);
engine.on('drain', () => {});
engine.on('close', (reason) => reason);
const isBinary: boolean = engine.binaryType === 'arraybuffer';

const onHandshake: EngineEvents['handshake'] = ({ sid, upgrades, pingInterval }: HandshakeData) =>
  [sid, ...upgrades, pingInterval].join();
const raw = new EngineSocket('ws://localhost', engineOptions);
raw.on('handshake', onHandshake).on('open', () => raw.send('x', {}, () => {}));
raw.on('message', (data) => data);
raw.on('close', (reason, details) => [
  reason,
  details instanceof Error ? details.message : details?.description,
]);
const options: WriteOptions = { compress: false };
raw.write(new Uint8Array(1), options).close();
EngineSocket.priorWebsocketSuccess = false;

abstract class Base extends Transport {
  protected doOpen(): void {
    this.createUri('wss', this.query);
    this.onOpen();
    this.onData('4x');
    this.onPacket({ type: 'message', data: 'x' });
  }
  protected doClose(): void {
    this.onClose({ description: 'x' });
    this.onError('x', new Error('y'), undefined);
  }
}
class Mine extends Base {
  get name(): string {
    return 'mine';
  }
  protected write(packets: { type: string }[]): void {
    this.writable = packets.length === 0 || this.supportsBinary;
    this.emitReserved('drain');
  }
}
const mine: TransportCtor[] = [Mine];
const onTransportError: TransportReservedEvents['error'] = (error: TransportError) => [
  error.type,
  error.description,
];
const names: TransportName[] = ['polling', 'mine'];
io({ transports: mine, ...{ upgrade: false } }).io.engine.transport.name;
installTimerFunctions({}, { useNativeTimers: true });
nextTick(() => {}, setTimeout);

export const used = [
  onTransportError,
  others,
  authed,
  later,
  sums,
  listeners,
  id,
  flags,
  buffered,
  chat.isOpen,
  numbers,
  isBinary,
  names,
];
export const values = [
  protocol.toFixed(),
  parse('http://h').host.length,
  Object.keys(transports),
  EngineSocket.protocol,
];
