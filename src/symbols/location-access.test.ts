import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallSite, DwarfExpression, EvaluatedLocation, EvaluationContext } from './api.ts';
import { entryValueFromCallSite, partOfLocation, planWrite, readLocation } from './location-access.ts';

const context: EvaluationContext = {
  register: (number) => (number < 8 ? 0x1122_3344_5566_7788n + BigInt(number) : undefined),
  readMemory: (address, length) =>
    address < 0x1_0000n ? Uint8Array.from({ length }, (_, index) => Number(address & 0xffn) + index) : undefined,
};
const register = (number: number): EvaluatedLocation & { kind: 'register' } => ({ kind: 'register', register: number });
const memory = (address: bigint): EvaluatedLocation & { kind: 'memory' } => ({ kind: 'memory', address });
const bytes = (...values: number[]): object => ({ kind: 'bytes', bytes: Uint8Array.from(values) });

const twoRegisters: EvaluatedLocation = {
  kind: 'pieces',
  pieces: [
    { location: register(0), bitSize: 32, bitOffset: 0 },
    { location: memory(0x10n), bitSize: 16, bitOffset: 0 },
    { location: { kind: 'optimizedOut', reason: 'gone' }, bitSize: 16, bitOffset: 0 },
  ],
};

describe('objects at locations', () => {
  it('reads memory, registers and values', () => {
    assert.deepEqual(readLocation(memory(0x20n), 2, context), bytes(0x20, 0x21));
    assert.deepEqual(readLocation(register(0), 2, context), bytes(0x88, 0x77));
    assert.deepEqual(readLocation({ kind: 'value', bytes: Uint8Array.of(1, 2, 3) }, 2, context), bytes(1, 2));
    assert.equal(readLocation(memory(0x2_0000n), 2, context).kind, 'unavailable');
    assert.equal(readLocation(register(9), 2, context).kind, 'unavailable');
  });

  it('reads and finds parts', () => {
    assert.deepEqual(readLocation(twoRegisters, 6, context), bytes(0x88, 0x77, 0x66, 0x55, 0x10, 0x11));
    assert.equal(readLocation(twoRegisters, 8, context).kind, 'optimizedOut');
    assert.deepEqual(readLocation(partOfLocation(twoRegisters, 2, 2), 2, context), bytes(0x66, 0x55));
    assert.deepEqual(partOfLocation(twoRegisters, 5, 1), memory(0x11n));
    assert.equal(partOfLocation(twoRegisters, 6, 2).kind, 'optimizedOut');
    assert.deepEqual(readLocation(partOfLocation(register(0), 4, 4), 4, context), bytes(0x44, 0x33, 0x22, 0x11));
    assert.deepEqual(partOfLocation(memory(0x10n), 4, 4), memory(0x14n));
  });

  it('plans writes, keeping the bits around', () => {
    const value = Uint8Array.of(1, 2, 3, 4, 5, 6);
    assert.deepEqual(planWrite(twoRegisters, value, context), [
      { kind: 'register', register: 0, bytes: Uint8Array.of(1, 2, 3, 4) },
      { kind: 'memory', address: 0x10n, bytes: Uint8Array.of(5, 6) },
    ]);
    const bits: EvaluatedLocation = { kind: 'pieces', pieces: [{ location: memory(0xffn), bitSize: 8, bitOffset: 4 }] };
    assert.deepEqual(planWrite(bits, Uint8Array.of(0xab), context), [
      { kind: 'memory', address: 0xffn, bytes: Uint8Array.of(0xbf, 0x0a) },
    ]);
    assert.equal(typeof planWrite(twoRegisters, new Uint8Array(8), context), 'string');
    assert.equal(typeof planWrite({ kind: 'value', bytes: value }, value, context), 'string');
  });

  it('finds what a caller passed, if it really called this function', () => {
    const expression = (...list: number[]): DwarfExpression => ({
      bytes: Uint8Array.from(list),
      addressSize: 8,
      offsetSize: 4,
      version: 5,
      addresses: [],
      baseTypes: [],
    });
    const site: CallSite = {
      returnAddress: 0x500n,
      target: 0x400n,
      targetExpression: null,
      parameters: [
        { location: expression(0x55), value: expression(0x73, 1) },
        { location: expression(0x54), value: null },
        { location: expression(0x51), value: expression(0x79, 0) },
      ],
    };
    assert.equal(entryValueFromCallSite(site, 0x400n, expression(0x55), context), 0x1122_3344_5566_778cn);
    assert.equal(entryValueFromCallSite(site, 0x401n, expression(0x55), context), undefined);
    assert.equal(entryValueFromCallSite(site, 0x400n, expression(0x54), context), undefined);
    assert.equal(entryValueFromCallSite(site, 0x400n, expression(0x51), context), undefined);
    assert.equal(entryValueFromCallSite(site, 0x400n, expression(0x52), context), undefined);
    const indirect: CallSite = { ...site, target: null, targetExpression: expression(0x08, 0x44) };
    assert.equal(entryValueFromCallSite(indirect, 0x44n, expression(0x55), context), 0x1122_3344_5566_778cn);
    assert.equal(entryValueFromCallSite(indirect, 0x45n, expression(0x55), context), undefined);
  });
});
