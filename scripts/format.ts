// The formatting of the whole checkout: prettier, and for AssemblyScript (whose decorators prettier rejects) a few rules of our own.
// usage: format.ts [--write]
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { listFiles } from './files.ts';
import { repositoryRoot, runPackage } from './process.ts';

const assemblyFolder = 'src/core/assembly';
/** Columns of AssemblyScript. The generated decode table is as wide as its longest name makes it. */
const widestLine = 120;

/** What is wrong with the formatting of one AssemblyScript file: one line `file:line: fault` each. */
export function assemblyFaults(file: string, text: string): string[] {
  const faults: string[] = [];
  let inBlockComment = false;
  for (const [index, line] of text.split('\n').entries()) {
    const fault = (what: string): number => faults.push(`${file}:${index + 1}: ${what}`);
    if (line.includes('\t')) fault('a tab; indent with two spaces');
    if (line.includes('\r')) fault('a carriage return; end lines with a line feed alone');
    if (/[ \t]$/.test(line)) fault('spaces at the end of the line');
    if (line.length > widestLine) fault(`${line.length} columns; at most ${widestLine}`);
    const indent = line.length - line.trimStart().length;
    // The lines inside a block comment stand one column further in, under the star.
    if (indent % 2 !== 0 && !inBlockComment) fault(`indented by ${indent} columns; by multiples of two`);
    const opens = line.lastIndexOf('/*');
    const closes = line.lastIndexOf('*/');
    if (opens >= 0 || closes >= 0) inBlockComment = opens > closes;
  }
  const lines = text.split('\n').length;
  if (text !== '' && !text.endsWith('\n')) faults.push(`${file}:${lines}: no line feed at the end of the file`);
  if (text.endsWith('\n\n')) faults.push(`${file}:${lines - 1}: empty lines at the end of the file`);
  return faults;
}

/** The part of those faults that needs no judgement, mended. */
export function mendAssembly(text: string): string {
  const lines = text.split('\n').map((line) => line.replaceAll('\t', '  ').replace(/[ \r]+$/, ''));
  const mended = lines.join('\n').trimEnd();
  return mended === '' ? '' : `${mended}\n`;
}

/** Checks (or, with `write`, mends) everything; returns what is still wrong, empty when all is well. */
export async function formatEverything(write: boolean): Promise<string> {
  const faults: string[] = [];
  for (const file of listFiles(assemblyFolder, (name) => name.endsWith('.ts') && !name.endsWith('.generated.ts'))) {
    const absolute = path.join(repositoryRoot, file);
    let text = readFileSync(absolute, 'utf8');
    if (write && mendAssembly(text) !== text) {
      text = mendAssembly(text);
      writeFileSync(absolute, text);
    }
    faults.push(...assemblyFaults(file, text));
  }
  // The file list is ours (see .prettierignore), so that new folders are never forgotten.
  const prettier = await runPackage('prettier/bin/prettier.cjs', [
    write ? '--write' : '--check',
    '--log-level=warn',
    '--cache',
    '--cache-location=node_modules/.cache/prettier/.prettier-cache',
    '.',
  ]);
  if (prettier.status !== 0) faults.push(prettier.output.trimEnd());
  return faults.join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = await formatEverything(process.argv.includes('--write'));
  if (faults !== '') console.error(faults);
  process.exitCode = faults === '' ? 0 : 1;
}
