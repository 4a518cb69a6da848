// The suites of test files: which file belongs to which, how it is run, and what has to be built before.
import type { Flavour } from './core-modules.ts';
import { listFiles } from './files.ts';

export interface FileSuite {
  readonly name: 'unit' | 'integration' | 'vscode' | 'full';
  readonly title: string;
  /** Whether a test file of the checkout is one of the suite. */
  readonly has: (file: string) => boolean;
  /** Test files at a time. */
  readonly concurrency: number;
  /** Minutes that one file may take. */
  readonly minutes: number;
  /** The core that `--only` is content with, where it has to compile. A full run compiles the optimised one in any case. */
  readonly core: Flavour;
}

const below =
  (...folders: readonly string[]) =>
  (file: string): boolean =>
    folders.some((folder) => file.startsWith(`${folder}/`));
const isFull = below('test/full');
const isVSCode = below('test/vscode');

export const fileSuites: readonly FileSuite[] = [
  { name: 'unit', title: 'unit tests', has: below('src', 'scripts'), concurrency: 2, minutes: 5, core: 'fast' },
  {
    name: 'integration',
    title: 'integration tests',
    has: (file) => below('test')(file) && !isFull(file) && !isVSCode(file),
    concurrency: 2,
    minutes: 10,
    core: 'fast',
  },
  // Each takes about 1 GB and a processor.
  { name: 'vscode', title: 'VS Code tests', has: isVSCode, concurrency: 1, minutes: 10, core: 'optimised' },
  { name: 'full', title: 'long tests', has: isFull, concurrency: 2, minutes: 80, core: 'optimised' },
];

const isTest = (file: string): boolean => file.endsWith('.test.ts');

/** Every test file of the checkout, wherever it lies. */
export const allTestFiles = (): string[] => listFiles('.', isTest);
export const filesOf = (suite: FileSuite): string[] => allTestFiles().filter(suite.has);

/** Files that boot Linux live near their time limit: with a core that is not optimised they would pass it. */
const bootsLinux = (file: string): boolean => /(^|\/)linux[^/]*\.test\.ts$/.test(file);

/** The core that these files of a suite need. */
export function coreFor(suite: FileSuite, files: readonly string[]): Flavour {
  return files.some(bootsLinux) ? 'optimised' : suite.core;
}
