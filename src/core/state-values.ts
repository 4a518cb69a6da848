// What stands in the slots of the state area: bits, codes and fixed values, without an address. Everything from
// AssemblyScript to the views may import these; where a slot is, only core, jit and machine-state.ts know.

/** ATTENTION. */
export const ATTENTION_EVENT = 1; // events, IF, shadow, TF, PGD, activity: something for lines 1-8
export const ATTENTION_RETIRE = 2; // watch hits or a bounce wait for the instruction's retirement
export const ATTENTION_GUARD = 4; // an execution breakpoint may match at this boundary
export const ATTENTION_STOP = 8; // the scheduler wants run() to return (an earlier event was armed, mode changed)

/** MODE. */
export const MODE_CODE = 3; // bits 0-1: code size 0: 16, 1: 32, 2: 64
export const MODE_STACK = 12; // bits 2-3: stack size, same code
export const MODE_FLAT = 16; // bit 4: CS, DS, ES, SS have base 0, limit 4 GiB and allow reads and writes
export const MODE_REAL = 32; // bit 5: real mode or virtual-8086 mode
export const MODE_BUS_LOCK = 64; // bit 6: locked accesses are looked at one by one (DEBUGCTL.BLD above CPL 0)
/** MODE_CODE of 64-bit code. */
export const CODE_64 = 2;

/** ACTIVITY. */
export const ACTIVITY_ACTIVE = 0;
export const ACTIVITY_HALTED = 1; // HLT, MWAIT
export const ACTIVITY_WAIT_FOR_SIPI = 2;
export const ACTIVITY_SHUTDOWN = 3;

/** SHADOW (SDM 3A 6.8.3). */
export const SHADOW_NONE = 0;
export const SHADOW_STI = 1;
export const SHADOW_MOV_SS = 2;

/** EVENTS. */
export const EVENT_INTERRUPT = 1; // the maskable interrupt line
export const EVENT_NMI = 2;
export const EVENT_SMI = 4;
export const EVENT_INIT = 8;
export const EVENT_SIPI = 16; // vector in EVENT_VECTOR

/** Return codes of run(). */
export const RUN_SPENT = 0; // the budget is used up
export const RUN_HALTED = 1; // not active: HLT, wait-for-SIPI
export const RUN_SHUTDOWN = 2; // triple fault
export const RUN_OBSERVED = 3; // a line of the boundary table acted for the observer; causes in OBSERVED
export const RUN_STOP = 4; // ATTENTION_STOP: budget left, the scheduler has to look

/** CONFIG_FEATURES. */
export const FEATURE_BUS_LOCK_DETECTION = 1;

/** OBSERVED, CAUGHT. */
export const OBSERVED_STEP = 1; // line 4
export const OBSERVED_WATCH = 2; // line 5 (slots in PENDING_HOST, accesses in the committed hit list)
export const OBSERVED_BREAKPOINT = 4; // line 9: overlay or planted at the linear RIP
export const OBSERVED_SLOT_X = 8; // line 9: H-bank type X; slot bits in PENDING_HOST
export const OBSERVED_CAUGHT_DB = 16; // line 6/10/2: guest #DB about to be delivered, causes in FAULT_ERROR
export const OBSERVED_CAUGHT_BP = 32; // guest #BP about to be delivered
export const OBSERVED_GENERAL_DETECT = 64; // host GD
export const OBSERVED_RESET = 128; // INIT during a lease

/** CATCH. */
export const CATCH_BP = 1;
export const CATCH_BP_SOFTWARE_INTERRUPT = 2; // CD 03 too
export const CATCH_DB = 4;
export const CATCH_ICEBP = 8;
export const CATCH_GENERAL_DETECT = 16;
export const CATCH_TASK_SWITCH = 32;

/** LEASE. */
export const LEASE_NONE = 0;
export const LEASE_INSN = 1;
export const LEASE_INSN_WHOLE = 2;
export const LEASE_BRANCH = 3;

/** DELIVERED: bits 0-7 are a vector. */
export const DELIVERED_VALID = 0x100;

/** Kind of a WatchHit. */
export const HIT_READ = 1;
export const HIT_WRITE = 2;
export const HIT_IO_IN = 4;
export const HIT_IO_OUT = 8;

/** DR6, and PENDING_DEBUG and FAULT_ERROR of a #DB, which have its positions (SDM 3B 18.2.3). */
export const DR6_B = 0xf; // B0-B3: the slots
export const DR6_BLD = 0x800; // bus lock; active low in DR6 itself: 0 says that it was the cause
export const DR6_BD = 0x2000; // general detect
export const DR6_BS = 0x4000; // single step
export const DR6_BT = 0x8000; // task switch
/** DR6 without a cause: no profile has RTM, whose bit reads 1 too. */
export const DR6_CLEAR = 0xffff0ff0;
/** In PENDING_DEBUG alone: at least one enabled slot matched. */
export const PENDING_DEBUG_ANY = 0x10;

/** DR7 (SDM 3B 18.2.4). */
export const DR7_GD = 0x2000; // general detect
/** DR7 with nothing enabled: bit 10 reads 1. */
export const DR7_CLEAR = 0x400;

/** Codes of host.log(code, a, b); the receiver says each pair (code, a) once. */
export const LOG_INVALID_OPCODE = 1; // a: linear RIP, b: the first eight bytes or 0
export const LOG_MSR_READ = 2; // a: index, b: linear RIP; unknown: #GP(0)
export const LOG_MSR_WRITE = 3; // a: index, b: value; unknown: #GP(0)
export const LOG_DEBUG_REGISTER = 7; // a: DR7, b: index; a slot that never matches (SDM 3B 18.2.5)
