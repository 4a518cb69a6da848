// The host's step lease over every awkward instruction, and the same with the guest's TF: guest-debug-spec 6.4.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RCX, RDI, RDX, RSI, type Code } from './code.ts';
import {
  AND_CLEARING_TF,
  BS,
  CODE,
  DATA,
  I6,
  IF,
  KERNEL_DATA,
  Machine,
  POPF_SETTING_TF,
  RF,
  STACK,
  TF,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from './machine.ts';

const SHADOW_STI = 1;
const SHADOW_MOV_SS = 2;

/** A machine that stands at place A of its program. */
function standing(build: (code: Code) => void, options: { user?: boolean } = {}): { machine: Machine; code: Code } {
  const machine = new Machine(options);
  machine.setRegister(RDX, BigInt(KERNEL_DATA));
  const code = machine.program(build);
  machine.addBreakpoint(code.place('A'));
  assert.equal(machine.run(), L.RUN_OBSERVED);
  assert.equal(machine.rip, code.place('A'));
  machine.breakpoints.clear();
  machine.engine.system.dropBlocksAt(code.place('A'));
  machine.engine.system.observerChanged();
  return { machine, code };
}
function steps(machine: Machine, to: bigint, lease = 1): void {
  assert.equal(machine.step(lease), L.RUN_OBSERVED);
  assert.equal(machine.observed, L.OBSERVED_STEP);
  assert.equal(machine.rip, to);
}
const pending = (machine: Machine): number => machine.engine.vcpu().pendingDebug;
const delivered = (machine: Machine): number => machine.engine.vcpu().delivered;
/** What #DB handlers saw of a program that sets TF, runs bytes at A, and clears TF. */
function trapsOf(bytes: string, prepare?: (machine: Machine) => void): { machine: Machine; code: Code } {
  const machine = new Machine();
  machine.setRegister(RDX, BigInt(KERNEL_DATA));
  const code = machine.program((c) =>
    c.raw(POPF_SETTING_TF).at('A').raw(bytes).at('B').raw('9C 58', AND_CLEARING_TF, '50 9D'),
  );
  prepare?.(machine);
  assert.equal(machine.run(), L.RUN_HALTED);
  return { machine, code };
}

describe('flags and shadows', () => {
  it('T-50 PUSHF shows no TF of the host', () => {
    const { machine, code } = standing((c) => c.at('A').raw('9C').at('B'));
    steps(machine, code.place('B'));
    assert.equal(machine.read64(STACK - 8) & TF, 0n);
  });
  it("T-50 PUSHF shows the guest's TF", () => {
    const { machine, code } = trapsOf('9C 59');
    assert.deepEqual(machine.debugLog[0], [code.place('A') + 1n, I6 + BS]);
    assert.notEqual(machine.register(RCX) & TF, 0n);
  });
  it('T-51 POPF that sets TF', () => {
    const { machine, code } = standing((c) => c.raw('9C 58 48 0D 00 01 00 00 50').at('A').raw('9D').at('B'));
    steps(machine, code.place('B'));
    assert.equal(pending(machine), 0);
  });
  it('T-52 POPF that clears TF still traps once', () => {
    const { machine, code } = standing((c) => c.raw('9C 58 50').at('A').raw('9D').at('B'));
    machine.flags |= TF;
    steps(machine, code.place('B'));
    assert.equal(pending(machine), Number(BS));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(machine.debugLog, [[code.place('B'), I6 + BS]]);
    assert.equal((machine.log[0]?.flags ?? 0n) & TF, 0n);
  });
  it('T-5D CLI and STI', () => {
    const { machine, code } = standing((c) => c.at('A').raw('FB').at('B').raw('FA').at('C'));
    steps(machine, code.place('B'));
    assert.equal(machine.engine.vcpu().shadow, SHADOW_STI);
    assert.notEqual(machine.flags & IF, 0n);
    steps(machine, code.place('C'));
    assert.equal(machine.engine.vcpu().shadow, 0);
    assert.equal(machine.flags & IF, 0n);
  });
  it('T-5E MOV SS', () => {
    const { machine, code } = standing((c) => c.at('A').raw('8E D2').at('B').raw('90'));
    steps(machine, code.place('B'));
    assert.equal(machine.engine.vcpu().shadow, SHADOW_MOV_SS);
  });
  it('T-5F MOV SS, then INT3', () => {
    const { machine, code } = standing((c) => c.at('A').raw('8E D2').at('B').raw('CC'));
    steps(machine, code.place('B'));
    steps(machine, machine.handler(3));
    assert.equal(delivered(machine), 0x103);
  });
  it('a second MOV SS does not renew the shadow', () => {
    const { machine, code } = standing((c) => c.at('A').raw('8E D2').at('B').raw('8E D2').at('C'));
    steps(machine, code.place('B'));
    steps(machine, code.place('C'));
    assert.equal(machine.engine.vcpu().shadow, 0);
  });
  it('T-30 to T-35 stepping with interrupts held shows the true IF and takes none', () => {
    const { machine, code } = standing((c) => c.at('A').raw('FB 31 C0 0F A2 B8 01 00 00 00 90 FA').at('B'));
    machine.engine.vcpu().blockIrq = 1;
    machine.engine.vcpu().events = 1;
    for (const [i, offset] of [1, 3, 5, 10, 11, 12].entries()) {
      steps(machine, code.place('A') + BigInt(offset));
      assert.equal((machine.flags & IF) !== 0n, i < 5);
    }
    assert.deepEqual(machine.log, []);
    machine.engine.vcpu().blockIrq = 0;
    machine.flags |= IF;
    machine.attend();
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[0x40, code.place('B')]],
    );
  });
});

