// What: notes, and the page as `vite build` has made it.
// Must not know: Vite.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server } from 'tautline';

const pages = process.env.PAGES ?? fileURLToPath(new URL('dist', import.meta.url));
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };

const http = createServer(async (request, response) => {
  // normalize() of what begins with a slash does not lead out of the folder.
  const { pathname } = new URL(request.url, 'http://localhost');
  const name = pathname === '/' ? '/index.html' : normalize(pathname);
  try {
    const body = await readFile(join(pages, name));
    response.setHeader('content-type', types[extname(name)] ?? 'application/octet-stream');
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
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
