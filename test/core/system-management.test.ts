// System-management mode: what an SMI saves, where it goes, and that RSM brings everything back (SDM 3C chapter 31).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Code, RBX } from './code.ts';
import { I7, IF, KERNEL_CODE, Machine, TF } from './machine.ts';

const SMBASE = 0x30000 + 0x100000; // moved out of the way of the test's code
const AREA = SMBASE + 0x8000;
const SMI = 4;
const NMI = 2;

/** A machine in 64-bit mode with an SMI handler. */
function withHandler(...handler: (string | number)[]): Machine {
  const machine = new Machine();
  machine.engine.vcpu().smbase = SMBASE;
  machine.write(SMBASE + 0x8000, new Code(0x8000).raw(...handler).finish());
  return machine;
}
function raise(machine: Machine, events: number): void {
  machine.engine.vcpu().events |= events;
  machine.attend();
}
/** Everything of the guest's registers that RSM has to bring back. */
function guestState(machine: Machine): Uint8Array {
  machine.engine.system.canonicaliseFlags();
  return machine.engine.raw.slice(L.STATE, L.RETIRED);
}
const RSM = '0F AA';

describe('system-management mode', () => {
  it('enters big real mode at SMBASE + 8000h and saves the Intel 64 area', () => {
    const machine = withHandler('F4');
    machine.flags = IF;
    machine.setRegister(RBX, 0x1122334455667788n);
    machine.setDebug(7, I7 | 2n);
    const rip = machine.rip;
    raise(machine, SMI);
    assert.equal(machine.run(), L.RUN_HALTED);
    const { engine } = machine;
    assert.deepEqual(
      [engine.vcpu().rip, engine.vcpu().cs.base, engine.vcpu().cs.selector, engine.vcpu().cs.limit],
      [0x8001n, BigInt(SMBASE), (SMBASE >> 4) & 0xffff, 0xffffffff],
    );
    assert.deepEqual(
      [engine.vcpu().cr0, engine.vcpu().cr4, engine.vcpu().efer, machine.flags, engine.vcpu().dr7],
      [0x00010032n, 0n, 0n, 2n, I7],
    );
    const field = (offset: number): bigint => machine.read64(AREA + offset);
    assert.deepEqual(
      [field(0x7ff8), field(0x7ff0), field(0x7fe0), field(0x7fd8), field(0x7f74), field(0x7fe8)],
      [0x80010033n, 0x10000n, 0xd01n, rip, 0x1122334455667788n, IF | 2n],
    );
    assert.deepEqual(
      [field(0x7fc8), field(0x7efc) & 0xffffffffn, field(0x7ef8) & 0xffffffffn, field(0x7fac) & 0xffffffffn],
      [I7 | 2n, 0x20064n, BigInt(SMBASE), BigInt(KERNEL_CODE)],
    );
  });
  it('T-6D RSM resumes with the TF that was saved, and a step over it ends there', () => {
    const machine = withHandler(RSM);
    const code = machine.program((c) => c.raw('90').at('B').raw('90'));
    machine.flags = TF;
    raise(machine, SMI);
    machine.addBreakpoint(BigInt(SMBASE + 0x8000));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.equal(machine.flags & TF, 0n, 'the handler has none');
    machine.breakpoints.clear();
    machine.engine.system.dropBlocksAt(BigInt(SMBASE + 0x8000));
    assert.equal(machine.step(1, true), L.RUN_OBSERVED);
    assert.deepEqual([machine.observed, machine.rip], [L.OBSERVED_STEP, code.place('B') - 1n]);
    assert.equal(machine.flags & TF, TF);
    assert.equal(machine.engine.vcpu().pendingDebug, 0, 'RSM itself does not trap');
    machine.setFlagsOnReturn(1, 0n);
    machine.run(200);
    assert.equal(machine.debugLog[0]?.[0], code.place('B'), 'the first instruction does');
  });
  it('brings back every register of 64-bit mode', () => {
    const machine = withHandler('66 B8 78 56 34 12 66 BB 01 00 00 00 0F 22 D0', RSM); // mov eax, ebx; mov cr2, eax
    machine.flags = 0x246n;
    machine.engine.vcpu().fs.base = 0x7fff_0000_1234n;
    for (let i = 0; i < 16; i++) machine.setRegister(i, BigInt(i) * 0x1111_1111_1111n);
    const before = guestState(machine);
    raise(machine, SMI);
    machine.addBreakpoint(machine.rip);
    assert.equal(machine.run(), L.RUN_OBSERVED);
    const after = guestState(machine);
    before.set(after.subarray(L.CR2 - L.STATE, L.CR3 - L.STATE), L.CR2 - L.STATE); // CR2 is not saved: the handler's stays
    assert.equal(machine.engine.vcpu().cr2, 0x12345678n);
    assert.deepEqual(after, before);
  });
  it('interrupted between two iterations of REP MOVSB, the string goes on', () => {
    const machine = withHandler('66 31 C9', RSM); // xor ecx, ecx
    machine.program((c) => c.load(1, 5).load(6, 0x40000).load(7, 0x41000).raw('F3 A4'));
    machine.write(0x40000, Uint8Array.of(1, 2, 3, 4, 5));
    machine.run(5);
    assert.equal(machine.engine.vcpu().repActive, 1);
    raise(machine, SMI);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.read64(0x41000), 0x0504030201n);
    assert.equal(machine.engine.vcpu().inSmm, 0);
  });
  it('a halted processor halts again, unless the handler clears the restart field', () => {
    for (const [handler, halted] of [
      [[RSM], true],
      [['67 66 C7 05 02 FF 13 00 00 00 00 00', RSM], false], // the word at AREA + 7F02h, through DS with base 0
    ] as const) {
      const machine = withHandler(...handler);
      machine.program((c) => c.raw('F4').at('A').raw('48 FF C3'));
      assert.equal(machine.run(), L.RUN_HALTED);
      raise(machine, SMI);
      machine.run();
      assert.equal(machine.register(RBX), halted ? 0n : 1n);
    }
  });
  it('SMBASE moves with the save area, SMI and NMI wait for RSM', () => {
    const machine = withHandler('67 66 C7 05 F8 FE 13 00 00 00 18 00', RSM); // SMBASE := 180000h
    machine.write(0x188000, new Code(0).raw('F4').finish());
    machine.program((c) => c.raw('90'));
    raise(machine, SMI);
    machine.addBreakpoint(BigInt(SMBASE + 0x8000));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    machine.breakpoints.clear();
    machine.engine.system.dropBlocksAt(BigInt(SMBASE + 0x8000));
    raise(machine, SMI | NMI);
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.equal(machine.engine.vcpu().cs.base, 0x180000n, 'the second SMI came behind RSM, before the NMI');
    assert.equal(machine.engine.vcpu().events & NMI, NMI);
    assert.equal(machine.log.length, 0);
  });
  it('RSM outside is #UD; a save area that no processor could have written shuts down', () => {
    const outside = new Machine();
    const code = outside.program((c) => c.at('A').raw(RSM));
    outside.resumeAt(6, code.place('end'));
    assert.equal(outside.run(), L.RUN_HALTED);
    assert.deepEqual(
      outside.log.map(({ vector, rip }) => [vector, rip]),
      [[6, code.place('A')]],
    );
    const broken = withHandler('67 66 C7 05 F8 FF 13 00 00 00 00 80', RSM); // CR0 := PG without PE
    raise(broken, SMI);
    assert.equal(broken.run(), L.RUN_SHUTDOWN);
  });
});
