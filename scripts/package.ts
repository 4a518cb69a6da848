// `npm run package`: packs trapline-VERSION.vsix. The build came first (bootstrap --build).
// usage: package.ts [OUTPUT.vsix]
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot, runPackage } from './process.ts';

/** Version of this checkout. */
export function productVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new Error('package.json has no version');
}

/** Packs the extension as it is built now; rejects with the packer's own words. */
export async function packExtension(output: string): Promise<void> {
  const options = [
    '--no-dependencies',
    '--allow-missing-repository',
    '--no-update-package-json',
    '--no-rewrite-relative-links',
  ];
  const done = await runPackage('@vscode/vsce/vsce', ['package', ...options, '--out', output]);
  if (done.status !== 0) throw new Error(`vsce package ended with status ${done.status}:\n${done.output.trimEnd()}`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const output = path.resolve(repositoryRoot, process.argv[2] ?? `trapline-${productVersion()}.vsix`);
  try {
    await packExtension(output);
    console.log(`${path.relative(repositoryRoot, output)}: ${Math.ceil(statSync(output).size / 1024)} KiB`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
