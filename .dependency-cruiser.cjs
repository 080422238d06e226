const { rules, knownPath } = require('./scripts/floors.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'every-file-has-a-floor',
      comment: 'A file under src/ stands in a room that scripts/floors.cjs knows.',
      severity: 'error',
      from: { path: '^src/', pathNot: knownPath },
      to: {},
    },
    {
      name: 'every-imported-file-has-a-floor',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: knownPath },
    },
    {
      name: 'pure-floors-know-no-platform',
      comment: 'F0 to F2 run everywhere: no Node module, no package.',
      severity: 'error',
      from: { path: '^src/(base|wire|protocol)/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'unknown'],
      },
    },
    {
      name: 'browser-files-know-no-node',
      comment: 'What ends in web.ts, and the client that browsers load, imports no Node module.',
      severity: 'error',
      from: { path: '(^src/(engine/client|client)/|/web\\.ts$)', pathNot: '/node[^/]*\\.ts$' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'] },
    },
    {
      name: 'browser-files-import-no-node-files',
      severity: 'error',
      from: { path: '(^src/(engine/client|client)/|/web\\.ts$)', pathNot: '/node[^/]*\\.ts$' },
      to: { path: '/node[^/]*\\.ts$' },
    },
    {
      name: 'core-has-no-runtime-dependency',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cluster/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'unknown'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.mjs'] },
  },
};
