// The 80-bit routines of softfloat, each by itself: against the x87 of this machine's processor where there is one, against
// exact rational arithmetic, and against constants that mathematics knows.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compileAssembly } from '../../test/harness/assembly.ts';
import {
  ADD,
  DIVIDE,
  expected,
  finite,
  type Format,
  MULTIPLY,
  SQUARE_ROOT,
  SUBTRACT,
} from '../../test/harness/exact-float.ts';
import { Processor, unavailable } from '../../test/oracle/cpu/processor.ts';
import { type Case, DATA_ADDRESS, INITIAL_X87, type X87State } from '../../test/oracle/cpu/protocol.ts';
import { type Extended, extended, related } from '../../test/oracle/cpu/x87-values.ts';
import { bytesOf } from '../../test/harness/bytes.ts';
import { campaignSeed, type Random, randomOf } from '../../test/harness/random.ts';
import { FLOAT_EXTENDED_HIGH, FLOAT_EXTENDED_LOW, FLOAT_SECOND_HIGH, FLOAT_SECOND_LOW } from './layout.ts';

type Unary = (low: bigint, high: number, control: number) => number;
type Binary = (aLow: bigint, aHigh: number, bLow: bigint, bHigh: number, control: number) => number;
interface Softfloat {
  readonly memory: WebAssembly.Memory;
  readonly extF80_add: Binary;
  readonly extF80_sub: Binary;
  readonly extF80_mul: Binary;
  readonly extF80_div: Binary;
  readonly extF80_sqrt: Unary;
  readonly extF80_rem: (...operands: [bigint, number, bigint, number, nearest: number, control: number]) => number;
  readonly extF80_scale: Binary;
  readonly extF80_roundToInt: Unary;
  readonly extF80_extract: (low: bigint, high: number) => number;
  readonly extF80_compare: Binary;
  readonly extF80_classify: (low: bigint, high: number) => number;
  readonly extF80_2xm1: Unary;
  readonly extF80_sin: Unary;
  readonly extF80_cos: Unary;
  readonly extF80_sincos: Unary;
  readonly extF80_tan: Unary;
  readonly extF80_atan: Binary;
  readonly extF80_yl2x: Binary;
  readonly extF80_yl2xp1: Binary;
  readonly f32_to_extF80: (bits: number) => bigint;
  readonly f64_to_extF80: (bits: bigint) => bigint;
  readonly i64_to_extF80: (value: bigint) => bigint;
  readonly bcd_to_extF80: (low: bigint, high: number) => bigint;
  readonly extF80_to_f32: Unary;
  readonly extF80_to_f64: Unary;
  readonly extF80_to_integer: (low: bigint, high: number, bits: number, control: number) => number;
  readonly extF80_to_bcd: Unary;
}
const PARTS = ['arithmetic', 'arctangent', 'convert', 'exponential', 'parts', 'remainder', 'trigonometric'];
// the exports are those of the files of softfloat/extf80-*.ts
const soft = compileAssembly(...PARTS.map((part) => `softfloat/extf80-${part}.ts`)) as unknown as Softfloat;
const scratch = new DataView(soft.memory.buffer);
const first = (): Extended => ({
  low: scratch.getBigUint64(FLOAT_EXTENDED_LOW, true),
  high: scratch.getUint16(FLOAT_EXTENDED_HIGH, true),
});
const second = (): Extended => ({
  low: scratch.getBigUint64(FLOAT_SECOND_LOW, true),
  high: scratch.getUint16(FLOAT_SECOND_HIGH, true),
});
const text = ({ low, high }: Extended): string => `${high.toString(16)}:${low.toString(16).padStart(16, '0')}`;

const EXCEPTIONS = 0x3f;
const C1 = 0x200;
const CONDITIONS = 0x4500;
const MASKED = 0x7f;
const PRECISION_64 = 0x300;
/** Masked exceptions, a precision and a rounding mode. */
const controlOf = (precision: number, rounding: number): number => MASKED | (precision << 8) | (rounding << 10);

