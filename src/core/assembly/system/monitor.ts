// MONITOR and MWAIT (SDM 3A 9.10.4): a processor sleeps until anything writes to a line of memory. Stores to the page of an armed
// line go the slow way, like those to decoded code, so that physical.ts sees each of them, whoever makes it.
import * as L from '../../layout';
import { flagsOf, maskOf } from '../core/record';
import { areaOf } from './debug';
import { woken } from './host';
import { probeRead } from './mmu';
import { isRam, pageEntry } from './physical';
import { fault } from './raise';
import { linear } from './segments';
import { dropWriteTagsOfFrame } from './tlb';
import { GP, UD } from './vectors';
import { translate } from './walk';

const LINE: u64 = 64;
/** IA32_MISC_ENABLE: MONITOR and MWAIT exist (SDM 4 table 2-2). AMD has no such switch. */
export const MISC_ENABLE_MONITOR: u64 = 1 << 18;
const ARMED: u32 = 1, WAITING: u32 = 2;

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
@inline export function waits(): bool { return load<u32>(L.MONITOR_ARMED) == WAITING; }
/** The processor left MWAIT for another reason than a write. */
@inline export function endWait(): void { if (waits()) store<u32>(L.MONITOR_ARMED, 0); }

/** Makes stores to the armed line seen: with MONITOR, and when the running vCPU's state was restored. */
export function rearmMonitor(): void {
  if (!load<u32>(L.MONITOR_ARMED)) return;
  let line = load<u64>(L.MONITOR_LINE);
  if (!isRam(line)) return;
  let p = pageEntry(line);
  store<u32>(p, load<u32>(p, L.PAGE_FLAGS) | L.PAGE_MONITORED, L.PAGE_FLAGS);
  dropWriteTagsOfFrame(<u32>(line >> 12));
}
/** Bytes of a page with PAGE_MONITORED were written: wakes whoever waits for them. */
export function monitoredWrite(physical: u64, size: u32): void {
  let armed = false;
  for (let v: u32 = 0, n = load<u32>(L.CONFIG_VCPUS); v < n; v++) {
    let delta = areaOf(v) - L.STATE, state = load<u32>(delta + L.MONITOR_ARMED), line = load<u64>(delta + L.MONITOR_LINE);
    if (!state || line >> 12 != physical >> 12) continue;
    if (physical >= line + LINE || physical + size <= line) { armed = true; continue; }
    store<u32>(delta + L.MONITOR_ARMED, 0);
    if (state != WAITING) continue;
    store<u32>(delta + L.ACTIVITY, 0);
    store<u32>(delta + L.ATTENTION, load<u32>(delta + L.ATTENTION) | L.ATTENTION_EVENT);
    woken(v);
  }
  if (armed) return;
  let p = pageEntry(physical);
  store<u32>(p, load<u32>(p, L.PAGE_FLAGS) & ~L.PAGE_MONITORED, L.PAGE_FLAGS);
}
