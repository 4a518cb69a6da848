// DEBUGCTL: last-branch records and bus-lock detection (SDM 3B 17.4, 18.3.1.6).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX, RCX, RDX, type Code } from './code.ts';
import { DATA, I6, Machine, PAGE_TABLE, type MachineOptions } from './machine.ts';
import { cpuid, execute, GP } from './single-step.ts';

const DEBUGCTL = 0x1d9;
const BLD = 0x800n;
const write = (c: Code, index: number, value: number): Code =>
  c.raw(0xb9).value(index, 4).raw(0xb8).value(value, 4).raw('31 D2 0F 30');
/** RDMSR into a register of the program's choice: mov ecx, index; rdmsr; shl rdx, 32; lea r, [rax + rdx]. */
const read = (c: Code, index: number, to: number): Code =>
  c
    .raw(0xb9)
    .value(index, 4)
    .raw('0F 32 48 C1 E2 20 4C 8D', 0x04 | ((to & 7) << 3), 0x10);

function run(build: (c: Code) => void, options: MachineOptions = {}): { machine: Machine; code: Code } {
  const machine = new Machine(options);
  const code = machine.program(build);
  machine.setFlagsOnReturn(1, 0x10000n);
  assert.equal(machine.run(), L.RUN_HALTED);
  return { machine, code };
}

describe('last-branch records', () => {
  it('hold the last four taken branches, newest at the top of the stack', () => {
    const { machine, code } = run((c) => {
      write(c, DEBUGCTL, 1);
      c.raw('31 C0').at('A').relative('74', 'B', 1).raw('90').at('B').raw('90'); // jz: taken
      c.at('C').relative('75', 'D', 1).at('D').raw('90'); // jnz: not taken
      c.at('E').relative('E8', 'F', 4).at('back').relative('EB', 'G', 1).at('F').raw('C3').at('G');
      write(c, DEBUGCTL, 0);
      read(c, 0x1c9, 8);
      for (let i = 0; i < 4; i++) read(c, 0x40 + i, 9 + i);
      read(c, 0x60, 13);
    });
    const at = (name: string): bigint => code.place(name);
    assert.equal(machine.register(8), 0n, 'four branches: the top is back at 0');
    // 1: jz, 2: call, 3: ret, 0: jmp
    assert.deepEqual(
      [10, 11, 12, 9].map((r) => machine.register(r)),
      [at('A'), at('E'), at('F'), at('back')],
    );
    assert.equal(machine.register(13), at('G'));
  });
  it('record interrupts too, and keep the branch in front of them apart', () => {
    const { machine, code } = run((c) => {
      write(c, DEBUGCTL, 1);
      c.at('A').relative('EB', 'B', 1).raw('90').at('B').raw('CC'); // jmp; int3
      write(c, DEBUGCTL, 0);
      read(c, 0x1dd, 8);
      read(c, 0x1de, 9);
    });
    assert.deepEqual([machine.register(8), machine.register(9)], [code.place('A'), code.place('B')]);
  });
  it('stop with a #DB, which is not recorded', () => {
    const { machine } = run((c) => {
      write(c, DEBUGCTL, 1);
      c.raw('F1'); // not this one: INT1 leaves DEBUGCTL alone
      c.raw('0F 21 F8 0F BA E8 0D 0F 23 F8').at('A').raw('0F 21 C3'); // GD; mov rbx, dr0
      read(c, DEBUGCTL, 8);
    });
    assert.equal(machine.register(8), 0n);
    assert.equal(machine.log.at(-1)?.vector, 1);
  });
  it('AMD has one record, in registers of its own', () => {
    const { machine, code } = run(
      (c) => {
        write(c, DEBUGCTL, 1);
        c.at('A').relative('EB', 'B', 1).raw('90').at('B').raw('90');
        write(c, DEBUGCTL, 0);
        read(c, 0x1db, 8);
        read(c, 0x1dc, 9);
      },
      { profile: 'amd' },
    );
    assert.deepEqual([machine.register(8), machine.register(9)], [code.place('A'), code.place('B')]);
  });
});

