// What a processor that never speculates says about speculation: kernels choose their page tables and calls by it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RCX, RDX } from './code.ts';
import { Machine } from './machine.ts';

const GP = 13;
const CPUID = '0F A2';
const RDMSR = '0F 32';
const WRMSR = '0F 30';
const SPEC_CTRL = 0x48;
const PRED_CMD = 0x49;
const ARCH_CAPABILITIES = 0x10a;

/** Runs an opcode with EAX and ECX given. */
function execute(opcode: string, eax: number, ecx: number, profile: 'intel' | 'amd' = 'intel'): Machine {
  const machine = new Machine({ profile });
  machine.resumeAt(GP, machine.program((code) => code.raw(opcode)).place('end'));
  machine.setRegister(RAX, BigInt(eax));
  machine.setRegister(RCX, BigInt(ecx));
  machine.setRegister(RDX, 0n);
  assert.equal(machine.run(), L.RUN_HALTED);
  return machine;
}
const vectors = (machine: Machine): number[] => machine.log.map(({ vector }) => vector);
const pair = (machine: Machine): bigint => (machine.register(RDX) << 32n) | machine.register(RAX);

describe('speculation', () => {
  it('IA32_ARCH_CAPABILITIES: none of the known weaknesses, enhanced IBRS; it is read-only', () => {
    assert.equal(pair(execute(RDMSR, 0, ARCH_CAPABILITIES)), 0x4000_0000_0d10_e17bn);
    assert.deepEqual(vectors(execute(WRMSR, 0, ARCH_CAPABILITIES)), [GP]);
    assert.deepEqual(vectors(execute(RDMSR, 0, ARCH_CAPABILITIES, 'amd')), [GP]);
  });
  it('leaf 7 enumerates the controls, on the Intel profile alone', () => {
    const leaf = execute(CPUID, 7, 0);
    assert.deepEqual([leaf.register(RDX), leaf.register(RAX)], [0x2400_0000n, 2n]);
    assert.equal(execute(CPUID, 7, 2).register(RDX), 0x30n);
    assert.equal(execute(CPUID, 7, 1).register(RDX), 0n);
    assert.equal(execute(CPUID, 7, 0, 'amd').register(RDX), 0n);
  });
  it('IA32_SPEC_CTRL keeps its bits, refuses others, and is clear after power-on', () => {
    const machine = execute(`${WRMSR} 31 C0 ${RDMSR}`, 0x401, SPEC_CTRL);
    assert.equal(pair(machine), 0x401n);
    assert.deepEqual(vectors(execute(WRMSR, 0x10, SPEC_CTRL)), [GP]);
    machine.engine.system.reset(1);
    assert.equal(machine.engine.get64(L.MSR_SPEC_CTRL), 0n);
  });
  it('IA32_PRED_CMD is write-only and has one bit', () => {
    assert.deepEqual(vectors(execute(WRMSR, 1, PRED_CMD)), []);
    assert.deepEqual(vectors(execute(WRMSR, 2, PRED_CMD)), [GP]);
    assert.deepEqual(vectors(execute(RDMSR, 0, PRED_CMD)), [GP]);
  });
});
