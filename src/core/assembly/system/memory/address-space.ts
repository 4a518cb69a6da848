// CR3 and what hangs on it: translations, and the registers of PAE paging (SDM 3A 4.4.1).
import * as L from '../../../layout';
import { physicalQuad } from './physical';
import { fault } from '../raise/raise';
import { flushTlb } from '../state/tlb';
import { GP } from '../state/vectors';
import { longMode } from './walk';

/** Physical address bits beyond 40 are reserved in CR3 of long mode. */
export const CR3_RESERVED: u64 = ~(<u64>0xffffffffff);
/** Reserved in a present page-directory-pointer register (SDM 3A table 4-8). */
const PDPTE_RESERVED: u64 = CR3_RESERVED | 0x1e6;

/** Loads CR3 and drops the translations that a new address space ends. */
export function flushForCr3(value: u64): void {
  store<u64>(L.CR3, value);
  flushTlb(false);
}
/** PAE paging outside IA-32e mode: CR3's table is read now, and only now; #GP(0) for reserved bits (SDM 3A 4.4.1). */
export function loadDirectoryPointers(cr3: u64): void {
  if (longMode()) return;
  let table = cr3 & 0xffffffe0;
  for (let i: usize = 0; i < 4; i++) {
    let entry = physicalQuad(table + (i << 3));
    if (entry & 1 && entry & PDPTE_RESERVED) fault(GP, 0);
  }
  for (let i: usize = 0; i < 4; i++) store<u64>(L.PDPTE + (i << 3), physicalQuad(table + (i << 3)));
}
/** The same for a change that the debugger made: nothing is checked. */
export function refreshDirectoryPointers(): void {
  for (let i: usize = 0; i < 4; i++)
    store<u64>(L.PDPTE + (i << 3), physicalQuad((load<u64>(L.CR3) & 0xffffffe0) + (i << 3)));
}
