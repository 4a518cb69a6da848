import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RegisterRule, UnwindRow } from './api.ts';
import { unwindFrame } from './unwind.ts';

/** Memory whose word at an address is the address plus 0x1000. */
const readMemory = (address: bigint, length: number): Uint8Array | undefined => {
  if (address >= 0x10_0000n) return undefined;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let offset = 0; offset + 8 <= length; offset += 8) {
    view.setBigUint64(offset, address + BigInt(offset) + 0x1000n, true);
  }
  return bytes;
};

const row = (rules: readonly (readonly [number, RegisterRule])[], cfa: UnwindRow['cfa']): UnwindRow => ({
  functionRange: { start: 0n, end: 0x100n },
  cfa,
  registers: rules.map(([register, rule]) => ({ register, rule })),
  returnAddressRegister: 16,
  signalFrame: false,
  machine: 'x86-64',
});
const stackRule: UnwindRow['cfa'] = { kind: 'register', register: 7, offset: 16n };
const returnRule = [16, { kind: 'offset', offset: -8n }] as const;
const registers = new Map([
  [0, 0xaan],
  [3, 0xbbn],
  [6, 0xccn],
  [7, 0x8000n],
  [16, 0x42n],
]);

describe('unwinding by call-frame information', () => {
  it('restores saved registers and keeps callee-saved ones', () => {
    const result = unwindFrame(
      row([returnRule, [6, { kind: 'offset', offset: -16n }]], stackRule),
      registers,
      readMemory,
    );
    assert.deepEqual(result, {
      kind: 'frame',
      cfa: 0x8010n,
      pc: 0x9008n,
      interrupted: false,
      registers: new Map([
        [3, 0xbbn],
        [6, 0x9000n],
        [7, 0x8010n],
        [16, 0x9008n],
      ]),
    });
  });

  // Found by test/debugger/gdb-stops.test.ts: at the entry of a trap handler its interrupted function lost its locals.
  it('keeps all registers of interrupted code that a signal frame has not saved', () => {
    const saved: readonly (readonly [number, RegisterRule])[] = [returnRule, [2, { kind: 'offset', offset: -24n }]];
    const all = new Map([...registers, [1, 0xddn], [2, 0xeen]] as const);
    const result = unwindFrame({ ...row(saved, stackRule), signalFrame: true }, all, readMemory);
    assert.deepEqual(result, {
      kind: 'frame',
      cfa: 0x8010n,
      pc: 0x9008n,
      interrupted: true,
      registers: new Map([
        [0, 0xaan],
        [3, 0xbbn],
        [6, 0xccn],
        [7, 0x8010n],
        [1, 0xddn],
        [2, 0x8ff8n],
        [16, 0x9008n],
      ]),
    });
  });

  it('follows the other rules', () => {
    const rules: readonly (readonly [number, RegisterRule])[] = [
      returnRule,
      [3, { kind: 'undefined' }],
      [12, { kind: 'register', register: 0 }],
      [13, { kind: 'valueOffset', offset: 4n }],
      [0, { kind: 'sameValue' }],
    ];
    const result = unwindFrame(row(rules, stackRule), registers, readMemory);
    assert.equal(result.kind, 'frame');
    assert.deepEqual(
      [0, 3, 12, 13].map((number) => (result.kind === 'frame' ? result.registers.get(number) : null)),
      [0xaan, undefined, 0xaan, 0x8014n],
    );
  });

  it('ends where there is no caller', () => {
    const noReturn = row([[16, { kind: 'undefined' }]], stackRule);
    assert.deepEqual(unwindFrame(noReturn, registers, readMemory), { kind: 'outermost', cfa: 0x8010n });
    const zero = unwindFrame(row([returnRule], stackRule), registers, (_, length) => new Uint8Array(length));
    assert.equal(zero.kind, 'outermost');
  });

  it('says what is missing', () => {
    const far = unwindFrame(row([returnRule], stackRule), new Map([[7, 0x20_0000n]]), readMemory);
    assert.deepEqual(far, {
      kind: 'failed',
      reason: 'The return address at frame 0x200010 cannot be read.',
      cfa: 0x20_0010n,
    });
    assert.equal(unwindFrame(row([returnRule], stackRule), new Map(), readMemory).kind, 'failed');
  });
});
