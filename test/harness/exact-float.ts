// Floating point in exact rational arithmetic: what softfloat has to answer, in any binary format.
import * as fc from 'fast-check';

/** Operations, numbered as in softfloat/operations.ts. */
export const [ADD, SUBTRACT, MULTIPLY, DIVIDE, SQUARE_ROOT] = [0, 1, 2, 3, 6];
const [DE, OE, UE, PE] = [2, 8, 0x10, 0x20];

// ---- the formats (IEEE 754-2019, 3.4) ----------------------------------------------------------------------------------------
/** A binary format without its integer bit: sign, exponent, fraction. */
export interface Format {
  readonly width: number;
  /** Bits of the fraction. */
  readonly fraction: number;
  readonly bias: number;
}
export const exponentField = ({ fraction, bias }: Format, bits: bigint): number =>
  Number(bits >> BigInt(fraction)) & (2 * bias + 1);
export const infinityOf = ({ fraction, bias }: Format): bigint => BigInt(2 * bias + 1) << BigInt(fraction);
export const signOf = ({ width }: Format): bigint => 1n << BigInt(width - 1);
const fractionOf = ({ fraction }: Format, bits: bigint): bigint => BigInt.asUintN(fraction, bits);
const isDenormal = (format: Format, bits: bigint): boolean =>
  exponentField(format, bits) === 0 && fractionOf(format, bits) !== 0n;

/** numerator / denominator, denominator > 0. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}
const rational = (numerator: bigint, exponent: number): Rational =>
  exponent >= 0
    ? { numerator: numerator << BigInt(exponent), denominator: 1n }
    : { numerator, denominator: 1n << BigInt(-exponent) };
/** The value of a finite number. */
export function valueOf(format: Format, bits: bigint): Rational {
  const field = exponentField(format, bits);
  const significand = fractionOf(format, bits) | (field === 0 ? 0n : 1n << BigInt(format.fraction));
  const signed = (bits & signOf(format)) === 0n ? significand : -significand;
  return rational(signed, Math.max(field, 1) - format.bias - format.fraction);
}

/** Rounding modes, as in MXCSR and the x87 control word. */
const [NEAREST, DOWN, UP] = [0, 1, 2];
/** Floor of the quotient, or one more, as the mode has it; sticky: the true value is a little larger than it. */
export function roundedQuotient(
  a: bigint,
  b: bigint,
  mode: number,
  negative: boolean,
  sticky = false,
): { q: bigint; inexact: boolean } {
  const q = a / b;
  const twice = 2n * (a % b);
  const inexact = twice !== 0n || sticky;
  const away =
    mode === NEAREST
      ? twice > b || (twice === b && (sticky || (q & 1n) === 1n))
      : inexact && mode === (negative ? DOWN : UP);
  return { q: away ? q + 1n : q, inexact };
}
const bitLength = (value: bigint): number => value.toString(2).length;

/** The encoding of a number that is not zero, and the masked exceptions (IEEE 754-2019 clauses 4, 7). */
export function round(
  format: Format,
  { numerator, denominator }: Rational,
  mode: number,
  sticky = false,
): { bits: bigint; flags: number } {
  const { fraction, bias } = format;
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  let e = bitLength(magnitude) - bitLength(denominator);
  const scaled = (exponent: number): [bigint, bigint] =>
    exponent >= 0 ? [magnitude, denominator << BigInt(exponent)] : [magnitude << BigInt(-exponent), denominator];
  const [top, bottom] = scaled(e);
  if (top < bottom) e--;
  const smallest = 1 - bias;
  const to = (lastPlace: number): { q: bigint; inexact: boolean } =>
    roundedQuotient(...scaled(lastPlace), mode, negative, sticky);
  const unbounded = to(e - fraction);
  const tiny = e < smallest - 1 || (e === smallest - 1 && unbounded.q < 1n << BigInt(fraction + 1));
  const lastPlace = Math.max(e, smallest) - fraction;
  const { q, inexact } = to(lastPlace);
  const sign = negative ? signOf(format) : 0n;
  const bits = q + (BigInt(lastPlace - (smallest - fraction)) << BigInt(fraction));
  if (bits >= infinityOf(format)) {
    const infinite = mode === NEAREST || mode === (negative ? DOWN : UP);
    return { bits: sign | (infinityOf(format) - (infinite ? 0n : 1n)), flags: OE | PE };
  }
  return { bits: sign | bits, flags: inexact ? (tiny ? UE | PE : PE) : 0 };
}

