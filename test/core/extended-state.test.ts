// XSAVE, XRSTOR, XGETBV, XSETBV for x87 and SSE state (SDM 1 chapter 13).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RBX, RCX, RDI, RDX } from './code.ts';
import { DATA, Machine } from './machine.ts';
import { execute, GP, NM, setCr4, UD } from './single-step.ts';

const XSAVE = '0F AE 23'; // [rbx]
const XSAVE64 = '48 0F AE 23';
const XRSTOR = '0F AE 2B';
const XGETBV = '0F 01 D0';
const XSETBV = '0F 01 D1';
const X87 = 1n;
const SSE = 2n;
const PF = 14;

const AREA = DATA + 0x100;
const SIZE = 576;
const FCW = AREA;
const FSW = AREA + 2;
const MXCSR = AREA + 24;
const ST0 = AREA + 32;
const XMM0 = AREA + 160;
const XSTATE_BV = AREA + 512;
const XCOMP_BV = AREA + 520;
const UNTOUCHED = 0xcc;

const fill = (machine: Machine, value: number): void => machine.write(AREA, new Uint8Array(SIZE).fill(value));
const write32 = (machine: Machine, address: number, value: number): void =>
  machine.write(address, Uint8Array.of(value, value >> 8, value >> 16, value >> 24));
const setMask = (machine: Machine, mask: bigint): void => {
  machine.setRegister(RAX, mask & 0xffff_ffffn);
  machine.setRegister(RDX, mask >> 32n);
};
const run = (machine: Machine, code: string, mask = X87 | SSE): number | undefined => {
  setMask(machine, mask);
  return execute(machine, code);
};
/** XSAVE is enabled for both components; RBX points to the area. */
function prepared(): Machine {
  const machine = new Machine();
  const { engine } = machine;
  setCr4(machine, 0x40000n);
  engine.vcpu().xcr0 = X87 | SSE;
  machine.setRegister(RBX, BigInt(AREA));
  return machine;
}
/** Neither component is in its initial configuration. */
function occupied(): Machine {
  const machine = prepared();
  const { engine } = machine;
  engine.vcpu().fcw = 0x27f;
  engine.vcpu().fsw = 0;
  engine.vcpu().ftw = 0xfffc; // R0 is valid
  Object.assign(engine.vcpu().x87(0), { significand: 0x8000_0000_0000_0000n, signExponent: 0x3fff });
  for (let i = 0; i < 16; i++) engine.vcpu().xmm(i).low = BigInt(i + 1);
  engine.vcpu().mxcsr = 0x1f81;
  return machine;
}
/** The state that the components are made of. */
function stateOf({ engine }: Machine): string {
  const hex = (from: number, to: number): string => Buffer.from(engine.raw.subarray(from, to)).toString('hex');
  return [hex(L.XMM, L.XMM + 256), hex(L.MXCSR, L.X87), hex(L.X87, L.X87 + 128)].join(' ');
}

describe('extended control register', () => {
  it('XGETBV and XSETBV are #UD without CR4.OSXSAVE', () => {
    const machine = new Machine();
    machine.setRegister(RCX, 0n);
    for (const code of [XGETBV, XSETBV, XSAVE, XRSTOR]) assert.equal(execute(machine, code), UD, code);
  });
  it('XCR0 is 1 after reset; XSETBV enables the SSE state', () => {
    const machine = new Machine();
    setCr4(machine, 0x40000n);
    machine.setRegister(RCX, 0n);
    assert.equal(execute(machine, XGETBV), undefined);
    assert.deepEqual([machine.register(RAX), machine.register(RDX)], [1n, 0n]);
    assert.equal(run(machine, XSETBV, 3n), undefined);
    assert.equal(execute(machine, XGETBV), undefined);
    assert.equal(machine.register(RAX), 3n);
  });
  it('XSETBV refuses a disabled x87 state, components that are not there, other registers, ring 3', () => {
    for (const value of [0n, 2n, 7n, 1n << 9n, 3n | (1n << 32n)]) {
      const machine = prepared();
      machine.setRegister(RCX, 0n);
      assert.equal(run(machine, XSETBV, value), GP, String(value));
      assert.equal(machine.engine.vcpu().xcr0, 3n);
    }
    const machine = prepared();
    machine.setRegister(RCX, 1n);
    assert.equal(run(machine, XSETBV, 3n), GP);
    machine.setRegister(RCX, 1n);
    assert.equal(execute(machine, XGETBV), GP, 'XGETBV with ECX 1 is not there either');
    const user = new Machine({ user: true });
    setCr4(user, 0x40000n);
    user.setRegister(RCX, 0n);
    assert.equal(run(user, XSETBV, 1n), GP);
  });
});

