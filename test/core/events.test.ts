// Exceptions, interrupts and their return: gates, stack switches, error codes, shadows, ticks (SDM 3A chapter 6).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX, RCX, RDI, RDX, RSI, type Code } from './code.ts';
import {
  CODE,
  DATA,
  HANDLERS,
  IF,
  IST_STACK,
  KERNEL_CODE,
  KERNEL_DATA,
  Machine,
  RF,
  STACK,
  TF,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from './machine.ts';

const INTR = 1;
const NMI = 2;

function prepared(build: (code: Code) => void, options: { user?: boolean } = {}): { machine: Machine; code: Code } {
  const machine = new Machine(options);
  return { machine, code: machine.program(build) };
}
function ends(machine: Machine, slice?: number): void {
  assert.equal(machine.run(100_000, slice), L.RUN_HALTED);
}

describe('exceptions', () => {
  const cases: [string, string, number, bigint][] = [
    ['#DE, 32-bit', '31 D2 31 C9 F7 F1', 0, 0n],
    ['#DE, 64-bit overflow', '48 31 C0 BA 02 00 00 00 B9 02 00 00 00 48 F7 F1', 0, 0n],
    ['#UD', '0F 0B', 6, 0n],
    ['#GP on a non-canonical address', '48 BB 00 00 00 00 00 00 01 00 48 8B 03', 13, 0n],
    ['#GP on a selector outside the GDT', 'B8 F8 0F 00 00 8E D8', 13, 0xff8n],
    ['#GP on a reserved CR4 bit', '0F 20 E0 0F BA E8 0E 0F 22 E0', 13, 0n],
    ['#GP on an unknown MSR', 'B9 78 56 34 12 0F 32', 13, 0n],
    ['#NP on a gate that is not present', 'CD 50', 11, 0x282n],
  ];
  for (const [name, bytes, vector, error] of cases) {
    it(name, () => {
      const { machine, code } = prepared((c) => c.raw(bytes));
      machine.write(0x2000 + 0x50 * 16 + 5, Uint8Array.of(0x0e));
      machine.resumeAt(vector, code.place('end'));
      ends(machine);
      assert.deepEqual(
        machine.log.map((entry) => [entry.vector, entry.error]),
        [[vector, error]],
      );
    });
  }
  it('128-bit division, unsigned and signed', () => {
    const { machine } = prepared((c) => {
      c.load(RDX, 5).load(RAX, 7).load(RCX, 0x1_0000_0001n).raw('48 F7 F1 48 89 C3 48 89 D6'); // div rcx
      c.load(RDX, -6n).load(RAX, -7n).load(RCX, 1000).raw('48 F7 F9'); // idiv rcx
    });
    ends(machine);
    const dividend = (5n << 64n) + 7n;
    assert.deepEqual(
      [machine.register(RBX), machine.register(RSI)],
      [dividend / 0x1_0000_0001n, dividend % 0x1_0000_0001n],
    );
    const negative = -((6n << 64n) - BigInt.asUintN(64, -7n));
    assert.deepEqual(
      [machine.register(RAX), machine.register(RDX)],
      [negative / 1000n, negative % 1000n].map((v) => BigInt.asUintN(64, v)),
    );
  });
  it('a fault takes one tick for its delivery and none for its instruction', () => {
    const { machine, code } = prepared((c) => c.raw('90 90 0F 0B'));
    machine.addBreakpoint(machine.handler(6));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.equal(machine.ticks, 3);
    assert.equal(machine.read64(Number(machine.register(4))), code.place('end') - 2n);
  });
  it('an IST stack is used whatever the stack was', () => {
    const { machine } = prepared((c) => c.raw('0F 0B'));
    machine.setGate(6, machine.handler(6), 0, 1);
    machine.resumeAt(6, BigInt(CODE) + 2n);
    machine.addBreakpoint(machine.handler(6));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.equal(machine.register(4), BigInt(IST_STACK) - 40n);
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.equal(machine.log[0]?.rsp, BigInt(STACK));
  });
  it('from CPL 3: RSP0, a null SS, and back', () => {
    const { machine, code } = prepared((c) => c.raw('CD 80').at('B').raw('48 FF C3'), { user: true });
    machine.setGate(0x80, machine.handler(0x80), 3);
    machine.addBreakpoint(machine.handler(0x80));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.deepEqual(
      [
        machine.engine.vcpu().cpl,
        machine.engine.vcpu().cs.selector,
        machine.engine.vcpu().ss.selector,
        machine.register(4),
      ],
      [0, KERNEL_CODE, 0, BigInt(STACK) - 0x1000n - 40n],
    );
    assert.equal(machine.resume(), L.RUN_HALTED);
    const [entry] = machine.log;
    assert.deepEqual(
      [entry?.rip, entry?.cs, entry?.ss, entry?.rsp],
      [code.place('B'), BigInt(USER_CODE), BigInt(USER_DATA), BigInt(USER_STACK)],
    );
    assert.equal(machine.register(RBX), 1n);
  });
  it('a software interrupt through a gate of level 0 from CPL 3', () => {
    const { machine, code } = prepared((c) => c.at('A').raw('CD 41'), { user: true });
    machine.resumeAt(13, code.place('end'));
    ends(machine);
    assert.deepEqual(
      machine.log.map(({ vector, error, rip }) => [vector, error, rip]),
      [[13, 0x20an, code.place('A')]],
    );
  });
  it('interrupt gates clear IF, trap gates keep it; TF, NT and RF go', () => {
    for (const type of [14, 15]) {
      const { machine } = prepared((c) => c.raw('CD 80'));
      machine.setGate(0x80, machine.handler(0x80), 0, 0, KERNEL_CODE, type);
      machine.flags = IF | 0x4000n;
      machine.addBreakpoint(machine.handler(0x80));
      assert.equal(machine.run(), L.RUN_OBSERVED);
      assert.equal(machine.flags & (IF | TF | 0x4000n | RF), type === 15 ? IF : 0n);
    }
  });
  it('a triple fault ends in shutdown and names its vectors', () => {
    const { machine } = prepared((c) => c.raw('0F 0B'));
    machine.engine.vcpu().idtr.limit = 0;
    assert.equal(machine.run(), L.RUN_SHUTDOWN);
    const view = machine.engine.rawView;
    const count = view.getUint32(L.VECTOR_CHAIN, true);
    assert.deepEqual(
      Array.from({ length: count }, (_, i) => view.getUint32(L.VECTOR_CHAIN_ENTRIES + i * 16, true)),
      [6, 13, 8],
    );
    assert.equal(machine.run(), L.RUN_SHUTDOWN, 'and stays there');
  });
  it('a handler that faults on its first fetch for ever cannot hang', () => {
    const { machine } = prepared((c) => c.raw('0F 0B'));
    machine.setGate(6, BigInt(HANDLERS + 0x800));
    machine.setGate(14, 0x7000_0000n, 0, 1);
    machine.mapPage(HANDLERS, 0n);
    assert.equal(machine.run(10_000), L.RUN_SPENT);
  });
});

describe('interrupts', () => {
  const spin = (c: Code): Code => c.raw('FB 90 90 90 90');
  it('STI holds them back for one instruction', () => {
    const { machine, code } = prepared((c) => c.raw('FB').at('A').raw('90').at('B').raw('90'));
    machine.engine.vcpu().events = INTR;
    machine.attend();
    ends(machine);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[0x40, code.place('B')]],
    );
    assert.notEqual((machine.log[0]?.flags ?? 0n) & IF, 0n);
  });
  it('STI; HLT with one pending: HLT has run when the handler starts', () => {
    const { machine, code } = prepared((c) => c.raw('FB F4').at('B'));
    machine.engine.vcpu().events = INTR;
    machine.attend();
    ends(machine);
    assert.equal(machine.log[0]?.rip, code.place('B'));
  });
  it('HLT with IF clear sleeps on, NMI wakes it', () => {
    const { machine, code } = prepared((c) => c.raw('FA F4').at('B').raw('48 FF C3'));
    assert.equal(machine.run(), L.RUN_HALTED);
    machine.engine.vcpu().events = INTR;
    machine.attend();
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 0n);
    machine.engine.vcpu().events = INTR | NMI;
    machine.attend();
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[2, code.place('B')]],
    );
    assert.equal(machine.register(RBX), 1n);
  });
  it('an NMI waits for the IRET of the one before', () => {
    const { machine } = prepared((c) => c.raw('90 90'));
    machine.engine.vcpu().events = NMI;
    machine.attend();
    machine.addBreakpoint(machine.handler(2));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    const stack = machine.register(4); // RSP
    machine.engine.vcpu().events = NMI;
    machine.armToken();
    assert.equal(machine.run(), L.RUN_OBSERVED, 'the second one comes behind IRET');
    assert.equal(machine.register(4), stack, 'and not on top of the first');
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.equal(machine.log.length, 2);
  });
  it('between two iterations of a string instruction RF is pushed', () => {
    const { machine, code } = prepared((c) =>
      c
        .raw('FB')
        .load(RCX, 100)
        .load(RSI, DATA)
        .load(RDI, DATA + 0x1000)
        .at('A')
        .raw('F3 A4'),
    );
    assert.equal(machine.run(20), L.RUN_SPENT);
    machine.engine.vcpu().events = INTR;
    machine.attend();
    ends(machine);
    assert.equal(machine.log[0]?.rip, code.place('A'));
    assert.notEqual((machine.log[0]?.flags ?? 0n) & RF, 0n);
    assert.equal(machine.register(RCX), 0n);
  });
  it('MOV SS holds them back too', () => {
    const { machine, code } = prepared((c) => c.raw('8E D2').at('A').raw('90').at('B'));
    machine.setRegister(RDX, BigInt(KERNEL_DATA));
    machine.flags = IF;
    assert.equal(machine.run(1), L.RUN_SPENT);
    machine.engine.vcpu().events = INTR;
    machine.attend();
    ends(machine);
    assert.equal(machine.log[0]?.rip, code.place('B'));
  });
  it('slices of one tick change nothing', () => {
    const results = [1, 7, 100_000].map((slice) => {
      const { machine } = prepared(spin);
      machine.engine.vcpu().events = INTR;
      machine.attend();
      ends(machine, slice);
      return [machine.ticks, machine.log.map(({ rip }) => rip)];
    });
    assert.deepEqual(results[0], results[2]);
    assert.deepEqual(results[1], results[2]);
  });
});

