// Hardware task switches under the debugger: the T bit, TF of the new task, local breakpoints (guest-debug-spec 6.4, 6.7). What a
// switch does to registers and memory is compared with QEMU in test/oracle/qemu.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Code } from './code.ts';
import { CODE, I6, I7, type Machine } from './machine.ts';
import {
  addTask,
  gate32,
  jumpToTask,
  program32,
  protectedMode,
  SECOND_CODE,
  SECOND_TASK,
  SECOND_TSS,
  TASK_GATE,
} from './protected-machine.ts';

const BT = 0x8000n;
const BS = 0x4000n;
const HANDLER = CODE + 0x800;

/** A machine in front of a jump to the second task, whose #DB handler stops. */
function beforeTask(flags: number, trap: boolean): Machine {
  const machine = protectedMode();
  addTask(machine, flags, trap);
  gate32(machine, 1, HANDLER, 0);
  machine.write(HANDLER, Uint8Array.of(0xf4));
  machine.write(SECOND_CODE, Uint8Array.of(0x90, 0x90, 0xf4));
  return machine;
}
const returnAddress = (machine: Machine): bigint => machine.read64(Number(machine.register(4))) & 0xffffffffn;

describe('task switches', () => {
  it('T-6B far JMP through a task gate to a TSS with T: the step ends there, then #DB with BT', () => {
    const machine = beforeTask(2, true);
    program32(machine, (c) => c.raw(jumpToTask(TASK_GATE)));
    assert.equal(machine.step(), L.RUN_OBSERVED);
    assert.deepEqual([machine.observed, machine.rip], [L.OBSERVED_STEP, BigInt(SECOND_CODE)]);
    assert.equal(BigInt(machine.engine.vcpu().pendingDebug) & BT, BT, 'the trap is pending');
    assert.equal(machine.dr6, I6, 'and not committed');
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual([machine.dr6, returnAddress(machine)], [I6 + BT, BigInt(SECOND_CODE)]);
  });
  it('T-6B the catch filter for task switches stops in front of the #DB', () => {
    const machine = beforeTask(2, true);
    program32(machine, (c) => c.raw(jumpToTask(SECOND_TASK)));
    machine.engine.vcpu().catch = L.CATCH_TASK_SWITCH;
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.deepEqual([machine.observed, machine.rip], [L.OBSERVED_CAUGHT_DB, BigInt(SECOND_CODE)]);
  });
  it('T-6C IRET to a task with TF set: the trap comes behind its first instruction', () => {
    const machine = beforeTask(0x102, false);
    machine.engine.system.resetTags();
    machine.write64(SECOND_TSS + 0x20, BigInt(SECOND_CODE) | (0x102n << 32n));
    machine.write(0x3000, Uint8Array.of(SECOND_TASK, 0)); // the running task's back link
    machine.write64(0x1000 + SECOND_TASK, 0x00008b0000000067n | (BigInt(SECOND_TSS) << 16n)); // busy: it waits
    program32(machine, (c) => c.raw('68 02 40 00 00 9D CF')); // push NT; popfd; iretd
    machine.addBreakpoint(BigInt(CODE + 6));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    machine.breakpoints.clear();
    assert.equal(machine.step(1, true), L.RUN_OBSERVED);
    assert.deepEqual([machine.observed, machine.rip], [L.OBSERVED_STEP, BigInt(SECOND_CODE)]);
    assert.equal(machine.engine.vcpu().pendingDebug, 0, 'no trap for the IRET itself');
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual([machine.dr6, returnAddress(machine)], [I6 + BS, BigInt(SECOND_CODE + 1)]);
  });
  it("T-9E a switch ends local breakpoints; global ones and the observer's stay", () => {
    const machine = beforeTask(2, false);
    program32(machine, (c) => c.raw(jumpToTask(SECOND_TASK)));
    machine.setDebug(0, 0x9000n);
    machine.setDebug(7, I7 | 0x45n | 0x20n | (3n << 24n)); // L0, L1, L3, G2; slot 2 reads and writes
    machine.setHostSlot(1, 0x9100n, 3, 4);
    const host = machine.engine.vcpu().hDr7;
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      [machine.engine.vcpu().dr7, machine.engine.vcpu().dr0, machine.engine.vcpu().hDr7],
      [I7 | 0x20n | (3n << 24n), 0x9000n, host],
    );
  });
  it('a fault behind the commit belongs to the new task, in front of its breakpoint', () => {
    const machine = beforeTask(2, false);
    machine.write(SECOND_TSS + 0x54, Uint8Array.of(0xf8, 0)); // DS beyond the table
    gate32(machine, 10, HANDLER + 0x10, 0);
    machine.write(HANDLER + 0x10, new Code(HANDLER + 0x10).raw('58 F4').finish()); // pop eax: the error code
    machine.setGuestSlot(0, BigInt(SECOND_CODE), 0, 1);
    program32(machine, (c) => c.raw(jumpToTask(SECOND_TASK)));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual([machine.register(0), returnAddress(machine)], [0xf8n, BigInt(SECOND_CODE)]);
    assert.equal(machine.dr6, I6);
  });
});
