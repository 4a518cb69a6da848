// A row of the decode table that is wrong is reported by the file, the line and the row that somebody has to mend; nobody reads a stack.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repositoryRoot, runProgram } from '../../scripts/process.ts';

const FILE = 'src/core/opcodes/arithmetic.ts';
const ANCHOR = 'export const arithmeticRows: readonly OpcodeRow[] = [\n';

describe('the decoder generator, given a wrong row,', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'trapline-rows-'));
    for (const part of ['src/core', 'scripts', 'package.json']) {
      cpSync(path.join(repositoryRoot, part), path.join(folder, part), { recursive: true });
    }
    symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(folder, 'node_modules'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the generator says about this row, which is put in front of the others of its file. */
  async function complaintAbout(row: string): Promise<string> {
    const text = readFileSync(path.join(repositoryRoot, FILE), 'utf8');
    assert.ok(text.includes(ANCHOR));
    writeFileSync(path.join(folder, FILE), text.replace(ANCHOR, `${ANCHOR}  ${row}\n`));
    const line = text.slice(0, text.indexOf(ANCHOR)).split('\n').length + 1;
    const script = path.join(folder, 'scripts/generate-decoder.ts');
    const done = await runProgram(process.execPath, ['--import', 'tsx', script], { cwd: folder });
    assert.notEqual(done.status, 0);
    return done.output.trimEnd().replace(`${FILE}:${line}: `, 'PLACE ');
  }

  for (const [name, row, complaint] of [
    [
      'names a handler that does not exist',
      "op('0F 3B', 'TRYME', 'Ev,Gv', 'tryme'),",
      'PLACE 0F 3B TRYME Ev,Gv: no file of src/core/assembly/core/handlers exports a function tryme.',
    ],
    [
      'names a constant that does not exist',
      "op('0F 3B', 'TRYME', 'Ev,Gv', 'binary(TRYME)'),",
      'PLACE 0F 3B TRYME Ev,Gv: no file of src/core/assembly/core/handlers exports a constant TRYME.',
    ],
    [
      'shows an option that it does not know',
      "op('0F 3B', 'TRYME', 'Ev,Gv', 'binary(ADD)', 'quickly'),",
      'PLACE Opcode 0F 3B: option "quickly" is not understood.',
    ],
    [
      'shows a notation that it does not know',
      "op('0F 3B /9', 'TRYME', 'Ev', 'nop'),",
      'PLACE Opcode 0F 3B /9: "/9" is not understood.',
    ],
  ] as const) {
    it(name, async () => assert.equal(await complaintAbout(row), complaint));
  }
});
