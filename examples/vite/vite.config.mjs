// What: how Vite serves the page while it is written, and passes on what is for the server.
// Must not know: the page.

import { defineConfig } from 'vite';

export default defineConfig({
  server: { proxy: { '/socket.io': { target: 'http://localhost:3000', ws: true } } },
});
