/**
 * What: shows by compiling that both ends are typed by a contract, whatever library its schemas come from.
 * Must not know: anything at run time; nothing here runs.
 */
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import type { Socket as ClientSocket } from '../../src/entry/client.ts';
import type { StreamMethods } from '../../src/entry/client-stream.ts';
import {
  type AuthOf,
  defineContract,
  type InputOf,
  type OutputOf,
  withContract,
} from '../../src/entry/contract.ts';
import type { Server, Socket } from '../../src/entry/index.ts';
import { expectType, type Same } from './expect-type.ts';

const chat = defineContract({
  clientToServer: {
    say: { args: [z.string(), z.coerce.number()], ack: [z.object({ id: z.number() })] },
    join: v.pipe(v.string(), v.minLength(1)),
    move: [type('number'), type('number.integer')],
    leave: [],
    note: [z.string(), z.string().optional()],
    search: { args: [type({ text: 'string' })], part: v.object({ hit: v.string() }) },
  },
  serverToClient: {
    said: [type('string'), z.string().transform(Number)],
    ask: { args: [v.string()], ack: [v.pipe(v.string(), v.transform(Number))] },
    upload: { part: z.string() },
  },
  data: z.object({ name: z.string() }),
});

const members = defineContract({
  clientToServer: { leave: [] },
  auth: z.object({ token: z.string(), age: z.string().transform(Number) }),
  data: type({ name: 'string' }),
});
const guests = defineContract({ auth: v.object({ nick: v.string() }) });

export async function credentials(untyped: Server): Promise<void> {
  const io = untyped.contract(members);
  io.use(({ handshake, data }, next) => {
    expectType<Same<typeof handshake.auth, { token: string; age: number }>>();
    expectType<Same<typeof data.name, string>>();
    data.name = handshake.auth.token;
    next();
  });
  io.on('connection', (socket) => {
    expectType<Same<typeof socket.handshake.auth.age, number>>();
    socket.data = { name: 'n' };
    // @ts-expect-error: nobody gives that
    socket.handshake.auth.password;
  });
  const [remote] = await io.fetchSockets();
  if (remote) expectType<Same<typeof remote.handshake.auth.age, number>>();
  // Without declared data, anything may be kept with a socket, as ever.
  untyped
    .of('/guests')
    .contract(guests)
    .on('connection', ({ handshake, data }) => {
      expectType<Same<typeof handshake.auth, { nick: string }>>();
      data.anything = 1;
    });
  // And without declared credentials, auth is what it was.
  untyped.contract(chat).on('connection', ({ handshake }) => void handshake.auth.anything);
  untyped.on('connection', ({ handshake }) => void handshake.auth.anything);
  expectType<Same<AuthOf<(typeof members)['spec']>, { token: string; age: string }>>();
}

expectType<Same<InputOf<ReturnType<typeof transform>>, string>>();
expectType<Same<OutputOf<ReturnType<typeof transform>>, number>>();
const transform = () => z.string().transform(Number);

