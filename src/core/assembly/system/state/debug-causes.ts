// Why a #DB is raised, in the positions of DR6 (SDM 3B 18.2.3), and what DR6 shows without a cause.
import * as L from '../../../layout';

/** In PENDING_DEBUG and in a hit's guest slots: at least one enabled slot matched. */
export const CAUSE_ANY: u32 = L.PENDING_DEBUG_ANY;
export const CAUSE_BLD: u32 = L.DR6_BLD, CAUSE_BD: u32 = L.DR6_BD, CAUSE_BS: u32 = L.DR6_BS, CAUSE_BT: u32 = L.DR6_BT;
/** DR6 without a cause: bit 11 (bus lock) is active low; no profile has RTM (bit 16). */
export const DR6_CLEAR: u64 = L.DR6_CLEAR;

/**
 * CPUID.(7,0):ECX[24]: DEBUGCTL.BLD and bit 11 of DR6 exist. Without it the bit is a fixed one (SDM 3B 18.2.3): kernels
 * that know nothing of bus locks zero DR6, and would take each #DB behind that for one.
 */
export function hasBusLockDetection(): bool {
  return (load<u32>(L.CONFIG_FEATURES) & L.FEATURE_BUS_LOCK_DETECTION) != 0;
}
