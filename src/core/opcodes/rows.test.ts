// The decode table itself: every row can be reached, and no two rows are in each other's way by accident.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode } from '../disassembler/decode.ts';
import type { CodeSize } from '../disassembler/instruction.ts';
import { type OpcodeRow, opcodeRows } from './index.ts';

const PREFIX_BYTES = { any: [], NP: [], NFx: [], '66': [0x66], F3: [0xf3], F2: [0xf2] } as const;
const ESCAPES = { one: [], '0F': [0x0f], '0F38': [0x0f, 0x38], '0F3A': [0x0f, 0x3a] } as const;
const VEX_PREFIXES = { any: 0, NP: 0, NFx: 0, '66': 1, F3: 2, F2: 3 } as const;

/** Encodings of a row, by ModRM; of a register in the opcode the last. */
function* encodings(row: OpcodeRow): Generator<Uint8Array> {
  const start = row.vex
    ? [0xc4, 0xe0 | (row.map === '0F38' ? 2 : 3), 0x78 | VEX_PREFIXES[row.prefix], row.opcode]
    : [...PREFIX_BYTES[row.prefix], ...ESCAPES[row.map], row.opcode + row.span - 1];
  if (!row.hasModRM) {
    yield Uint8Array.from([...start, ...new Uint8Array(10)]);
    return;
  }
  for (let modrm = 0; modrm < 256; modrm++) yield Uint8Array.from([...start, modrm, ...new Uint8Array(10)]);
}
const name = (row: OpcodeRow): string =>
  `${row.map} ${row.opcode.toString(16)} ${row.prefix} /${row.reg ?? 'r'} ${row.mod} ${row.mnemonic}`;

describe('opcode rows', () => {
  it('can each be reached', () => {
    const hidden = opcodeRows.filter((row) => {
      const sizes: readonly CodeSize[] =
        row.modes === 'only64' ? [64] : row.modes === 'not64' ? [16, 32] : [16, 32, 64];
      return !sizes.every((size) => [...encodings(row)].some((bytes) => decode(bytes, 0n, size)?.row === row));
    });
    assert.deepEqual(hidden.map(name), []);
  });
  it('never stand for the same encoding with the same demands', () => {
    const seen = new Map<string, string>();
    const twice: string[] = [];
    for (const row of opcodeRows) {
      for (let i = 0; i < row.span; i++) {
        const { map, vex, prefix, reg, rm, mod, modes, withoutRexB } = row;
        const key = [map, vex, row.opcode + i, prefix, reg, rm, mod, modes, withoutRexB].join();
        if (seen.has(key)) twice.push(`${name(row)} and ${seen.get(key) ?? ''}`);
        seen.set(key, name(row));
      }
    }
    assert.deepEqual(twice, []);
  });
  it('name 16, 32 and 64-bit forms together or not at all', () => {
    for (const { mnemonic } of opcodeRows) assert.ok([1, 2, 3].includes(mnemonic.split('|').length), mnemonic);
  });
  it('that may be locked read and write their first operand', () => {
    for (const row of opcodeRows.filter(({ lockable }) => lockable)) {
      assert.equal(row.access, 'both', name(row));
      assert.ok(['E', 'M'].includes(row.operands[0]?.kind ?? ''), name(row));
    }
  });
});
