// What: the server of the room: who is in which room, and what is passed on to whom.
// Must not know: how a room is kept (rooms.mjs), what is valid (checks.mjs), how files are served (files.mjs).

import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from 'tautline';
import { Budget } from './budget.mjs';
import { checkCursor, checkDraft, checkEntry } from './checks.mjs';
import { serveFiles } from './files.mjs';
import { LIMITS, personName } from './public/limits.js';
import { Rooms } from './rooms.mjs';

const CONNECTIONS = 500;
const port = Number(process.env.PORT ?? 3000);
const host = process.env.HOST;

const http = createServer(serveFiles(new URL('./public/', import.meta.url)));
const io = new Server(http, { maxHttpBufferSize: 256 * 1024 });
let rooms;

/** Who may enter. What is refused here arrives in the page as `connect_error`, with this text. */
io.use((socket, next) => {
  const entry = checkEntry(socket.handshake.auth);
  if (entry === undefined) return next(new Error('This page and the server do not understand each other.'));
  if (io.sockets.sockets.size >= CONNECTIONS) return next(new Error('The server is full.'));
  const room = rooms.find(entry.room);
  if (room === undefined) return next(new Error('This room is full.'));
  socket.data = { room, person: entry.person };
  next();
});

io.on('connection', (socket) => {
  const { room, person } = socket.data;
  const everybody = () => io.to(room.name);
  const others = () => socket.to(room.name);
  // Without a rest in between, a person may do this much, and then so much a second.
  const operations = new Budget(20, 120);
  const moments = new Budget(60, 180);

  socket.join(room.name);
  room.people.set(socket.id, person);
  socket.emit('welcome', { you: person.id, ...room.view() });
  everybody().emit('people', room.here());

  socket.on('disconnect', () => {
    room.people.delete(socket.id);
    everybody().emit('people', room.here());
  });

  // What must not be lost: said, drawn, undone, cleared. The page sends it again until it is confirmed, and in
  // order; `taken` tells for each operation, from the first on, null or why it was refused. What is over the
  // budget is not taken: the page comes back with it.
  socket.on('operations', async (received, confirm) => {
    if (typeof confirm !== 'function' || !Array.isArray(received) || received.length > LIMITS.batch) return;
    const taken = [];
    const entries = [];
    for (const op of received) {
      if (!operations.spend()) break;
      const { entry, refused = null } = room.accept(op, person);
      if (entry !== undefined) entries.push(entry);
      taken.push(refused);
    }
    if (entries.length > 0) everybody().emit('entries', entries);
    await room.save(entries);
    confirm(taken);
  });

  // What matters only now: a stroke while it is drawn, a pointer, somebody typing. Late is as bad as lost.
  const onMoment = (event, check, pass) => {
    socket.on(event, (received) => {
      if (!moments.spend()) return;
      const value = check(received);
      if (value !== undefined) others().emit(event, pass(value));
    });
  };
  onMoment('draft', checkDraft, (draft) => ({
    ...draft,
    stroke: `${person.id}.${draft.stroke}`,
    by: person.id,
  }));
  onMoment('cursor', checkCursor, (at) => ({ by: person.id, at }));
  onMoment(
    'typing',
    (typing) => typing === true,
    (typing) => ({ by: person.id, typing }),
  );

  socket.on('rename', (received) => {
    const name = personName(received);
    if (name === undefined || !moments.spend()) return;
    for (const other of room.people.values()) if (other.id === person.id) other.name = name;
    everybody().emit('people', room.here());
  });

  // The page measures how long this takes.
  socket.on('echo', (confirm) => {
    if (typeof confirm === 'function' && moments.spend()) confirm();
  });
});

http.listen(port, host, () => {
  const { port: listening } = http.address();
  rooms = new Rooms(process.env.ROOM_DATA ?? join(tmpdir(), `tautline-room-${listening}`));
  console.log(`The room is open: http://${host ?? 'localhost'}:${listening}`);
});

http.on('error', (error) => {
  console.error(
    error.code === 'EADDRINUSE' ? `Port ${port} is taken. Try PORT=3001 npm start.` : error.message,
  );
  process.exitCode = 1;
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    io.close();
    // Pages are told first; who does not hear it in a second is cut off.
    setTimeout(() => http.closeAllConnections(), 1000).unref();
  });
}
