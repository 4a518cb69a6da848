// SIMD floating-point exceptions and what comes before them (SDM 1 11.5, 3A 6.15 "Interrupt 19", 14.1).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RCX } from './code.ts';
import { CODE, DATA, Machine } from './machine.ts';

const [UD, NM, PF, XM] = [6, 7, 14, 19];
const MASKED = 0x1f80;
const ZERO_DIVIDE = 4;
const INEXACT = 0x20;
const DIVSD = 'F2 0F 5E C1'; // divsd xmm0, xmm1
const ONE = 0x3ff0000000000000n;
const THREE = 0x4008000000000000n;

function divide(divisor: bigint, mxcsr: number, change: (machine: Machine) => void = () => undefined): Machine {
  const machine = new Machine();
  const code = machine.program((c) => c.raw(DIVSD));
  const { engine } = machine;
  engine.vcpu().xmm(0).low = ONE;
  engine.vcpu().xmm(1).low = divisor;
  engine.vcpu().mxcsr = mxcsr;
  for (const vector of [UD, NM, XM]) machine.resumeAt(vector, code.place('end'));
  change(machine);
  assert.equal(machine.run(), L.RUN_HALTED);
  return machine;
}
const vectors = (machine: Machine): [number, bigint][] => machine.log.map(({ vector, rip }) => [vector, rip]);

describe('SIMD floating-point exceptions', () => {
  it('masked: the default result, and the flag stays', () => {
    const machine = divide(0n, MASKED);
    assert.deepEqual(vectors(machine), []);
    assert.equal(machine.engine.vcpu().xmm(0).low, 0x7ff0000000000000n);
    assert.equal(machine.engine.vcpu().mxcsr, MASKED | ZERO_DIVIDE);
  });
  it('not masked: #XM at the instruction, the flag is set and the destination is not written', () => {
    const machine = divide(0n, MASKED & ~(ZERO_DIVIDE << 7));
    assert.deepEqual(vectors(machine), [[XM, BigInt(CODE)]]);
    assert.equal(machine.engine.vcpu().xmm(0).low, ONE);
    assert.equal(machine.engine.vcpu().mxcsr, (MASKED & ~(ZERO_DIVIDE << 7)) | ZERO_DIVIDE);
  });
  it('not masked, CR4.OSXMMEXCPT clear: #UD in its place', () => {
    const machine = divide(0n, MASKED & ~(ZERO_DIVIDE << 7), ({ engine }) => (engine.vcpu().cr4 = 0x2a0n));
    assert.deepEqual(vectors(machine), [[UD, BigInt(CODE)]]);
    assert.equal(machine.engine.vcpu().mxcsr & 0x3f, ZERO_DIVIDE);
  });
  it('a flag that was set before raises nothing by itself', () => {
    const machine = divide(ONE, (MASKED & ~(ZERO_DIVIDE << 7)) | ZERO_DIVIDE);
    assert.deepEqual(vectors(machine), []);
    assert.equal(machine.engine.vcpu().xmm(0).low, ONE);
  });
  it('inexactness not masked: an exact quotient passes, another one does not', () => {
    const control = (MASKED & ~(INEXACT << 7)) | INEXACT;
    assert.deepEqual(vectors(divide(ONE, control)), []);
    assert.deepEqual(vectors(divide(THREE, control)), [[XM, BigInt(CODE)]]);
  });
  it('the same instruction succeeds when the handler has masked the exception', () => {
    const machine = new Machine();
    machine.program((c) => c.raw(DIVSD));
    const { engine } = machine;
    engine.vcpu().xmm(0).low = ONE;
    engine.vcpu().mxcsr = MASKED & ~(ZERO_DIVIDE << 7);
    while (machine.log.length === 0) assert.equal(machine.run(1), L.RUN_SPENT);
    engine.vcpu().mxcsr = MASKED;
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(vectors(machine), [[XM, BigInt(CODE)]]);
    assert.equal(engine.vcpu().xmm(0).low, 0x7ff0000000000000n);
  });
});

describe('what comes before the computation', () => {
  const unmasked = MASKED & ~(ZERO_DIVIDE << 7);
  it('CR0.TS: #NM', () => {
    const machine = divide(0n, unmasked, ({ engine }) => (engine.vcpu().cr0 = 0x8001003bn));
    assert.deepEqual(vectors(machine), [[NM, BigInt(CODE)]]);
    assert.equal(machine.engine.vcpu().mxcsr, unmasked);
  });
  it('CR0.EM and CR4.OSFXSR clear: #UD, without a flag in MXCSR', () => {
    const emulated = divide(0n, unmasked, ({ engine }) => (engine.vcpu().cr0 = 0x80010037n));
    assert.deepEqual(vectors(emulated), [[UD, BigInt(CODE)]]);
    const disabled = divide(0n, unmasked, ({ engine }) => (engine.vcpu().cr4 = 0x4a0n));
    assert.deepEqual(vectors(disabled), [[UD, BigInt(CODE)]]);
    for (const { engine } of [emulated, disabled]) assert.equal(engine.vcpu().mxcsr, unmasked);
  });
  it('a page fault of the operand: no flag is set', () => {
    const machine = new Machine();
    const code = machine.program((c) => c.load(RCX, DATA).raw('F2 0F 5E 01')); // divsd xmm0, [rcx]
    machine.mapPage(DATA, 0n);
    machine.resumeAt(PF, code.place('end'));
    machine.engine.vcpu().mxcsr = unmasked;
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, cr2 }) => [vector, cr2]),
      [[PF, BigInt(DATA)]],
    );
    assert.equal(machine.engine.vcpu().mxcsr, unmasked);
  });
});

describe('CPUID', () => {
  it('reports SSE, SSE2 and SSE3', () => {
    const machine = new Machine();
    machine.program((c) => c.load(RAX, 1).raw('0F A2')); // cpuid
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RCX) & 1n, 1n);
    assert.equal((machine.register(2) >> 25n) & 3n, 3n);
  });
});
