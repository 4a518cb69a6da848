// CR4.VME and CR4.PVI: the virtual interrupt flag, and INT n inside virtual-8086 mode (SDM 3A 21.3, 21.4). QEMU has neither, so
// these stand on the manual's tables alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Code } from './code.ts';
import { CODE, IF, type Machine, TSS, USER_CODE32, USER_DATA } from './machine.ts';
import { gate32, protectedMode } from './protected-machine.ts';

const VME = 1n;
const PVI = 2n;
const VM = 0x20000n;
const VIF = 0x80000n;
const VIP = 0x100000n;
const IOPL3 = 0x3000n;
const AT = 0x4000; // where the 16-bit program lies: segment 400h
const STACK16 = 0x9f00;
const STOP = CODE + 0x900;

/** A machine that runs 16-bit code in virtual-8086 mode; #GP and vector 30h stop it. */
function virtualMachine(flags: bigint, cr4: bigint, bytes: string): Machine {
  const machine = protectedMode();
  const { engine } = machine;
  machine.setSegment(L.TR, 0x30, BigInt(TSS), 0x167, 0x8b);
  machine.write(TSS + 0x66, Uint8Array.of(0x88, 0)); // the redirection bitmap is 68h-87h
  machine.write(TSS + 0x68, new Uint8Array(0x20));
  gate32(machine, 13, STOP, 0);
  gate32(machine, 0x30, STOP + 0x10, 3);
  machine.write(STOP, Uint8Array.of(0xf4));
  machine.write(STOP + 0x10, Uint8Array.of(0xf4));
  machine.write(AT, new Code(AT).raw(bytes, 'F4').finish()); // HLT at CPL 3 is #GP too
  engine.vcpu().cr4 = cr4;
  engine.vcpu().cpl = 3;
  machine.flags = flags | VM | 2n;
  for (const slot of [L.ES, L.SS, L.DS, L.FS, L.GS]) machine.setSegment(slot, 0, 0n, 0xffff, 0xf3);
  machine.setSegment(L.CS, AT >> 4, BigInt(AT), 0xffff, 0xf3);
  engine.vcpu().rip = 0n;
  engine.vcpu().rsp = BigInt(STACK16);
  engine.system.updateMode();
  return machine;
}
/** Offset of the instruction that faulted, and the flags in its frame. */
function faultOf(machine: Machine): { at: number; flags: bigint } {
  assert.equal(machine.run(), L.RUN_HALTED);
  assert.equal(machine.rip, BigInt(STOP + 1));
  const frame = Number(machine.register(4));
  return { at: Number(machine.read64(frame + 4) & 0xffffffffn), flags: machine.read64(frame + 12) & 0x1affffn };
}
const word = (machine: Machine, at: number): bigint => machine.read64(at) & 0xffffn;

describe('virtual-8086 mode extensions', () => {
  it('CLI and STI work on VIF, PUSHF shows it as IF with IOPL 3', () => {
    const machine = virtualMachine(IF, VME, 'FB 9C FA 9C'); // sti; pushf; cli; pushf
    const { at, flags } = faultOf(machine);
    assert.equal(at, 4, 'only HLT faulted');
    assert.deepEqual([flags & VIF, flags & IF], [0n, IF], 'IF never changed');
    assert.deepEqual([word(machine, STACK16 - 2) & 0x3200n, word(machine, STACK16 - 4) & 0x3200n], [0x3200n, 0x3000n]);
  });
  it('without VME each of them faults below IOPL 3', () => {
    for (const bytes of ['FA', 'FB', '9C', '9D', 'CF', 'CD 30']) {
      assert.equal(faultOf(virtualMachine(IF, 0n, `90 ${bytes}`)).at, 1, bytes);
    }
  });
  it('STI and POPF with IF fault while an interrupt waits', () => {
    assert.equal(faultOf(virtualMachine(VIP, VME, 'FB')).at, 0);
    assert.equal(faultOf(virtualMachine(VIP, VME, '68 02 02 9D')).at, 3); // push 202h; popf
    assert.equal(faultOf(virtualMachine(0n, VME, '68 02 01 9D')).at, 3, 'TF');
    assert.equal(faultOf(virtualMachine(0n, VME, '66 9C')).at, 0, '32-bit PUSHF');
  });
  it('POPF and IRET load VIF from IF', () => {
    const popf = faultOf(virtualMachine(0n, VME, '68 03 02 9D')); // push 203h; popf
    assert.deepEqual([popf.at, popf.flags & (VIF | IF | 1n)], [4, VIF | 1n]);
    const iret = faultOf(virtualMachine(0n, VME, '68 02 02 68 00 04 68 0A 00 CF')); // to 400h:000Ah
    assert.deepEqual([iret.at, iret.flags & (VIF | IF)], [10, VIF]);
  });
  it('INT n goes through the vector table at 0 when its bit is clear', () => {
    for (const [flags, seen] of [
      [VIF, 0x3200n],
      [IOPL3 | IF, 0x3200n],
    ] as const) {
      const machine = virtualMachine(flags, VME, 'CD 30');
      machine.write(0x30 * 4, Uint8Array.of(0x80, 0x00, AT >> 4, AT >> 12)); // 400h:80h
      machine.write(AT + 0x80, Uint8Array.of(0x9c, 0xf4)); // pushf; hlt
      const { at } = faultOf(machine);
      assert.equal(at, 0x81);
      assert.deepEqual(
        [word(machine, STACK16 - 6), word(machine, STACK16 - 4), word(machine, STACK16 - 2) & 0x3200n],
        [2n, BigInt(AT >> 4), seen],
      );
      assert.equal(word(machine, STACK16 - 8) & 0x200n, 0n, 'interrupts are off in the handler');
    }
  });
  it('INT n whose bit is set goes to the monitor: a gate with IOPL 3, #GP below', () => {
    const gate = virtualMachine(IOPL3, VME, 'CD 30');
    gate.write(TSS + 0x68 + 6, Uint8Array.of(1));
    assert.equal(gate.run(), L.RUN_HALTED);
    assert.equal(gate.rip, BigInt(STOP + 0x11));
    const fault = virtualMachine(0n, VME, 'CD 30');
    fault.write(TSS + 0x68 + 6, Uint8Array.of(1));
    assert.equal(faultOf(fault).at, 0);
  });
  it('a redirection bitmap beyond the TSS is #GP', () => {
    const machine = virtualMachine(0n, VME, 'CD 30');
    machine.write(TSS + 0x66, Uint8Array.of(0xff, 0xff));
    assert.equal(faultOf(machine).at, 0);
  });
});

describe('protected-mode virtual interrupts', () => {
  /** CPL 3, IOPL 0. */
  function user(cr4: bigint, flags: bigint, bytes: string): Machine {
    const machine = virtualMachine(flags, cr4, bytes);
    machine.flags = flags;
    machine.setSegment(L.CS, USER_CODE32, BigInt(AT), 0xffff, 0x40fb);
    for (const slot of [L.ES, L.SS, L.DS]) machine.setSegment(slot, USER_DATA, 0n, 0xffffffff, 0xc0f3);
    machine.engine.system.updateMode();
    return machine;
  }
  it('CLI and STI work on VIF', () => {
    const { at, flags } = faultOf(user(PVI, IF, 'FB 90'));
    assert.deepEqual([at, flags & (VIF | IF)], [2, VIF | IF]);
    assert.equal(faultOf(user(PVI, VIP, 'FB')).at, 0);
    assert.equal(faultOf(user(0n, 0n, 'FA')).at, 0);
  });
});