describe('transfers', () => {
  it('T-53 IRETQ to user code with TF in the frame', () => {
    const target = CODE + 0x400;
    const { machine } = standing((c) => {
      for (const value of [USER_DATA, USER_STACK, 0x102, USER_CODE, target]) c.load(RAX, value).raw('50');
      c.at('A').raw('48 CF');
    });
    machine.write(target, Uint8Array.of(0x90, 0xcd, 0x81));
    steps(machine, BigInt(target));
    assert.equal(machine.engine.vcpu().cpl, 3);
    assert.equal(pending(machine), 0);
    machine.run(100);
    assert.deepEqual(machine.debugLog[0], [BigInt(target + 1), I6 + BS]);
  });
  for (const [id, mask] of [
    ['T-54', TF],
    ['T-55', 0n],
  ] as const) {
    it(`${id} SYSCALL with TF, FMASK.TF=${mask === 0n ? 0 : 1}`, () => {
      const { machine, code } = standing((c) => c.at('A').raw('0F 05').at('B'), { user: true });
      machine.engine.vcpu().msrLstar = BigInt(CODE + 0x400);
      machine.engine.vcpu().msrSfmask = mask;
      machine.write(CODE + 0x400, Uint8Array.of(0xcd, 0x81));
      machine.flags |= TF;
      steps(machine, BigInt(CODE + 0x400));
      assert.deepEqual([machine.register(RCX), machine.register(11) & TF], [code.place('B'), TF]);
      assert.equal(pending(machine), mask === 0n ? Number(BS) : 0);
      assert.equal(machine.run(), L.RUN_HALTED);
      assert.deepEqual(machine.debugLog, mask === 0n ? [[BigInt(CODE + 0x400), I6 + BS]] : []);
    });
  }
  it('T-56 SYSRET with TF in R11', () => {
    const { machine } = standing((c) =>
      c
        .load(RCX, CODE + 0x400)
        .raw('49 C7 C3 02 01 00 00')
        .at('A')
        .raw('48 0F 07'),
    );
    machine.write(CODE + 0x400, Uint8Array.of(0x90));
    steps(machine, BigInt(CODE + 0x400));
    assert.deepEqual([machine.engine.vcpu().cpl, pending(machine)], [3, Number(BS)]);
  });
  it('T-57 SYSENTER keeps TF', () => {
    const { machine } = standing((c) => c.at('A').raw('0F 34'));
    machine.engine.vcpu().msrSysenterCs = 8n;
    machine.engine.vcpu().msrSysenterEip = BigInt(CODE + 0x400);
    machine.engine.vcpu().msrSysenterEsp = BigInt(STACK);
    machine.flags |= TF;
    steps(machine, BigInt(CODE + 0x400));
    assert.equal(pending(machine), Number(BS));
  });
  it('T-58 T-59 T-5A software interrupts', () => {
    for (const [bytes, vector, length] of [
      ['CD 80', 0x80, 2],
      ['CC', 3, 1],
      ['F1', 1, 1],
    ] as const) {
      const { machine, code } = standing((c) => c.at('A').raw(bytes));
      steps(machine, machine.handler(vector));
      assert.deepEqual([delivered(machine), machine.dr6], [0x100 + vector, I6]);
      assert.equal(machine.run(), L.RUN_HALTED);
      assert.equal(machine.log[0]?.rip, code.place('A') + BigInt(length));
    }
  });
  it('T-58 T-59 with TF: no trap for them, one for the next instruction', () => {
    for (const bytes of ['CD 80', 'CC']) {
      const { machine, code } = trapsOf(`${bytes} 90`);
      assert.deepEqual(machine.debugLog[0], [code.place('B'), I6 + BS]);
    }
  });
  it('T-6E T-6F branch lease', () => {
    const { machine, code } = standing((c) =>
      c
        .at('A')
        .raw('90 90 90 48 85 C0')
        .relative('75', 'no', 1)
        .raw('90')
        .relative('74', 'there', 1)
        .at('no')
        .raw('90')
        .at('there')
        .raw('90'),
    );
    machine.setRegister(RAX, 0n);
    steps(machine, code.place('there'), 3);
  });
});

