// From real mode to long mode, and 32-bit protected mode with rings: segmentation, gates, far transfers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Code, RAX, RBX } from './code.ts';
import {
  CODE,
  DATA,
  GDT,
  KERNEL_CODE,
  KERNEL_CODE32,
  KERNEL_DATA,
  Machine,
  PML4,
  STACK,
  USER_CODE32,
  USER_DATA,
} from './machine.ts';
import { gate32, protectedMode } from './protected-machine.ts';

const POINTER = 0x6000; // a pseudo-descriptor for LGDT

/** A machine at reset that goes on at CODE in real mode. */
function realMode(): Machine {
  const machine = new Machine();
  const { engine } = machine;
  engine.system.reset(1);
  assert.deepEqual([engine.vcpu().rip, engine.vcpu().cs.base], [0xfff0n, 0xffff0000n]);
  engine.system.loadSegmentReal(1, CODE >> 4);
  engine.vcpu().rip = 0n;
  engine.vcpu().rsp = 0x8000n;
  return machine;
}

describe('real mode', () => {
  it('INT goes through the vector table and IRET comes back', () => {
    const machine = realMode();
    machine.write(0x10 * 4, Uint8Array.of(0x00, 0x01, 0x00, 0x40)); // 4000:0100
    machine.write(0x40100, Uint8Array.of(0xb8, 0x34, 0x12, 0xcf)); // mov ax, 1234h; iret
    machine.write(CODE, Uint8Array.of(0xcd, 0x10, 0x89, 0xc3, 0xf4)); // int 10h; mov bx, ax; hlt
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      [machine.register(RBX), machine.register(4), machine.engine.vcpu().cs.selector],
      [0x1234n, 0x8000n, CODE >> 4],
    );
  });
  it('a word at offset FFFFh is beyond the limit: #GP through the table', () => {
    const machine = realMode();
    machine.write(13 * 4, Uint8Array.of(0x00, 0x00, 0x00, 0x40));
    machine.write(0x40000, Uint8Array.of(0xf4));
    machine.write(CODE, Uint8Array.of(0xa1, 0xff, 0xff)); // mov ax, [FFFFh]
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.engine.vcpu().cs.selector, 0x4000);
    assert.equal(machine.read64(0x8000 - 6) & 0xffffn, 0n, 'the return address is the faulting instruction');
  });
  it('a startup IPI starts at its vector', () => {
    const machine = new Machine({ vcpus: 2 });
    const { engine } = machine;
    engine.select(1);
    assert.equal(engine.run(100, 100n).code, L.RUN_HALTED, 'waits');
    machine.write(0x9000, Uint8Array.of(0xb8, 0x07, 0x00, 0xf4)); // mov ax, 7; hlt
    engine.vcpu().eventVector = 9;
    engine.vcpu().events = 16;
    engine.attend(1, L.ATTENTION_EVENT);
    assert.equal(engine.run(100, 200n).code, L.RUN_HALTED);
    assert.deepEqual([engine.vcpu().rax, engine.vcpu().cs.base, engine.vcpu().cs.selector], [7n, 0x9000n, 0x900]);
  });
  it('an execution slot of one vCPU splits code for all and stops that one only', () => {
    const machine = new Machine({ vcpus: 2 });
    const code = machine.program((c) => c.raw('90').at('A').raw('48 FF C3'));
    const { engine } = machine;
    machine.setFlagsOnReturn(1, 0x10000n);
    machine.setGuestSlot(0, code.place('A'), 0, 1);
    // the second processor in the very same state, but for the slot
    const copy = engine.raw.slice(L.STATE, L.STATE_GUEST_END);
    engine.select(1);
    engine.raw.set(copy, L.STATE);
    engine.vcpu().dr7 = 0x400n;
    engine.vcpu().rsp = BigInt(STACK - 0x4000);
    engine.system.updateMode();
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual([machine.register(RBX), machine.log.length], [1n, 0]);
    engine.select(0);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual([machine.register(RBX), machine.log.length], [1n, 1]);
  });
  it('all the way to 64-bit code', () => {
    const machine = realMode();
    const code = new Code(CODE);
    const target = (name: string): number => Number(code.place(name));
    const build = (final: boolean): Code => {
      const c = final ? new Code(CODE) : code;
      c.raw('FA 66 0F 01 16')
        .value(POINTER, 2)
        .raw('0F 20 C0 66 83 C8 01 0F 22 C0 66 EA')
        .value(final ? target('protected') : 0, 4)
        .value(KERNEL_CODE32, 2);
      c.at('protected').raw('66 B8 10 00 8E D8 8E C0 8E D0 BC').value(STACK, 4); // ds, es, ss = 10h; esp
      c.raw('0F 20 E0 83 C8 20 0F 22 E0 B8').value(PML4, 4).raw('0F 22 D8'); // cr4.pae, cr3
      c.raw('B9 80 00 00 C0 0F 32 0D 00 01 00 00 0F 30'); // efer.lme
      c.raw('0F 20 C0 0D 00 00 00 80 0F 22 C0 EA')
        .value(final ? target('long') : 0, 4)
        .value(KERNEL_CODE, 2);
      c.at('long').load(RBX, 0x1122334455667788n).raw('F4');
      return c;
    };
    build(false);
    machine.write(CODE, build(true).finish());
    machine.write(POINTER, Uint8Array.of(0xff, 0, GDT & 0xff, GDT >> 8, 0, 0));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 0x1122334455667788n);
    assert.deepEqual([machine.engine.vcpu().efer & 0x500n, machine.engine.vcpu().mode & L.MODE_CODE], [0x500n, 2]);
  });
});