export function onServer(untyped: Server): void {
  const io = untyped.contract(chat);
  io.on('connection', (socket) => {
    expectType<Same<typeof socket.data.name, string>>();
    socket.on('say', (text, times, ack) => {
      expectType<Same<typeof text, string>>();
      expectType<Same<typeof times, number>>();
      ack({ id: times });
      // @ts-expect-error: the answer has an id
      ack({});
    });
    socket.on('join', (room) => expectType<Same<typeof room, string>>());
    socket.on('move', (x, y) => expectType<Same<[typeof x, typeof y], [number, number]>>());
    socket.on('note', (_text, more) => expectType<Same<typeof more, string | undefined>>());
    socket.on('leave', (...args) => expectType<Same<typeof args, []>>());
    // @ts-expect-error: clients do not say that
    socket.on('said', () => {});
    socket.emit('said', 'hello', '5');
    // @ts-expect-error: the schema takes a text and makes a number of it
    socket.emit('said', 'hello', 5);
    socket.emit('ask', 'why', (answer) => expectType<Same<typeof answer, number>>());
    socket.onStream('search', async function* (query, { signal }) {
      expectType<Same<typeof query, { text: string }>>();
      expectType<Same<typeof signal, AbortSignal>>();
      yield { hit: query.text };
    });
    // @ts-expect-error: the part has a hit
    socket.onStream('search', async function* () {
      yield { miss: 1 };
    });
    expectType<
      Same<
        ReturnType<typeof socket.stream<'upload'>>['next'],
        () => Promise<IteratorResult<string, undefined>>
      >
    >();
  });
  io.timeout(5).emit('ask', 'why', (error, answers) => {
    expectType<Same<typeof error, Error>>();
    expectType<Same<typeof answers, number[]>>();
  });
  io.on('violation', (socket, refusal) => {
    expectType<Same<typeof refusal.code, string>>();
    expectType<Same<typeof socket.data.name, string>>();
  });
  const admin = io.of('/admin').contract(defineContract({ clientToServer: { stop: type('boolean') } }));
  admin.on('connection', (socket) => {
    socket.on('stop', (isForced) => expectType<Same<typeof isForced, boolean>>());
    // @ts-expect-error: of another namespace
    socket.on('join', () => {});
  });
}

export async function onServerSocket(socket: Socket): Promise<void> {
  for await (const args of socket.events('anything')) args.length.toFixed();
}

export async function onClient(untyped: ClientSocket): Promise<void> {
  const socket = withContract(untyped, chat);
  socket.on('history', ({ isReset, id }) =>
    expectType<Same<[typeof isReset, typeof id], [boolean, string]>>(),
  );
  socket.on('presence:leave', ({ member }) => expectType<Same<typeof member.meta, unknown>>());
  socket.emit('say', 'hi', 5, (answer) => expectType<Same<typeof answer, { id: number }>>());
  const answer = await socket.timeout(5).emitWithAck('say', 'hi', '5');
  expectType<Same<typeof answer, { id: number }>>();
  socket.emit('join', 'room');
  socket.emit('note', 'text');
  socket.emit('note', 'text', 'more');
  // @ts-expect-error: a number is wanted
  socket.emit('move', 'left', 5);
  socket.on('said', (who, size) => expectType<Same<[typeof who, typeof size], [string, number]>>());
  socket.on('ask', (question, reply) => reply(question));
  socket.on('violation', (error) => expectType<Same<typeof error.refusal.event, string>>());
  // @ts-expect-error: what the answer is made of is a text
  socket.on('ask', (_question, reply) => reply(5));
}

interface ClientToServer {
  add: (a: number, b: string, reply: (sum: number) => void) => void;
  search: (query: string, page?: number) => AsyncIterable<{ hit: string }>;
}
interface ServerToClient {
  tick: (n: number) => void;
  files: () => AsyncIterable<Uint8Array>;
}

export async function streams(
  server: Socket<ClientToServer, ServerToClient>,
  client: ClientSocket<ServerToClient, ClientToServer> & StreamMethods<ServerToClient, ClientToServer>,
): Promise<void> {
  for await (const [a, b, reply] of server.events('add')) {
    expectType<Same<[typeof a, typeof b], [number, string]>>();
    reply(a);
  }
  for await (const [n] of client.events('tick', { limit: 5 })) expectType<Same<typeof n, number>>();
  for await (const { hit } of client.stream('search', 'text', { signal: AbortSignal.timeout(5) })) {
    expectType<Same<typeof hit, string>>();
  }
  client.stream('search', 'text', 2, { signal: undefined, credit: 4 });
  for await (const bytes of server.stream('files')) expectType<Same<typeof bytes, Uint8Array>>();
  server.onStream('search', function* (query) {
    yield { hit: query };
  });
  // @ts-expect-error: no stream
  client.stream('add', 1, '2');
  // @ts-expect-error: no such event
  server.events('subtract');
  // @ts-expect-error: a text is wanted
  client.stream('search', 5);
}
