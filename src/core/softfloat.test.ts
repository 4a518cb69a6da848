// Softfloat against exact rational arithmetic in BigInt: results and exceptions of every operation in all rounding modes, and
// in round to nearest against JavaScript's own numbers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compileAssembly } from '../../test/harness/assembly.ts';
import {
  ADD,
  DIVIDE,
  expected,
  finite,
  type Format,
  infinityOf,
  MULTIPLY,
  round,
  roundedQuotient,
  signOf,
  SQUARE_ROOT,
  SUBTRACT,
  valueOf,
} from '../../test/harness/exact-float.ts';
import { FLOAT_FLAGS, FLOAT_RESULT } from './layout.ts';

interface Softfloat {
  memory: WebAssembly.Memory;
  f32_operation: (operation: number, a: number, b: number, mxcsr: number) => number;
  f64_operation: (operation: number, a: bigint, b: bigint, mxcsr: number) => bigint;
  f32x4_operation: (operation: number, aLow: bigint, aHigh: bigint, bLow: bigint, bHigh: bigint, mxcsr: number) => void;
  f32_compare: (a: number, b: number, signalling: number, mxcsr: number) => number;
  f64_compare: (a: bigint, b: bigint, signalling: number, mxcsr: number) => number;
  f64_to_i32: (a: bigint, rounding: number, mxcsr: number) => number;
  f64_to_i64: (a: bigint, rounding: number, mxcsr: number) => bigint;
  i64_to_f32: (a: bigint, mxcsr: number) => number;
  i64_to_f64: (a: bigint, mxcsr: number) => bigint;
  f32_to_f64: (a: number, mxcsr: number) => bigint;
  f64_to_f32: (a: bigint, mxcsr: number) => number;
}
// the exports are those of softfloat/sse.ts
const soft = compileAssembly('softfloat/sse.ts') as unknown as Softfloat;
const scratch = new DataView(soft.memory.buffer);
const flags = (): number => scratch.getUint32(FLOAT_FLAGS, true);

const [MINIMUM, MAXIMUM, COMPARE, ROUND] = [4, 5, 8, 16];
const [IE, DE, ZE, OE, UE, PE] = [1, 2, 4, 8, 0x10, 0x20];
const MASKED = 0x1f80;
const DAZ = 0x40;
const FTZ = 0x8000;
const RUNS = { numRuns: 4000, seed: 0x754 };

interface Softened extends Format {
  readonly run: (operation: number, a: bigint, b: bigint, mxcsr: number) => bigint;
}
const binary32: Softened = {
  width: 32,
  fraction: 23,
  bias: 127,
  run: (operation, a, b, mxcsr) =>
    BigInt.asUintN(
      32,
      BigInt(soft.f32_operation(operation, Number(BigInt.asIntN(32, a)), Number(BigInt.asIntN(32, b)), mxcsr)),
    ),
};
const binary64: Softened = {
  width: 64,
  fraction: 52,
  bias: 1023,
  run: (operation, a, b, mxcsr) => BigInt.asUintN(64, soft.f64_operation(operation, a, b, mxcsr)),
};
const FORMATS = [
  ['binary32', binary32],
  ['binary64', binary64],
] as const;
const mode = fc.nat(3);
const hex = (value: bigint): string => `0x${value.toString(16)}`;

