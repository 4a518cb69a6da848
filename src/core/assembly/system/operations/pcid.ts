// INVPCID (SDM 2A). Translations carry no PCID: whatever drops those of one drops those of all, which SDM 3A 4.10.4.1
// allows.
import * as L from '../../../layout';
import { dstPointer } from '../../core/record';
import { flushTlb, invalidatePage } from '../memory/mmu';
import { code64 } from '../state/operand-size';
import { operandLinear, readMemory } from '../memory/operands';
import { fault } from '../raise/raise';
import { GP } from '../state/vectors';
import { isCanonical } from '../memory/walk';

const CR4_PCIDE: u64 = 1 << 17;
const ADDRESS: u64 = 0, CONTEXT: u64 = 1, ALL: u64 = 2, ALL_BUT_GLOBAL: u64 = 3;

/** INVPCID r, m128: PCID in bits 11:0, linear address in bits 127:64 of the descriptor. */
export function invalidatePcid(r: usize): void {
  if (load<u32>(L.CPL)) fault(GP, 0);
  let type = load<u64>(dstPointer(r));
  if (!code64()) type &= 0xffffffff;
  let a = operandLinear(r, 16, 0), low = readMemory(r, a, 8), linear = readMemory(r, a + 8, 8);
  if (type > ALL_BUT_GLOBAL || low >> 12) fault(GP, 0);
  if (type <= CONTEXT && low && !(load<u64>(L.CR4) & CR4_PCIDE)) fault(GP, 0);
  if (type == ADDRESS) {
    if (!isCanonical(linear)) fault(GP, 0);
    invalidatePage(linear);
  } else flushTlb(type == ALL);
}
