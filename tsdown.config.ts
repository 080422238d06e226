import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'tsdown';
import { slim } from './scripts/slim.mjs';

/** What is published, and in which shapes. `scripts/build.mjs` runs this and then writes the CommonJS types. */
const node: UserConfig = {
  target: 'node20.19',
  platform: 'node',
  sourcemap: true,
  fixedExtension: true,
  clean: false,
  shims: true,
  report: false,
  logLevel: 'warn',
  checks: { pluginTimings: false },
};

const entry = (name: string) => fileURLToPath(new URL(`src/entry/${name}.ts`, import.meta.url));

/** Where the members of browser builds are named that are nobody's business outside. */
const innerFiles =
  /^src\/(base\/port|protocol\/session\/|transport\/|wire\/engine\/|engine\/client\/(race|choice|options))/;
/** What stands in such files and is said by programs all the same, or comes over the network. */
const outerTypes = new Set(['ClientTransportOptions', 'EngineOptions', 'Handshake', 'SessionOffer']);

const slimmer = slim({
  root: fileURLToPath(new URL('.', import.meta.url)),
  entries: ['client', 'engine-client', 'msgpack', 'client-global', 'client-msgpack-global'].map(entry),
  outsiders: ['outbox', 'client-stream', 'contract'].map(entry),
  isInside: (file: string, type?: string) => innerFiles.test(file) && !outerTypes.has(type ?? ''),
  // As in socket.io-client, tools reach these although they are not public.
  // Programs extend Transport, and write or call its protected members.
  reached: new Set([
    ...['_pingTimeoutTime', '_queue', '_readyState', '_reconnecting', 'acks', 'onpacket'],
    ...['doOpen', 'doClose', 'write', 'onOpen', 'onData', 'onPacket', 'onClose', 'onError', 'createUri'],
    ...['readyState', 'opts', 'supportsBinary', 'setTimeoutFn', 'clearTimeoutFn'],
  ]),
});

const browser: UserConfig = {
  ...node,
  target: 'es2022',
  platform: 'browser',
  shims: false,
  dts: false,
  plugins: [slimmer],
};

/** A script under dist/browser/, with the exact name under which the server gives it out. */
const script = (fileName: string, entry: string, format: 'umd' | 'esm', minify: boolean): UserConfig => ({
  ...browser,
  entry: { [fileName]: entry },
  outDir: 'dist/browser',
  format,
  globalName: 'io',
  minify,
  outputOptions: { entryFileNames: fileName, exports: format === 'umd' ? 'default' : 'named' },
});

export default defineConfig([
  {
    ...node,
    entry: {
      index: 'src/entry/index.ts',
      client: 'src/entry/client-node.ts',
      outbox: 'src/entry/outbox.ts',
      ws: 'src/entry/ws.ts',
      websocket: 'src/entry/websocket.ts',
      msgpack: 'src/entry/msgpack.ts',
      engine: 'src/entry/engine.ts',
      'engine-client': 'src/entry/engine-client-node.ts',
      adapter: 'src/entry/adapter.ts',
      'client-stream': 'src/entry/client-stream.ts',
      contract: 'src/entry/contract.ts',
      sse: 'src/entry/sse.ts',
      protocol: 'src/entry/protocol.ts',
    },
    format: 'esm',
    dts: true,
  },
  // With `exports: 'auto'` an entry that has a default export only becomes `module.exports`, as the packages
  // that it replaces have it: `require('tautline')(httpServer)`, `new (require('tautline/ws'))(url)`.
  {
    ...node,
    entry: {
      index: 'src/entry/index-cjs.ts',
      client: 'src/entry/client-cjs.ts',
      outbox: 'src/entry/outbox.ts',
      ws: 'src/entry/ws-cjs.ts',
      websocket: 'src/entry/websocket.ts',
      msgpack: 'src/entry/msgpack-cjs.ts',
      engine: 'src/entry/engine-cjs.ts',
      'engine-client': 'src/entry/engine-client-cjs.ts',
      adapter: 'src/entry/adapter.ts',
      'client-stream': 'src/entry/client-stream.ts',
      contract: 'src/entry/contract.ts',
      sse: 'src/entry/sse.ts',
      protocol: 'src/entry/protocol.ts',
    },
    format: 'cjs',
    dts: false,
    outputOptions: { exports: 'auto' },
  },
  // Types of the CommonJS entries: the named exports of the ESM entries, which build.mjs wraps in `export =`.
  {
    ...node,
    sourcemap: false,
    entry: {
      index: 'src/entry/index.ts',
      client: 'src/entry/client-node.ts',
      outbox: 'src/entry/outbox.ts',
      ws: 'src/entry/ws.ts',
      websocket: 'src/entry/websocket.ts',
      msgpack: 'src/entry/msgpack-cjs.ts',
      engine: 'src/entry/engine.ts',
      'engine-client': 'src/entry/engine-client-node.ts',
      adapter: 'src/entry/adapter.ts',
      'client-stream': 'src/entry/client-stream.ts',
      contract: 'src/entry/contract.ts',
      sse: 'src/entry/sse.ts',
      protocol: 'src/entry/protocol.ts',
    },
    outDir: 'dist/cjs-types',
    format: 'cjs',
    dts: { emitDtsOnly: true },
    outputOptions: { exports: 'named' },
  },
  {
    ...browser,
    entry: {
      'client-browser': 'src/entry/client.ts',
      'engine-client-browser': 'src/entry/engine-client.ts',
      'msgpack-browser': 'src/entry/msgpack.ts',
    },
    format: 'esm',
    dts: true,
    outputOptions: { entryFileNames: '[name].mjs' },
  },
  script('socket.io.js', 'src/entry/client-global.ts', 'umd', false),
  script('socket.io.min.js', 'src/entry/client-global.ts', 'umd', true),
  script('socket.io.msgpack.min.js', 'src/entry/client-msgpack-global.ts', 'umd', true),
  script('socket.io.esm.min.js', 'src/entry/client.ts', 'esm', true),
]);