for (const [name, format] of FORMATS) {
  describe(`softfloat, ${name}`, () => {
    const operations: readonly (readonly [string, number])[] = [
      ['adds', ADD],
      ['subtracts', SUBTRACT],
      ['multiplies', MULTIPLY],
      ['divides', DIVIDE],
      ['takes square roots', SQUARE_ROOT],
    ];
    for (const [what, operation] of operations) {
      it(`${what} as exact arithmetic does, in each rounding mode`, () =>
        fc.assert(
          fc.property(finite(format), finite(format), mode, (a, b, rounding) => {
            const divisor = operation === SQUARE_ROOT ? b & ~signOf(format) : b;
            fc.pre(operation !== DIVIDE || (divisor & ~signOf(format)) !== 0n);
            const want = expected(format, operation, a, divisor, rounding);
            const got = format.run(operation, a, divisor, MASKED | (rounding << 13));
            assert.deepEqual(
              [hex(got), flags()],
              [hex(want.bits), want.flags],
              `${hex(a)} ${hex(divisor)} mode ${rounding}`,
            );
          }),
          RUNS,
        ));
    }
    it('subtracts neighbours exactly', () =>
      fc.assert(
        fc.property(finite(format), fc.bigInt(-3n, 3n), mode, (a, step, rounding) => {
          const b = (a & signOf(format)) | BigInt.asUintN(format.width - 1, (a & ~signOf(format)) + step);
          fc.pre((b & ~signOf(format)) < infinityOf(format));
          const want = expected(format, SUBTRACT, a, b, rounding);
          const got = format.run(SUBTRACT, a, b, MASKED | (rounding << 13));
          assert.deepEqual([hex(got), flags()], [hex(want.bits), want.flags]);
        }),
        RUNS,
      ));
    it('rounds to integral numbers', () =>
      fc.assert(
        fc.property(finite(format), mode, fc.boolean(), (a, rounding, exact) => {
          const { numerator, denominator } = valueOf(format, a);
          const negative = numerator < 0n;
          const { q, inexact } = roundedQuotient(negative ? -numerator : numerator, denominator, rounding, negative);
          const want = q === 0n ? 0n : round(format, { numerator: q, denominator: 1n }, 0).bits;
          const got = format.run(ROUND + rounding + (exact ? 8 : 0), 0n, a, MASKED);
          assert.deepEqual([hex(got), flags()], [hex((a & signOf(format)) | want), inexact && !exact ? PE : 0]);
        }),
        RUNS,
      ));
    it('compares as exact numbers compare', () =>
      fc.assert(
        fc.property(finite(format), finite(format), fc.nat(7), (a, b, predicate) => {
          const [x, y] = [valueOf(format, a), valueOf(format, b)];
          const [left, right] = [x.numerator * y.denominator, y.numerator * x.denominator];
          const base = [left === right, left < right, left <= right, false][predicate & 3] === true;
          const got = format.run(COMPARE + predicate, a, b, MASKED);
          assert.equal(got !== 0n, base !== predicate > 3);
          const minimum = format.run(MINIMUM, a, b, MASKED);
          assert.equal(minimum, left < right ? a : b);
          assert.equal(format.run(MAXIMUM, a, b, MASKED), left > right ? a : b);
        }),
        RUNS,
      ));
    it('answers NaNs by the first operand that is one, made quiet', () => {
      const [infinity, quiet] = [infinityOf(format), 1n << BigInt(format.fraction - 1)];
      const [quietNaN, signallingNaN] = [infinity | quiet | 5n, infinity | 3n];
      const one = BigInt(format.bias) << BigInt(format.fraction);
      for (const operation of [ADD, SUBTRACT, MULTIPLY, DIVIDE]) {
        const run = (a: bigint, b: bigint): [bigint, number] => [format.run(operation, a, b, MASKED), flags()];
        assert.deepEqual(run(quietNaN, signallingNaN), [quietNaN, IE]);
        assert.deepEqual(run(signallingNaN, quietNaN), [signallingNaN | quiet, IE]);
        assert.deepEqual(run(one, quietNaN), [quietNaN, 0]);
        assert.deepEqual(run(1n, quietNaN), [quietNaN, 0], 'a denormal beside a NaN is not reported');
        assert.deepEqual(run(signallingNaN, one), [signallingNaN | quiet, IE]);
      }
      assert.equal(format.run(MINIMUM, quietNaN, one, MASKED), one);
      assert.equal(flags(), IE, 'the minimum of a quiet NaN is an invalid operation');
      assert.equal(format.run(MAXIMUM, one, signallingNaN, MASKED), signallingNaN);
    });
    it('answers invalid operations by the negative quiet NaN', () => {
      const [infinity, sign] = [infinityOf(format), signOf(format)];
      const indefinite = sign | infinity | (1n << BigInt(format.fraction - 1));
      const invalid: readonly (readonly [number, bigint, bigint])[] = [
        [ADD, infinity, infinity | sign],
        [SUBTRACT, infinity, infinity],
        [MULTIPLY, 0n, infinity],
        [DIVIDE, 0n, sign],
        [DIVIDE, infinity, infinity | sign],
        [SQUARE_ROOT, 0n, sign | 1n],
        [SQUARE_ROOT, 0n, sign | infinity],
      ];
      for (const [operation, a, b] of invalid)
        assert.deepEqual(
          [format.run(operation, a, b, MASKED), flags()],
          [indefinite, IE],
          `${operation} ${hex(a)} ${hex(b)}`,
        );
    });
    it('reports division by zero of finite numbers alone', () => {
      const one = BigInt(format.bias) << BigInt(format.fraction);
      const [infinity, sign] = [infinityOf(format), signOf(format)];
      assert.deepEqual([format.run(DIVIDE, one, sign, MASKED), flags()], [infinity | sign, ZE]);
      assert.deepEqual([format.run(DIVIDE, infinity, 0n, MASKED), flags()], [infinity, 0]);
    });
    it('takes denormals for zeros with DAZ, and tiny results with FTZ', () => {
      const one = BigInt(format.bias) << BigInt(format.fraction);
      const sign = signOf(format);
      assert.deepEqual([format.run(ADD, one, 3n, MASKED | DAZ), flags()], [one, 0]);
      assert.deepEqual([format.run(MAXIMUM, sign | 3n, sign | 3n, MASKED | DAZ), flags()], [sign, 0]);
      const smallest = 1n << BigInt(format.fraction);
      assert.deepEqual(
        [format.run(SUBTRACT, smallest + 1n, smallest, MASKED), flags()],
        [1n, 0],
        'exact: no underflow',
      );
      assert.deepEqual([format.run(SUBTRACT, smallest + 1n, smallest, MASKED | FTZ), flags()], [0n, UE | PE]);
      assert.deepEqual([format.run(SUBTRACT, smallest, smallest + 1n, MASKED | FTZ), flags()], [sign, UE | PE]);
    });
    it('reports an exact tiny result when underflow is not masked, and no inexactness with it', () => {
      const smallest = 1n << BigInt(format.fraction);
      format.run(SUBTRACT, smallest + 1n, smallest, MASKED & ~(UE << 7));
      assert.equal(flags(), UE);
    });
    it('says nothing of the computation that an exception before it prevents', () => {
      const tiny = 3n; // a denormal whose product is inexact and tiny
      const half = BigInt(format.bias - 1) << BigInt(format.fraction);
      format.run(MULTIPLY, tiny, half, MASKED);
      assert.equal(flags(), DE | UE | PE);
      format.run(MULTIPLY, tiny, half, MASKED & ~(DE << 7));
      assert.equal(flags(), DE);
    });
  });
}

