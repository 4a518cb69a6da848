// The divisions that a handler does not do in one step: 128-bit dividends, and those that raise #DE (SDM 2A DIV, IDIV).
import * as L from '../../../layout';
import { immOf } from '../../core/record';
import { operandSize } from '../state/operand-size';
import { readSource } from '../memory/operands';
import { fault } from '../raise/raise';
import { DE } from '../state/vectors';

/**
 * Divides high:low by divisor, high < divisor: one quotient bit a turn. The remainder goes to RDX, the quotient to RAX.
 */
function divide128(high: u64, low: u64, divisor: u64): void {
  let quotient: u64 = 0;
  for (let i = 0; i < 64; i++) {
    let carry = high >> 63;
    high = high << 1 | low >> 63;
    low <<= 1;
    quotient <<= 1;
    if (carry || high >= divisor) { high -= divisor; quotient |= 1; }
  }
  store<u64>(L.RAX, quotient);
  store<u64>(L.RDX, high);
}
/**
 * Only 64-bit operands come here without #DE: the narrower ones fit in a single division. imm: 1 signed, 0 unsigned.
 */
export function divide(r: usize): void {
  let size = operandSize(r), divisor = readSource(r, size);
  if (size < 8 || !divisor) fault(DE, -1);
  let high = load<u64>(L.RDX), low = load<u64>(L.RAX);
  if (!(immOf(r) & 1)) {
    if (high >= divisor) fault(DE, -1);
    divide128(high, low, divisor);
    return;
  }
  let negative = <i64>high < 0, opposite = negative != (<i64>divisor < 0);
  if (negative) { low = -low; high = ~high + (low == 0 ? 1 : 0); }
  let magnitude = <i64>divisor < 0 ? -divisor : divisor;
  if (high >= magnitude) fault(DE, -1);
  let rax = load<u64>(L.RAX), rdx = load<u64>(L.RDX);
  divide128(high, low, magnitude);
  let quotient = load<u64>(L.RAX), remainder = load<u64>(L.RDX);
  if (quotient > (opposite ? <u64>1 << 63 : <u64>i64.MAX_VALUE)) {
    store<u64>(L.RAX, rax); store<u64>(L.RDX, rdx);
    fault(DE, -1);
  }
  store<u64>(L.RAX, opposite ? -quotient : quotient);
  store<u64>(L.RDX, negative ? -remainder : remainder);
}
