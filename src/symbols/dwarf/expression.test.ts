import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DwarfExpression, EvaluationContext, ExpressionBaseType } from '../api.ts';
import { DW_OP } from './constants.ts';
import { evaluateFrameBase, evaluateLocation, evaluateVariable } from './expression.ts';

const int32: ExpressionBaseType = { offset: 0x20, encoding: 'signed', byteSize: 4 };
const uint64: ExpressionBaseType = { offset: 0x30, encoding: 'unsigned', byteSize: 8 };
const float64: ExpressionBaseType = { offset: 0x40, encoding: 'float', byteSize: 8 };

const expression = (...bytes: number[]): DwarfExpression => ({
  bytes: Uint8Array.from(bytes),
  addressSize: 8,
  offsetSize: 4,
  version: 5,
  addresses: [{ index: 3, value: 0x5000n }],
  baseTypes: [int32, uint64, float64],
});

const context: EvaluationContext = {
  register: (number) => (number === 99 ? undefined : BigInt(number) * 0x100n),
  readMemory: (address, length) =>
    address >= 0x1000n ? Uint8Array.from({ length }, (_, index) => Number(address & 0xffn) + index) : undefined,
  cfa: 0x7000n,
  frameBase: 0x6000n,
  loadBias: 0x10_0000n,
};

const run = (...bytes: number[]): ReturnType<typeof evaluateLocation> =>
  evaluateLocation(expression(...bytes), context);
const address = (value: bigint): object => ({ kind: 'memory', address: value });