describe('softfloat and JavaScript', () => {
  const bytes = new DataView(new ArrayBuffer(8));
  const toBits = (value: number): bigint => {
    bytes.setFloat64(0, value);
    return bytes.getBigUint64(0);
  };
  const toNumber = (bits: bigint): number => {
    bytes.setBigUint64(0, bits);
    return bytes.getFloat64(0);
  };
  const toBits32 = (value: number): number => {
    bytes.setFloat32(0, value);
    return bytes.getInt32(0);
  };
  const toNumber32 = (bits: number): number => {
    bytes.setInt32(0, bits);
    return bytes.getFloat32(0);
  };
  const double = fc.double();
  const single = fc.float();
  const native: readonly (readonly [number, (a: number, b: number) => number])[] = [
    [ADD, (a, b) => a + b],
    [SUBTRACT, (a, b) => a - b],
    [MULTIPLY, (a, b) => a * b],
    [DIVIDE, (a, b) => a / b],
    [SQUARE_ROOT, (_, b) => Math.sqrt(b)],
  ];
  it('agree on double precision', () =>
    fc.assert(
      fc.property(double, double, (a, b) => {
        for (const [operation, compute] of native) {
          const got = toNumber(soft.f64_operation(operation, toBits(a), toBits(b), MASKED));
          assert.ok(Object.is(got, compute(a, b)), `${operation}: ${a} ${b} ${got}`);
        }
      }),
      RUNS,
    ));
  it('agree on single precision', () =>
    fc.assert(
      fc.property(single, single, (a, b) => {
        for (const [operation, compute] of native) {
          const got = toNumber32(soft.f32_operation(operation, toBits32(a), toBits32(b), MASKED));
          assert.ok(Object.is(got, Math.fround(compute(a, b))), `${operation}: ${a} ${b} ${got}`);
        }
      }),
      RUNS,
    ));
  it('agree on conversions between the two', () =>
    fc.assert(
      fc.property(double, single, (a, b) => {
        assert.ok(Object.is(toNumber32(soft.f64_to_f32(toBits(a), MASKED)), Math.fround(a)), String(a));
        assert.ok(Object.is(toNumber(soft.f32_to_f64(toBits32(b), MASKED)), b), String(b));
      }),
      RUNS,
    ));
  it('agree on comparisons', () =>
    fc.assert(
      fc.property(double, double, single, single, (a, b, c, d) => {
        const relation = (x: number, y: number): number => (x < y ? 0 : x === y ? 1 : x > y ? 2 : 3);
        assert.equal(soft.f64_compare(toBits(a), toBits(b), 0, MASKED), relation(a, b));
        assert.equal(soft.f32_compare(toBits32(c), toBits32(d), 0, MASKED), relation(c, d));
      }),
      RUNS,
    ));
});