describe('XSAVE', () => {
  it('writes the requested components and their bits of XSTATE_BV, nothing else', () => {
    for (const mask of [0n, X87, SSE, X87 | SSE]) {
      const machine = occupied();
      fill(machine, UNTOUCHED);
      machine.write64(XSTATE_BV, 0xff00n);
      assert.equal(run(machine, XSAVE, mask), undefined);
      assert.equal(machine.read64(XSTATE_BV), 0xff00n | mask, 'bits of others stay');
      const untouched = BigInt('0x' + 'cc'.repeat(8));
      assert.equal(machine.read64(XCOMP_BV), untouched);
      const [x87, sse] = [mask & X87, mask & SSE].map(Boolean);
      assert.equal(machine.read64(FCW) & 0xffffn, x87 === true ? 0x27fn : 0xccccn);
      assert.equal(machine.read64(ST0), x87 === true ? 0x8000_0000_0000_0000n : untouched);
      assert.equal(machine.read64(MXCSR) & 0xffff_ffffn, sse === true ? 0x1f81n : 0xcccc_ccccn);
      assert.equal(machine.read64(XMM0 + 15 * 16), sse === true ? 16n : untouched);
    }
  });
  it('clears the bit of a component in its initial configuration', () => {
    const machine = prepared();
    machine.write64(XSTATE_BV, 3n);
    assert.equal(execute(machine, 'DB E3'), undefined); // FNINIT
    assert.equal(run(machine, XSAVE), undefined);
    assert.equal(machine.read64(XSTATE_BV), 0n);
    machine.engine.vcpu().xmm(15).high = 1n;
    assert.equal(run(machine, XSAVE), undefined);
    assert.equal(machine.read64(XSTATE_BV), SSE);
  });
  it('components that XCR0 disables are not requested', () => {
    const machine = occupied();
    machine.engine.vcpu().xcr0 = X87;
    fill(machine, 0);
    assert.equal(run(machine, XSAVE, ~0n & 0xffff_ffff_ffff_ffffn), undefined);
    assert.equal(machine.read64(XSTATE_BV), X87);
    assert.equal(machine.read64(XMM0), 0n);
  });
  it('needs 64-byte alignment: #GP(0); with CR0.TS it is #NM', () => {
    for (const code of [XSAVE, XSAVE64, XRSTOR]) {
      const machine = occupied();
      machine.setRegister(RBX, BigInt(AREA + 16));
      assert.equal(run(machine, code), GP, code);
      machine.setRegister(RBX, BigInt(AREA));
      machine.engine.vcpu().cr0 |= 8n;
      assert.equal(run(machine, code), NM, code);
    }
  });
  it('from ring 0 reaches a page of ring 3 while AC is set, and not otherwise (SMAP); so do CLFLUSH, MASKMOVDQU, INS', () => {
    for (const code of [XSAVE, XRSTOR, '0F AE 3B', '66 0F F7 C1', '6C']) {
      const machine = occupied();
      const { engine } = machine;
      engine.vcpu().xmm(1).low = 0x80n;
      machine.setRegister(RDI, BigInt(AREA));
      fill(machine, 0);
      for (let page = 0; page < 0x100000; page += 0x1000) if (page !== DATA) machine.mapPage(page, BigInt(page) | 3n);
      setCr4(machine, 0x200000n);
      const saved = engine.raw.slice(L.STATE, L.STATE_END);
      assert.equal(run(machine, code), PF, code);
      engine.raw.set(saved, L.STATE);
      machine.flags = 0x40000n;
      assert.equal(run(machine, code), undefined, code);
    }
  });
  it('writes nothing when its last page is missing', () => {
    const machine = occupied();
    const area = DATA + 0x1000 - 64;
    machine.mapPage(DATA + 0x1000, 0n);
    machine.setRegister(RBX, BigInt(area));
    machine.write(area, new Uint8Array(64).fill(UNTOUCHED));
    assert.equal(run(machine, XSAVE), PF);
    assert.equal(machine.engine.vcpu().cr2, BigInt(DATA + 0x1000));
    assert.deepEqual(
      [...machine.engine.ramView(area, 64)],
      Array.from({ length: 64 }, () => UNTOUCHED),
    );
  });
});

