// Faults of a handler's own accesses are held until the handler has ended, and what it wrote meanwhile is undone
// (src/core/assembly/system/raise/raise.ts): the guest sees nothing but the fault.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { RAX, RCX, RDI, RDX, RSI } from './code.ts';
import { CODE, DATA, Machine, STACK } from './machine.ts';
import { execute } from './single-step.ts';

const DE = 0;
const SS = 12;
const GP = 13;
const PF = 14;
/** Two pages without memory behind them, and one that is there. */
const ABSENT = DATA + 0x4000;
const ABSENT2 = DATA + 0x6000;
const PRESENT = DATA + 0x1000;
const NOT_CANONICAL = 0x8000_0000_0000n;

/** Bytes of the state that belong to the guest, without what a delivery itself changes. */
function guestState(machine: Machine): Uint8Array {
  const state = machine.engine.raw.slice(L.STATE, L.STATE_GUEST_END);
  const blank = (slot: number, size: number): void => void state.fill(0, slot - L.STATE, slot - L.STATE + size);
  for (const slot of [L.RIP, L.RSP, L.CR2, L.RFLAGS, L.RETIRED]) blank(slot, 8);
  blank(L.CS, L.SEGMENT_SIZE);
  blank(L.SS, L.SEGMENT_SIZE);
  return state;
}

interface Case {
  readonly name: string;
  readonly bytes: string;
  /** RSI, RDI; the others have values that a dummy would change. */
  readonly rsi: number | bigint;
  readonly rdi?: number | bigint;
  readonly vector: number;
  /** CR2, for #PF. */
  readonly address?: number;
}
const fault = (name: string, bytes: string, rsi: number | bigint, more: Partial<Case> = {}): Case => ({
  ...{ name, bytes, rsi, vector: PF },
  ...(typeof rsi === 'number' && more.vector === undefined ? { address: rsi } : {}),
  ...more,
});
const CASES: readonly Case[] = [
  fault('MOV r, m', '48 8B 06', ABSENT),
  fault('ADD r, m writes no flag', '48 03 06', ABSENT),
  fault('ADD m, r', '48 01 06', ABSENT),
  fault('XCHG m, r', '48 87 06', ABSENT),
  fault('CMPXCHG m, r', '48 0F B1 0E', ABSENT),
  fault('CMPXCHG16B', '48 0F C7 0E', ABSENT),
  fault('XADD m, r', '48 0F C1 0E', ABSENT),
  fault('BTS m, 5', '48 0F BA 2E 05', ABSENT),
  fault('an access over the end of a page', '48 8B 06', ABSENT - 3, { address: ABSENT }),
  fault('a store over the end of a page', '48 89 06', ABSENT - 3, { address: ABSENT }),
  fault('DIV m is #PF, not #DE', '48 F7 36', ABSENT),
  fault('IDIV m8 is #PF, not #DE', 'F6 3E', ABSENT),
  fault('an address that is not canonical', '48 8B 06', NOT_CANONICAL, { vector: GP }),
  fault('PUSH m, absent source', 'FF 36', ABSENT),
  fault('POP m, absent destination', '8F 06', ABSENT),
  fault('CALL m', 'FF 16', ABSENT),
  fault('JMP m', 'FF 26', ABSENT),
  fault('MOVSQ, absent source', '48 A5', ABSENT, { rdi: PRESENT }),
  fault('MOVSQ, absent destination', '48 A5', PRESENT, { rdi: ABSENT2, address: ABSENT2 }),
  fault('MOVSQ, both absent: the source is first', '48 A5', ABSENT, { rdi: ABSENT2 }),
  fault('REP MOVSB', 'F3 A4', ABSENT, { rdi: PRESENT }),
  fault('CMPSB, both absent', 'A6', ABSENT, { rdi: ABSENT2 }),
  fault('LODSB', 'AC', ABSENT),
  fault('MOVUPS x, m', '0F 10 06', ABSENT),
  fault('MOVUPS m, x', '0F 11 06', ABSENT),
  fault('DIVSD with all exceptions unmasked is #PF, not #XM', 'F2 0F 5E 06', ABSENT),
  fault('PADDD x, m', '66 0F FE 06', ABSENT),
  fault('FLD m64 leaves the stack and its pointers', 'DD 06', ABSENT),
  fault('FLD m80', 'DB 2E', ABSENT),
  fault('FSTP m80', 'DB 3E', ABSENT),
  fault('FIST m32', 'DB 16', ABSENT),
  fault('FLDCW leaves IGNNE#', 'D9 2E', ABSENT),
  fault('CRC32 r, m', 'F2 48 0F 38 F1 06', ABSENT),
  fault('MOVBE', '48 0F 38 F0 06', ABSENT),
];

function prepared(): Machine {
  const machine = new Machine();
  machine.mapPage(ABSENT, 0n);
  machine.mapPage(ABSENT2, 0n);
  const vcpu = machine.engine.vcpu();
  vcpu.cr4 |= 0x600n; // OSFXSR OSXMMEXCPT
  machine.flags = 0x8d7n; // OF SF ZF AF PF CF
  for (const register of [RAX, RCX, RDX, 3, 5, 8])
    machine.setRegister(register, 0x1111_2222_3333_4400n + BigInt(register));
  vcpu.fip = 0x1234n;
  vcpu.fdp = 0x5678n;
  vcpu.ignne = 1;
  vcpu.mxcsr = 0; // all unmasked
  machine.engine.raw.fill(0x5a, L.XMM, L.XMM + 256);
  machine.write(STACK - 64, new Uint8Array(128).fill(0x77));
  return machine;
}