// ---- this processor ------------------------------------------------------------------------------------------------------------
interface Operation {
  readonly name: string;
  /** On ST(0) = a and ST(1) = b; the result comes to ST(0). */
  readonly code: string;
  readonly routine: (a: Extended, b: Extended, control: number) => number;
  /** Whether there is a second result, in ST(1). */
  readonly two?: boolean;
  /** Status bits beside the exceptions that the routine answers. */
  readonly codes?: number;
  /** Operands that it is defined for, as exponents of a. */
  readonly below?: number;
  /** Whether there is no result but the status. */
  readonly compares?: boolean;
}
const unary =
  (routine: Unary): Operation['routine'] =>
  (a, _, control) =>
    routine(a.low, a.high, control);
const binary =
  (routine: Binary): Operation['routine'] =>
  (a, b, control) =>
    routine(a.low, a.high, b.low, b.high, control);
const BIAS = 0x3fff;
const EXACT: readonly Operation[] = [
  { name: 'extF80_add', code: 'D8 C1', routine: binary(soft.extF80_add), codes: C1 },
  { name: 'extF80_sub', code: 'D8 E1', routine: binary(soft.extF80_sub), codes: C1 },
  { name: 'extF80_mul', code: 'D8 C9', routine: binary(soft.extF80_mul), codes: C1 },
  { name: 'extF80_div', code: 'D8 F1', routine: binary(soft.extF80_div), codes: C1 },
  { name: 'extF80_sqrt', code: 'D9 FA', routine: unary(soft.extF80_sqrt), codes: C1 },
  { name: 'extF80_roundToInt', code: 'D9 FC', routine: unary(soft.extF80_roundToInt), codes: C1 },
  { name: 'extF80_scale', code: 'D9 FD', routine: binary(soft.extF80_scale), codes: C1 },
  ...[0, 1].map((nearest) => ({
    name: `extF80_rem, ${nearest === 0 ? 'FPREM' : 'FPREM1'}`,
    code: nearest === 0 ? 'D9 F8' : 'D9 F5',
    routine: (a: Extended, b: Extended, control: number) =>
      soft.extF80_rem(a.low, a.high, b.low, b.high, nearest, control),
    codes: C1 | CONDITIONS,
  })),
  { name: 'extF80_extract', code: 'D9 F4', routine: unary(soft.extF80_extract), two: true },
  ...[0, 1].map((quiet) => ({
    name: `extF80_compare, ${quiet === 0 ? 'FCOM' : 'FUCOM'}`,
    code: quiet === 0 ? 'D8 D1' : 'DD E1',
    routine: (a: Extended, b: Extended) => soft.extF80_compare(a.low, a.high, b.low, b.high, quiet),
    codes: CONDITIONS,
    compares: true,
  })),
  {
    name: 'extF80_classify',
    code: 'D9 E5',
    routine: (a) => soft.extF80_classify(a.low, a.high),
    codes: CONDITIONS,
    compares: true,
  },
];
/** Less than one unit in the last place may be wrong, and so C1 (SDM 1 8.3.10). */
const CLOSE: readonly Operation[] = [
  { name: 'extF80_2xm1', code: 'D9 F0', routine: unary(soft.extF80_2xm1), below: BIAS },
  { name: 'extF80_sin', code: 'D9 FE', routine: unary(soft.extF80_sin), codes: 0x400 },
  { name: 'extF80_cos', code: 'D9 FF', routine: unary(soft.extF80_cos), codes: 0x400 },
  { name: 'extF80_sincos', code: 'D9 FB', routine: unary(soft.extF80_sincos), codes: 0x400, two: true },
  { name: 'extF80_tan', code: 'D9 F2', routine: unary(soft.extF80_tan), codes: 0x400, two: true },
  { name: 'extF80_atan', code: 'D9 F3', routine: binary(soft.extF80_atan) },
  { name: 'extF80_yl2x', code: 'D9 F1', routine: binary(soft.extF80_yl2x) },
  { name: 'extF80_yl2xp1', code: 'D9 F9', routine: binary(soft.extF80_yl2xp1), below: BIAS - 2 },
];

/** Distance of two numbers of one sign in units of the last place; of different signs without end. */
function distance(x: Extended, y: Extended): bigint {
  if ((x.high ^ y.high) & 0x8000) return 1n << 80n;
  const place = ({ low, high }: Extended): bigint => (BigInt(high & 0x7fff) << 63n) + BigInt.asUintN(63, low);
  const gap = place(x) - place(y);
  return gap < 0n ? -gap : gap;
}

