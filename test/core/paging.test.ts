// Paging as instructions see it: permissions, error codes, A and D bits, page crossing (SDM 3A 4.6, 4.7, 4.8).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX, type Code } from './code.ts';
import { CODE, DATA, Machine, PAGE_TABLE } from './machine.ts';

const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const NO_EXECUTE = 1n << 63n;
const page = BigInt(DATA);
const pte = (machine: Machine, linear: number): bigint => machine.read64(PAGE_TABLE + (linear >> 12) * 8);

/** Runs a program whose page fault goes to its end; answers error code, CR2 and the machine. */
function faultOf(build: (code: Code) => void, prepare: (machine: Machine) => void, user = false) {
  const machine = new Machine({ user });
  const code = machine.program(build);
  machine.resumeAt(14, code.place('end'));
  prepare(machine);
  assert.equal(machine.run(), L.RUN_HALTED);
  const [entry] = machine.log;
  return { machine, error: entry?.error, cr2: entry?.cr2, vector: entry?.vector, rip: entry?.rip, code };
}
const read = (c: Code): Code => c.load(RBX, DATA).at('A').raw('48 8B 03');
const write = (c: Code): Code => c.load(RBX, DATA).at('A').raw('48 89 03');

describe('permissions', () => {
  const cases: [string, (c: Code) => Code, bigint, boolean, bigint | undefined][] = [
    ['read of a missing page', read, 0n, false, 0n],
    ['write to a missing page', write, 0n, false, 2n],
    ['user read of a supervisor page', read, page | PRESENT | WRITABLE, true, 5n],
    ['user write to a read-only page', write, page | PRESENT | USER, true, 7n],
    ['supervisor write to a read-only page, WP set', write, page | PRESENT | USER, false, 3n],
    ['supervisor read of a supervisor page', read, page | PRESENT, false, undefined],
    ['a reserved address bit', read, page | PRESENT | (1n << 45n), false, 9n],
  ];
  for (const [name, program, entry, user, error] of cases) {
    it(name, () => {
      const result = faultOf(program, (m) => m.mapPage(DATA, entry), user);
      assert.equal(result.error, error);
      if (error !== undefined) assert.deepEqual([result.cr2, result.rip], [page, result.code.place('A')]);
    });
  }
  it('supervisor write to a read-only page, WP clear', () => {
    const { error } = faultOf(write, (m) => {
      m.mapPage(DATA, page | PRESENT);
      m.engine.vcpu().cr0 &= ~0x10000n;
    });
    assert.equal(error, undefined);
  });
  it('fetch from a no-execute page', () => {
    for (const user of [false, true]) {
      const { error, cr2 } = faultOf(
        (c) => c.load(RAX, DATA).raw('FF E0'),
        (m) => m.mapPage(DATA, page | 7n | NO_EXECUTE),
        user,
      );
      assert.deepEqual([error, cr2], [user ? 0x15n : 0x11n, page]);
    }
  });
  it('SMEP and SMAP', () => {
    const smep = faultOf(
      (c) => c.load(RAX, DATA).raw('FF E0'),
      (m) => {
        for (const linear of [CODE, 0x20000, 0x21000, 0x40000]) m.mapPage(linear, BigInt(linear) | 3n);
        m.mapPage(DATA, page | 7n);
        m.mapPage(0x21000, 0x21003n);
        m.engine.vcpu().cr4 |= 1n << 20n;
      },
    );
    assert.deepEqual([smep.error, smep.cr2], [0x11n, page]);
    const kernelPages = (m: Machine): void => {
      for (let linear = 0; linear < 0x100000; linear += 0x1000)
        if (linear !== DATA) m.mapPage(linear, BigInt(linear) | 3n);
      m.engine.vcpu().cr4 |= 1n << 21n;
      m.engine.system.updateMode();
    };
    assert.equal(faultOf(read, kernelPages).error, 1n);
    assert.equal(
      faultOf((c) => c.raw('0F 01 CB').load(RBX, DATA).raw('48 8B 03 0F 01 CA'), kernelPages).error,
      undefined,
    );
  });
});

describe('walks', () => {
  it('set A on reads and A, D on writes', () => {
    const reads = faultOf(read, () => undefined).machine;
    assert.equal(pte(reads, DATA) & (ACCESSED | DIRTY), ACCESSED);
    const writes = faultOf(write, () => undefined).machine;
    assert.equal(pte(writes, DATA) & (ACCESSED | DIRTY), ACCESSED | DIRTY);
  });
  it('a read first, then a write: D is set by the write', () => {
    const { machine } = faultOf(
      (c) => c.load(RBX, DATA).raw('48 8B 03 48 89 03'),
      () => undefined,
    );
    assert.notEqual(pte(machine, DATA) & DIRTY, 0n);
  });
  it('a stale translation is used until INVLPG', () => {
    const target = page + 0x1000n;
    const { machine } = faultOf(
      (c) => {
        c.load(RBX, DATA)
          .raw('48 8B 03')
          .load(RAX, target | 7n)
          .raw('48 A3')
          .value(PAGE_TABLE + (DATA >> 12) * 8, 8);
        c.raw('48 8B 0B 0F 01 3B 48 8B 13');
      },
      (m) => {
        m.write64(DATA, 1n);
        m.write64(DATA + 0x1000, 2n);
      },
    );
    assert.deepEqual([machine.register(1), machine.register(2)], [1n, 2n]);
  });
  it('a store over a missing second page writes nothing', () => {
    const { machine, error, cr2 } = faultOf(
      (c) =>
        c
          .load(RBX, DATA + 0xffc)
          .load(RAX, -1n)
          .raw('48 89 03'),
      (m) => m.mapPage(DATA + 0x1000, 0n),
    );
    assert.deepEqual([error, cr2, machine.read64(DATA + 0xff8)], [2n, page + 0x1000n, 0n]);
  });
  it('an instruction over a page end, its second page missing', () => {
    const machine = new Machine();
    const at = DATA + 0xffe;
    machine.write(at, Uint8Array.of(0x48, 0xb8)); // mov rax, imm64
    machine.write64(DATA + 0x1000, 0x1234n);
    machine.write(DATA + 0x1008, Uint8Array.of(0xcd, 0x81));
    machine.mapPage(DATA + 0x1000, 0n);
    machine.rip = BigInt(at);
    machine.addBreakpoint(machine.handler(14));
    assert.equal(machine.run(), L.RUN_OBSERVED);
    assert.equal(machine.engine.vcpu().cr2, page + 0x1000n);
    machine.mapPage(DATA + 0x1000, (page + 0x1000n) | 7n);
    assert.equal(machine.resume(), L.RUN_HALTED);
    assert.deepEqual([machine.register(RAX), machine.log[0]?.rip], [0x1234n, BigInt(at)]);
  });
  it('a large page', () => {
    const { machine } = faultOf(
      (c) => c.load(RBX, 0x2fffff).raw('C6 03 07'),
      () => undefined,
    );
    assert.equal(machine.read8(0x2fffff), 7);
    assert.equal(machine.read64(0x12008) & (ACCESSED | DIRTY), ACCESSED | DIRTY);
  });
});
