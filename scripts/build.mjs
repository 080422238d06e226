/**
 * What: builds everything that is published into dist/. `npm run build`.
 * Must not know: how the sources are arranged below src/entry/.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules/tsdown/dist/run.mjs')], {
  cwd: root,
  stdio: 'inherit',
});

// Of the build that makes the types of the CommonJS entries only the types are wanted.
for (const file of readdirSync(join(dist, 'cjs-types'))) {
  if (file.endsWith('.cjs')) rmSync(join(dist, 'cjs-types', file));
}
// `export import` below cannot name what was exported by `export { type Name }`, so that modifier goes.
for (const file of readdirSync(dist, { recursive: true })) {
  if (!/\.d\.[cm]ts$/.test(file)) continue;
  const path = join(dist, file);
  const declarations = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    declarations.replace(/^(import|export) \{[^}]*\}/gm, (clause) => clause.replace(/([{,]\s*)type /g, '$1')),
  );
}

/**
 * CommonJS entries whose `module.exports` is a function or class. The head declares that value; every export of
 * the ESM entry is then attached to it as a member, types included.
 */
const heads = {
  index: `/** Makes a server; callable with and without \`new\`. */
declare function tautline(srv?: ConstructorParameters<typeof api.Server>[0], opts?: ConstructorParameters<typeof api.Server>[1]): api.Server;
declare namespace tautline`,
  client: `/** Connects to a namespace of a server. */
declare function tautline<
  ListenEvents extends api.EventsMap = api.DefaultEventsMap,
  EmitEvents extends api.EventsMap = ListenEvents,
>(uri?: string, opts?: Partial<api.ManagerOptions & api.SocketOptions>): api.Socket<ListenEvents, EmitEvents>;
declare function tautline<
  ListenEvents extends api.EventsMap = api.DefaultEventsMap,
  EmitEvents extends api.EventsMap = ListenEvents,
>(opts?: Partial<api.ManagerOptions & api.SocketOptions>): api.Socket<ListenEvents, EmitEvents>;
declare namespace tautline`,
  engine: `/** Makes an engine: on an HTTP server, or with options alone. */
declare function tautline(server?: ConstructorParameters<typeof api.Server>[0] | Parameters<typeof api.attach>[0], options?: api.EngineOptions): api.Server;
declare namespace tautline`,
  'engine-client': `/** Opens a session with an Engine.IO server. */
declare function tautline(uri?: string | Partial<api.SocketOptions>, opts?: Partial<api.SocketOptions>): api.Socket;
declare namespace tautline`,
  ws: `declare class tautline extends api.WebSocket {}
declare namespace tautline`,
};

/** The names that a bundled declaration file exports. */
function exportedNames(declaration) {
  const clause = declaration.match(/export \{([^}]*)\};?\s*(\/\/.*)?\s*$/);
  if (!clause) throw new Error('The declaration file has no export clause at its end.');
  return clause[1]
    .split(',')
    .map((part) =>
      part
        .trim()
        .split(/\s+as\s+/)
        .at(-1)
        .replace(/^type /, ''),
    )
    .filter((name) => name && name !== 'default' && name !== DEFAULT);
}

/** Under which the declarations of CommonJS have what ES modules export by default. */
const DEFAULT = 'exportedByDefault';
for (const file of readdirSync(join(dist, 'cjs-types'))) {
  const path = join(dist, 'cjs-types', file);
  const declarations = readFileSync(path, 'utf8');
  writeFileSync(path, declarations.replace(/([\w$]+) as default\b/, `$&, $1 as ${DEFAULT}`));
}

/** A namespace that carries the exports of `api`, under whatever the value is called. */
function namespaceOf(name, names) {
  const members = names.map((member) => `  export import ${member} = api.${member};`);
  // `ws` has its server under two names.
  if (name === 'ws') members.push('  export import Server = api.WebSocketServer;');
  return `{\n${members.join('\n')}\n}\n`;
}

for (const [name, head] of Object.entries(heads)) {
  const names = exportedNames(readFileSync(join(dist, `cjs-types/${name}.d.cts`), 'utf8'));
  writeFileSync(
    join(dist, `${name}.d.cts`),
    `import api = require('./cjs-types/${name}.cjs');\n${head} ${namespaceOf(name, names)}export = tautline;\n`,
  );
}
/** Doors whose CommonJS module has its exports and nothing else. */
const plainDoors = ['websocket', 'adapter', 'client-stream', 'contract', 'sse', 'protocol', 'outbox'];
for (const name of [...plainDoors, 'msgpack']) {
  writeFileSync(join(dist, `${name}.d.cts`), `export * from './cjs-types/${name}.cjs';\n`);
}

/**
 * The declarations of the ES modules are those of CommonJS. Were they others, a class would be two to the compiler, and
 * a program that is an ES module could not give our server to a package that is not (`@socket.io/admin-ui`).
 */
function redeclare(name, origin) {
  const declarations = readFileSync(join(dist, `${name}.d.mts`), 'utf8');
  const names = exportedNames(declarations);
  const known = new Set(exportedNames(readFileSync(join(dist, `cjs-types/${origin}.d.cts`), 'utf8')));
  const missing = names.filter((each) => !known.has(each));
  if (missing.length > 0) throw new Error(`cjs-types/${origin}.d.cts has no ${missing.join()}.`);
  if (/ as default\b[^{}]*\};?\s*(\/\/.*)?\s*$/.test(declarations)) names.push(`${DEFAULT} as default`);
  writeFileSync(
    join(dist, `${name}.d.mts`),
    `export { ${names.join(', ')} } from './cjs-types/${origin}.cjs';\n`,
  );
}
for (const name of ['index', 'client', 'engine', 'engine-client', ...plainDoors]) redeclare(name, name);
redeclare('client-browser', 'client');
redeclare('engine-client-browser', 'engine-client');

// Programs written for `ws` reach its types through the class, as ES modules too: `WebSocket.RawData`.
const names = exportedNames(readFileSync(join(dist, 'cjs-types/ws.d.cts'), 'utf8'));
const others = names.filter((name) => name !== 'WebSocket').join(', ');
writeFileSync(
  join(dist, 'ws.d.mts'),
  `import * as api from './cjs-types/ws.cjs';
declare class WebSocket extends api.WebSocket {}
declare namespace WebSocket ${namespaceOf('ws', names)}export { WebSocket, WebSocket as default };
export { ${others} } from './cjs-types/ws.cjs';
`,
);

// What no entry needs any more.
const needed = new Set();
const need = (file) => {
  if (needed.has(file)) return;
  needed.add(file);
  const declarations = readFileSync(join(dist, file), 'utf8');
  for (const [, from] of declarations.matchAll(/from "\.\/([^"]+)\.mjs"/g)) need(`${from}.d.mts`);
};
const entries = readFileSync(join(root, 'package.json'), 'utf8').matchAll(/\.\/dist\/([\w-]+\.d\.mts)/g);
for (const [, entry] of entries) need(entry);
for (const file of readdirSync(dist)) {
  if (/\.d\.mts(\.map)?$/.test(file) && !needed.has(file.replace(/\.map$/, ''))) rmSync(join(dist, file));
}
