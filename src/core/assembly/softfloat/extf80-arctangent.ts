// FPATAN (SDM 1 8.3.8).
import { answer, BIAS, denormalFlag, EXPONENT, exponentOf, isInfinity, isZero, nanOperands, normalisedExponent,
  normalisedLow,
  PRECISION_64, roundAndPack, SIGN, signOf } from './extf80';
import { less128, subHigh128 } from './integers';
import { addWide, divideWide, exponent, high, low, multiplyWide, normalise, oddSeries, ONE_HIGH, toFixed }
from './wide';

const PI_HIGH: u64 = 0xc90fdaa22168c234, PI_LOW: u64 = 0xc4c6628b80dc1cd1; // * 2^1
/** atan(i / 16), fixed. */
const ARCTANGENTS: StaticArray<u64> = [
  0x0000000000000000, 0x0000000000000000, // 0/16
  0x07fd56edcb3f7a71, 0xb6593c96e071706b, // 1/16
  0x0feadd4d5617b6e3, 0x2c897989f3e888ef, // 2/16
  0x17b97b4bce5b0226, 0x8f6169f103938e91, // 3/16
  0x1f5b75f92c80dd62, 0xadb8f3debef442fd, // 4/16
  0x26c4ee6e0fd7979a, 0x716aed26349ebcca, // 5/16
  0x2dec3283c9bde11c, 0xe2a8c848b73f9121, // 6/16
  0x34c9dd879847f96d, 0x909f257a40079c4e, // 7/16
  0x3b58ce0ac3769ed1, 0x5bf9117b2f0ea341, // 8/16
  0x4195fa536cc33f15, 0x25b504e5b0d28ae0, // 9/16
  0x47802eaf7bfacfcd, 0xae41af0b32e21ba4, // 10/16
  0x4d17c07338deed10, 0x21137c711027f9de, // 11/16
  0x525e3e8c9a7b8492, 0x0cd43f9522bed64f, // 12/16
  0x5756261c5a6c6040, 0x0a392f179f290385, // 13/16
  0x5c029f15e118cf39, 0xe596d2a90852221f, // 14/16
  0x606742dc56293320, 0x44eeb16237497d12, // 15/16
  0x6487ed5110b4611a, 0x62633145c06e0e69, // 16/16
];

/** Arctangent of the wide number q = (h, l, e), at most 1: of its nearest sixteenth c, and of (q - c) / (1 + q c). */
function arctangent(h: u64, l: u64, e: i32): void {
  toFixed(h, l, e);
  let qHigh = high, qLow = low, i = (qHigh + (<u64>1 << 58)) >> 59;
  if (!i) { small(h, l, e); return; }
  let table = <u32>i << 1, c = i << 59, below = less128(qHigh, qLow, c, 0);
  let dHigh = below ? subHigh128(c, 0, qHigh, qLow) : qHigh - c, dLow = below ? -qLow : qLow;
  let tableHigh = ARCTANGENTS[table], tableLow = ARCTANGENTS[table + 1];
  normalise(tableHigh, tableLow, 0);
  if (!(dHigh | dLow)) return;
  tableHigh = high; tableLow = low;
  let tableExponent = exponent;
  // 1 + q c; less than 2, since q is not 1 where c is
  multiplyWide(h, l, e, <u64>i << clz<u64>(i), 0, 59 - <i32>clz<u64>(i));
  toFixed(high, low, exponent);
  let denominatorHigh = high + ONE_HIGH, denominatorLow = low;
  normalise(dHigh, dLow, 0);
  divideWide(high, low, exponent, denominatorHigh, denominatorLow, 0);
  small(high, low, exponent);
  addWide(0, tableHigh, tableLow, tableExponent, below ? 1 : 0, high, low, exponent);
}
/** d (1 - d^2 / 3 + d^4 / 5 ...), d at most 1/32. */
function small(h: u64, l: u64, e: i32): void {
  multiplyWide(h, l, e, h, l, e);
  toFixed(high, low, exponent);
  oddSeries(high, low, 13, true);
  normalise(high, low, 0);
  multiplyWide(high, low, exponent, h, l, e);
}
/** A multiple of pi / 4, which SDM 2A table 3-29 demands for zeros and infinities. */
function multiple(quarters: u64, sign: u32, control: u32, flags: u32): u32 {
  let n = <i32>clz<u64>(quarters);
  multiplyWide(PI_HIGH, PI_LOW, 1, quarters << n, 0, 61 - n);
  return roundAndPack(sign, BIAS + exponent, high, low | 1, control | PRECISION_64, flags);
}

/** FPATAN: the angle of the point (x, y), with the sign of y. */
export function extF80_atan(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32 {
  let special = nanOperands(xLow, xHigh, yLow, yHigh);
  if (special >= 0) return <u32>special;
  let flags = denormalFlag(xLow, xHigh) | denormalFlag(yLow, yHigh), sign = signOf(yHigh), left = signOf(xHigh) != 0;
  if (isInfinity(yLow, yHigh)) return multiple(isInfinity(xLow, xHigh) ? (left ? 3 : 1) : 2, sign, control, flags);
  if (isInfinity(xLow, xHigh) || isZero(yLow, yHigh))
    return left ? multiple(4, sign, control, flags) : answer(0, sign, flags);
  if (isZero(xLow, xHigh)) return multiple(2, sign, control, flags);
  let x = normalisedLow(xLow), e = normalisedExponent(xLow, xHigh), y = normalisedLow(yLow);
  let f = normalisedExponent(yLow, yHigh);
  let steep = f > e || (f == e && y > x);
  if (steep) divideWide(x, 0, e, y, 0, f); else divideWide(y, 0, f, x, 0, e);
  if (exponent > -200) arctangent(high, low, exponent);
  // a multiple of pi / 2 plus or minus that
  if (steep) addWide(0, PI_HIGH, PI_LOW, 0, left ? 0 : 1, high, low, exponent);
  else if (left) addWide(0, PI_HIGH, PI_LOW, 1, 1, high, low, exponent);
  return roundAndPack(sign, BIAS + exponent, high, low | 1, control | PRECISION_64, flags);
}
