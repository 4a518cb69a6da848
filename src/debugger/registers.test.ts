import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  describeFlags,
  linearPc,
  readFlags,
  readRegister,
  registerNamed,
  registerNames,
  registersOf,
  writeRegister,
} from './registers.ts';
import { FakeTarget } from '../../test/debugger/fake-target.ts';

describe('registers', () => {
  it('have the DWARF numbers of the AMD64 supplement', () => {
    const numbers = ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r15', 'rip'].map(
      (name) => registerNamed(name)?.number,
    );
    assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16]);
  });
  it('are written and read back whole', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...registersOf('general'), ...registersOf('control'), ...registersOf('vector')),
        fc.bigInt(0n, (1n << 128n) - 1n),
        (register, value) => {
          const { slots } = new FakeTarget();
          assert.ok(writeRegister(slots, 0, register.number, value));
          assert.equal(readRegister(slots, 0, register.number), BigInt.asUintN(register.bits, value));
        },
      ),
    );
  });
  it('have parts with their place', () => {
    assert.deepEqual([registerNamed('ah')?.bits, registerNamed('ah')?.bitOffset], [8, 8]);
    assert.deepEqual([registerNamed('r9d')?.bits, registerNamed('r9d')?.bitOffset], [32, 0]);
    assert.equal(registerNamed('sp')?.bits, 64);
    assert.equal(registerNamed('nothing'), undefined);
    assert.ok(registerNames().includes('cr3'));
  });
  it('put RFLAGS together from the plain flag values', () => {
    const { slots } = new FakeTarget();
    slots.vcpu(0).rflags = 0x202n;
    slots.vcpu(0).fZero = 0n;
    slots.vcpu(0).fSign = BigInt.asUintN(64, -1n);
    slots.vcpu(0).fCf = 1;
    // OF = F_LT ^ SF
    slots.vcpu(0).fLt = 1;
    assert.equal(readFlags(slots, 0), 0x202n | 1n | 4n | 64n | 128n);
    assert.equal(describeFlags(readFlags(slots, 0)), '[ CF PF ZF SF IF ]');
    slots.vcpu(0).fSign = 1n;
    assert.equal(readFlags(slots, 0) & 2048n, 2048n);
  });
  it('give the linear pc by mode', () => {
    const { slots } = new FakeTarget();
    slots.vcpu(0).rip = 0xffffffff81000000n;
    assert.equal(linearPc(slots, 0), 0xffffffff81000000n);
    slots.vcpu(0).efer = 0n;
    slots.vcpu(0).rip = 0xfff0n;
    slots.vcpu(0).cs.base = 0xffff0000n;
    assert.equal(linearPc(slots, 0), 0xfffffff0n);
  });
});
