// RDRAND and RDSEED: a run that is repeated sees the same numbers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Engine } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { emptyHost } from '../oracle/engine-host.ts';
import { engineModules } from '../oracle/engine-decoder.ts';
import { Machine } from './machine.ts';
import { execute, UD } from './single-step.ts';

const RDRAND64 = '48 0F C7 F0'; // rax
const RDSEED64 = '48 0F C7 F8';
const ARITHMETIC = 0x8d5n;
const CF = 1n;

const numbers = (machine: Machine, count: number): bigint[] =>
  Array.from({ length: count }, () => {
    assert.equal(execute(machine, RDRAND64), undefined);
    return machine.register(0);
  });

describe('the random source', () => {
  it('is SplitMix64', () => {
    const machine = new Machine();
    machine.engine.vcpu().random = 0n;
    // the first numbers of the reference implementation with seed 0
    assert.deepEqual(numbers(machine, 3), [0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn]);
  });
  it('repeats after a reset and differs between vCPUs and between seeds', () => {
    const machine = new Machine();
    const first = numbers(machine, 4);
    assert.deepEqual(numbers(new Machine(), 4), first);
    machine.engine.system.reset(1);
    assert.equal(machine.engine.vcpu().random, new Machine().engine.vcpu().random);
    const start = (randomSeed: bigint, vcpu: number): bigint => {
      const options = { modules: engineModules, host: emptyHost, vcpus: 2, memorySize: 1 << 20, arenaSize: 1 << 20 };
      return new Engine({ ...options, randomSeed }).vcpu(vcpu).random;
    };
    const starts = [start(1n, 0), start(1n, 1), start(2n, 0), start(2n, 1)];
    assert.equal(new Set(starts).size, starts.length);
    assert.equal(start(1n, 1), start(1n, 1));
  });
  it('is guest state: what is saved and restored goes on with the same numbers', () => {
    const machine = new Machine();
    numbers(machine, 3);
    const saved = machine.engine.raw.slice(L.STATE, L.STATE_GUEST_END);
    const next = numbers(machine, 2);
    machine.engine.raw.set(saved, L.STATE);
    assert.deepEqual(numbers(machine, 2), next);
  });
  it('sets CF and clears the other flags; 16 bits leave the rest of the register, 32 bits clear it', () => {
    const machine = new Machine();
    machine.flags = ARITHMETIC & ~CF;
    machine.setRegister(0, 0x1111_2222_3333_4444n);
    assert.equal(execute(machine, '66 0F C7 F0'), undefined);
    assert.equal(machine.flags & ARITHMETIC, CF);
    assert.equal(machine.register(0) >> 16n, 0x1111_2222_3333n);
    assert.equal(execute(machine, '0F C7 F0'), undefined);
    assert.equal(machine.register(0) >> 32n, 0n);
  });
  it('RDSEED draws from it too; memory forms and F2 are #UD', () => {
    const machine = new Machine();
    const before = machine.engine.vcpu().random;
    assert.equal(execute(machine, RDSEED64), undefined);
    assert.notEqual(machine.engine.vcpu().random, before);
    for (const code of ['0F C7 30', '0F C7 38', 'F2 0F C7 F0', 'F3 0F C7 F0', 'F0 0F C7 F0'])
      assert.equal(execute(machine, code), UD, code);
  });
});