describe('halt, faults, strings', () => {
  it('T-5B HLT ends the step; T-5C a step while halted returns at once', () => {
    const { machine, code } = standing((c) => c.at('A').raw('F4').at('B'));
    steps(machine, code.place('B'));
    assert.equal(machine.engine.vcpu().activity, 1);
    machine.engine.vcpu().blockIrq = 1;
    const before = machine.ticks;
    assert.equal(machine.step(), L.RUN_HALTED);
    assert.deepEqual([machine.rip, machine.ticks - before], [code.place('B'), 0]);
  });
  it('T-60 #PF: the step ends at the handler, RF is in the frame', () => {
    const { machine, code } = standing((c) => c.at('A').raw('48 8B 04 25').value(DATA, 4));
    machine.mapPage(DATA, 0n);
    steps(machine, machine.handler(14));
    assert.deepEqual([delivered(machine), machine.engine.vcpu().deliveredError, pending(machine)], [0x10e, 0, 0]);
    assert.notEqual(machine.read64(Number(machine.register(4)) + 24) & RF, 0n);
    assert.equal(machine.read64(Number(machine.register(4)) + 8), code.place('A'));
  });
  it('T-61 T-62 #GP and #UD', () => {
    const gp = standing((c) =>
      c
        .load(RAX, 1n << 41n)
        .at('A')
        .raw('0F 22 D8'),
    );
    steps(gp.machine, gp.machine.handler(13));
    const ud = standing((c) => c.at('A').raw('0F 0B'));
    steps(ud.machine, ud.machine.handler(6));
    assert.equal(ud.machine.read64(Number(ud.machine.register(4)) + 0), ud.code.place('A'));
  });
  it('T-63 a fault in a delivery is #DF, the third one shuts down', () => {
    const { machine } = standing((c) => c.at('A').raw('0F 0B'));
    machine.setGate(6, 0n, 0, 0, 0x200 - 8);
    steps(machine, machine.handler(13), 1);
    const second = standing((c) => c.at('A').raw('48 8B 04 25').value(DATA, 4));
    second.machine.mapPage(DATA, 0n);
    second.machine.setGate(14, 0n, 0, 0, 0);
    steps(second.machine, second.machine.handler(8));
    const third = standing((c) => c.at('A').raw('48 8B 04 25').value(DATA, 4));
    third.machine.mapPage(DATA, 0n);
    third.machine.engine.vcpu().idtr.limit = 0;
    assert.equal(third.machine.step(), L.RUN_SHUTDOWN);
    const chain = L.VECTOR_CHAIN_ENTRIES;
    const view = third.machine.engine.rawView;
    assert.deepEqual(
      [0, 1].map((i) => view.getUint32(chain + i * 16, true)),
      [14, 8],
    );
  });
  const copy = (c: Code): Code =>
    c
      .load(RCX, 3)
      .load(RSI, DATA)
      .load(RDI, DATA + 64)
      .at('A')
      .raw('F3 A4')
      .at('B');
  it('T-64 each iteration of REP MOVSB is a step', () => {
    const { machine, code } = standing(copy);
    steps(machine, code.place('A'));
    assert.equal(machine.register(RCX), 2n);
    steps(machine, code.place('A'));
    steps(machine, code.place('B'));
    assert.equal(machine.register(RCX), 0n);
  });
  it('T-64 each iteration traps by TF, RF is set between them', () => {
    const machine = new Machine();
    const code = machine.program((c) => {
      c.load(RCX, 3)
        .load(RSI, DATA)
        .load(RDI, DATA + 64)
        .raw(POPF_SETTING_TF)
        .at('A')
        .raw('F3 A4')
        .at('B')
        .raw(AND_CLEARING_TF, '50 9D');
    });
    assert.equal(machine.run(), L.RUN_HALTED);
    const A = code.place('A');
    assert.deepEqual(
      machine.debugLog.slice(0, 3).map(([rip]) => rip),
      [A, A, code.place('B')],
    );
    assert.deepEqual(
      machine.log.slice(0, 3).map(({ flags }) => (flags & RF) !== 0n),
      [true, true, false],
    );
  });
  it('T-65 T-66 whole string instructions', () => {
    const { machine, code } = standing(copy);
    steps(machine, code.place('B'), 2);
    const empty = standing((c) => c.load(RCX, 0).at('A').raw('F3 A4').at('B'));
    steps(empty.machine, empty.code.place('B'));
  });
  it('T-68 a device access', () => {
    const { machine, code } = standing((c) =>
      c.load(RSI, DATA).at('A').raw('48 8B 06').at('B').raw('48 89 06').at('C'),
    );
    machine.mapPage(DATA, 0xfee0_0007n);
    steps(machine, code.place('B'));
    steps(machine, code.place('C'));
    assert.equal(machine.register(RAX), 0xffff_ffff_ffff_ffffn);
  });
  it('T-69 MOV CR8 that lets an interrupt through', () => {
    const { machine, code } = standing((c) => c.at('A').raw('44 0F 22 C0').at('B').raw('90'));
    machine.setRegister(RAX, 3n);
    machine.flags |= IF;
    machine.onTaskPriority = () => (machine.engine.vcpu().events = 1);
    steps(machine, code.place('B'));
    assert.deepEqual([machine.taskPriority, machine.log.length], [3, 0]);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[0x40, code.place('B')]],
    );
  });
  it('T-69 the same with TF: the trap first', () => {
    const { machine, code } = trapsOf('44 0F 22 C1', (m) => {
      m.flags |= IF;
      m.onTaskPriority = () => {
        m.engine.vcpu().events = 1;
        m.attend();
      };
    });
    assert.deepEqual(
      machine.log.slice(0, 2).map(({ vector, rip }) => [vector, rip]),
      [
        [1, code.place('B')],
        [0x40, code.place('B')],
      ],
    );
  });
  it('T-6A locked compare-exchange of 8 and 16 bytes over a page end', () => {
    for (const bytes of ['F0 0F C7 0E', 'F0 48 0F C7 0E']) {
      const at = bytes.includes('48') ? DATA + 0x1000 : DATA + 0xffc;
      const { machine, code } = standing((c) => c.load(RSI, at).at('A').raw(bytes).at('B'));
      steps(machine, code.place('B'));
    }
  });
  it('T-C4 shadow and pending causes are plain state: moved to another machine, the same #DB comes', () => {
    const program = (c: Code): Code => c.load(RSI, DATA).at('A').raw('8E 16').at('B').raw('90').at('C');
    const { machine, code } = standing(program);
    machine.write64(DATA, BigInt(KERNEL_DATA));
    machine.setGuestSlot(0, BigInt(DATA), 3, 2);
    machine.flags |= TF;
    steps(machine, code.place('B'));
    assert.deepEqual([machine.engine.vcpu().shadow, pending(machine) & 15], [SHADOW_MOV_SS, 1]);
    const other = new Machine();
    other.program(program);
    other.setFlagsOnReturn(1, 0n);
    other.engine.raw.set(machine.engine.raw.subarray(L.STATE, L.STATE_GUEST_END), L.STATE);
    other.engine.system.updateMode();
    other.engine.system.observerChanged();
    other.run(100);
    assert.deepEqual(other.debugLog[0], [code.place('C'), I6 + BS + 1n]);
  });
  it('INIT during a step: the reset state, kind reset', () => {
    const { machine } = standing((c) => c.at('A').raw('90'));
    machine.setHostSlot(0, 0x1234n, 1, 1);
    machine.engine.vcpu().events = 8;
    assert.equal(machine.step(), L.RUN_OBSERVED);
    assert.equal(machine.observed, L.OBSERVED_RESET);
    assert.deepEqual(
      [machine.rip, machine.engine.vcpu().cs.selector, machine.engine.vcpu().hDr0],
      [0xfff0n, 0xf000, 0x1234n],
    );
  });
});