const HANDLER = CODE + 0x800;

describe('protected mode', () => {
  it('ring 3 and back: IRETD out, INT in through the TSS, a call gate', () => {
    const machine = protectedMode();
    const user = CODE + 0x400;
    gate32(machine, 0x30, HANDLER, 3);
    machine.write(HANDLER, new Code(HANDLER).raw('89 E6 FF C7 CF').finish()); // mov esi, esp; inc edi; iretd
    // a call gate at 50h with one parameter
    machine.write64(
      GDT + 0x50,
      BigInt((HANDLER + 0x100) & 0xffff) |
        (BigInt(KERNEL_CODE32) << 16n) |
        (0xec01n << 32n) |
        (BigInt((HANDLER + 0x100) >> 16) << 48n),
    );
    machine.write(HANDLER + 0x100, new Code(HANDLER + 0x100).raw('8B 6C 24 08 CA 04 00').finish()); // mov ebp, [esp + 8]; retf 4
    machine.write(user, new Code(user).raw('CD 30 68 78 56 34 12 9A 00 00 00 00 53 00 89 E3 F4').finish()); // int 30h; push; call 53h:0; mov ebx, esp; hlt
    gate32(machine, 13, HANDLER + 0x200, 0);
    machine.write(HANDLER + 0x200, Uint8Array.of(0xf4));
    const code = new Code(CODE);
    for (const value of [USER_DATA, 0x5c000, 0x3002, USER_CODE32, user]) code.raw(0x68).value(value, 4);
    machine.write(CODE, code.raw('CF').finish());
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(7), 1n, 'the handler ran once');
    assert.equal(machine.register(6), BigInt(STACK - 0x1000 - 20), 'on ESP0, five words down');
    assert.equal(machine.register(5), 0x12345678n, 'the gate copied its parameter');
    assert.equal(machine.register(RBX), 0x5c000n, 'RETF dropped the parameter on the outer stack');
    assert.equal(machine.engine.vcpu().cs.selector, KERNEL_CODE32, 'HLT at CPL 3 is #GP');
  });
  it('limits and types of segments', () => {
    const machine = protectedMode();
    machine.write64(GDT + 0x58, 0x0040910000000fffn | (BigInt(DATA & 0xffffff) << 16n)); // read-only data, limit FFFh
    machine.write64(GDT + 0x60, 0x0040970000000fffn); // expand-down, limit FFFh
    gate32(machine, 13, HANDLER, 0);
    machine.write(HANDLER, new Code(HANDLER).raw('43 8B 34 24 83 C4 04 83 04 24 06 CF').finish()); // inc ebx; esi = error; skip 6 bytes; iretd
    const code = new Code(CODE).raw('B8 58 00 00 00 8E D8'); // mov ds, 58h
    code.raw('8B 0D').value(0xffc, 4); // mov ecx, [FFCh]: fine
    code.raw('8B 0D').value(0xffd, 4); // beyond: #GP
    code.raw('89 0D').value(0, 4); // read-only: #GP
    code.raw('B8 60 00 00 00 8E D8').raw('8B 0D').value(0xfff, 4); // expand-down, within its hole: #GP
    code.raw('8B 0D').value(0x1000, 4).raw('F4');
    machine.write(CODE, code.finish());
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 3n);
    assert.equal(machine.engine.vcpu().mode & L.MODE_FLAT, 0);
  });
  it('compatibility mode: out by IRETQ, back by INT, in by SYSRET', () => {
    const machine = new Machine();
    const user = CODE + 0x400;
    machine.setGate(0x80, machine.handler(0x80), 3);
    machine.write(user, new Code(user).raw('41 CD 80 41 66 8C C8 CD 81').finish()); // inc ecx; int 80h; inc ecx; mov ax, cs; int 81h
    machine.program((c) => {
      for (const value of [USER_DATA, 0x5c000, 2, USER_CODE32, user]) c.load(RAX, value).raw('50');
      c.load(1, 0xffff_ffff_0000_0000n).raw('48 CF');
    });
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual([machine.register(1), machine.register(RAX) & 0xffffn], [2n, BigInt(USER_CODE32)]);
    assert.deepEqual(
      machine.log.map(({ vector, rip, cs, rsp }) => [vector, rip, cs, rsp]),
      [[0x80, BigInt(user + 3), BigInt(USER_CODE32), 0x5c000n]],
    );
    const sysret = new Machine();
    sysret.write(user, new Code(user).raw('41 CD 81').finish());
    sysret.program((c) => c.load(1, user).raw('49 C7 C3 02 00 00 00 0F 07'));
    assert.equal(sysret.run(), L.RUN_HALTED);
    assert.equal(sysret.register(1), BigInt(user + 1));
  });
  it('LAR, LSL, VERR, VERW', () => {
    const machine = new Machine();
    machine.program((c) =>
      c
        .load(RAX, KERNEL_DATA)
        .raw('0F 02 D8 0F 94 C1 0F 03 F0 0F 00 E8 0F 94 C2')
        .load(RAX, 0x1f8)
        .raw('0F 02 F8 0F 94 C5'),
    );
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      [machine.register(RBX), machine.register(6), machine.register(1) & 0xffffn, machine.register(2) & 0xffn],
      [0xc09300n, 0xffffffffn, 1n, 1n],
    );
  });
  it('LTR marks its TSS busy', () => {
    const machine = new Machine();
    machine.program((c) => c.load(RAX, 0x30).raw('0F 00 D8 0F 00 C9'));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal((machine.read64(GDT + 0x30) >> 40n) & 0xfn, 11n);
    assert.equal(machine.register(1), 0x30n);
  });
});
