// What: notes over node:http: a page posts one, everybody with a socket gets it.
// Must not know: frameworks.

import { createServer } from 'node:http';
import { Server } from 'tautline';

const http = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/notes') {
    let text = '';
    for await (const chunk of request) {
      text += chunk;
      if (text.length > 500) return response.writeHead(413).end();
    }
    io.emit('note', text);
    return response.writeHead(204).end();
  }
  response.end(`${io.engine.clientsCount} connected\n`);
});

const io = new Server(http);

io.on('connection', (socket) => {
  socket.on('note', (text, done) => {
    socket.broadcast.emit('note', text);
    done?.('delivered');
  });
});

http.listen(process.env.PORT ?? 3000, process.env.HOST, () =>
  console.log(`http://localhost:${http.address().port}`),
);
