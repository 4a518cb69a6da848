// The guest's own debug registers, TF and debug exceptions: guest-debug-spec 6.1, by identifier.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX, RCX, RDX, type Code } from './code.ts';
import {
  AND_CLEARING_TF,
  B0,
  B1,
  B2,
  BD,
  BS,
  CODE,
  DATA,
  I6,
  I7,
  KERNEL_DATA,
  Machine,
  POPF_SETTING_TF,
  RF,
  TF,
  USER_CODE,
  USER_DATA,
} from './machine.ts';

const MOV_SS_DX = '8E D2';
/** Places relative to S with the DR6 that each #DB shows. */
const trapsAt = (code: Code, offsets: number[], dr6 = I6 + BS): [bigint, bigint][] =>
  offsets.map((offset) => [code.place('S') + BigInt(offset), dr6]);

function runs(options: { user: boolean }, build: (code: Code) => void, prepare?: (machine: Machine) => void) {
  const machine = new Machine(options);
  machine.setRegister(RDX, BigInt(options.user ? USER_DATA : KERNEL_DATA));
  prepare?.(machine);
  const code = machine.program(build);
  assert.equal(machine.run(), L.RUN_HALTED, 'the program ends');
  return { machine, code };
}
/** Runs a test at CPL 0 and at CPL 3 with IOPL 3. */
function atBothLevels(name: string, test: (user: boolean) => void): void {
  it(name, () => test(false));
  it(`${name} u`, () => test(true));
}

describe('debug registers as registers', () => {
  it('T-03 DR4 is DR6 while CR4.DE is clear', () => {
    const { machine } = runs({ user: false }, (code) =>
      code
        .raw('31 C0 0F 23 E0')
        .load(RAX, I6 + BS + B1)
        .raw('0F 23 F0 0F 21 E0 48 89 C3'),
    );
    assert.equal(machine.register(RBX), I6 + BS + B1);
    assert.deepEqual(machine.log, []);
  });
  it('T-04 DR4 is undefined while CR4.DE is set', () => {
    const { machine, code } = runs(
      { user: false },
      (c) => c.at('A').raw('0F 21 E0').at('B'),
      (m) => {
        m.engine.vcpu().cr4 |= 8n;
        m.resumeAt(6, BigInt(CODE) + 3n);
      },
    );
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[6, code.place('A')]],
    );
  });
  it('T-1C a zero in DR6 reads back with the fixed ones', () => {
    const { machine } = runs({ user: false }, (code) => code.raw('31 C0 0F 23 F0 0F 21 F0 48 89 C3'));
    assert.equal(machine.register(RBX), I6, 'no bus-lock detection: bit 11 is a fixed one');
  });
  it('a guest that zeroed DR6 sees no bus lock in a #DB: single steps, slots, INT1', () => {
    const { machine, code } = runs(
      { user: false },
      (c) =>
        c.raw('31 C0 0F 23 F0').at('A').raw('9C 81 0C 24 00 01 00 00 9D').at('B').raw('90').at('C').raw('F1').at('D'),
      (m) => m.setFlagsOnReturn(1, 0n),
    );
    assert.ok(machine.debugLog.length >= 2, 'the steps were taken');
    for (const [rip, dr6] of machine.debugLog) {
      assert.equal(
        dr6 & 0xffff_0ff0n,
        I6,
        `DR6 ${dr6.toString(16)} at ${rip.toString(16)}, A at ${code.place('A').toString(16)}`,
      );
    }
  });
  it('T-9C bits 63:32 of DR7 raise #GP and change nothing', () => {
    const { machine } = runs(
      { user: false },
      (code) =>
        code
          .load(RAX, 1n << 32n)
          .raw('0F 23 F8')
          .at('B'),
      (m) => m.resumeAt(13, BigInt(CODE) + 13n),
    );
    assert.deepEqual(
      machine.log.map(({ vector, error }) => [vector, error]),
      [[13, 0n]],
    );
    assert.equal(machine.engine.vcpu().dr7, I7);
  });
  it('T-9D CPL comes before general detect', () => {
    const { machine } = runs(
      { user: true },
      (code) => code.raw('0F 21 C0'),
      (m) => {
        m.setDebug(7, I7 | 0x2000n);
        m.resumeAt(13, BigInt(CODE) + 3n);
      },
    );
    const [first, second] = machine.log;
    assert.deepEqual([first?.vector, first?.error], [13, 0n]);
    assert.deepEqual([second?.vector, second?.dr6], [1, I6 + BD], 'GD was still set when the handler looked at DR6');
  });
});

