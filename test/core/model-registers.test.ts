// RDMSR and WRMSR of registers that kernels read without asking CPUID (SDM 4 table 2-2, BKDG for AMD family 0Fh).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RAX, RCX, RDX } from './code.ts';
import { Machine } from './machine.ts';
import { execute, GP } from './single-step.ts';

type Profile = 'intel' | 'amd';

/** What RDMSR answers, or the vector of its fault. */
function read(machine: Machine, index: number): bigint | { vector: number } {
  machine.setRegister(RCX, BigInt(index));
  const vector = execute(machine, '0F 32');
  return vector === undefined ? (machine.register(RDX) << 32n) | machine.register(RAX) : { vector };
}
/** The vector of WRMSR's fault, or undefined. */
function write(machine: Machine, index: number, value: bigint): number | undefined {
  machine.setRegister(RCX, BigInt(index));
  machine.setRegister(RAX, value & 0xffff_ffffn);
  machine.setRegister(RDX, value >> 32n);
  return execute(machine, '0F 30');
}
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

interface Row {
  readonly name: string;
  readonly indices: readonly number[];
  readonly value?: bigint;
  /** 'ignored': any value, and reads go on as before; 'zero': #GP unless it is 0; 'refused': #GP. */
  readonly write: 'ignored' | 'zero' | 'refused';
  readonly only?: Profile;
}
const ROWS: readonly Row[] = [
  { name: 'IA32_P5_MC_ADDR, IA32_P5_MC_TYPE', indices: [0, 1], write: 'ignored' },
  { name: 'IA32_PLATFORM_ID', indices: [0x17], write: 'refused', only: 'intel' },
  { name: 'EBL_CR_POWERON', indices: [0x2a], write: 'ignored', only: 'intel' },
  { name: 'IA32_BIOS_SIGN_ID', indices: [0x8b], write: 'ignored' },
  { name: 'IA32_MTRRCAP', indices: [0xfe], value: 0x508n, write: 'refused' },
  { name: 'IA32_MCG_CAP: no banks', indices: [0x179], write: 'refused' },
  { name: 'IA32_MCG_STATUS', indices: [0x17a], write: 'zero' },
  { name: 'PerfEvtSel and PerfCtr', indices: range(0xc001_0000, 0xc001_0007), write: 'ignored', only: 'amd' },
  {
    name: 'SYSCFG, HWCR, IORR',
    indices: [0xc001_0010, ...range(0xc001_0015, 0xc001_0019)],
    write: 'ignored',
    only: 'amd',
  },
  {
    name: 'TOP_MEM, TOP_MEM2, NB_CFG',
    indices: [0xc001_001a, 0xc001_001d, 0xc001_001f],
    write: 'ignored',
    only: 'amd',
  },
  { name: 'MCi_CTL_MASK', indices: range(0xc001_0044, 0xc001_0048), write: 'ignored', only: 'amd' },
  { name: 'Interrupt Pending', indices: [0xc001_0055], write: 'ignored', only: 'amd' },
  {
    name: 'LS_CFG to BU_CFG, DE_CFG',
    indices: [...range(0xc001_1020, 0xc001_1023), 0xc001_1029],
    write: 'ignored',
    only: 'amd',
  },
];

describe('model-specific registers without state', () => {
  for (const { name, indices, value = 0n, write: how, only } of ROWS) {
    for (const profile of ['intel', 'amd'] as const) {
      const there = only === undefined || only === profile;
      it(`${name}, ${profile}: ${there ? `${value.toString(16)}h, writes ${how}` : '#GP'}`, () => {
        for (const index of indices) {
          const machine = new Machine({ profile });
          const what = `${index.toString(16)}h`;
          assert.deepEqual(read(machine, index), there ? value : { vector: GP }, what);
          assert.equal(write(machine, index, 0n), there && how !== 'refused' ? undefined : GP, what);
          assert.equal(write(machine, index, 0x1_0000_ffffn), there && how === 'ignored' ? undefined : GP, what);
          assert.deepEqual(read(machine, index), there ? value : { vector: GP }, `${what} again`);
          assert.equal(machine.messages.length > 0, !there, 'the log names registers that do not exist, and no other');
        }
      });
    }
  }
  it('IA32_BIOS_UPDT_TRIG is written alone, and no update fits', () => {
    const machine = new Machine();
    assert.equal(write(machine, 0x79, 0xffff_8000_0010_0030n), undefined);
    assert.deepEqual(read(machine, 0x79), { vector: GP });
    assert.equal(read(machine, 0x8b), 0n, 'the revision is what it was');
  });
  it('no bank, no register of a bank', () => {
    for (const profile of ['intel', 'amd'] as const) {
      const machine = new Machine({ profile });
      for (const index of [0x17b, 0x400, 0x401]) assert.deepEqual(read(machine, index), { vector: GP });
    }
  });
  it('are read in ring 0 alone', () => {
    assert.deepEqual(read(new Machine({ user: true }), 0x179), { vector: GP });
  });
});
