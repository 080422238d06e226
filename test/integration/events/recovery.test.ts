/**
 * What: shows that a client which comes back by connection state recovery has its histories and its presence again, by
 * joining again as the guides say.
 * Must not know: how sessions are kept.
 */
import { expect, it } from 'vitest';
import type { HistoryMark, HistoryStart, Server } from '../../../src/entry/index.ts';
import { next, scene } from './scene.ts';

it('gives a recovered client what it missed of a history, and its place among those who are here', async () => {
  const s = await scene({ connectionStateRecovery: {} }, (io: Server) => {
    io.on('connection', (socket) => {
      socket.data.user ??= socket.handshake.auth.user;
      if (socket.recovered) void io.presence('tea').join(socket, null, { key: socket.data.user });
      socket.on('enter', async (since, done) => {
        await io.presence('tea').join(socket, null, { key: socket.data.user });
        await io.history('tea').join(socket, { since });
        done();
      });
    });
  });
  const { client } = await s.plain('/', { auth: { user: 'ada' }, reconnectionDelay: 1 });
  let lines: string[] = [];
  let last: string | undefined;
  client.on('history', ({ isReset, id }: HistoryStart) => {
    if (isReset) lines = [];
    last = id;
  });
  client.on('chat', (text: string, { id }: HistoryMark) => {
    lines.push(text);
    last = id;
  });
  await client.emitWithAck('enter', last);
  await s.io.history('tea').emit('chat', 'one');
  const offset = next(client, 'plain');
  s.io.to('tea').emit('plain');
  await offset;

  const back = next(client, 'connect');
  const left = new Promise((resolve) => s.io.presence('tea').on('leave', resolve));
  client.io.engine.close();
  await left;
  await s.io.history('tea').emit('chat', 'two');
  await back;
  expect(client.recovered).toBe(true);
  expect((await s.io.presence('tea').list()).map(({ key }) => key)).toEqual(['ada']);
  await client.emitWithAck('enter', last);
  await s.io.history('tea').emit('chat', 'three');
  const heard = next(client, 'plain');
  s.io.to('tea').emit('plain');
  await heard;
  expect(lines).toEqual(['one', 'two', 'three']);
});