describe('breakpoint instructions and execution slots', () => {
  it('T-05 INT3 pushes the next address and leaves DR6 alone', () => {
    const { machine, code } = runs({ user: false }, (c) => c.at('A').raw('CC'));
    const [entry] = machine.log;
    assert.deepEqual([entry?.vector, entry?.rip, entry?.dr6], [3, code.place('A') + 1n, I6]);
    assert.equal(machine.log.length, 1);
  });
  for (const [id, before] of [
    ['T-06', I6],
    ['T-07', I6 | BS | B1],
  ] as const) {
    it(`${id} an execution slot faults in front of its instruction`, () => {
      const { machine, code } = runs(
        { user: false },
        (c) => c.raw('90').at('A').raw('90'),
        (m) => {
          m.setGuestSlot(2, BigInt(CODE) + 1n, 0, 1);
          m.setDebug(6, before);
          m.setFlagsOnReturn(1, RF);
        },
      );
      assert.deepEqual(machine.debugLog, [[code.place('A'), I6 | (before & BS) | B2]]);
      assert.equal((machine.log[0]?.flags ?? 0n) & RF, 0n);
    });
  }
  it('T-17 INT1 sets no cause', () => {
    const { machine, code } = runs({ user: false }, (c) => c.at('A').raw('F1'));
    assert.deepEqual(machine.debugLog, [[code.place('A') + 1n, I6]]);
  });
  for (const profile of ['intel', 'amd'] as const) {
    it(`T-1B execution slot behind MOV SS, ${profile}`, () => {
      const machine = new Machine({ profile });
      machine.setRegister(RDX, BigInt(KERNEL_DATA));
      const code = machine.program((c) => c.raw(MOV_SS_DX).at('A').raw('48 FF C3'));
      machine.setGuestSlot(0, code.place('A'), 0, 1);
      machine.setFlagsOnReturn(1, RF);
      assert.equal(machine.run(), L.RUN_HALTED);
      assert.equal(machine.debugLog.length, profile === 'intel' ? 0 : 1);
      assert.equal(machine.register(RBX), 1n);
    });
  }
  it('T-9B a type X slot with a length never matches and is reported', () => {
    const { machine } = runs(
      { user: false },
      (c) => c.raw('90 90'),
      (m) => m.setGuestSlot(0, BigInt(CODE), 0, 4),
    );
    assert.deepEqual(machine.log, []);
    assert.equal(machine.messages[0]?.code, L.LOG_DEBUG_REGISTER);
  });
});

describe('single step by TF', () => {
  atBothLevels('T-08 from POPF to POPF', (user) => {
    const { machine, code } = runs({ user }, (c) => c.raw(POPF_SETTING_TF, AND_CLEARING_TF).at('S').raw('50 9D'));
    assert.deepEqual(machine.debugLog, trapsAt(code, [0, 1, 2]));
  });
  atBothLevels('T-09 instructions that other emulators take out of line', (user) => {
    const { machine, code } = runs({ user }, (c) =>
      c.raw(POPF_SETTING_TF, AND_CLEARING_TF).at('S').raw('50 48 31 C0 0F A2 B8 01 00 00 00 EC 9D'),
    );
    assert.deepEqual(machine.debugLog, trapsAt(code, [0, 1, 4, 6, 11, 12, 13]));
  });
  atBothLevels('T-10 STI does not hold a trap back', (user) => {
    const { machine, code } = runs({ user }, (c) =>
      c.raw('FA', POPF_SETTING_TF, 'FB').at('S').raw(AND_CLEARING_TF, '50 9D'),
    );
    assert.deepEqual(machine.debugLog, trapsAt(code, [0, 6, 7, 8]));
  });
  atBothLevels('T-11 the trap behind MOV SS is dropped', (user) => {
    const { machine, code } = runs({ user }, (c) =>
      c.raw(POPF_SETTING_TF, MOV_SS_DX, AND_CLEARING_TF).at('S').raw('50 9D'),
    );
    assert.deepEqual(machine.debugLog, trapsAt(code, [0, 1, 2]));
  });
  atBothLevels('T-12 INT1 behind MOV SS', (user) => {
    const { machine, code } = runs({ user }, (c) =>
      c.raw(POPF_SETTING_TF, MOV_SS_DX, 'F1').at('S').raw('F1', AND_CLEARING_TF, '50 9D'),
    );
    assert.deepEqual(machine.debugLog, [...trapsAt(code, [0, 1], I6), ...trapsAt(code, [7, 8, 9])]);
  });
  it('T-13 general detect behind MOV SS', () => {
    const { machine, code } = runs({ user: false }, (c) =>
      c
        .raw('B9 F0 0F FF FF B8 00 24 00 00 0F 23 F8', POPF_SETTING_TF, MOV_SS_DX)
        .at('S')
        .raw('0F 23 F1', AND_CLEARING_TF, '50 9D'),
    );
    assert.deepEqual(machine.debugLog, [...trapsAt(code, [0], I6 + BD), ...trapsAt(code, [3, 9, 10, 11])]);
    assert.equal(machine.log[0]?.dr7, I7);
  });
  it('T-14 a trap wakes HLT', () => {
    const { machine, code } = runs({ user: false }, (c) =>
      c.raw('FA', POPF_SETTING_TF, 'FB').at('S').raw('F4', AND_CLEARING_TF, '50 9D'),
    );
    assert.deepEqual(machine.debugLog, trapsAt(code, [0, 1, 7, 8, 9]));
  });
  it('T-1D SYSRET that loads TF traps at its target', () => {
    const machine = new Machine({ user: true });
    const code = machine.program((c) => c.raw('0F 05').at('back').raw('90'));
    const kernel = CODE + 0x800;
    machine.write(kernel, Uint8Array.of(0x49, 0x81, 0xcb, 0, 1, 0, 0, 0x48, 0x0f, 0x07)); // or r11, TF; sysretq
    machine.engine.vcpu().msrLstar = BigInt(kernel);
    machine.engine.vcpu().msrSfmask = TF;
    machine.flags |= TF;
    machine.setFlagsOnReturn(1, 0n);
    machine.run(200);
    const [first] = machine.log;
    assert.deepEqual(
      [first?.vector, first?.rip, first?.cs, first?.dr6],
      [1, code.place('back'), BigInt(USER_CODE), I6 + BS],
    );
  });
  it('branch trap: BTF traps only behind a taken transfer and is cleared', () => {
    const { machine, code } = runs({ user: false }, (c) => {
      c.load(RCX, 0x1d9).load(RAX, 2).load(RDX, 0).raw('0F 30', POPF_SETTING_TF, '31 C9 48 FF C1');
      c.relative('74', 'no', 1)
        .relative('EB', 'there', 1)
        .at('no')
        .raw('90')
        .at('there')
        .raw('9C 58', AND_CLEARING_TF, '50 9D');
    });
    const there = code.place('there');
    assert.equal(machine.debugLog[0]?.[0], there);
    assert.deepEqual(
      machine.debugLog.slice(1, 3).map(([rip]) => rip),
      [there + 1n, there + 2n],
      'BTF is gone, TF is not',
    );
    assert.equal(machine.engine.vcpu().msrDebugctl, 0n);
  });
});

