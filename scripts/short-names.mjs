/**
 * What: finds the members in a browser build that nobody outside can see: gives them short names, leaves unused ones out.
 * Must not know: how the build is made, or any name in it.
 */
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/** One letter, then two. First those that are frequent in any program: they compress best. */
function* shortNames() {
  const letters = [...'etnrisoalcdufpmhgbyvwkxjqz'];
  yield* letters;
  for (const first of letters) for (const second of letters) yield first + second;
}

/** Whether an identifier names a member: `x.name`, `{ name: … }`, `{ name } = x`, or the member's declaration. */
function isMemberName(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isBindingElement(parent)) {
    return ts.isObjectBindingPattern(parent.parent) && (parent.propertyName ?? parent.name) === node;
  }
  return (
    (ts.isClassElement(parent) || ts.isTypeElement(parent) || ts.isObjectLiteralElement(parent)) &&
    parent.name === node
  );
}

/** Whether a member of a class or of an object can be left out when nobody reads it. */
function isIdle(member) {
  if (ts.isMethodDeclaration(member) || ts.isAccessor(member)) return true;
  const value = member.initializer;
  return !!value && (ts.isLiteralExpression(value) || ts.isIdentifier(value) || ts.isArrowFunction(value));
}

/** The files that entries lead to, types included. */
function graphOf(program, entries) {
  const graph = new Set();
  const add = (path) => {
    const file = program.getSourceFile(path);
    if (!file || graph.has(file)) return;
    graph.add(file);
    for (const { text } of file.imports) if (text.startsWith('.')) add(join(dirname(file.fileName), text));
  };
  entries.forEach(add);
  return graph;
}

/**
 * What to replace in the sources of browser builds, by file: `[start, end, text]`.
 *
 * A name is shortened wherever it stands if the types prove that it means a member of insiders wherever it stands. A
 * place of which the types say nothing speaks against it.
 * @param root the folder of tsconfig.json.
 * @param entries of the browser builds.
 * @param outsiders entries of other builds whose code meets objects of these.
 * @param isInside whether members that are declared there are nobody's business outside: by file and by the name of the
 * interface or class. Members that are `protected` or marked `@internal` are so anyway.
 * @param reached names that programs reach all the same.
 */
export function findShortNames({ root, entries, outsiders, isInside, reached }) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([...entries, ...outsiders], { ...options, incremental: false });
  const checker = program.getTypeChecker();
  const inside = graphOf(program, entries);

  const isInsider = (declaration) => {
    const file = declaration.getSourceFile();
    if (!inside.has(file)) return false;
    if (isInside(relative(root, file.fileName), declaration.parent.name?.text)) return true;
    if (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Protected) return true;
    return ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
  };

  /** The declarations that a member's name means; none when that cannot be known. */
  const declarationsOf = (node) => {
    const { parent } = node;
    let symbol;
    if (ts.isBindingElement(parent)) {
      symbol = checker.getTypeAtLocation(parent.parent).getProperty(node.text);
    } else if (ts.isObjectLiteralExpression(parent.parent)) {
      const type = checker.getContextualType(parent.parent);
      symbol = type && checker.getNonNullableType(type).getProperty(node.text);
    } else symbol = checker.getSymbolAtLocation(node);
    return symbol ? checker.getRootSymbols(symbol).flatMap(({ declarations }) => declarations ?? []) : [];
  };

  const members = new Map();
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.startsWith(join(root, 'src/'))) continue;
    const visit = (node) => {
      ts.forEachChild(node, visit);
      if (!ts.isIdentifier(node) && !ts.isStringLiteralLike(node)) return;
      const isString = ts.isStringLiteralLike(node);
      if (
        isString
          ? node.parent.name !== node && !ts.isElementAccessExpression(node.parent)
          : !isMemberName(node)
      )
        return;
      const member = members.get(node.text) ?? { places: [], reads: 0, isOurs: !reached.has(node.text) };
      members.set(node.text, member);
      const declarations = isString ? [] : declarationsOf(node);
      member.isOurs &&= inside.has(file) && declarations.length > 0 && declarations.every(isInsider);
      member.places.push(node);
      if (ts.isPropertyAccessExpression(node.parent) || ts.isBindingElement(node.parent)) member.reads++;
    };
    visit(file);
  }

  const edits = new Map();
  const edit = (node, ...replacement) => {
    const { fileName } = node.getSourceFile();
    if (!edits.has(fileName)) edits.set(fileName, []);
    edits.get(fileName).push(replacement);
  };
  const shorter = shortNames();
  const ours = [...members].filter(([, { isOurs }]) => isOurs);
  for (const [name, { places, reads }] of ours.sort(([, a], [, b]) => b.places.length - a.places.length)) {
    let short = shorter.next().value;
    while (members.has(short)) short = shorter.next().value;
    for (const node of places) {
      const { parent } = node;
      const isClassMember = ts.isClassElement(parent) && ts.isClassLike(parent.parent);
      const isObjectMember = ts.isObjectLiteralExpression(parent.parent);
      if (!reads && (isClassMember || isObjectMember) && isIdle(parent)) {
        const text = node.getSourceFile().text;
        const end = isObjectMember && text[parent.end] === ',' ? parent.end + 1 : parent.end;
        edit(node, parent.getStart(), end, '');
      } else if (
        ts.isShorthandPropertyAssignment(parent) ||
        (ts.isBindingElement(parent) && !parent.propertyName)
      ) {
        edit(node, node.getStart(), node.end, `${short}: ${name}`);
      } else edit(node, node.getStart(), node.end, short);
    }
  }
  return edits;
}
