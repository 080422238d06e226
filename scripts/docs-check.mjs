/**
 * What: fails when an export of any of the package's imports, or a method of one, has no docstring.
 * Must not know: what docstrings say; whoever reads them judges that.
 */
import { join, relative } from 'node:path';
import ts from 'typescript';
import { doors } from './doors.mjs';
import { root } from './setup.mjs';

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root, { incremental: false });
const all = doors();
const program = ts.createProgram(
  all.map(({ file }) => join(root, file)),
  { ...options, incremental: false },
);
const checker = program.getTypeChecker();
const sources = join(root, 'src/');
const missing = new Map();
const seen = new Set();
let count = 0;

const isInternal = (symbol) => symbol.getJsDocTags(checker).some(({ name }) => name === 'internal');
const isOurs = (symbol) =>
  symbol.declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(sources));

function look(symbol, name) {
  if (seen.has(symbol) || !isOurs(symbol) || isInternal(symbol)) return;
  seen.add(symbol);
  count++;
  const [declaration] = symbol.declarations;
  if (symbol.getDocumentationComment(checker).length === 0 && symbol.getJsDocTags(checker).length === 0) {
    const file = declaration.getSourceFile();
    const { line } = file.getLineAndCharacterOfPosition(declaration.getStart());
    missing.set(name, `${relative(root, file.fileName)}:${line + 1}`);
  }
}

function lookInto(symbol, name) {
  if ((symbol.flags & ts.SymbolFlags.ValueModule) !== 0) {
    lookIntoModule(symbol, `${name}.`);
    return;
  }
  look(symbol, name);
  if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0) return;
  for (const member of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) {
    const [declaration] = member.declarations;
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    // What a field holds its name and type mostly say.
    if ((member.flags & ts.SymbolFlags.Method) === 0 || member.name.startsWith('__')) continue;
    if (ts.isPrivateIdentifier(declaration.name) || ts.getCombinedModifierFlags(declaration) & hidden)
      continue;
    look(member, `${name}.${member.name}`);
  }
}

function lookIntoModule(module, prefix) {
  for (const exported of checker.getExportsOfModule(module)) {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    lookInto(isAlias ? checker.getAliasedSymbol(exported) : exported, `${prefix}${exported.name}`);
  }
}

for (const { specifier, file } of all) {
  lookIntoModule(checker.getSymbolAtLocation(program.getSourceFile(join(root, file))), `${specifier}: `);
}

// Should the names of the doors ever lead nowhere, nothing would be missing.
if (all.length < 9 || count < 300)
  throw new Error(`Only ${count} exports of ${all.length} imports were found`);
for (const [name, place] of missing) process.stderr.write(`no docstring: ${name} (${place})\n`);
process.stdout.write(
  `${count} exports and methods of ${all.length} imports, ${missing.size} without docstring\n`,
);
process.exit(missing.size === 0 ? 0 : 1);