describe('a fault of an access', () => {
  for (const { name, bytes, rsi, rdi = PRESENT, vector, address } of CASES) {
    it(name, () => {
      const machine = prepared();
      machine.setRegister(RSI, BigInt(rsi));
      machine.setRegister(RDI, BigInt(rdi));
      execute(machine, '90'); // the code's page is decoded, and its delivery has nothing to load
      const before = guestState(machine);
      const memory = machine.engine.ramView(DATA, 0x8000).slice();
      const { ticks } = machine;
      assert.equal(execute(machine, bytes), vector);
      assert.equal(machine.ticks - ticks, 1, 'the delivery alone took a tick');
      assert.deepEqual(guestState(machine), before);
      assert.deepEqual(machine.engine.ramView(DATA, 0x8000).slice(), memory);
      const frame = machine.register(4);
      assert.equal(machine.read64(Number(frame) + 8), BigInt(CODE), 'RIP in the frame');
      assert.equal(machine.read64(Number(frame) + 24) & 0x8d5n, 0x8d5n, 'flags in the frame');
      if (address !== undefined) assert.equal(machine.engine.vcpu().cr2, BigInt(address), 'CR2');
      assert.equal(machine.engine.vcpu().faultNoted, 0);
    });
  }
  it('on the stack is #SS where the address is not canonical, and RSP stays', () => {
    const machine = prepared();
    machine.setRegister(4, NOT_CANONICAL);
    machine.program((c) => c.raw('58')); // pop rax
    machine.setGate(SS, machine.handler(SS), 0, 1);
    machine.run(1);
    assert.equal(machine.rip, machine.handler(SS));
    assert.equal(machine.read64(Number(machine.register(4)) + 32), NOT_CANONICAL, 'RSP in the frame');
  });
  it('comes before the exception that follows from a value nobody read: DIV by an absent zero, then by a present one', () => {
    const machine = prepared();
    machine.setRegister(RSI, BigInt(ABSENT));
    assert.equal(execute(machine, '48 F7 36'), PF);
    machine.mapPage(ABSENT, BigInt(ABSENT) | 7n);
    machine.write64(ABSENT, 0n);
    assert.equal(execute(machine, '48 F7 36'), DE);
  });
});

describe('INVLPG', () => {
  const LARGE = 0x20_0000;
  const PAGE_DIRECTORY_ENTRY = 0x12008;
  /** Reads three parts of a 2 MiB page, maps it elsewhere, and invalidates it at another part: what a read sees then. */
  function remapped(between: (machine: Machine) => void): bigint[] {
    const machine = new Machine();
    const parts = [LARGE, LARGE + 0x5000, LARGE + 0x1f_f000];
    const read = (): bigint[] =>
      parts.map((part) => {
        machine.setRegister(RSI, BigInt(part));
        execute(machine, '48 8B 06');
        return machine.register(RAX);
      });
    for (const part of parts) machine.write64(part, 1n);
    assert.deepEqual(read(), [1n, 1n, 1n]);
    between(machine);
    machine.write64(PAGE_DIRECTORY_ENTRY, 0x87n); // 0 to 2 MiB
    machine.setRegister(RSI, BigInt(LARGE + 0x7000));
    execute(machine, '0F 01 3E'); // invlpg [rsi]
    return read();
  }
  it('drops every part of a 2 MiB page', () => assert.deepEqual(new Set(remapped(() => undefined)).has(1n), false));
  it('does so behind the restore of a TLB, too', () => {
    const after = remapped(({ engine }) => {
      // what a snapshot brings back is the guest's part alone
      const area = engine.vcpu().tlbArea;
      engine.raw.fill(0, area + L.TLB_LARGE_COUNTS, area + L.TLB_LARGE_COUNTS + 2 * L.TLB_LARGE_BUCKETS);
      engine.raw.fill(0xff, area + L.TLB_LIST_PLACES, area + L.TLB_LIST_PLACES + 2 * L.TLB_ENTRIES);
      engine.system.resetTags();
    });
    assert.equal(after.includes(1n), false);
  });
  it('and nothing else', () => {
    const machine = new Machine();
    const { engine } = machine;
    machine.setRegister(RSI, BigInt(DATA));
    for (const bytes of ['48 8B 06', '48 8B 86 00 10 00 00', '48 8B 86 00 20 00 00']) execute(machine, bytes);
    const area = engine.vcpu().tlbArea;
    const list = (): number[] => {
      const count = engine.rawView.getUint32(area + L.TLB_LIST_COUNT, true);
      return Array.from({ length: count }, (_, i) => engine.rawView.getUint16(area + L.TLB_LIST + 2 * i, true));
    };
    const before = list();
    machine.setRegister(RSI, BigInt(DATA + 0x1000));
    execute(machine, '0F 01 3E');
    assert.deepEqual(
      list().toSorted((a, b) => a - b),
      before.filter((index) => index !== (DATA + 0x1000) >> 12).toSorted((a, b) => a - b),
    );
  });
});