describe('DWARF expressions', () => {
  it('locations in memory', () => {
    assert.deepEqual(run(DW_OP.addr, 0, 0x10, 0, 0, 0, 0, 0, 0), address(0x10_1000n));
    assert.deepEqual(run(DW_OP.addrx, 3), address(0x10_5000n));
    assert.deepEqual(run(DW_OP.constx, 3), address(0x5000n));
    assert.deepEqual(run(DW_OP.fbreg, 0x70), address(0x5ff0n));
    assert.deepEqual(run(DW_OP.breg0 + 5, 8), address(0x508n));
    assert.deepEqual(run(DW_OP.bregx, 33, 0x7f), address(0x20ffn));
    assert.deepEqual(run(DW_OP.call_frame_cfa), address(0x7000n));
  });

  it('registers and values', () => {
    assert.deepEqual(run(DW_OP.reg0 + 3), { kind: 'register', register: 3 });
    assert.deepEqual(run(DW_OP.regx, 40), { kind: 'register', register: 40 });
    assert.deepEqual(run(DW_OP.implicit_value, 2, 7, 8), { kind: 'value', bytes: Uint8Array.of(7, 8) });
    const value = run(DW_OP.const1s, 0xfe, DW_OP.stack_value);
    assert.deepEqual(value, { kind: 'value', bytes: Uint8Array.of(0xfe, ...Array<number>(15).fill(0xff)) });
  });

  it('the stack', () => {
    const stack = [DW_OP.lit0 + 1, DW_OP.lit0 + 2, DW_OP.lit0 + 3];
    assert.deepEqual(run(...stack, DW_OP.rot), address(2n));
    assert.deepEqual(run(...stack, DW_OP.swap), address(2n));
    assert.deepEqual(run(...stack, DW_OP.over), address(2n));
    assert.deepEqual(run(...stack, DW_OP.pick, 2), address(1n));
    assert.deepEqual(run(...stack, DW_OP.drop), address(2n));
    assert.deepEqual(run(...stack, DW_OP.rot, DW_OP.drop), address(1n));
  });

  it('arithmetic of the generic type: 64 bits, division signed, remainder unsigned', () => {
    const minusOne = [DW_OP.const1s, 0xff];
    assert.deepEqual(run(...minusOne, DW_OP.lit0 + 2, DW_OP.plus), address(1n));
    assert.deepEqual(run(DW_OP.const1s, 0xf8, DW_OP.lit0 + 2, DW_OP.div), address(0xffff_ffff_ffff_fffcn));
    assert.deepEqual(run(...minusOne, DW_OP.lit0 + 16, DW_OP.mod), address(15n));
    assert.deepEqual(run(...minusOne, DW_OP.lit0 + 1, DW_OP.lt), address(1n));
    assert.deepEqual(run(...minusOne, DW_OP.lit0 + 4, DW_OP.shra), address(0xffff_ffff_ffff_ffffn));
    assert.deepEqual(run(...minusOne, DW_OP.const1u, 60, DW_OP.shr), address(15n));
    assert.deepEqual(run(DW_OP.lit0 + 1, DW_OP.const1u, 64, DW_OP.shl), address(0n));
    assert.deepEqual(run(...minusOne, DW_OP.abs), address(1n));
    assert.equal(run(DW_OP.lit0 + 1, DW_OP.lit0, DW_OP.div).kind, 'error');
  });

  it('typed operations', () => {
    // (int) -1 > 0u as unsigned 64-bit after conversion: sign-extended, then unsigned.
    assert.deepEqual(
      run(DW_OP.const_type, 0x20, 4, 0xff, 0xff, 0xff, 0xff, DW_OP.convert, 0x30, DW_OP.convert, 0),
      address(0xffff_ffff_ffff_ffffn),
    );
    assert.deepEqual(
      run(DW_OP.regval_type, 5, 0x20, DW_OP.const_type, 0x20, 4, 1, 0, 0, 0, DW_OP.minus, DW_OP.convert, 0),
      address(0x4ffn),
    );
    // 1.0 + 1.0 = 2.0, converted to an integer.
    const one = [DW_OP.const_type, 0x40, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
    assert.deepEqual(run(...one, ...one, DW_OP.plus, DW_OP.convert, 0x30, DW_OP.convert, 0), address(2n));
    assert.equal(run(...one, DW_OP.lit0, DW_OP.plus).kind, 'error');
    assert.equal(run(DW_OP.lit0, DW_OP.convert, 0x77).kind, 'error');
  });

  it('memory', () => {
    assert.deepEqual(run(DW_OP.breg0 + 16, 1, DW_OP.deref_size, 2), address(0x0201n));
    assert.deepEqual(run(DW_OP.breg0 + 16, 1, DW_OP.deref), address(0x0807060504030201n));
    assert.equal(run(DW_OP.lit0, DW_OP.deref).kind, 'unavailable');
    assert.equal(run(DW_OP.breg0 + 16, 1, DW_OP.deref_size, 9).kind, 'error');
  });

  it('branches, and no endless loops', () => {
    assert.deepEqual(run(DW_OP.lit0 + 1, DW_OP.bra, 1, 0, DW_OP.lit0 + 5, DW_OP.lit0 + 6), address(6n));
    assert.deepEqual(run(DW_OP.lit0 + 7, DW_OP.lit0 + 1, DW_OP.bra, 1, 0, DW_OP.lit0 + 5), address(7n));
    assert.deepEqual(run(DW_OP.lit0 + 7, DW_OP.lit0, DW_OP.bra, 1, 0, DW_OP.lit0 + 5), address(5n));
    assert.equal(run(DW_OP.lit0, DW_OP.skip, 0xfd, 0xff).kind, 'error');
    assert.equal(run(DW_OP.dup, DW_OP.skip, 0xfc, 0xff).kind, 'error');
    assert.equal(run(DW_OP.lit0, DW_OP.dup, DW_OP.skip, 0xfc, 0xff).kind, 'error');
    assert.equal(run(DW_OP.skip, 0xff, 0x7f).kind, 'error');
  });

  it('pieces, with parts that are gone', () => {
    const reg = DW_OP.reg0 + 1;
    assert.deepEqual(run(reg, DW_OP.piece, 8, DW_OP.piece, 4, DW_OP.breg0 + 2, 0, DW_OP.bit_piece, 7, 3), {
      kind: 'pieces',
      pieces: [
        { location: { kind: 'register', register: 1 }, bitSize: 64, bitOffset: 0 },
        { location: { kind: 'optimizedOut', reason: 'The compiler removed this part.' }, bitSize: 32, bitOffset: 0 },
        { location: { kind: 'memory', address: 0x200n }, bitSize: 7, bitOffset: 3 },
      ],
    });
    assert.equal(run(DW_OP.piece, 8).kind, 'optimizedOut');
    assert.equal(run(reg, DW_OP.piece, 8, reg).kind, 'error');
    assert.equal(run(reg, DW_OP.lit0).kind, 'error');
  });

  it('values on entry come from the debugger', () => {
    const bytes = [DW_OP.entry_value, 1, DW_OP.reg0 + 5, DW_OP.stack_value];
    assert.equal(run(...bytes).kind, 'optimizedOut');
    const asked: number[] = [];
    const knowing: EvaluationContext = {
      ...context,
      entryValue: (inner) => {
        asked.push(...inner.bytes);
        return 42n;
      },
    };
    const result = evaluateLocation(expression(...bytes), knowing);
    assert.deepEqual(result.kind === 'value' && result.bytes[0], 42);
    assert.deepEqual(asked, [DW_OP.reg0 + 5]);
  });

  it('what is not there', () => {
    assert.equal(run().kind, 'optimizedOut');
    assert.equal(run(DW_OP.bregx, 99, 0).kind, 'unavailable');
    assert.equal(run(DW_OP.implicit_pointer, 0, 0, 0, 0, 0).kind, 'optimizedOut');
    assert.equal(run(DW_OP.form_tls_address).kind, 'unavailable');
    assert.equal(run(DW_OP.addr, 1, 2).kind, 'error');
    assert.equal(run(0x01).kind, 'error');
    assert.equal(run(DW_OP.plus).kind, 'error');
  });

  it('a frame base may be a register', () => {
    assert.equal(evaluateFrameBase(expression(DW_OP.reg0 + 6), context), 0x600n);
    assert.equal(evaluateFrameBase(expression(DW_OP.call_frame_cfa), context), 0x7000n);
    assert.equal(evaluateFrameBase(null, context), undefined);
  });

  it('constants are widened by their sign', () => {
    const wide = (signed: boolean): unknown =>
      evaluateVariable({ kind: 'constant', bytes: Uint8Array.of(0x80), signed }, context);
    assert.deepEqual(wide(true), { kind: 'value', bytes: Uint8Array.of(0x80, ...Array<number>(15).fill(0xff)) });
    assert.deepEqual(wide(false), { kind: 'value', bytes: Uint8Array.of(0x80, ...Array<number>(15).fill(0)) });
  });
});
