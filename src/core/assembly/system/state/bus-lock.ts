// Bus-lock detection (SDM 3B 18.3.1.6): with DEBUGCTL.BLD, above CPL 0, a locked access that crosses a cache line or
// goes to a device raises #DB behind its instruction, with bit 11 of DR6 clear. Only machines that announce it have it.
// Decoded code has a mode of its own while it is on (MODE_BUS_LOCK), whose locked records send accesses over a line's
// end the slow way (A_BUS_LOCK); others cost nothing.
import * as L from '../../../layout';
import { CAUSE_BLD } from './debug-causes';

const LINE: u64 = 64;

/** A locked access is about to be made, to RAM or to a device. It counts when its instruction retires. */
export function noteBusLock(linear: u64, size: u32, cached: bool): void {
  if (cached && (linear & (LINE - 1)) + size <= LINE) return;
  store<u32>(L.BUS_LOCKED, 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
}
/** The instruction retired. */
export function commitBusLock(): void {
  if (!load<u32>(L.BUS_LOCKED)) return;
  store<u32>(L.BUS_LOCKED, 0);
  store<u32>(L.PENDING_DEBUG, load<u32>(L.PENDING_DEBUG) | CAUSE_BLD);
}