describe('conversions to and from integers', () => {
  const [low, high] = [-(1n << 63n), (1n << 63n) - 1n];
  const wide = fc.oneof(fc.bigInt(low, high), fc.bigInt(-(1n << 54n), 1n << 54n), fc.constantFrom(low, high, 0n));
  it('from 64 bits', () =>
    fc.assert(
      fc.property(wide, mode, (value, rounding) => {
        const control = MASKED | (rounding << 13);
        for (const format of [binary32, binary64]) {
          const want =
            value === 0n ? { bits: 0n, flags: 0 } : round(format, { numerator: value, denominator: 1n }, rounding);
          const got =
            format === binary64
              ? BigInt.asUintN(64, soft.i64_to_f64(value, control))
              : BigInt.asUintN(32, BigInt(soft.i64_to_f32(value, control)));
          assert.deepEqual([hex(got), flags()], [hex(want.bits), want.flags]);
        }
      }),
      RUNS,
    ));
  it('to 32 and 64 bits; what does not fit is the integer indefinite', () =>
    fc.assert(
      fc.property(finite(binary64), mode, (bits, rounding) => {
        const { numerator, denominator } = valueOf(binary64, bits);
        const negative = numerator < 0n;
        const { q, inexact } = roundedQuotient(negative ? -numerator : numerator, denominator, rounding, negative);
        const want = negative ? -q : q;
        for (const width of [32, 64] as const) {
          const got =
            width === 32 ? BigInt(soft.f64_to_i32(bits, rounding, MASKED)) : soft.f64_to_i64(bits, rounding, MASKED);
          const inRange = BigInt.asIntN(width, want) === want;
          assert.deepEqual([got, flags()], inRange ? [want, inexact ? PE : 0] : [-(1n << BigInt(width - 1)), IE]);
        }
      }),
      RUNS,
    ));
});

describe('vectors', () => {
  const vector = (...elements: number[]): [bigint, bigint] => {
    const view = new DataView(new ArrayBuffer(16));
    elements.forEach((value, i) => view.setFloat32(i * 4, value, true));
    return [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  };
  it('collect the exceptions of all elements', () => {
    soft.f32x4_operation(DIVIDE, ...vector(1, 0, 1, 1e38), ...vector(0, 0, 3, 1e-38), MASKED);
    assert.equal(flags(), IE | ZE | OE | PE | DE);
    assert.equal(scratch.getFloat32(FLOAT_RESULT, true), Infinity);
    assert.equal(scratch.getUint32(FLOAT_RESULT + 4, true), 0xffc00000);
  });
  it('report only what was found before the computation, when one of those exceptions is not masked', () => {
    soft.f32x4_operation(DIVIDE, ...vector(1, 0, 1, 1e38), ...vector(0, 0, 3, 1e-38), MASKED & ~(ZE << 7));
    assert.equal(flags(), IE | ZE | DE);
    soft.f32x4_operation(DIVIDE, ...vector(1, 0, 1, 1e38), ...vector(0, 0, 3, 1e-38), MASKED & ~(OE << 7));
    assert.equal(flags(), IE | ZE | OE | PE | DE);
  });
});