describe('XRSTOR', () => {
  it('brings back what XSAVE saved', () => {
    const machine = occupied();
    fill(machine, 0);
    const before = stateOf(machine);
    assert.equal(run(machine, XSAVE), undefined);
    assert.equal(execute(machine, 'DB E3'), undefined);
    machine.engine.raw.fill(0, L.XMM, L.XMM + 256);
    machine.engine.vcpu().mxcsr = 0x1f80;
    assert.notEqual(stateOf(machine), before);
    assert.equal(run(machine, XRSTOR), undefined);
    assert.equal(stateOf(machine), before);
  });
  it('gives components that are not in the area their initial configuration, and takes MXCSR from it all the same', () => {
    const machine = occupied();
    fill(machine, 0);
    write32(machine, MXCSR, 0x1fa0);
    assert.equal(run(machine, XRSTOR), undefined);
    const { engine } = machine;
    assert.deepEqual([engine.vcpu().fcw, engine.vcpu().ftw, engine.vcpu().x87(0).significand], [0x37f, 0xffff, 0n]);
    assert.ok(engine.raw.subarray(L.XMM, L.XMM + 256).every((byte) => byte === 0));
    assert.equal(engine.vcpu().mxcsr, 0x1fa0);
  });
  it('leaves what is not requested alone', () => {
    const machine = occupied();
    fill(machine, 0);
    const before = stateOf(machine);
    assert.equal(run(machine, XRSTOR, 0n), undefined);
    assert.equal(stateOf(machine), before);
    assert.equal(run(machine, XRSTOR, X87), undefined);
    assert.equal(machine.engine.vcpu().mxcsr, 0x1f81);
    assert.equal(machine.engine.vcpu().xmm(0).low, 1n);
  });
  it('refuses a header or an MXCSR with reserved bits, and changes nothing then', () => {
    const bad: [string, (machine: Machine) => void][] = [
      ['XSTATE_BV names a component that XCR0 disables', (machine) => machine.write64(XSTATE_BV, 4n)],
      ['XCOMP_BV, the compacted format', (machine) => machine.write64(XCOMP_BV, 1n << 63n)],
      ['XCOMP_BV', (machine) => machine.write64(XCOMP_BV, 1n)],
      ['bytes 16-23 of the header', (machine) => machine.write64(XCOMP_BV + 8, 1n << 40n)],
      ['MXCSR', (machine) => write32(machine, MXCSR, 0x10000)],
    ];
    for (const [name, spoil] of bad) {
      const machine = occupied();
      fill(machine, 0);
      spoil(machine);
      const before = stateOf(machine);
      assert.equal(run(machine, XRSTOR), GP, name);
      assert.equal(stateOf(machine), before, name);
    }
  });
  it('looks at no other byte of the header, and at MXCSR only for the SSE state', () => {
    const machine = occupied();
    fill(machine, 0);
    machine.write(AREA + 512 + 24, new Uint8Array(40).fill(0xff));
    assert.equal(run(machine, XRSTOR), undefined);
    write32(machine, MXCSR, 0x10000);
    assert.equal(run(machine, XRSTOR, X87), undefined);
  });
});

describe('the legacy region', () => {
  it('is that of FXSAVE', () => {
    const machine = occupied();
    fill(machine, 0);
    assert.equal(run(machine, XSAVE), undefined);
    const saved = machine.engine.ramView(AREA, 416).slice();
    fill(machine, 0);
    assert.equal(execute(machine, '0F AE 03'), undefined);
    assert.deepEqual(machine.engine.ramView(AREA, 416).slice(), saved);
    assert.equal(machine.read64(FSW) & 0xffffn, 0n);
  });
});
