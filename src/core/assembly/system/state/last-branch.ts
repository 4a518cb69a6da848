// Last-branch records (SDM 3B 17.4, 17.5; AMD APM 2 13.1.1.4): where the latest taken branches, interrupts and
// exceptions came from and went. While DEBUGCTL.LBR is set every instruction runs alone (boundary.ts), so the records
// are exact in both engines and nothing is spent on them otherwise. A #DB clears LBR in front of its delivery: its own
// transfer is not recorded.
//
// Intel: the stack of four of family 6 model 15 (SDM 4 table 2-3: 40h-43h, 60h-63h, top 1C9h), last exception in 1DDh
// and 1DEh. AMD: one record (1DBh, 1DCh), last exception in 1DDh and 1DEh.
import * as L from '../../../layout';

const DEBUGCTL_LBR: u64 = 1;
const DEPTH: u32 = 4;

@inline function isAmd(): bool { return load<u32>(L.CONFIG_PROFILE) != 0; }
@inline export function recording(): bool { return (load<u64>(L.MSR_DEBUGCTL) & DEBUGCTL_LBR) != 0; }

/** Linear addresses of the branch and of its target. */
export function recordBranch(from: u64, to: u64): void {
  let top = isAmd() ? 0 : (load<u32>(L.LBR_TOP) + 1) % DEPTH;
  store<u32>(L.LBR_TOP, top);
  store<u64>(L.LBR_FROM + (<usize>top << 3), from);
  store<u64>(L.LBR_TO + (<usize>top << 3), to);
}
/** An exception or interrupt was delivered: the last branch in front of it is kept apart. */
export function recordEvent(from: u64, to: u64): void {
  let top = <usize>load<u32>(L.LBR_TOP) << 3;
  store<u64>(L.LER_FROM, load<u64>(L.LBR_FROM + top));
  store<u64>(L.LER_TO, load<u64>(L.LBR_TO + top));
  recordBranch(from, to);
}
/**
 * Slot of a last-branch MSR of this profile, 0: no such MSR. All are read-only but for the stack, which software may
 * clear.
 */
export function lastBranchSlot(index: u32): usize {
  if (index == 0x1dd) return L.LER_FROM;
  if (index == 0x1de) return L.LER_TO;
  if (isAmd()) return index == 0x1db ? L.LBR_FROM : index == 0x1dc ? L.LBR_TO : 0;
  if (index >= 0x40 && index < 0x40 + DEPTH) return L.LBR_FROM + (<usize>(index - 0x40) << 3);
  if (index >= 0x60 && index < 0x60 + DEPTH) return L.LBR_TO + (<usize>(index - 0x60) << 3);
  return 0;
}
/** MSR_LASTBRANCH_TOS. */
export function isLastBranchTop(index: u32): bool { return index == 0x1c9 && !isAmd(); }
