// Writes docs/guest-debug.md from the table of conformance cases (test/guestdebug/conformance.ts), when it is out of date.
// usage: generate-conformance.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { type ConformanceCase, sections } from '../test/guestdebug/conformance.ts';
import { repositoryRoot } from './process.ts';

export const CONFORMANCE_DOCUMENT = 'docs/guest-debug.md';

function stateOf({ notBuilt, missing }: ConformanceCase): string {
  if (notBuilt !== undefined) return `**not built**: ${notBuilt}`;
  return missing === undefined ? 'built' : `built but for this: ${missing}`;
}

/** The document as it should be. */
export async function conformanceDocument(): Promise<string> {
  const all = sections.flatMap(({ cases }) => cases);
  const absent = all.filter(({ notBuilt }) => notBuilt !== undefined);
  const partly = all.filter(({ missing }) => missing !== undefined);
  const list = absent.map(({ id, setUp, notBuilt }) => `- ${id}, ${setUp}: ${notBuilt ?? ''}`);
  const tables = sections.map(({ title, cases }) => {
    const rows = cases.map((one) => `| ${one.id} | ${one.setUp} | ${one.expected} | ${stateOf(one)} |`);
    return `## ${title}\n\n| case | set-up | what comes of it | |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
  });
  const text = `# The guest-debug layer, case by case

Generated from test/guestdebug/conformance.ts by scripts/generate-conformance.ts; do not edit.

What the layer owes to the guest and to the user, as ${all.length} cases. The tests of a case hold its number in their names; a
test holds the table to them, both ways. ${all.length - absent.length - partly.length} cases are built whole, ${partly.length} but for something that their
row names, ${absent.length} are not built:

${list.join('\n')}

${tables.join('\n\n')}
`;
  const filepath = path.join(repositoryRoot, CONFORMANCE_DOCUMENT);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = path.join(repositoryRoot, CONFORMANCE_DOCUMENT);
  const content = await conformanceDocument();
  let before = '';
  try {
    before = readFileSync(file, 'utf8');
  } catch {
    // It is written for the first time.
  }
  if (before !== content) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.log(`wrote ${CONFORMANCE_DOCUMENT}`);
  }
}
