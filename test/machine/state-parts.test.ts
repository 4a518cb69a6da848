// What a snapshot and the digest hold of a vCPU: every row of the guest part of the state table, no row of the host part.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { EngineModules } from '../../src/core/engine.ts';
import { elementSize, type Row } from '../../src/core/state-row.ts';
import { guestRows, hostRows } from '../../src/core/state-table.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { Machine } from '../../src/machine/machine.ts';

let modules: EngineModules;
before(async () => {
  modules = await loadEngineModules();
});
const machine = (): Machine => new Machine(modules, { cpus: 2, memorySize: 2 << 20 });

/** The highest bit of the flag slots that decides a flag: the others say nothing and are not kept. */
const FLAG_BITS: Readonly<Record<string, number>> = { F_ZERO: 0, F_SIGN: 63, F_CF: 0, F_LT: 0, F_AF: 4 };
/** Addresses and bits to flip: the lowest of each value of a row. */
function* bitsOf(row: Row): Generator<{ readonly address: number; readonly bit: number; readonly label: string }> {
  const { type, at, name, count = 1 } = row;
  for (let index = 0; index < count; index++) {
    const element = at + index * elementSize(row);
    const members = typeof type === 'string' ? [{ offset: 0, name: '' }] : type.members;
    for (const member of members) {
      const bit = FLAG_BITS[name] ?? 0;
      yield {
        address: element + member.offset + Math.floor(bit / 8),
        bit: 1 << (bit % 8),
        label: `${name} ${index} ${member.name}`,
      };
    }
  }
}
/** Labels of the values whose change shows in what `look` answers. */
function shown(pc: Machine, vcpu: number, rows: readonly Row[], look: () => string): readonly string[] {
  const { engine } = pc;
  const flip = (address: number, bit: number): void => {
    const at = address + engine.vcpu(vcpu).shift;
    engine.raw[at] = (engine.raw[at] ?? 0) ^ bit;
  };
  const plain = look();
  const labels: string[] = [];
  for (const row of rows) {
    for (const { address, bit, label } of bitsOf(row)) {
      flip(address, bit);
      if (look() !== plain) labels.push(label);
      flip(address, bit);
    }
  }
  assert.equal(look(), plain, 'every change was taken back');
  return labels;
}
const all = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap((row) => [...bitsOf(row)].map(({ label }) => label));

for (const vcpu of [0, 1]) {
  test(`the digest covers every guest row and no host row, vCPU ${vcpu}`, () => {
    const pc = machine();
    const look = (): string => pc.digest();
    // Where the architectural TLB is kept; its entries are guest state, the place is not.
    const host = hostRows.filter(({ name }) => name !== 'TLB_AREA');
    assert.deepEqual(shown(pc, vcpu, guestRows, look), all(guestRows));
    assert.deepEqual(shown(pc, vcpu, host, look), []);
  });
}

test('a snapshot brings every guest row back, forgets the instruction under way, and leaves the observer alone', () => {
  const pc = machine();
  const { engine } = pc;
  const snapshot = pc.save();
  const guest = engine.raw.slice(0x200, 0xa00);
  const kept = hostRows.filter(({ name }) => ['H_DR', 'H_DR7', 'CATCH', 'LEASE', 'OBSERVE_VECTORS'].includes(name));
  const cleared = hostRows.filter(({ transient }) => transient);
  assert.ok(cleared.length >= 12);
  const read = (row: Row): number => engine.rawView.getUint32(row.at + engine.vcpu(0).shift, true);
  for (const row of guestRows) if (row.name !== 'ZERO') engine.raw[row.at] = (engine.raw[row.at] ?? 0) ^ 1;
  for (const row of [...kept, ...cleared]) engine.raw[row.at] = 1;
  pc.restore(snapshot);
  engine.select(0);
  assert.deepEqual(engine.raw.slice(0x200, 0xa00), guest);
  assert.deepEqual(
    kept.map(read),
    kept.map(() => 1),
  );
  assert.deepEqual(
    cleared.map(read),
    cleared.map(() => 0),
  );
});
