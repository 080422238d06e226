/**
 * What: shows by compiling that the server's events are typed from their maps, and that wrong ones do not compile.
 * Must not know: anything at run time; nothing here runs.
 */
import { createServer } from 'node:http';
import type { Untyped } from '../../src/base/typed-events.ts';
import {
  type BroadcastOperator,
  type DefaultEventsMap,
  type DisconnectReason,
  type Namespace,
  type RemoteSocket,
  Server,
  type ServerOptions,
  type Socket,
} from '../../src/entry/index.ts';
import { expectType, type Same } from './expect-type.ts';

interface ClientToServer {
  say: (text: string, size: number) => void;
  nothing: () => void;
  ask: (question: string, reply: (answer: number) => void) => void;
  askMaybe: (question: string, reply?: (answer: boolean) => void) => void;
}

interface ServerToClient {
  news: (title: string, tags: string[]) => void;
  message: (text: string) => void;
  poll: (question: string, reply: (vote: 'yes' | 'no') => void) => void;
  pollWithError: (question: string, reply: (err: Error, vote: number) => void) => void;
  ping: (reply: () => void) => void;
}

interface BetweenServers {
  hello: (from: string) => void;
  count: (room: string, reply: (n: number) => void) => void;
}

interface Data {
  name: string;
}

type TypedServer = Server<ClientToServer, ServerToClient, BetweenServers, Data>;
type TypedSocket = Socket<ClientToServer, ServerToClient, BetweenServers, Data>;

export function typed(
  io: TypedServer,
  socket: TypedSocket,
  nsp: Namespace<ClientToServer, ServerToClient>,
): void {
  // What is listened to.
  io.on('connection', (given) => {
    expectType<Same<typeof given, TypedSocket>>();
  });
  io.on('connect', (given) => {
    expectType<Same<typeof given, TypedSocket>>();
  });
  io.on('new_namespace', (given) => {
    expectType<Same<typeof given, Namespace<ClientToServer, ServerToClient, BetweenServers, Data>>>();
  });
  io.on('hello', (from) => {
    expectType<Same<typeof from, string>>();
  });
  io.on('count', (room, reply) => {
    expectType<Same<typeof room, string>>();
    reply(1);
    // @ts-expect-error a reply is a number
    reply('1');
  });
  // @ts-expect-error no server sends this
  io.on('unknown', () => {});
  socket.on('say', (text, size) => {
    expectType<Same<typeof text, string>>();
    expectType<Same<typeof size, number>>();
  });
  socket.on('ask', (_question, reply) => {
    reply(1);
    // @ts-expect-error a reply is a number
    reply('1');
  });
  socket.on('askMaybe', (_question, reply) => {
    expectType<Same<typeof reply, ((answer: boolean) => void) | undefined>>();
  });
  socket.once('nothing', () => {});
  socket.on('disconnect', (reason, description) => {
    expectType<Same<typeof reason, DisconnectReason>>();
    expectType<Same<typeof description, unknown>>();
  });
  socket.on('error', (error) => {
    expectType<Same<typeof error, Error>>();
  });
  // @ts-expect-error no client sends this
  socket.on('unknown', () => {});
  // @ts-expect-error a size is a number
  socket.on('say', (_text: string, _size: string) => {});
  // @ts-expect-error no client sends this
  socket.once('news', () => {});
  socket.onAny((event, ...args) => {
    expectType<Same<typeof event, 'say' | 'nothing' | 'ask' | 'askMaybe'>>();
    expectType<Same<typeof args, unknown[]>>();
  });
  socket.onAnyOutgoing((event, ...args) => {
    expectType<Same<typeof event, 'news' | 'message' | 'poll' | 'pollWithError' | 'ping'>>();
    expectType<Same<typeof args, unknown[]>>();
  });

  // What is sent.
  socket.emit('news', 'title', ['tag']);
  socket.send('text');
  socket.write('text');
  io.send('text');
  io.emit('news', 'title', []);
  io.of('/x').emit('message', 'x');
  nsp.to('room').volatile.emit('news', 'title', []);
  // @ts-expect-error tags are missing
  socket.emit('news', 'title');
  // @ts-expect-error tags are texts
  socket.emit('news', 'title', [1]);
  // @ts-expect-error too many
  socket.emit('news', 'title', [], 1);
  // @ts-expect-error clients know no such event
  socket.emit('say', 'text', 1);
  // @ts-expect-error clients know no such event
  io.emit('unknown');
  // @ts-expect-error a text is missing
  io.send();
  // @ts-expect-error a broadcast that wants answers needs a time: io.timeout(1000).emit(...)
  io.emit('poll', 'question', () => {});
  // @ts-expect-error a broadcast to clients knows their events only
  io.to('room').emit('hello', 'me');

  // Acknowledgements.
  socket.emit('poll', 'question', (vote) => {
    expectType<Same<typeof vote, 'yes' | 'no'>>();
  });
  socket.timeout(1).emit('poll', 'question', (err, vote) => {
    expectType<Same<typeof err, Error>>();
    expectType<Same<typeof vote, 'yes' | 'no'>>();
  });
  socket.timeout(1).emit('pollWithError', 'question', (err, vote) => {
    expectType<Same<typeof err, Error>>();
    expectType<Same<typeof vote, number>>();
  });
  socket.timeout(1).emit('ping', (err) => {
    expectType<Same<typeof err, Error>>();
  });
  io.timeout(1).emit('poll', 'question', (err, votes) => {
    expectType<Same<typeof err, Error>>();
    expectType<Same<typeof votes, ('yes' | 'no')[]>>();
  });
  io.to('room')
    .timeout(1)
    .emit('pollWithError', 'question', (err, votes) => {
      expectType<Same<typeof err, Error>>();
      expectType<Same<typeof votes, number[]>>();
    });
  // @ts-expect-error the callback takes an error first
  io.timeout(1).emit('poll', 'question', (_votes: string[]) => {});
  io.serverSideEmit('hello', 'me');
  io.serverSideEmit('count', 'room', (err, counts) => {
    expectType<Same<typeof err, Error>>();
    expectType<Same<typeof counts, number[]>>();
  });
  // @ts-expect-error servers know no such event
  io.serverSideEmit('news', 'title', []);
}