describe('bus-lock detection', () => {
  it('is announced only when the machine was asked for it, and then DEBUGCTL and DR6 have its bits', () => {
    for (const profile of ['intel', 'amd'] as const) {
      for (const busLockDetection of [false, true]) {
        const machine = new Machine({ profile, busLockDetection });
        assert.equal((cpuid(machine, 7).ecx >>> 24) & 1, Number(busLockDetection), 'CPUID.(7,0):ECX[24]');
        machine.setRegister(RCX, BigInt(DEBUGCTL));
        machine.setRegister(RAX, 4n);
        machine.setRegister(RDX, 0n);
        assert.equal(execute(machine, '0F 30'), busLockDetection ? undefined : GP, 'WRMSR of DEBUGCTL.BLD');
        machine.setRegister(RAX, 0n);
        execute(machine, '0F 23 F0'); // mov dr6, rax
        assert.equal(
          machine.dr6,
          busLockDetection ? I6 & ~BLD : I6,
          'bit 11 is fixed where there is no bus-lock detection',
        );
      }
    }
  });
  /** A locked add at CPL 3, at an offset in DATA. */
  function lockedAdd(offset: number, bytes = 'F0 01 03'): { machine: Machine; code: Code } {
    const machine = new Machine({ user: true, busLockDetection: true });
    machine.engine.vcpu().msrDebugctl = 4n;
    machine.engine.system.updateMode();
    const code = machine.program((c) =>
      c
        .load(RBX, DATA + offset)
        .load(RAX, 5)
        .raw(bytes)
        .at('A')
        .raw('90'),
    );
    assert.equal(machine.run(), L.RUN_HALTED);
    return { machine, code };
  }
  it('a locked access over the end of a line traps behind the instruction, with bit 11 clear', () => {
    for (const bytes of ['F0 01 03', '87 03', 'F0 48 0F C1 03']) {
      const { machine, code } = lockedAdd(0x3d, bytes);
      assert.deepEqual(machine.debugLog, [[code.place('A'), I6 & ~BLD]], bytes);
      assert.equal(machine.read64(DATA + 0x3d) & 0xffffffffn, 5n);
    }
  });
  it('neither one within a line nor one without LOCK', () => {
    assert.deepEqual(lockedAdd(0x3c).machine.debugLog, []);
    assert.deepEqual(lockedAdd(0x3d, '01 03').machine.debugLog, []);
  });
  it('over the end of a page', () => {
    const { machine, code } = lockedAdd(0xffe);
    assert.deepEqual(machine.debugLog, [[code.place('A'), I6 & ~BLD]]);
  });
  it('not at CPL 0, and not for an access that faults', () => {
    const supervisor = new Machine({ busLockDetection: true });
    supervisor.engine.vcpu().msrDebugctl = 4n;
    supervisor.program((c) => c.load(RBX, DATA + 0x3d).raw('F0 01 03'));
    assert.equal(supervisor.run(), L.RUN_HALTED);
    assert.deepEqual(supervisor.debugLog, []);
    const faulting = new Machine({ user: true, busLockDetection: true });
    faulting.engine.vcpu().msrDebugctl = 4n;
    faulting.engine.system.updateMode();
    const code = faulting.program((c) => c.load(RBX, DATA + 0x3d).raw('F0 01 03'));
    faulting.resumeAt(14, code.place('end'));
    faulting.write64(PAGE_TABLE + (DATA >> 12) * 8, 0n);
    assert.equal(faulting.run(), L.RUN_HALTED);
    assert.deepEqual(
      faulting.log.map(({ vector }) => vector),
      [14],
    );
  });
  it('the same in 32-bit code, whatever the segments', () => {
    const machine = new Machine({ user: true, busLockDetection: true });
    machine.setSegment(L.CS, 0x1b, 0n, 0xffffffff, 0xc0fb);
    machine.setSegment(L.FS, 0x23, BigInt(DATA), 0xffff, 0x40f3);
    machine.engine.vcpu().msrDebugctl = 4n;
    machine.engine.system.updateMode();
    machine.setRegister(RCX, 0n);
    const code = machine.program((c) =>
      c
        .raw('BB')
        .value(DATA + 0x3d, 4)
        .raw('F0 01 03')
        .at('A')
        .raw('64 F0 01 0D')
        .value(0x7d, 4)
        .at('B'),
    );
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.debugLog.map(([rip]) => rip),
      [code.place('A'), code.place('B')],
    );
  });
});
