// What: notes over Hono on Node: a route posts one, everybody with a socket gets it.
// Must not know: transports.

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Server } from 'tautline';

const app = new Hono();

app.get('/', (context) => context.text(`${io.engine.clientsCount} connected\n`));

app.post('/notes', bodyLimit({ maxSize: 500 }), async (context) => {
  io.emit('note', await context.req.text());
  return context.body(null, 204);
});

const address = { port: Number(process.env.PORT ?? 3000), hostname: process.env.HOST };
const http = serve({ fetch: app.fetch, ...address }, ({ port }) => console.log(`http://localhost:${port}`));
const io = new Server(http);

io.on('connection', (socket) => {
  socket.on('note', (text, done) => {
    socket.broadcast.emit('note', text);
    done?.('delivered');
  });
});