describe('fast system calls', () => {
  it('SYSCALL and SYSRET', () => {
    const { machine, code } = prepared((c) => c.raw('0F 05').at('B').raw('48 FF C3'), { user: true });
    machine.engine.vcpu().msrLstar = BigInt(CODE + 0x400);
    machine.engine.vcpu().msrSfmask = IF;
    machine.flags |= IF;
    machine.write(CODE + 0x400, Uint8Array.of(0x90, 0x48, 0x0f, 0x07));
    machine.addBreakpoint(BigInt(CODE + 0x400));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.deepEqual(
      [
        machine.engine.vcpu().cpl,
        machine.engine.vcpu().cs.selector,
        machine.engine.vcpu().ss.selector,
        machine.flags & IF,
        machine.register(RCX),
      ],
      [0, KERNEL_CODE, KERNEL_DATA, 0n, code.place('B')],
    );
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 1n);
  });
  it('SYSRET with a non-canonical target faults at CPL 0', () => {
    const { machine, code } = prepared((c) =>
      c
        .load(RCX, 1n << 47n)
        .at('A')
        .raw('48 0F 07'),
    );
    machine.resumeAt(13, code.place('end'));
    ends(machine);
    assert.deepEqual(
      machine.log.map(({ vector, rip, cs }) => [vector, rip, cs]),
      [[13, code.place('A'), BigInt(KERNEL_CODE)]],
    );
  });
  it('SWAPGS and WRMSR reach the same base', () => {
    const { machine } = prepared((c) =>
      c.load(RCX, 0xc0000102).load(RAX, DATA).load(RDX, 0).raw('0F 30 0F 01 F8 65 48 C7 04 25 08 00 00 00 2A 00 00 00'),
    );
    ends(machine);
    assert.equal(machine.read64(DATA + 8), 42n);
  });
});
