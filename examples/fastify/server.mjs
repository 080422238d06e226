// What: notes over Fastify: a route posts one, everybody with a socket gets it.
// Must not know: transports.

import Fastify from 'fastify';
import { Server } from 'tautline';

const app = Fastify({ bodyLimit: 500 });
const io = new Server(app.server);

app.get('/', () => `${io.engine.clientsCount} connected\n`);

app.post('/notes', (request, reply) => {
  io.emit('note', request.body);
  return reply.code(204).send();
});

io.on('connection', (socket) => {
  socket.on('note', (text, done) => {
    socket.broadcast.emit('note', text);
    done?.('delivered');
  });
});

// Fastify waits for connections when it closes: sockets have to be ended first.
app.addHook('preClose', () => io.disconnectSockets(true));

await app.listen({ port: process.env.PORT ?? 3000, host: process.env.HOST });
console.log(`http://localhost:${app.server.address().port}`);
