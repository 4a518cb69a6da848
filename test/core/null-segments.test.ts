// Null selectors in ES, DS, FS and GS, and what becomes of the bases behind them (SDM 3A 5.8.6; AMD APM 2 4.5.3): a load of a null
// selector clears the base on Intel and keeps it on AMD; a return to an outer level is no load, and keeps it on both.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Code, RAX, RCX } from './code.ts';
import {
  CODE,
  GDT,
  KERNEL_DATA,
  Machine,
  USER_CODE,
  USER_CODE32,
  USER_DATA,
  USER_STACK,
  KERNEL_CODE,
} from './machine.ts';
import {
  addTask,
  gate32,
  jumpToTask,
  protectedMode,
  SECOND_CODE,
  SECOND_TASK,
  SECOND_TSS,
} from './protected-machine.ts';

type Profile = 'intel' | 'amd';
const PROFILES = ['intel', 'amd'] as const;
const USER = CODE + 0x800;
const REGISTERS = { ES: L.ES, DS: L.DS, FS: L.FS, GS: L.GS } as const;
type Name = keyof typeof REGISTERS;
const NAMES: readonly Name[] = ['ES', 'DS', 'FS', 'GS'];
const UNUSABLE = 0x10000;
const BASE = 0x1234_5000n;
/** Data segments of each level, with a base; code, readable and conforming, which may stay. */
const INNER = { selector: KERNEL_DATA, attributes: 0xc093 };
const OUTER = { selector: USER_DATA, attributes: 0xc0f3 };
const CONFORMING = { selector: 0x50, attributes: 0xc09f };
const NULL = { selector: 3, attributes: UNUSABLE };

interface Segment {
  readonly selector: number;
  readonly base: bigint;
  readonly usable: boolean;
}
function segment(machine: Machine, name: Name): Segment {
  const { selector, base, attributes } = machine.engine
    .vcpu()
    .segments((REGISTERS[name] - L.SEGMENTS) / L.SEGMENT_SIZE);
  return { selector, base, usable: (attributes & UNUSABLE) === 0 };
}
function load(machine: Machine, all: { selector: number; attributes: number }): void {
  for (const name of NAMES) machine.setSegment(REGISTERS[name], all.selector, BASE, 0xffffffff, all.attributes);
  machine.engine.system.updateMode();
}

/** Ways to ring 3; each answers a machine that has just got there. */
const RETURNS: Readonly<Record<string, (profile: Profile, prepare: (machine: Machine) => void) => Machine>> = {
  'IRET from 64-bit code': (profile, prepare) =>
    toUser(new Machine({ profile }), prepare, (c) => {
      for (const value of [USER_DATA, USER_STACK, 2, USER_CODE, USER]) c.load(RAX, value).raw('50');
      c.raw('48 CF');
    }),
  'IRET to compatibility mode': (profile, prepare) =>
    toUser(new Machine({ profile }), prepare, (c) => {
      for (const value of [USER_DATA, USER_STACK, 2, USER_CODE32, USER]) c.load(RAX, value).raw('50');
      c.raw('48 CF');
    }),
  'RETF from 64-bit code': (profile, prepare) =>
    toUser(new Machine({ profile }), prepare, (c) => {
      for (const value of [USER_DATA, USER_STACK, USER_CODE, USER]) c.load(RAX, value).raw('50');
      c.raw('48 CB');
    }),
  'IRET from 32-bit code': (profile, prepare) =>
    toUser(protectedMode(profile), prepare, (c) => {
      for (const value of [USER_DATA, USER_STACK, 2, USER_CODE32, USER]) c.raw('68').value(value, 4);
      c.raw('CF');
    }),
  'RETF from 32-bit code': (profile, prepare) =>
    toUser(protectedMode(profile), prepare, (c) => {
      for (const value of [USER_DATA, USER_STACK, USER_CODE32, USER]) c.raw('68').value(value, 4);
      c.raw('CB');
    }),
};
/** Runs a program up to the first instruction of ring 3. */
function toUser(machine: Machine, prepare: (machine: Machine) => void, build: (c: Code) => void): Machine {
  const code = new Code(CODE);
  build(code);
  machine.write(CODE, code.finish());
  machine.write(USER, Uint8Array.of(0x90, 0x90));
  prepare(machine);
  for (let i = 0; machine.engine.vcpu().cpl !== 3; i++) {
    assert.ok(i < 50, 'it gets to ring 3');
    machine.run(1);
  }
  assert.equal(machine.rip, BigInt(USER));
  return machine;
}