export async function promises(io: TypedServer, socket: TypedSocket): Promise<void> {
  const vote = await socket.emitWithAck('poll', 'question');
  expectType<Same<typeof vote, 'yes' | 'no'>>();
  const timely = await socket.timeout(1).emitWithAck('poll', 'question');
  expectType<Same<typeof timely, 'yes' | 'no'>>();
  const votes = await io.timeout(1).emitWithAck('poll', 'question');
  expectType<Same<typeof votes, ('yes' | 'no')[]>>();
  const roomVotes = await socket.to('room').timeout(1).emitWithAck('pollWithError', 'question');
  expectType<Same<typeof roomVotes, number[]>>();
  const counts = await io.serverSideEmitWithAck('count', 'room');
  expectType<Same<typeof counts, number[]>>();
  // @ts-expect-error the event has no acknowledgement
  await socket.emitWithAck('news', 'title', []);
  // @ts-expect-error the question is missing
  await socket.emitWithAck('poll');
  // @ts-expect-error a broadcast waits for ever without a time
  await io.to('room').emitWithAck('poll', 'question');
  const sockets = await io.fetchSockets();
  expectType<Same<typeof sockets, RemoteSocket<ServerToClient, Data>[]>>();
  for (const remote of sockets) {
    expectType<Same<typeof remote.data, Data>>();
    remote.emit('news', 'title', []);
    // @ts-expect-error clients know no such event
    remote.emit('unknown');
  }
}

export function data(io: TypedServer, socket: TypedSocket): void {
  expectType<Same<typeof socket.data, Data>>();
  socket.data.name = 'n';
  // @ts-expect-error a name is a text
  socket.data.name = 1;
  // @ts-expect-error there is no age
  socket.data.age = 1;
  io.use((given, next) => {
    expectType<Same<typeof given.data, Data>>();
    next(Object.assign(new Error('no'), { data: { code: 1 } }));
    // @ts-expect-error an error, or nothing
    next('no');
  });
  io.of('/x', (given) => {
    expectType<Same<typeof given, TypedSocket>>();
  });
}

/** Without maps everything goes, as in Socket.IO: programs move over by changing the import. */
export function untyped(): void {
  const options: Partial<ServerOptions> = { path: '/x', cors: { origin: '*' }, connectionStateRecovery: {} };
  const io = new Server(createServer(), options);
  expectType<Same<typeof io, Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, Untyped>>>();
  io.on('connection', (socket) => {
    expectType<Same<typeof socket, Socket>>();
    socket.on('anything', (text, callback) => {
      expectType<Same<typeof text, Untyped>>();
      callback(text.toUpperCase());
    });
    socket.on('more', (a: number, b: string) => void [a, b]);
    socket.on('later', async (a: number) => void (await a));
    socket.onAny((event, ...args) => {
      expectType<Same<typeof event, string>>();
      expectType<Same<typeof args, Untyped[]>>();
    });
    socket.emit('anything', 1, [2], () => {});
    socket.timeout(1).emit('anything', (err: Error, a: string) => void [err, a]);
    socket.data.user = socket.handshake.auth.token;
    socket.use(([event, ...args], next) => {
      expectType<Same<typeof event, string>>();
      next(args[0].isFine ? undefined : new Error('no'));
    });
  });
  io.emit('anything', 1);
  io.to(['a', 'b']).except('c').emit('anything');
  io.timeout(1).emit('anything', 1, (err: Error, answers: string[]) => void [err, answers]);
  io.serverSideEmit('anything', 1, () => {});
  const operator = io.in('a');
  expectType<typeof operator extends BroadcastOperator<infer _, Untyped> ? true : false>();
  // @ts-expect-error an option that does not exist
  new Server({ pth: '/x' });
}

export async function untypedPromises(io: Server, socket: Socket): Promise<void> {
  const answer = await socket.emitWithAck('anything', 1);
  expectType<Same<typeof answer, Untyped>>();
  const answers = await io.timeout(1).emitWithAck('anything', 1);
  expectType<Same<typeof answers, Untyped>>();
  const [first] = await io.fetchSockets();
  expectType<Same<typeof first, RemoteSocket<DefaultEventsMap, Untyped> | undefined>>();
}
