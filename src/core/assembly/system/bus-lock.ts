// Bus-lock detection (SDM 3B 18.3.1.6): with DEBUGCTL.BLD, above CPL 0, a locked access that crosses a cache line or goes to a
// device raises #DB behind its instruction, with bit 11 of DR6 clear. Decoded code has a mode of its own while it is on
// (MODE_BUS_LOCK), in which locked instructions ask here for their address; others cost nothing.
import * as L from '../../layout';
import { flagsOf } from '../core/record';
import { CAUSE_BLD } from './debug';

const LINE: u64 = 64;

/** A locked access of size bytes is about to be made. It counts when its instruction retires. */
export function noteSplitLock(r: usize, linear: u64, size: u32): void {
  if (flagsOf(r) & L.R_FLAG_LOCK && (linear & (LINE - 1)) + size > LINE) noteBusLock();
}
/** The same for a device, which is never cached. */
export function noteUncachedLock(r: usize): void {
  if (load<u32>(L.MODE) & L.MODE_BUS_LOCK && flagsOf(r) & L.R_FLAG_LOCK) noteBusLock();
}
function noteBusLock(): void {
  store<u32>(L.BUS_LOCKED, 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_RETIRE);
}
/** The instruction retired. */
export function commitBusLock(): void {
  if (!load<u32>(L.BUS_LOCKED)) return;
  store<u32>(L.BUS_LOCKED, 0);
  store<u32>(L.PENDING_DEBUG, load<u32>(L.PENDING_DEBUG) | CAUSE_BLD);
}