describe('data slots', () => {
  const store8 = (c: Code): Code => c.load(RBX, DATA).at('A').raw('48 89 03'); // mov [rbx], rax
  for (const [id, before, cause] of [
    ['T-15', I6 | BS, BS | B1],
    ['T-16', I6, B1],
  ] as const) {
    it(`${id} a store reports behind itself; a disabled-in-effect slot does not`, () => {
      const { machine, code } = runs(
        { user: false },
        (c) => store8(c).at('B'),
        (m) => {
          m.setDebug(1, BigInt(DATA));
          m.setDebug(7, 0x00d0040an);
          m.setDebug(6, before);
        },
      );
      assert.deepEqual(machine.debugLog, [[code.place('B'), I6 | cause]]);
    });
  }
  const withSlotOn =
    (value: bigint) =>
    (m: Machine): void => {
      m.write64(DATA, value);
      m.setGuestSlot(1, BigInt(DATA), 3, 4);
    };
  const movSsFromData = '8E 13'; // mov ss, [rbx]
  it('T-18 pending data joins the #DB of INT1', () => {
    const { machine, code } = runs(
      { user: false },
      (c) => c.load(RBX, DATA).raw(movSsFromData, '2E 2E F1').at('B'),
      withSlotOn(BigInt(KERNEL_DATA)),
    );
    assert.deepEqual(machine.debugLog, [[code.place('B'), I6 + B1]]);
  });
  it('T-19 pending data comes at the first instruction of an INT 1 handler', () => {
    const { machine, code } = runs(
      { user: false },
      (c) => c.load(RBX, DATA).raw(movSsFromData, 'CD 01').at('B'),
      withSlotOn(BigInt(KERNEL_DATA)),
    );
    assert.deepEqual(machine.debugLog, [
      [machine.handler(1), I6 + B1],
      [code.place('B'), I6],
    ]);
  });
  it('T-1A pending data behind MOV SS and a long INT3', () => {
    const { machine, code } = runs(
      { user: false },
      (c) => c.load(RBX, DATA).raw(movSsFromData, '2E'.repeat(11), 'CC').at('B'),
      withSlotOn(BigInt(KERNEL_DATA)),
    );
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [
        [1, machine.handler(3)],
        [3, code.place('B')],
      ],
    );
  });
  for (const [id, next] of [
    ['T-1E', '90'],
    ['T-1F', '0F 09'],
  ] as const) {
    it(`${id} one #DB with data and step causes behind the shadow`, () => {
      const { machine, code } = runs(
        { user: false },
        (c) => c.load(RBX, DATA).raw(POPF_SETTING_TF, movSsFromData, next).at('B').raw(AND_CLEARING_TF, '50 9D'),
        (m) => {
          m.write64(DATA, BigInt(KERNEL_DATA));
          m.setGuestSlot(0, BigInt(DATA), 3, 4);
        },
      );
      const B = code.place('B');
      assert.deepEqual(machine.debugLog, [
        [B, I6 + BS + B0],
        ...[6n, 7n, 8n].map((offset) => [B + offset, I6 + BS]), // the code that clears TF
      ]);
    });
  }
  it('T-01 T-02 a locked exchange across a cache line needs no alignment', () => {
    for (const user of [false, true]) {
      const { machine } = runs({ user }, (c) =>
        c
          .load(RBX, DATA + 0x3e)
          .load(RAX, 0)
          .load(RCX, 0x1234)
          .raw('F0 48 0F B1 0B'),
      );
      assert.deepEqual(machine.log, []);
      assert.equal(machine.read64(DATA + 0x3e), 0x1234n);
    }
  });
});
