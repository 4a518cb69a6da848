// MONITOR and MWAIT (SDM 3A 9.10.4): a processor sleeps until anything writes to a line of memory.
import * as L from '../../../layout';
import { flagsOf, maskOf } from '../../core/record';
import { probeRead } from '../memory/mmu';
import { ARMED, LINE, WAITING, rearmMonitor } from '../memory/monitor-line';
import { isRam } from '../state/ram';
import { fault } from '../raise/raise';
import { linear } from '../memory/segments';
import { GP, UD } from '../state/vectors';
import { translate } from '../memory/walk';

/** IA32_MISC_ENABLE: MONITOR and MWAIT exist (SDM 4 table 2-2). AMD has no such switch. */
export const MISC_ENABLE_MONITOR: u64 = 1 << 18;

export function hasMonitor(): bool {
  return load<u32>(L.CONFIG_PROFILE) != 0 || (load<u64>(L.MSR_MISC_ENABLE) & MISC_ENABLE_MONITOR) != 0;
}
/** No extension or hint is enumerated in leaf 5, so ECX must be 0. */
function check(): void {
  if (!hasMonitor() || load<u32>(L.CPL)) fault(UD, -1);
  if (load<u32>(L.RCX)) fault(GP, 0);
}
export function monitor(r: usize): void {
  check();
  let offset = load<u64>(L.RAX) & maskOf(r), segment = load<u32>(r, L.R_SEGMENT);
  let a = flagsOf(r) & L.R_FLAG_CHECKED ? linear(r, segment, offset, 1, 0) : offset + load<u64>(segment);
  probeRead(a, 1, 0);
  let physical = translate(a);
  store<u32>(L.MONITOR_ARMED, isRam(physical) ? ARMED : 0);
  store<u64>(L.MONITOR_LINE, physical & ~(LINE - 1));
  rearmMonitor();
}
/** Sleeps like HLT until the line is written; without an armed one it does nothing. */
export function wait(): void {
  check();
  if (load<u32>(L.MONITOR_ARMED) != ARMED) return;
  store<u32>(L.MONITOR_ARMED, WAITING);
  store<u32>(L.ACTIVITY, 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