const UE = 0x10;
/** 2^-16382: the numbers below are tiny. */
const SMALLEST_NORMAL: Extended = { low: 1n << 63n, high: 1 };
const magnitude = ({ low, high }: Extended): Extended => ({ low, high: high & 0x7fff });
/**
 * The exceptions that both have to raise. Of two results a unit apart, one may be tiny and the other not: at that border underflow is
 * not compared: FSIN of 2^-16382 itself, rounded down, is the largest denormal here, and 2^-16382 on AMD's processors.
 */
const comparable = (result: Extended, ulps: bigint): number =>
  distance(magnitude(result), SMALLEST_NORMAL) <= ulps && ulps > 0n ? EXCEPTIONS & ~UE : EXCEPTIONS;

interface Input {
  readonly a: Extended;
  readonly b: Extended;
  readonly control: number;
}

const TOP = 6;
function stackOf(a: Extended, b: Extended, control: number): X87State {
  const registers = new Uint8Array(128);
  const view = new DataView(registers.buffer);
  [a, b].forEach(({ low, high }, i) => {
    view.setBigUint64(i * 16, low, true);
    view.setUint16(i * 16 + 8, high, true);
  });
  return { ...INITIAL_X87, control, status: TOP << 11, tags: 0xc0, registers };
}
function registerOf({ registers }: X87State, i: number): Extended {
  const view = new DataView(registers.buffer, registers.byteOffset);
  return { low: view.getBigUint64(i * 16, true), high: view.getUint16(i * 16 + 8, true) };
}
/** A case of one instruction whose memory operand, if any, is [rax]. */
function caseOf(code: string, x87: X87State, patch = new Uint8Array(16)): Case {
  return {
    code: bytesOf(code),
    registers: Array.from({ length: 16 }, () => BigInt(DATA_ADDRESS)),
    flags: 0n,
    xmm: new Uint8Array(256),
    mxcsr: 0x1f80,
    x87,
    patchOffset: 0,
    patch,
    codeSize: 64,
    segmented: false,
  };
}
function operands(random: Random, below = 0x8000): { a: Extended; b: Extended; control: number } {
  const any = extended(random);
  const a = { low: any.low, high: (any.high & 0x8000) | Math.min(any.high & 0x7fff, below - 1) };
  const b = random(3) === 0 ? related(a, random) : extended(random);
  const precision = [0, 2, 3][random(3)] ?? 3;
  return { a, b, control: controlOf(precision, random(4)) };
}

