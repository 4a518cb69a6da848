import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reader } from '../reader.ts';
import { lineProgramLength, parseLineHeader, runLineProgram, type LineProgramHeader } from './line-program.ts';

const unit = { version: 4, addressSize: 8, offsetSize: 4, offset: 0 } as const;

/** A version 4 program with directory "d" and files "a.c" and "d/b.c". */
function program(instructions: readonly number[], lineRange = 14): Uint8Array {
  const text = (value: string): number[] => [...value, '\0'].map((letter) => letter.codePointAt(0) ?? 0);
  const lengths = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
  const tables = [...text('d'), 0, ...text('a.c'), 0, 0, 0, ...text('b.c'), 1, 0, 0, 0];
  const header = [1, 1, 1, 0xfb, lineRange, 13, ...lengths, ...tables];
  const body = [4, 0, header.length, 0, 0, 0, ...header, ...instructions];
  return Uint8Array.from([body.length, 0, 0, 0, ...body]);
}

function parse(bytes: Uint8Array): LineProgramHeader {
  const reader = new Reader(bytes, { file: 'f', section: '.debug_line', fileOffset: 0 });
  assert.equal(lineProgramLength(reader.at(0)), bytes.length);
  return parseLineHeader(reader, unit, () => null);
}

const setAddress = [0, 9, 2, 0, 0x10, 0, 0, 0, 0, 0, 0];
const endSequence = [0, 1, 1];

describe('line programs', () => {
  it('have directories and files', () => {
    const header = parse(program([]));
    assert.deepEqual(header.directories, ['', 'd']);
    assert.deepEqual(
      header.files.map((file) => file?.path ?? null),
      [null, 'a.c', 'b.c'],
    );
  });

  it('run to rows', () => {
    // Special opcode 0x4b: advance line by 1 and address by 4 (opcode - 13 = 62 = 4 * 14 + 6, -5 + 6 = 1).
    const { rows, damage } = runLineProgram(
      parse(program([...setAddress, 1, 0x4b, 4, 2, 6, 5, 7, 2, 3, 1, ...endSequence])),
    );
    assert.equal(damage, null);
    assert.deepEqual(
      rows.map(({ address, file, line, column, isStmt, endSequence: end }) => [
        address,
        file,
        line,
        column,
        isStmt,
        end,
      ]),
      [
        [0x1000n, 1, 1, 0, true, false],
        [0x1004n, 1, 2, 0, true, false],
        [0x1007n, 2, 2, 7, false, false],
        [0x1007n, 2, 2, 7, false, true],
      ],
    );
  });

  it('keep the rows before damage', () => {
    const { rows, damage } = runLineProgram(parse(program([...setAddress, 1, 2])));
    assert.equal(rows.length, 1);
    assert.notEqual(damage, null);
    const divided = runLineProgram(parse(program([...setAddress, 1, 0x4b], 0)));
    assert.equal(divided.rows.length, 1);
    assert.notEqual(divided.damage, null);
  });

  it('do not follow a length out of the section', () => {
    const bytes = program([]);
    bytes[0] = 0xff;
    const reader = new Reader(bytes, { file: 'f', section: '.debug_line', fileOffset: 0 });
    assert.equal(lineProgramLength(reader.at(0)), 0xff + 4);
  });
});
