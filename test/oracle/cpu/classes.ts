// Instruction classes: the files of the decode table, one class each.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type OpcodeRow, opcodeRows } from '../../../src/core/opcodes/index.ts';

const folder = join(import.meta.dirname, '../../../src/core/opcodes');
const NOT_ROWS = new Set(['index.ts', 'row.ts']);

async function readClasses(): Promise<ReadonlyMap<OpcodeRow, string>> {
  const table: ReadonlySet<unknown> = new Set(opcodeRows);
  const found = new Map<OpcodeRow, string>();
  const files = readdirSync(folder).filter((file) => !file.endsWith('.test.ts') && !NOT_ROWS.has(file));
  for (const file of files.sort()) {
    const exported: unknown = await import(pathToFileURL(join(folder, file)).href);
    for (const value of Object.values(exported as Readonly<Record<string, unknown>>)) {
      if (!Array.isArray(value)) continue;
      for (const row of value as readonly OpcodeRow[]) if (table.has(row)) found.set(row, file.replace(/\.ts$/, ''));
    }
  }
  const lost = opcodeRows.find((row) => !found.has(row));
  if (lost !== undefined)
    throw new Error(`${lost.mnemonic} is in the decode table, but in no file of src/core/opcodes`);
  return found;
}

/** Name of each row's class: its file without the suffix. */
const classOf = await readClasses();
export const classNames: readonly string[] = [...new Set(classOf.values())];
export function classOfRow(row: OpcodeRow): string {
  const name = classOf.get(row);
  if (name === undefined) throw new Error(`${row.mnemonic} has no class`);
  return name;
}
