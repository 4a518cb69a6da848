// Writes what is generated of the manifest (package.json) and docs/launch.md, when they are out of date.
// usage: generate-contributions.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { documentation, generatedManifest } from './contributions.ts';
import { repositoryRoot } from './process.ts';

async function pretty(text: string, file: string): Promise<string> {
  const filepath = path.join(repositoryRoot, file);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

function readText(file: string): string {
  try {
    return readFileSync(path.join(repositoryRoot, file), 'utf8');
  } catch {
    return '';
  }
}

/** The generated files as they should be: path in the checkout, content. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const manifest: unknown = JSON.parse(readText('package.json'));
  if (typeof manifest !== 'object' || manifest === null) throw new Error('package.json is not an object');
  return new Map([
    ['package.json', await pretty(JSON.stringify({ ...manifest, ...generatedManifest }), 'package.json')],
    ['docs/launch.md', await pretty(documentation(), 'docs/launch.md')],
  ]);
}

/** Names of the generated files that are not as they should be. */
export async function staleFiles(): Promise<string[]> {
  const stale: string[] = [];
  for (const [file, content] of await generatedFiles()) {
    if (readText(file) !== content) stale.push(file);
  }
  return stale;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [file, content] of await generatedFiles()) {
    if (readText(file) === content) continue;
    mkdirSync(path.dirname(path.join(repositoryRoot, file)), { recursive: true });
    writeFileSync(path.join(repositoryRoot, file), content);
    console.log(`wrote ${file}`);
  }
}