describe('80-bit softfloat and the x87 of this processor', { skip: unavailable() ?? false }, () => {
  const seed = campaignSeed(0x87);
  const CASES = 3000;
  const data = new Uint8Array(0x4000);
  let processor: Processor;
  before(() => {
    processor = new Processor();
  });
  after(() => processor.dispose());

  /** Runs an instruction on these operands here and on the processor, and compares exceptions, condition codes and results. */
  function compare(operation: Operation, inputs: readonly Input[]): void {
    const { code, routine, two = false, codes = 0, compares = false } = operation;
    const results = processor.run(
      inputs.map(({ a, b, control }) => caseOf(code, stackOf(a, b, control))),
      data,
    );
    const ulps = CLOSE.includes(operation) ? 1n : 0n;
    results.forEach(({ vector, x87 }, i) => {
      const { a, b, control } = inputs[i] ?? assert.fail();
      const at = `${text(a)} ${text(b)} control ${control.toString(16)}`;
      assert.equal(vector, 1, at);
      const flags = routine(a, b, control) & (EXCEPTIONS | codes);
      const mask = codes | (comparable(first(), ulps) & (two ? comparable(second(), ulps) : EXCEPTIONS));
      assert.equal((flags & mask).toString(16), (x87.status & mask).toString(16), `status: ${at}`);
      if (compares) return;
      // out of its range (C2) an instruction with two results leaves ST(0) and pushes nothing
      const pairs: [Extended, Extended][] = [[first(), registerOf(x87, 0)]];
      if (two && (flags & 0x400) === 0) pairs.push([second(), registerOf(x87, 1)]);
      for (const [got, want] of pairs)
        assert.ok(distance(got, want) <= ulps, `${text(got)} is not ${text(want)}: ${at}`);
    });
  }

  for (const operation of [...EXACT, ...CLOSE]) {
    const { name, below } = operation;
    it(`${name}: ${CASES} operands, seed ${seed}`, () => {
      const random = randomOf(seed, name);
      compare(
        operation,
        Array.from({ length: CASES }, () => operands(random, below)),
      );
    });
  }

  for (const name of ['extF80_sin', 'extF80_sincos']) {
    it(`${name} of 2^-16382, in both encodings and every rounding: within a unit at the border of underflow`, () => {
      const operation = CLOSE.find((one) => one.name === name) ?? assert.fail();
      const b: Extended = { low: 0x8b604ab229feffd1n, high: 0xbffd };
      compare(
        operation,
        [0, 1].flatMap((high) =>
          [0, 1, 2, 3].map((rounding) => ({ a: { low: 1n << 63n, high }, b, control: controlOf(0, rounding) })),
        ),
      );
    });
  }

  // ---- conversions -------------------------------------------------------------------------------------------------------------
  const LOADS: readonly (readonly [name: string, code: string, bytes: number, routine: (view: DataView) => unknown])[] =
    [
      ['f32_to_extF80', 'D9 00', 4, (view) => soft.f32_to_extF80(view.getUint32(0, true))],
      ['f64_to_extF80', 'DD 00', 8, (view) => soft.f64_to_extF80(view.getBigUint64(0, true))],
      ['i64_to_extF80', 'DF 28', 8, (view) => soft.i64_to_extF80(view.getBigInt64(0, true))],
      ['bcd_to_extF80', 'DF 20', 10, (view) => soft.bcd_to_extF80(view.getBigUint64(0, true), view.getUint16(8, true))],
    ];
  for (const [name, code, bytes, routine] of LOADS) {
    it(`${name}, seed ${seed}`, () => {
      const random = randomOf(seed, name);
      const sources = Array.from({ length: CASES }, () => {
        const patch = new Uint8Array(16);
        for (let i = 0; i < bytes; i++)
          patch[i] = name.startsWith('bcd') ? random(10) * 17 : (random(3) - 1) & random(256);
        if (name.startsWith('bcd')) patch[9] = random(2) << 7;
        // any exponent, and each sign
        if (name.startsWith('f')) patch.set([random(256), random(256)], bytes - 2);
        return patch;
      });
      const results = processor.run(
        sources.map((patch) => caseOf(code, INITIAL_X87, patch)),
        data,
      );
      const QUIET = 1n << 62n;
      results.forEach(({ x87 }, i) => {
        const patch = sources[i] ?? assert.fail();
        routine(new DataView(patch.buffer));
        const got = first();
        const isNaN = (got.high & 0x7fff) === 0x7fff && BigInt.asUintN(63, got.low) !== 0n;
        // that an SNaN is one is left to the instruction
        const quieted = isNaN ? { ...got, low: got.low | QUIET } : got;
        assert.equal(text(quieted), text(registerOf(x87, 0)), Buffer.from(patch).toString('hex'));
      });
    });
  }
  const STORES: readonly (readonly [name: string, code: string, routine: Unary])[] = [
    ['extF80_to_f32', 'D9 18', soft.extF80_to_f32],
    ['extF80_to_f64', 'DD 18', soft.extF80_to_f64],
    ...([16, 32, 64] as const).map((bits): readonly [string, string, Unary] => [
      `extF80_to_integer, ${bits} bits`,
      { 16: 'DF 18', 32: 'DB 18', 64: 'DF 38' }[bits],
      (low, high, control) => soft.extF80_to_integer(low, high, bits, control),
    ]),
    ['extF80_to_bcd', 'DF 30', soft.extF80_to_bcd],
  ];
  for (const [name, code, routine] of STORES) {
    it(`${name}, seed ${seed}`, () => {
      const random = randomOf(seed, name);
      const inputs = Array.from({ length: CASES }, () => operands(random));
      const results = processor.run(
        inputs.map(({ a, b, control }) => caseOf(code, stackOf(a, b, control))),
        data,
      );
      const bytes =
        { D9: 4, DD: 8, DB: 4, DF: code === 'DF 18' ? 2 : code === 'DF 38' ? 8 : 10 }[code.slice(0, 2)] ?? 0;
      results.forEach(({ x87, changes }, i) => {
        const { a, control } = inputs[i] ?? assert.fail();
        const at = `${text(a)} control ${control.toString(16)}`;
        const flags = routine(a.low, a.high, control);
        assert.equal(flags.toString(16), (x87.status & (EXCEPTIONS | C1)).toString(16), `status: ${at}`);
        const { low, high } = first();
        const got = [BigInt.asUintN(Math.min(bytes, 8) * 8, low), bytes > 8 ? BigInt(high) : 0n];
        assert.deepEqual(got, [changes.get(0) ?? 0n, changes.get(8) ?? 0n], at);
      });
    });
  }
});

