/**
 * What: what must compile with the client's types, and what must not; checked by tsc, never run.
 */
import io, {
  connect,
  type DefaultEventsMap,
  Manager,
  type ManagerOptions,
  type Socket,
  type SocketOptions,
} from '../../src/entry/client.ts';
import { Manager as NodeManager, io as nodeIo } from '../../src/entry/client-node.ts';
import { expectType, type Same } from './expect-type.ts';

interface ServerToClient {
  news: (text: string, count?: number) => void;
  question: (n: number, reply: (answer: boolean) => void) => void;
  ping: () => void;
}

interface ClientToServer {
  add: (a: number, b: number, reply: (sum: number) => void) => void;
  upload: (file: Uint8Array) => void;
  both: (reply: (error: Error, value: string) => void) => void;
}

const socket: Socket<ServerToClient, ClientToServer> = io('http://localhost');
export const second = io<ServerToClient, ClientToServer>('/chat', { auth: { token: 'x' }, retries: 3 });
expectType<Same<typeof second, Socket<ServerToClient, ClientToServer>>>();
export const third: Socket<ServerToClient, ClientToServer> = nodeIo({ ca: 'pem', autoUnref: true });

socket.on('news', (text, count) => {
  expectType<Same<typeof text, string>>();
  expectType<Same<typeof count, number | undefined>>();
});
socket.once('question', (n, reply) => reply(n > 1));
// @ts-expect-error: the answer is a boolean
socket.on('question', (_n, reply) => reply('yes'));
// @ts-expect-error: the server sends no such event
socket.on('olds', () => {});
// @ts-expect-error: an event that the client sends
socket.on('add', () => {});
// @ts-expect-error: the text comes first
socket.on('news', (_text: number) => {});

socket.on('connect', () => {});
socket.on('connect_error', (error) => {
  expectType<Same<typeof error.message, string>>();
  error.data;
});
socket.on('disconnect', (reason, description) => {
  expectType<Same<typeof reason, Socket.DisconnectReason>>();
  if (description instanceof Error) description.message;
  else description?.description.toUpperCase();
  // @ts-expect-error: not a reason
  reason === 'boredom';
});
socket.on('send_error', (error, args) => {
  expectType<Same<typeof error.code, string>>();
  expectType<Same<typeof args, readonly unknown[]>>();
});
socket.off('news').off().removeAllListeners('question');
socket.listeners('news')[0]?.('text', 1);

expectType<Same<ReturnType<typeof socket.emit>, typeof socket>>();
socket.emit('add', 1, 2, (sum) => expectType<Same<typeof sum, number>>());
socket.emit('upload', new Uint8Array(1));
// @ts-expect-error: a number is missing
socket.emit('add', 1, () => {});
// @ts-expect-error: text is no number
socket.emit('add', '1', 2, () => {});
// @ts-expect-error: nobody listens to that
socket.emit('subtract', 1, 2);
// @ts-expect-error: the client's own event
socket.emit('connect');

socket.timeout(100).emit('add', 1, 2, (error, sum) => {
  expectType<Same<typeof error, Error>>();
  expectType<Same<typeof sum, number>>();
});
// @ts-expect-error: the error comes first
socket.timeout(100).emit('add', 1, 2, (_sum: number) => {});
socket.volatile.compress(false).emit('upload', new Uint8Array());

const sum = socket.emitWithAck('add', 1, 2);
expectType<Same<typeof sum, Promise<number>>>();
const timedSum = socket.timeout(5).emitWithAck('add', 1, 2);
expectType<Same<typeof timedSum, Promise<number>>>();
const value = socket.emitWithAck('both');
expectType<Same<typeof value, Promise<string>>>();
// @ts-expect-error: it takes no acknowledgement
socket.emitWithAck('upload', new Uint8Array());

socket.onAny((event, ...args) => {
  expectType<Same<typeof event, keyof ServerToClient>>();
  expectType<Same<typeof args, unknown[]>>();
});
socket.onAnyOutgoing((event) => expectType<Same<typeof event, keyof ClientToServer>>());

expectType<Same<typeof socket.id, string | undefined>>();
expectType<Same<typeof socket.connected, boolean>>();
expectType<Same<typeof socket.recovered, boolean>>();
socket.auth = (callback) => callback({ token: 1 });
socket.auth = { token: 1 };
socket.connect().disconnect().open().close().send('anything', 1);

// Without event maps everything goes, as with socket.io-client.
const loose: Socket = connect();
expectType<Same<typeof loose, Socket<DefaultEventsMap, DefaultEventsMap>>>();
loose.on('whatever', (a, b) => [a.anything, b()]);
loose.emit('whatever', 1, { two: 2 }, (answer: string) => answer);
loose.onAny((event, ...args) => [event.toUpperCase(), args[0].anything]);
export const untypedAnswer: Promise<string> = loose.emitWithAck('whatever');

const options: Partial<ManagerOptions & SocketOptions> = {
  transports: ['polling', 'websocket'],
  query: { a: 1 },
  extraHeaders: { authorization: 'x' },
  timeout: false,
  ackTimeout: 5,
  auth: (callback) => callback({}),
};
io(options);
// @ts-expect-error: a number is wanted
io({ reconnectionDelay: '1000' });
// @ts-expect-error: no such option
io('/', { reconnections: true });

const manager = new Manager<ServerToClient, ClientToServer>('http://localhost', { autoConnect: false });
const admin = manager.socket('/admin', { auth: { token: 'x' } });
expectType<Same<typeof admin, Socket<ServerToClient, ClientToServer>>>();
const delay = manager.reconnectionDelay();
expectType<Same<typeof delay, number>>();
manager.reconnection(false).reconnectionAttempts(3).timeout(500);
manager.on('reconnect', (attempt) => expectType<Same<typeof attempt, number>>());
manager.on('error', (error) => expectType<Same<typeof error, Error>>());
manager.on('close', (reason, description) => [reason.toUpperCase(), description]);
// @ts-expect-error: no such event
manager.on('connect', () => {});
manager.open((error) => expectType<Same<typeof error, Error | undefined>>());
manager.engine.on('upgrade', (transport) => transport.name);
manager.engine.on('packet', ({ type, data }) => [type === 'message', data]);
manager.engine.on('close', (reason) => reason === 'transport close');
new NodeManager({ hostname: 'localhost', agent: false, rejectUnauthorized: false });
io.connect('/x').io.engine.transport.name;
io.protocol satisfies number;
