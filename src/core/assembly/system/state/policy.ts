// Choices where manuals and implementations disagree (guest-debug-spec section 8), each in one place.
import * as L from '../../../layout';

/** Include a guest execution breakpoint on the next instruction in the #DB of a trap (Bochs and QEMU do). */
export const MERGE_CODE_BP_WITH_TRAP: bool = true;
/** With an enabled slot that matched, B bits of matching disabled slots are set too (SDM 3B 18.2.3 allows both). */
export const REPORT_DISABLED_MATCHES: bool = true;
/** Data causes that wait behind MOV SS join the #DB of an ICEBP. */
export const FUSE_ICEBP_WITH_PENDING_DATA: bool = true;
// PENDING_DATA_AFTER_FAULT_IN_MOVSS: delivered at the handler's first instruction, since a delivery leaves
// PENDING_DEBUG alone. MOVDR_ORDER: undefined register, CPL, GD, value: see moveFromDebug and moveToDebug.
export const ICEBP_CLEARS_GD: bool = true;
/** false: INT1 leaves B0-B3 as they are. */
export const ICEBP_TOUCHES_B0_B3: bool = false;
/** Pushes of an event delivery and accesses to GDT, LDT, IDT and TSS match data breakpoints. */
export const IMPLICIT_LINEAR_ACCESS_MATCHES: bool = true;
// GD_PUSHES_RF: no; a general-detect #DB pushes RF as it is.
// SYSENTER_TF: SYSENTER keeps TF, so the trap comes at the entry point.

/** Whether the MOV SS shadow holds execution breakpoints back: Intel yes, AMD no. */
export function movSsInhibitsExecution(): bool { return load<u32>(L.CONFIG_PROFILE) == 0; }
