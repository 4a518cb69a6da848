// MMX registers are the significands of the x87 registers (SDM 1 9.5, 3A chapter 13), and what comes before an MMX instruction.
// What the instructions compute is compared with a processor: npm run oracle -- --class mmx.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { DATA, Machine } from './machine.ts';
import { execute, NM, UD } from './single-step.ts';

const MF = 16;
const PF = 14;
const EM = 4n;
const TS = 8n;
const OSFXSR = 0x200n;
/** A control word that masks nothing, IE with what sums it up, and TOP 5. */
const UNMASKED = 0x340;
const PENDING = 0x8081;
const TOP_5 = 5 << 11;
const VALUE = 0x8000_0000_7fff_ffffn;

const USE_MMX = [
  ['PADDB', '0F FC C1'],
  ['PADDB with memory', '0F FC 00'],
  ['PSRLW by an immediate', '0F 71 D0 01'],
  ['MOVD', '0F 6E C0'],
  ['MOVQ to memory', '0F 7F 00'],
  ['PSHUFW', '0F 70 C1 1B'],
  ['PALIGNR', '0F 3A 0F C1 03'],
  ['PMOVMSKB', '0F D7 C1'],
  ['MASKMOVQ', '0F F7 C1'],
  ['EMMS', '0F 77'],
] as const;
/** These use an XMM register too. */
const USE_BOTH = [
  ['MOVQ2DQ', 'F3 0F D6 C1'],
  ['MOVDQ2Q', 'F2 0F D6 C1'],
  ['CVTPI2PS', '0F 2A C1'],
  ['CVTPI2PS with memory', '0F 2A 00'],
  ['CVTTPD2PI', '66 0F 2C C1'],
  ['CVTPI2PD', '66 0F 2A C1'],
] as const;
const CVTPI2PD_MEMORY = '66 0F 2A 00';

interface Unit {
  readonly status: number;
  readonly tags: number;
}
const unit = ({ engine: { rawView: view } }: Machine): Unit => ({
  status: view.getUint16(L.FSW, true),
  tags: view.getUint16(L.FTW, true),
});
function prepared(status: number, control = 0x37f): Machine {
  const machine = new Machine();
  const { rawView: view } = machine.engine;
  view.setUint16(L.FCW, control, true);
  view.setUint16(L.FSW, status, true);
  view.setUint16(L.FTW, 0xffff, true);
  machine.setRegister(0, BigInt(DATA));
  machine.setRegister(7, BigInt(DATA));
  return machine;
}
function with0(machine: Machine, bits: bigint): Machine {
  machine.engine.vcpu().cr0 |= bits;
  return machine;
}
function withoutOsfxsr(machine: Machine): Machine {
  machine.engine.vcpu().cr4 &= ~OSFXSR;
  return machine;
}

describe('in front of an MMX instruction', () => {
  for (const [name, code] of [...USE_MMX, ...USE_BOTH]) {
    it(`${name}: #UD with CR0.EM, #NM with CR0.TS, #MF when an exception is pending, in this order`, () => {
      const pending = (): Machine => prepared(PENDING | TOP_5, UNMASKED);
      for (const [machine, vector] of [
        [with0(pending(), EM | TS), UD],
        [with0(pending(), TS), NM],
        [pending(), MF],
      ] as const) {
        assert.equal(execute(machine, code), vector);
        assert.deepEqual(unit(machine), { status: PENDING | TOP_5, tags: 0xffff });
      }
    });
  }
  for (const [name, code] of USE_BOTH) {
    it(`${name}: #UD without CR4.OSFXSR`, () => assert.equal(execute(withoutOsfxsr(prepared(0)), code), UD));
  }
  for (const [name, code] of USE_MMX) {
    it(`${name}: nothing without CR4.OSFXSR`, () => assert.equal(execute(withoutOsfxsr(prepared(0)), code), undefined));
  }
  it('a pending exception comes before a missing page, which leaves the x87 as it is', () => {
    const missing = 0x7000_0000_0000n;
    for (const code of ['0F FC 00', '0F 7F 00', '0F 2A 00']) {
      const pending = prepared(PENDING | TOP_5, UNMASKED);
      pending.setRegister(0, missing);
      assert.equal(execute(pending, code), MF);
      const machine = prepared(TOP_5);
      machine.setRegister(0, missing);
      assert.equal(execute(machine, code), PF);
      assert.deepEqual(unit(machine), { status: TOP_5, tags: 0xffff });
    }
  });
});

describe('MMX registers', () => {
  for (const [name, code] of [...USE_MMX, ...USE_BOTH]) {
    const tags = name === 'EMMS' ? 0xffff : 0;
    it(`${name}: TOP is 0 and the registers are ${tags === 0 ? 'in use' : 'empty'}, condition codes stay`, () => {
      const machine = prepared(0x4500 | TOP_5);
      assert.equal(execute(machine, code), undefined);
      assert.deepEqual(unit(machine), { status: 0x4500, tags });
    });
  }
  it('are numbered whatever TOP is; what is written gets an exponent and sign of ones, what is read keeps its own', () => {
    const machine = prepared(TOP_5);
    const [mm2, mm3] = [machine.engine.vcpu().x87(2), machine.engine.vcpu().x87(3)];
    Object.assign(mm2, { significand: VALUE, signExponent: 0x3fff });
    assert.equal(execute(machine, '0F 6F DA'), undefined); // movq mm3, mm2
    assert.deepEqual([mm3.significand, mm3.signExponent], [VALUE, 0xffff]);
    assert.deepEqual([mm2.significand, mm2.signExponent], [VALUE, 0x3fff]);
  });
  it('CVTPI2PD from memory has nothing to do with them', () => {
    const machine = prepared(PENDING | TOP_5, UNMASKED);
    machine.write64(DATA, VALUE);
    assert.equal(execute(machine, CVTPI2PD_MEMORY), undefined);
    assert.deepEqual(unit(machine), { status: PENDING | TOP_5, tags: 0xffff });
    const { low, high } = machine.engine.vcpu().xmm(0);
    assert.deepEqual([low, high], [0x41df_ffff_ffc0_0000n, 0xc1e0_0000_0000_0000n]);
  });
  it('a conversion to them that raises #XM writes none, but the unit is theirs', () => {
    const machine = prepared(TOP_5);
    const { engine } = machine;
    engine.vcpu().mxcsr = 0x1f00; // invalid operations are not masked
    engine.vcpu().xmm(1).low = 0x7fc0_0000n;
    engine.vcpu().cr4 |= 0x400n;
    assert.equal(execute(machine, '0F 2D C1'), 19); // cvtps2pi mm0, xmm1: a NaN
    assert.deepEqual(unit(machine), { status: 0, tags: 0 });
    const { significand, signExponent } = engine.vcpu().x87(0);
    assert.deepEqual([significand, signExponent], [0n, 0]);
  });
});
