import { existsSync } from 'node:fs';
import path from 'node:path';
import { formatEverything } from './format.ts';
import { repositoryRoot, runPackage, runTypeScript, type Finished } from './process.ts';

/** What is wrong, in words; empty when all is well. */
export type Verdict = string;

const verdictOf = (done: Finished): string =>
  done.status === 0 ? '' : done.output.trimEnd() || `ended with status ${done.status} without a word`;

/** Folders with TypeScript of ours. */
const folders = ['src', 'test', 'scripts', 'bench'].filter((folder) => existsSync(path.join(repositoryRoot, folder)));

export const checkFormat = (): Promise<Verdict> => formatEverything(false);

export async function checkLint(): Promise<Verdict> {
  return verdictOf(
    await runPackage('oxlint/bin/oxlint', ['--config=.oxlintrc.json', '--deny-warnings', '--quiet', ...folders]),
  );
}

/** Node and VS Code in one project, the webviews' clients (which know a DOM, and no Node) in another. */
export async function checkTypes(): Promise<Verdict> {
  const verdicts: string[] = [];
  for (const project of ['tsconfig.json', 'tsconfig.webview.json']) {
    const done = await runPackage('typescript/bin/tsc', [
      `--project`,
      project,
      '--incremental',
      '--tsBuildInfoFile',
      `node_modules/.cache/${project}.tsbuildinfo`,
      '--pretty',
      'false',
    ]);
    verdicts.push(verdictOf(done));
  }
  return verdicts.filter((verdict) => verdict !== '').join('\n');
}

export async function checkImports(): Promise<Verdict> {
  return verdictOf(
    await runPackage('dependency-cruiser/bin/dependency-cruise.mjs', [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
      ...folders,
    ]),
  );
}

/** The contract of the instruction handlers, checked on the compiled core. */
export async function checkContract(): Promise<Verdict> {
  return verdictOf(await runTypeScript('scripts/check-contract.ts', []));
}
