// The line that MONITOR armed (SDM 3A 9.10.4). Stores to its page go the slow way, like those to decoded code, so that
// physical.ts sees each of them, whoever makes it.
import * as L from '../../../layout';
import { woken } from '../state/host';
import { pageEntry, isRam } from '../state/ram';
import { dropWriteTagsOfFrame } from '../state/tlb';
import { areaOf } from '../state/vcpu-area';

export const LINE: u64 = 64;
/** MONITOR_ARMED. */
export const ARMED: u32 = 1, WAITING: u32 = 2;

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
    let delta = areaOf(v) - L.STATE, state = load<u32>(delta + L.MONITOR_ARMED);
    let line = load<u64>(delta + L.MONITOR_LINE);
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