describe('a return to an outer level', () => {
  for (const [way, run] of Object.entries(RETURNS)) {
    for (const profile of PROFILES) {
      const kinds: [string, typeof INNER, Omit<Segment, 'base'>][] = [
        ['inner data: the selector becomes 0', INNER, { selector: 0, usable: false }],
        ['a null selector loses its RPL', NULL, { selector: 0, usable: false }],
        ['outer data stays', OUTER, { selector: USER_DATA, usable: true }],
        ['conforming code stays', CONFORMING, { selector: 0x50, usable: true }],
      ];
      for (const [what, loaded, expected] of kinds) {
        it(`${way}, ${profile}: ${what}, and the bases are kept`, () => {
          const machine = run(profile, (m) => load(m, loaded));
          for (const name of NAMES) assert.deepEqual(segment(machine, name), { ...expected, base: BASE }, name);
        });
      }
    }
  }
  for (const [name, bytes] of [
    ['SYSRET', '48 0F 07'],
    ['SYSEXIT', '48 0F 35'],
  ] as const) {
    it(`${name} looks at no data segment`, () => {
      const machine = toUser(
        new Machine({ profile: 'intel' }),
        (m) => {
          load(m, INNER);
          m.engine.vcpu().msrSysenterCs = BigInt(KERNEL_CODE);
        },
        (c) =>
          c
            .load(RCX, name === 'SYSRET' ? USER : USER_STACK)
            .load(2, USER)
            .raw('49 C7 C3 02 00 00 00', bytes),
      );
      for (const register of NAMES) {
        assert.deepEqual(segment(machine, register), { selector: KERNEL_DATA, base: BASE, usable: true }, register);
      }
    });
  }
});

describe('a load of a null selector', () => {
  /** Instructions that load selector 0 or 3 into FS or GS; RSI points at what LFS and LGS load. */
  const LOADS: readonly [string, 'FS' | 'GS', string][] = [
    ['MOV FS, AX', 'FS', '8E E0'],
    ['MOV GS, AX', 'GS', '8E E8'],
    ['POP FS', 'FS', '50 0F A1'],
    ['POP GS', 'GS', '50 0F A9'],
    ['LFS', 'FS', '0F B4 1E'],
    ['LGS', 'GS', '0F B5 1E'],
  ];
  for (const profile of PROFILES) {
    for (const [name, register, bytes] of LOADS) {
      it(`${name}, ${profile}: the base is ${profile === 'intel' ? 'cleared' : 'kept'}`, () => {
        for (const selector of [0, 3]) {
          const machine = new Machine({ profile });
          load(machine, OUTER);
          machine.write64(0x40000, BigInt(selector) << 32n); // m16:32
          machine.program((c) => c.load(RAX, selector).load(6, 0x40000).raw(bytes));
          assert.equal(machine.run(), L.RUN_HALTED);
          const base = profile === 'intel' ? 0n : BASE;
          assert.deepEqual(segment(machine, register), { selector, base, usable: false });
        }
      });
    }
    it(`a task switch, ${profile}: the base is ${profile === 'intel' ? 'cleared' : 'kept'}`, () => {
      const machine = protectedMode(profile);
      addTask(machine, 2, false);
      for (const at of [0x58, 0x5c]) machine.write(SECOND_TSS + at, Uint8Array.of(0, 0)); // FS, GS
      load(machine, OUTER);
      gate32(machine, 13, SECOND_CODE, 0);
      machine.write(CODE, new Code(CODE).raw(jumpToTask(SECOND_TASK)).finish());
      machine.write(SECOND_CODE, Uint8Array.of(0xf4));
      machine.write64(GDT + 0x50, 0n);
      assert.equal(machine.run(), L.RUN_HALTED);
      const base = profile === 'intel' ? 0n : BASE;
      for (const name of ['FS', 'GS'] as const)
        assert.deepEqual(segment(machine, name), { selector: 0, base, usable: false }, name);
      assert.equal(segment(machine, 'DS').base, 0n, "a segment with a descriptor has that one's base");
    });
  }
});
