/**
 * What: `npm start`: on a fresh clone installs, builds, and serves the example room on PORT (default 3000).
 * Must not know: anything about the example but where its server stands.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale, installPackages, root } from './setup.mjs';

installPackages();
buildIfStale();
await import(pathToFileURL(join(root, 'examples/room/server.mjs')).href);
