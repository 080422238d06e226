/**
 * What: a program on the types of socket.io-client and engine.io-client compiles with only the imports changed.
 * Must not know: what is in the program.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const path = join(root, 'test/types/socket.io-client-program.ts');

it.each([['Node', 'client-node', 'engine-client-node']])(
  'a program on the official types compiles on those for %s',
  (_, client, engine) => {
    const text = readFileSync(path, 'utf8')
      .replace("'socket.io-client'", `'../../src/entry/${client}.ts'`)
      .replace("'engine.io-client'", `'../../src/entry/${engine}.ts'`);
    expect(text).not.toContain("io-client'");
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const host = ts.createCompilerHost(options);
    const { readFile } = host;
    host.readFile = (name) => (name === path ? text : readFile(name));
    const program = ts.createProgram(
      [path],
      { ...options, incremental: false, tsBuildInfoFile: undefined },
      host,
    );
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    const say = ({ messageText, start = 0 }: ts.Diagnostic) =>
      `${(file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    expect(found.map(say)).toEqual([]);
  },
  60_000,
);
