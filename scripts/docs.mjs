/**
 * What: `npm run docs`: writes the reference, one module for each import of the package, to docs/reference/.
 * Must not know: what is documented; the docstrings say it, and docs-check.mjs sees that they are there.
 */
import { join } from 'node:path';
import { Application } from 'typedoc';
import { doors } from './doors.mjs';
import { root, say } from './setup.mjs';

const out = join(root, 'docs/reference');
const all = doors();
const app = await Application.bootstrap({
  name: 'Tautline',
  readme: 'none',
  entryPoints: all.map(({ file }) => join(root, file)),
  tsconfig: join(root, 'tsconfig.json'),
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  // The sources are not on a server that could be linked to.
  disableSources: true,
  validation: { notExported: false, invalidLink: true, notDocumented: false },
});
const project = await app.convert();
if (project === undefined) process.exit(1);
for (const { specifier, file } of all) {
  const name = file.replace('src/entry/', '').replace('.ts', '');
  const module = project.children.find((child) => child.name === name);
  if (module === undefined) throw new Error(`typedoc has no module for ${specifier} (${file})`);
  module.name = specifier;
}
await app.generateDocs(project, out);
if (app.logger.hasErrors()) process.exit(1);
say(`the reference is in ${join(out, 'index.html')}`);
