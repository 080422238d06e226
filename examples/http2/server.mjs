// What: notes over node:http2, with HTTP/1.1 on the same port: a page posts one, everybody with a socket gets it.
// Must not know: which of the two a client has chosen.

import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { Server } from 'tautline';

const http = createSecureServer(
  {
    key: readFileSync(process.env.KEY ?? 'key.pem'),
    cert: readFileSync(process.env.CERT ?? 'cert.pem'),
    allowHTTP1: true,
  },
  async (request, response) => {
    if (request.method === 'POST' && request.url === '/notes') {
      let text = '';
      for await (const chunk of request) {
        text += chunk;
        if (text.length > 500) return response.writeHead(413).end();
      }
      io.emit('note', text);
      response.writeHead(204).end();
      return;
    }
    response.end(`${io.engine.clientsCount} connected, you over HTTP/${request.httpVersion}\n`);
  },
);

const io = new Server(http);

io.on('connection', (socket) => {
  socket.on('note', (text, done) => {
    socket.broadcast.emit('note', text);
    done?.('delivered');
  });
});

http.listen(process.env.PORT ?? 3000, process.env.HOST, () =>
  console.log(`https://localhost:${http.address().port}`),
);