// ---- exact arithmetic ------------------------------------------------------------------------------------------------------------
/** The format without its explicit integer bit. */
const EXTENDED: Format = { width: 79, fraction: 63, bias: BIAS };
const RUNS = { numRuns: 1500, seed: 0x754 };
function explicit(bits: bigint): Extended {
  const high = Number(bits >> 63n);
  return { low: BigInt.asUintN(63, bits) | ((high & 0x7fff) === 0 ? 0n : 1n << 63n), high };
}
describe('80-bit softfloat and exact arithmetic', () => {
  const operations: readonly (readonly [string, number, Operation['routine']])[] = [
    ['extF80_add', ADD, binary(soft.extF80_add)],
    ['extF80_sub', SUBTRACT, binary(soft.extF80_sub)],
    ['extF80_mul', MULTIPLY, binary(soft.extF80_mul)],
    ['extF80_div', DIVIDE, binary(soft.extF80_div)],
    ['extF80_sqrt', SQUARE_ROOT, (_, b, control) => soft.extF80_sqrt(b.low, b.high, control)],
  ];
  const SIGN = 1n << 78n;
  for (const [name, operation, routine] of operations) {
    it(`${name}, in each rounding mode`, () =>
      fc.assert(
        fc.property(finite(EXTENDED), finite(EXTENDED), fc.nat(3), (a, second_, rounding) => {
          const b = operation === SQUARE_ROOT ? second_ & ~SIGN : second_;
          fc.pre(operation !== DIVIDE || (b & ~SIGN) !== 0n);
          const want = expected(EXTENDED, operation, a, b, rounding);
          const flags = routine(explicit(a), explicit(b), controlOf(3, rounding)) & EXCEPTIONS;
          assert.deepEqual([text(first()), flags], [text(explicit(want.bits)), want.flags]);
        }),
        RUNS,
      ));
  }
});

describe('80-bit softfloat and known numbers', () => {
  const one: Extended = { low: 1n << 63n, high: BIAS };
  const ten: Extended = { low: 0xa000_0000_0000_0000n, high: BIAS + 3 };
  const control = MASKED | PRECISION_64;
  /** 64 bits of the value's binary expansion, rounded to nearest. */
  const known: readonly (readonly [string, () => number, Extended])[] = [
    [
      'pi / 4 = atan(1)',
      () => soft.extF80_atan(one.low, one.high, one.low, one.high, control),
      { low: 0xc90f_daa2_2168_c235n, high: BIAS - 1 },
    ],
    [
      'log2(10)',
      () => soft.extF80_yl2x(ten.low, ten.high, one.low, one.high, control),
      { low: 0xd49a_784b_cd1b_8afen, high: BIAS + 1 },
    ],
    [
      'sqrt(2) - 1',
      () => soft.extF80_2xm1(one.low, one.high - 1, control),
      { low: 0xd413_cccf_e779_9211n, high: BIAS - 2 },
    ],
    ['sin(1)', () => soft.extF80_sin(one.low, one.high, control), { low: 0xd76a_a478_4867_7021n, high: BIAS - 1 }],
    ['cos(1)', () => soft.extF80_cos(one.low, one.high, control), { low: 0x8a51_407d_a834_5c92n, high: BIAS - 1 }],
  ];
  for (const [name, compute, want] of known)
    it(name, () => {
      assert.equal(compute() & EXCEPTIONS, 0x20, 'inexact');
      assert.equal(text(first()), text(want));
    });
});