/** What an operation on finite numbers gives. */
export function expected(
  format: Format,
  operation: number,
  a: bigint,
  b: bigint,
  mode: number,
): { bits: bigint; flags: number } {
  const sign = signOf(format);
  const denormal = isDenormal(format, b) || (operation !== SQUARE_ROOT && isDenormal(format, a)) ? DE : 0;
  const [x, y] = [valueOf(format, a), valueOf(format, b)];
  const done = (value: Rational, zero: bigint, sticky = false): { bits: bigint; flags: number } => {
    if (value.numerator === 0n && !sticky) return { bits: zero, flags: denormal };
    const result = round(format, value, mode, sticky);
    return { bits: result.bits, flags: result.flags | denormal };
  };
  if (operation === MULTIPLY) {
    const product = { numerator: x.numerator * y.numerator, denominator: x.denominator * y.denominator };
    return done(product, (a ^ b) & sign);
  }
  if (operation === DIVIDE) {
    const [n, d] = [x.numerator * y.denominator, x.denominator * y.numerator];
    return done(d < 0n ? { numerator: -n, denominator: -d } : { numerator: n, denominator: d }, (a ^ b) & sign);
  }
  if (operation === SQUARE_ROOT) {
    // of y, multiplied by an even power of 2, to the last integer digit; the rest is sticky
    const half = BigInt(format.bias + format.fraction);
    const scaled = (y.numerator << (2n * half)) / y.denominator;
    const root = floorSqrt(scaled);
    return done({ numerator: root, denominator: 1n << half }, b & sign, root * root !== scaled);
  }
  const second = operation === SUBTRACT ? -y.numerator : y.numerator;
  const sum = {
    numerator: x.numerator * y.denominator + second * x.denominator,
    denominator: x.denominator * y.denominator,
  };
  const signs = [a & sign, (operation === SUBTRACT ? b ^ sign : b) & sign];
  return done(sum, signs[0] === signs[1] ? (signs[0] ?? 0n) : mode === DOWN ? sign : 0n);
}
function floorSqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

// ---- operands --------------------------------------------------------------------------------------------------------------------
/** Finite numbers; exponents anywhere, at the ends, or near each other; significands with long runs of equal bits. */
export function finite(format: Format): fc.Arbitrary<bigint> {
  const { width, fraction, bias } = format;
  const top = 2 * bias;
  const exponent = fc.oneof(
    fc.nat(top),
    fc.nat(fraction + 2),
    fc.integer({ min: top - 2, max: top }),
    fc.integer({ min: bias - fraction - 3, max: bias + fraction + 3 }),
    fc.integer({ min: bias >> 1, max: (bias >> 1) + 2 * fraction }),
  );
  const significand = fc.oneof(
    fc.bigInt(0n, (1n << BigInt(fraction)) - 1n),
    fc.bigInt(0n, 7n),
    fc.bigInt(0n, 7n).map((n) => (1n << BigInt(fraction)) - 1n - n),
    fc.nat(fraction - 1).map((n) => 1n << BigInt(n)),
  );
  return fc
    .tuple(fc.nat(1), exponent, significand)
    .map(([sign, e, s]) => (BigInt(sign) << BigInt(width - 1)) | (BigInt(e) << BigInt(fraction)) | s);
}
