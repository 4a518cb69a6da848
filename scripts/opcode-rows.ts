// The opcode rows for a generator; what is wrong with one of them is said in a sentence with file, line and row instead of a stack.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { OpcodeRow } from '../src/core/opcodes/index.ts';
import { repositoryRoot } from './process.ts';

const FOLDER = 'src/core/opcodes';
const MAPS: Readonly<Record<OpcodeRow['map'], string>> = { one: '', '0F': '0F ', '0F38': '0F 38 ', '0F3A': '0F 3A ' };

type RowsByFile = ReadonlyMap<string, readonly OpcodeRow[]>;

/** A row that nothing can be made of. */
export class RowError extends Error {
  readonly row: OpcodeRow;
  constructor(row: OpcodeRow, message: string) {
    super(message);
    this.row = row;
  }
}

/** The rows. Ends the process with a sentence when one of them cannot be read or, later on, is the subject of a RowError. */
export async function readRows(): Promise<readonly OpcodeRow[]> {
  // imported late: a row that `op` does not understand throws while its file is loaded
  const { opcodeRows, rowsByFile } = await import('../src/core/opcodes/index.ts').catch((error: unknown) =>
    fail(explainUnread(error) ?? String(error)),
  );
  process.on('uncaughtException', (error) => {
    if (error instanceof RowError) fail(explain(error, rowsByFile));
    throw error;
  });
  return opcodeRows;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function explain({ row, message }: RowError, rowsByFile: RowsByFile): string {
  const file = [...rowsByFile].find(([, rows]) => rows.includes(row))?.[0] ?? 'index.ts';
  const opcode = MAPS[row.map] + row.opcode.toString(16).toUpperCase().padStart(2, '0');
  const operands = row.operands.map(({ kind, size, text }) =>
    kind === 'fixed' || kind === 'name' ? text : kind + (size === 'n' ? '' : size),
  );
  return `${FOLDER}/${file}${lineOf(file, row)}: ${opcode} ${[row.mnemonic, operands.join(',')].join(' ').trim()}: ${message}.`;
}

/** ":LINE" of the row that has this handler; empty for rows that a loop makes, which stand on no line of their own. */
function lineOf(file: string, { mnemonic, handler }: OpcodeRow): string {
  const lines = readFileSync(path.join(repositoryRoot, FOLDER, file), 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes(`'${mnemonic}'`) && text.includes(`'${handler}'`));
  return line < 0 ? '' : `:${line + 1}`;
}

/** What `op` did not understand, at the place where it was called; undefined: something else went wrong. */
function explainUnread(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const called = /src\/core\/opcodes\/(?!row\.ts)([\w-]+\.ts):(\d+)/.exec(error.stack ?? '');
  return called === null ? error.stack : `${FOLDER}/${called[1]}:${called[2]}: ${error.message}`;
}
