/**
 * What: `@socket.io/admin-ui` on our server: its client gets in, is told what happens, and acts, as on socket.io.
 * Must not know: how the admin UI watches a server; it reads members that programs do not.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { instrument } from '@socket.io/admin-ui';
import { Server as OfficialServer } from 'socket.io';
import { io as connectTo } from 'socket.io-client';
import { expect, it, onTestFinished } from 'vitest';
import { Server } from '../../../src/entry/index.ts';

const { hashSync } = createRequire(createRequire(import.meta.url).resolve('@socket.io/admin-ui'))(
  'bcryptjs',
) as {
  hashSync(text: string, rounds: number): string;
};

/** What the admin was told, in order; what differs from run to run is replaced. */
type Told = [event: string, ...args: unknown[]];

async function watch(create: (http: object) => OfficialServer): Promise<Record<string, unknown>> {
  const http = createServer();
  const io = create(http);
  onTestFinished(async () => {
    await io.close();
  });
  const auth = { type: 'basic' as const, username: 'admin', password: hashSync('secret', 4) };
  instrument(io, { auth, mode: 'development', serverId: 'one' });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const connect = (nsp: string, options: object = {}) => {
    const client = connectTo(url + nsp, { forceNew: true, transports: ['websocket'], ...options });
    onTestFinished(() => void client.disconnect());
    return client;
  };

  const stranger = connect('/admin', { auth: { username: 'admin', password: 'wrong' } });
  const refusal = await new Promise<Error>((resolve) => stranger.once('connect_error', resolve));

  io.of('/chat').on('connection', (socket) => {
    socket.data.name = 'Ada';
    socket.on('say', (text, reply) => {
      socket.emit('said', text);
      reply();
    });
  });
  const told: Told[] = [];
  const waiting: { event: string; resolve: (args: unknown[]) => void }[] = [];
  const next = (event: string): Promise<unknown[]> =>
    new Promise((resolve) => waiting.push({ event, resolve }));
  const admin = connect('/admin', { auth: { username: 'admin', password: 'secret' } });
  const opening = Promise.all([next('session'), next('config'), next('all_sockets')]);
  admin.onAny((event: string, ...args: unknown[]) => {
    told.push([event, ...args]);
    const index = waiting.findIndex((each) => each.event === event);
    if (index >= 0) waiting.splice(index, 1)[0]?.resolve(args);
  });
  const [[session], [config], [sockets]] = await opening;

  const connected = next('socket_connected');
  const user = connect('/chat');
  const [details] = await connected;
  const talk = Promise.all([next('event_received'), next('event_sent')]);
  await user.emitWithAck('say', 'hello');
  const [received, sent] = await talk;

  // The admin acts.
  const joined = next('room_joined');
  admin.emit('join', '/chat', 'room', user.id);
  const [, room] = await joined;
  const news = new Promise<unknown[]>((resolve) => user.once('news', (...args) => resolve(args)));
  admin.emit('emit', '/chat', 'room', 'news', 'from the admin');
  const heard = await news;
  const left = next('room_left');
  admin.emit('leave', '/chat', 'room', user.id);
  const [, leftRoom] = await left;
  const gone = next('socket_disconnected');
  const away = new Promise((resolve) => user.once('disconnect', resolve));
  admin.emit('_disconnect', '/chat', false, user.id);
  const [, , reason] = await gone;
  const ended = await away;
  const [stats] = await next('server_stats');

  // Who has a session gets in without the password.
  admin.disconnect();
  const again = connect('/admin', { auth: { sessionId: session } });
  await new Promise<void>((resolve) => again.once('connect', () => resolve()));

  const { id, handshake, rooms, data, transport, nsp } = details as Record<string, unknown> & {
    handshake: object;
  };
  const { aggregatedEvents, namespaces, clientsCount, serverId } = stats as Record<string, unknown[]>;
  const types = (aggregatedEvents as unknown as { type: string }[]).map(({ type }) => type);
  return {
    refusal: refusal.message,
    session: typeof session,
    config,
    sockets: (sockets as { nsp: string; transport: string }[]).map(({ nsp, transport }) => [nsp, transport]),
    details: [typeof id, Object.keys(handshake).sort(), (rooms as unknown[]).length, data, transport, nsp],
    received: [received[0], received[2]],
    sent: [sent[0], sent[2]],
    rooms: [room, leftRoom],
    heard,
    ends: [reason, ended],
    stats: [serverId, clientsCount, namespaces, [...new Set(types)].sort()],
    events: [...new Set(told.map(([event]) => event))].sort(),
  };
}

it('lets an admin in, tells it everything, and does what it wants, as on socket.io', async () => {
  const ours = await watch((http) => new Server(http as never) as unknown as OfficialServer);
  expect(ours).toMatchObject({
    refusal: 'invalid credentials',
    heard: ['from the admin'],
    rooms: ['room', 'room'],
    ends: ['server namespace disconnect', 'io server disconnect'],
  });
  expect(ours).toEqual(await watch((http) => new OfficialServer(http as never)));
});
