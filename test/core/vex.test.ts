// VEX prefixes (SDM 2A 2.3): where C4 and C5 are one, and what they refuse. Results of the instructions are compared with a
// processor's in test/oracle/cpu.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { CODE, KERNEL_CODE32, KERNEL_DATA, Machine } from './machine.ts';
import { execute, UD } from './single-step.ts';

const ANDN = 'C4 E2 70 F2 C2'; // andn eax, ecx, edx
const RORX = 'C4 E3 7B F0 C1 04'; // rorx eax, ecx, 4

/** 32-bit protected mode, paging as before but no long mode. */
function protectedMode(): Machine {
  const machine = new Machine();
  const { engine } = machine;
  engine.vcpu().cr0 = 0x11n;
  engine.vcpu().efer = 0n;
  machine.setSegment(L.CS, KERNEL_CODE32, 0n, 0xffffffff, 0xc09b);
  engine.system.updateMode();
  return machine;
}
function realMode(): Machine {
  const machine = new Machine();
  const { engine } = machine;
  engine.system.reset(1);
  engine.system.loadSegmentReal(1, CODE >> 4);
  return machine;
}
const set = (machine: Machine, values: Readonly<Record<number, bigint>>): void => {
  for (const [number, value] of Object.entries(values)) machine.setRegister(Number(number), value);
};

describe('a VEX prefix', () => {
  it('selects registers beyond the eighth in 64-bit mode', () => {
    const machine = new Machine();
    set(machine, { 9: 0xf0f0n, 10: 0xffffn, 8: ~0n });
    assert.equal(execute(machine, 'C4 42 30 F2 C2'), undefined); // andn r8d, r9d, r10d
    assert.equal(machine.register(8), 0x0f0fn);
    set(machine, { 1: 0xf0n << 32n, 2: ~0n });
    assert.equal(execute(machine, 'C4 E2 F0 F2 C2'), undefined); // W: andn rax, rcx, rdx
    assert.equal(machine.register(0), 0xffff_ff0f_ffff_ffffn);
  });
  it('is #UD behind LOCK, 66, F2, F3 and REX; segment and address-size prefixes may be there', () => {
    const machine = new Machine();
    for (const prefix of ['F0', '66', 'F2', 'F3', '40', '48', '66 48', '67 40'])
      assert.equal(execute(machine, `${prefix} ${ANDN}`), UD, prefix);
    for (const prefix of ['67', '2E', '65', '67 64', '48 67'])
      assert.equal(execute(machine, `${prefix} ${ANDN}`), undefined, prefix);
  });
  it('is #UD with L, with a map or prefix that has no instruction, with a register that no operand takes', () => {
    const machine = new Machine();
    const bad = {
      L: 'C4 E2 74 F2 C2',
      'two bytes': 'C5 F0 F2 C2',
      'map 0F': 'C4 E1 70 F2 C2',
      'map 0': 'C4 E0 70 F2 C2',
      'map 4': 'C4 E4 70 F2 C2',
      'andn with 66': 'C4 E2 71 F2 C2',
      'group 17 /0': 'C4 E2 70 F3 C2',
      'group 17 /4': 'C4 E2 70 F3 E2',
      'rorx with vvvv': 'C4 E3 73 F0 C1 04',
      vzeroupper: 'C5 F8 77',
    };
    for (const [name, code] of Object.entries(bad)) assert.equal(execute(machine, code), UD, name);
    assert.equal(execute(machine, RORX), undefined);
  });
  it('in 32-bit mode has eight registers and 32 bits: W, B and the upper bit of vvvv select nothing', () => {
    const machine = protectedMode();
    for (const code of [ANDN, 'C4 E2 F0 F2 C2', 'C4 C2 70 F2 C2', 'C4 E2 30 F2 C2']) {
      set(machine, { 0: 0n, 1: 0xf0n, 2: 0xffffn });
      assert.equal(execute(machine, code), undefined, code);
      assert.equal(machine.register(0), 0xff0fn, code);
    }
  });
  it('outside 64-bit mode needs a second byte with the mod of a register: else it is LES or LDS', () => {
    const machine = protectedMode();
    const pointer = 0x40000;
    machine.write64(pointer, (BigInt(KERNEL_DATA) << 32n) | 0x1234_5678n);
    machine.setRegister(3, BigInt(pointer));
    assert.equal(execute(machine, 'C4 03'), undefined); // les eax, [ebx]
    assert.deepEqual([machine.register(0), machine.engine.vcpu().es.selector], [0x1234_5678n, KERNEL_DATA]);
    assert.equal(execute(machine, 'C5 0B'), undefined); // lds ecx, [ebx]
    assert.equal(machine.register(1), 0x1234_5678n);
  });
  it('does not exist in real mode', () => {
    const machine = realMode();
    machine.write(UD * 4, Uint8Array.of(0x00, 0x00, 0x00, 0x40)); // 4000:0000
    machine.write(CODE, Uint8Array.from(Buffer.from(ANDN.replaceAll(' ', ''), 'hex')));
    machine.rip = 0n;
    machine.setRegister(4, 0x8000n);
    machine.run(1);
    assert.equal(machine.engine.vcpu().cs.selector, 0x4000);
  });
});
