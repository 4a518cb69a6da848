// Numbers and choices of the guest-debug layer that live above the core (guest-debug-spec 2.1, 2.2, 3.3, 8). The choices
// that the boundary table itself makes (MERGE_CODE_BP_WITH_TRAP and so on) are constants of src/core.
import * as V from '../core/state-values.ts';

/** Host slots per vCPU, as many as the architecture has address registers (SDM 3B 18.2.1). */
export const SLOT_COUNT = 4;
/** Widest aligned window one slot covers (SDM 3B 18.2.4, length field 10). */
export const SLOT_WINDOW = 8;
export const SLOT_LENGTHS: readonly number[] = [1, 2, 4, 8];

/** DR6 with no cause on a profile without RTM and BLD, and DR7 with nothing enabled (SDM 3B 18.2.3, 18.2.4). */
export const DR6_FIXED = BigInt(V.DR6_CLEAR);
export const DR7_FIXED = BigInt(V.DR7_CLEAR);
export const DR6_GENERAL_DETECT = BigInt(V.DR6_BD);
export const DR6_SINGLE_STEP = BigInt(V.DR6_BS);
export const DR6_TASK_SWITCH = BigInt(V.DR6_BT);
/** Bit 11 is active low: 0 says that a bus lock was the cause. */
export const DR6_BUS_LOCK_INACTIVE = BigInt(V.DR6_BLD);
export const DR6_SLOTS = BigInt(V.DR6_B);
/** Cause bits that INJECT_DB may carry. */
export const DR6_INJECTABLE = DR6_SLOTS | DR6_SINGLE_STEP | DR6_TASK_SWITCH;

/** Control word of setGuestDebug (2.1). */
export const CONTROL_ENABLE = 0x1;
export const CONTROL_SINGLE_STEP = 0x2;
export const CONTROL_SOFTWARE_BREAKPOINTS = 0x10000;
export const CONTROL_HARDWARE_BREAKPOINTS = 0x20000;
export const CONTROL_INJECT_DB = 0x40000;
export const CONTROL_INJECT_BP = 0x80000;
export const CONTROL_BLOCK_INTERRUPTS = 0x100000;
export const CONTROL_CATCH_BP = 0x1000000;
/** CD 03 as well as CC. */
export const CONTROL_CATCH_BP_BOTH = 0x2000000;
export const CONTROL_CATCH_DB = 0x4000000;
export const CONTROL_CATCH_ICEBP = 0x8000000;
export const CONTROL_CATCH_GENERAL_DETECT = 0x10000000;
export const CONTROL_CATCH_TASK_SWITCH = 0x20000000;
export const CONTROL_CATCH =
  CONTROL_CATCH_BP |
  CONTROL_CATCH_BP_BOTH |
  CONTROL_CATCH_DB |
  CONTROL_CATCH_ICEBP |
  CONTROL_CATCH_GENERAL_DETECT |
  CONTROL_CATCH_TASK_SWITCH;
/** The catch bits, shifted down, are the observer's CATCH_* bits in the same order. */
export const CONTROL_CATCH_SHIFT = 24;
export const CONTROL_INJECT = CONTROL_INJECT_DB | CONTROL_INJECT_BP;
export const CONTROL_SUPPORTED =
  CONTROL_ENABLE |
  CONTROL_SINGLE_STEP |
  CONTROL_SOFTWARE_BREAKPOINTS |
  CONTROL_HARDWARE_BREAKPOINTS |
  CONTROL_INJECT |
  CONTROL_BLOCK_INTERRUPTS |
  CONTROL_CATCH;

/** Ledger rows that are kept; older ones are forgotten. */
export const LEDGER_CAPACITY = 65_536;
/** Boundary decisions in the dump of an internal error (2.9). */
export const DUMP_DECISIONS = 32;
/** Instructions of the world after which a `through` step stops where its vCPU is instead of waiting longer (STEP-7). */
export const THROUGH_LIMIT = 200_000_000n;
/** Emulated instructions without a boundary of the leased vCPU that make an internal error (2.9). */
export const LEASE_LIMIT = 20_000_000_000n;
/** Longest instruction (SDM 2A 2.3.11). */
export const INSTRUCTION_MAX = 15;
