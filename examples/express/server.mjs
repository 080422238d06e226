// What: notes over Express: a route posts one, everybody with a socket gets it.
// Must not know: transports.

import { createServer } from 'node:http';
import express from 'express';
import { Server } from 'tautline';

const app = express();
// The HTTP server of the app, not the app itself: WebSockets come as upgrades, which Express does not see.
const http = createServer(app);
const io = new Server(http);

app.get('/', (_request, response) => {
  response.send(`${io.engine.clientsCount} connected\n`);
});

app.post('/notes', express.text({ limit: 500 }), (request, response) => {
  io.emit('note', request.body);
  response.sendStatus(204);
});

io.on('connection', (socket) => {
  socket.on('note', (text, done) => {
    socket.broadcast.emit('note', text);
    done?.('delivered');
  });
});

http.listen(process.env.PORT ?? 3000, process.env.HOST, () =>
  console.log(`http://localhost:${http.address().port}`),
);
