// The layout of the engine's linear memory. Read by AssemblyScript (src/core/assembly) and by TypeScript alike, so it
// holds nothing but numbers. Guest state (saved in snapshots, covered by the digest) and derived or host state are kept
// apart: DESIGN "Same inputs, same run, bit for bit".

// ---- state area: the RUNNING vCPU, at constant addresses so that one compiled region serves every vCPU -----------------
export const STATE = 0x200;

// x87 pointers to the last instruction (SDM 1 8.1.8) and to its memory operand, u64 each; FOP, FCS, FDS stand behind FTW
export const FIP = 0x200;
export const FDP = 0x208;
// integer extensions: 0x380 to 0x3c0
/** u64: counter of the source of RDRAND and RDSEED (system/random.ts). */
export const RANDOM = 0x380;

// system modes (0x210-0x380)
/** u32: base of SMRAM: the handler starts at +8000h, the state save area ends at +FFFFh (SDM 3C 31.4). */
export const SMBASE = 0x210;
/** u32: 1 from the delivery of an SMI to RSM. */
export const IN_SMM = 0x214;
/** u32: 1 while IGNNE# is asserted: until no x87 exception is pending any more (SDM 1 D.2.1.2). */
export const IGNNE = 0x218;
/** Last-branch records (SDM 3B 17.4): four u64 each, the newest at index LBR_TOP; AMD has one, at index 0. */
export const LBR_FROM = 0x220;
export const LBR_TO = 0x240;
export const LBR_TOP = 0x260; // u32
/** The last branch before the last exception or interrupt, u64 each. */
export const LER_FROM = 0x268;
export const LER_TO = 0x270;
/** The four page-directory-pointer registers of PAE paging, u64 each (SDM 3A 4.4.1). */
export const PDPTE = 0x280;
/** u64: physical address of the 64-byte line that MONITOR armed; u32: 1 armed, 2 MWAIT waits for it (SDM 3A 9.10.4). */
export const MONITOR_LINE = 0x2a0;
export const MONITOR_ARMED = 0x2a8;

// general registers in the encoding's order: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, 8 bytes each
export const REGS = 0x400;
export const RAX = 0x400;
export const RCX = 0x408;
export const RDX = 0x410;
export const RBX = 0x418;
export const RSP = 0x420;
export const RBP = 0x428;
export const RSI = 0x430;
export const RDI = 0x438;
/** Always zero: stands for "no base", "no index" and for the base of a flat segment (32 bytes: base, limit 0, ...). */
export const ZERO = 0x480;
/** u64: offset within CS of the next instruction (a block's first while the block runs). */
export const RIP = 0x4a0;
// Arithmetic flags as plain values. ZF = F_ZERO==0; SF = F_SIGN<0; PF = even parity of F_SIGN's low byte;
// CF = F_CF; OF = F_LT ^ SF (F_LT is "signed less than", SF != OF); AF = bit 4 of F_AF. Two result slots rather than
// one, because POPF, SAHF and IRET may load ZF and SF that no single result has.
export const F_ZERO = 0x4a8; // i64
export const F_SIGN = 0x4b0; // i64
export const F_CF = 0x4b8; // i32, 0 or 1
export const F_LT = 0x4bc; // i32, 0 or 1
export const F_AF = 0x4c0; // i32
/** u32: what the previous instruction inhibits at this boundary (SDM 3A 6.8.3): 0 none, 1 STI, 2 MOV SS. */
export const SHADOW = 0x4c4;
/** u64: RFLAGS without CF PF AF ZF SF OF (those bits are 0 here); bit 1 is set. */
export const RFLAGS = 0x4c8;
export const CPL = 0x4d0; // u32
/** u32: 0 active, 1 halted (HLT, MWAIT), 2 wait-for-SIPI, 3 shutdown. */
export const ACTIVITY = 0x4d4;
/** u32: 1 between two iterations of a REP string instruction (a trap or interrupt there pushes RF=1). */
export const REP_ACTIVE = 0x4d8;
/** u32: 1 from NMI delivery to the next IRET. */
export const NMI_BLOCKED = 0x4dc;
/** u32: pending guest debug causes (PGD): DR6 positions B0-B3, BS, BT, bit 11 bus lock; bit 4: at least one enabled slot matched. */
export const PENDING_DEBUG = 0x4e0;
/** u32: pending events: bit 0 maskable interrupt line, 1 NMI, 2 SMI, 3 INIT, 4 SIPI (vector in EVENT_VECTOR). */
export const EVENTS = 0x4e4;
export const EVENT_VECTOR = 0x4e8; // u32: SIPI vector
export const CR0 = 0x4f0; // u64 from here
export const CR2 = 0x4f8;
export const CR3 = 0x500;
export const CR4 = 0x508;
export const EFER = 0x510;
export const XCR0 = 0x518;
export const XMM = 0x520; // 16 x 16 bytes, to 0x620
// Segment registers, SEGMENT_SIZE bytes each, in the encoding's order, then LDTR and TR:
// +0 u64 base, +8 u32 limit in bytes (granularity applied), +12 u32 attributes (bits 0-3 type, 4 S, 5-6 DPL, 7 P,
// 12 AVL, 13 L, 14 D/B, 15 G, 16 unusable: the VMX access-rights format, SDM 3C 25.4.1), +16 u32 selector.
export const SEGMENTS = 0x620;
export const SEGMENT_SIZE = 32;
export const ES = 0x620;
export const CS = 0x640;
export const SS = 0x660;
export const DS = 0x680;
export const FS = 0x6a0;
export const GS = 0x6c0;
export const LDTR = 0x6e0;
export const TR = 0x700;
export const GDTR = 0x720; // +0 u64 base, +8 u32 limit
export const IDTR = 0x730;
export const DR0 = 0x740; // DR0-DR3, u64 each
export const DR6 = 0x760; // u64
export const DR7 = 0x768; // u64
// MSRs that are plain vCPU state, u64 each
export const MSR_STAR = 0x770;
export const MSR_LSTAR = 0x778;
export const MSR_CSTAR = 0x780;
export const MSR_SFMASK = 0x788;
export const MSR_KERNEL_GS_BASE = 0x790;
export const MSR_TSC_AUX = 0x798;
export const MSR_APIC_BASE = 0x7a0;
export const MSR_PAT = 0x7a8;
export const MSR_SYSENTER_CS = 0x7b0;
export const MSR_SYSENTER_ESP = 0x7b8;
export const MSR_SYSENTER_EIP = 0x7c0;
export const MSR_DEBUGCTL = 0x7c8;
/** u64: TSC = virtual clock + this (IA32_TSC_ADJUST and writes to IA32_TIME_STAMP_COUNTER). */
export const TSC_OFFSET = 0x7d0;
export const MSR_MISC_ENABLE = 0x7d8;
export const MSR_MTRR_DEF_TYPE = 0x7e0;
export const MXCSR = 0x7e8; // u32
/** u16 each: x87 control, status, tag word. A tag is 3 (empty) or not; the others are told apart when the word is stored. */
export const FCW = 0x7ec;
export const FSW = 0x7ee;
export const FTW = 0x7f0;
/** u16 each: opcode of the last x87 instruction (11 bits), selectors of its code and of its operand. */
export const FOP = 0x7f2;
export const FCS = 0x7f4;
export const FDS = 0x7f6;
/** 8 x 16 bytes: the physical registers, 80-bit values; MMX registers are their significands. Never in a compiled region's locals. */
export const X87 = 0x800;
export const X87_END = 0x880;
/** u64: instructions retired plus events delivered by this vCPU since reset. */
export const RETIRED = 0x880;
// memory type range registers: stored, without effect (there are no caches to control), SDM 3A 12.11
export const MSR_MTRR_FIXED = 0x890; // 11 x u64: 250h, 258h, 259h, 268h-26Fh
export const MSR_MTRR_VARIABLE = 0x8f0; // 16 x u64: 200h-20Fh, to 0x970
export const STATE_GUEST_END = 0xa00;

// ---- host part of the state area: per vCPU, switched with it, but neither saved nor digested ---------------------------
/** u32: address of the current bank of fast tags (chosen by access regime: CPL, SMAP's AC, alignment check). */
export const TLB_BASE = 0xa00;
/** u32: not 0 = the interpreter's loop stops after this instruction and evaluates the boundary. ATTENTION_* bits. */
export const ATTENTION = 0xa04;
/** i64: ticks (instructions, event deliveries) left in this run. */
export const BUDGET = 0xa08;
/** u32: header of the block that runs. */
export const BLOCK = 0xa10;
/** u32: mode key of the code that runs: MODE_* bits. */
export const MODE = 0xa14;
export const VCPU = 0xa18; // u32: index of this vCPU
/** u32: record of the instruction that is inside a slow path, 0 at a boundary. Gives faults their exact RIP. */
export const CURRENT = 0xa1c;
export const FAULT_VECTOR = 0xa20; // u32
export const FAULT_ERROR = 0xa24; // u32
export const FAULT_FLAGS = 0xa28; // u32: bit 0 has error code, bit 1 is #DB with causes in FAULT_ERROR
/** u32: 0, or 1 + the vector whose delivery is in progress (SDM 3A 6.15 "double fault" conditions). */
export const DELIVERING = 0xa2c;
/** u32: 1 = the boundary in front of this block was evaluated and allows it: the guard does not ask again. */
export const GUARD_PASSED = 0xa30;
/** u32: 1 = run exactly one instruction (one REP iteration), then evaluate the boundary. */
export const ONE_INSTRUCTION = 0xa34;
/** u32: RFLAGS.TF when the running instruction started (only meaningful with ONE_INSTRUCTION). */
export const TF_AT_START = 0xa38;
export const TLB_AREA = 0xa3c; // u32: this vCPU's TLB area, see TLB_* below
/** u32: reason code of the last return from run: RUN_*. */
export const WATCH_HITS = 0xa40; // u32: number of entries in the hit scratch list
export const BOUNCE_COUNT = 0xa44; // u32: read-modify-write accesses that wait for their commit
/** u32: how the last instruction ended: bit 0 retired, 1 a taken control transfer, 2 an event was delivered. */
export const LAST_END = 0xa48;
// observer (the debugger's side; DESIGN 3, guest-debug-spec 2.3): written by the guest-debug layer only
export const OBSERVER = 0xa80;
export const H_DR0 = 0xa80; // 4 x u64: linear addresses of the host slots
export const H_DR7 = 0xaa0; // u32: DR7 layout, bit 13 GD = catch MOV DR
export const LEASE = 0xaa4; // u32: 0 none, 1 insn, 2 insn-whole, 3 branch
export const LEASE_DONE = 0xaa8; // u32: a completed lease waits for line 4
export const PASS_TOKEN = 0xaac; // u32: 1 = token armed
export const PASS_LINEAR = 0xab0; // u64
export const PASS_CR3 = 0xab8; // u64
export const PASS_RSP = 0xac0; // u64
export const CATCH = 0xac8; // u32: CATCH_* bits
export const BLOCK_IRQ = 0xacc; // u32: 1 = lines 3 (SMI), 7, 8 do not look
export const PENDING_HOST = 0xad0; // u32: pending host debug (PHD): bits 0-3 host slots, 4 any
export const OBSERVED = 0xad4; // u32: causes of the return from run with RUN_OBSERVED: OBSERVED_* bits
export const DELIVERED = 0xad8; // u32: 0, or 0x100 + vector whose handler's first instruction is next
export const CAUGHT_PASS = 0xadc; // u32: 1 = the caught guest event at this boundary was accepted: deliver it now
export const PASS_FAULTED = 0xae0; // u32: 1 = the instruction under the token faulted: token needs RF=1 to match again
export const DELIVERED_ERROR = 0xae4;
export const DELIVERED_FROM = 0xae8; // u64: RIP (linear) from which the event was delivered
export const FIRST_HOLD = 0xaf0; // u32: first-instruction hold after a resume
export const STEP_START_RIP = 0xaf8; // u64: linear RIP where the lease began (insn-whole)
/** u32: ticks that the running block took from BUDGET when it started. */
export const BLOCK_TICKS = 0xb00;
/** i64: virtual clock at which BUDGET reaches 0: now = CLOCK_END - ticks left. */
export const CLOCK_END = 0xb08;
/** u32: host.delivered is called for events whose vector (0-31) has its bit set. */
export const OBSERVE_VECTORS = 0xb18;
// of the running instruction, meaningful until it retires or faults
/** u32: shadow that the running instruction leaves behind; becomes SHADOW when it retires. */
export const SHADOW_NEW = 0xb20;
/** u32: 1 = the running instruction loaded RF (IRET), so its retirement does not clear it. */
export const KEEP_RF = 0xb24;
/** u32: 1 = the running instruction passed an execution breakpoint by the token. */
export const PASS_ACTIVE = 0xb28;
/** u32: how often the first-instruction hold held something back (0 with a frozen clock). */
export const HOLDS_APPLIED = 0xb2c;
/** u32: OBSERVED_* bits that an instruction raised by itself (caught #BP, host general detect): the next boundary returns them. */
export const CAUGHT = 0xb30;
/** u32: 1 = the vCPU executed PAUSE and gives up the rest of its quantum; the scheduler takes it when run() comes back. */
export const YIELD = 0xb34;
/** u32: 1 = the running instruction took a bus lock while DEBUGCTL.BLD asks for it: #DB when it retires. */
export const BUS_LOCKED = 0xb38;
/** The last vectors whose delivery began, for the report of a triple fault: u32 count, then VECTOR_CHAIN_MAX entries. */
export const VECTOR_CHAIN = 0xb40;
export const VECTOR_CHAIN_ENTRIES = 0xb50; // +0 u32 vector, +4 i32 error code or -1, +8 u64 linear RIP
export const VECTOR_CHAIN_MAX = 10;
export const STATE_END = 0xc00;

export const ATTENTION_EVENT = 1; // events, IF, shadow, TF, PGD, activity: something for lines 1-8
export const ATTENTION_RETIRE = 2; // watch hits or a bounce wait for the instruction's retirement
export const ATTENTION_GUARD = 4; // an execution breakpoint may match at this boundary
export const ATTENTION_STOP = 8; // the scheduler wants run() to return (an earlier event was armed, mode changed)

// mode key
export const MODE_CODE = 3; // bits 0-1: code size 0: 16, 1: 32, 2: 64
export const MODE_STACK = 12; // bits 2-3: stack size, same code
export const MODE_FLAT = 16; // bit 4: CS, DS, ES, SS have base 0, limit 4 GiB and allow reads and writes
export const MODE_REAL = 32; // bit 5: real mode or virtual-8086 mode
export const MODE_BUS_LOCK = 64; // bit 6: locked accesses are looked at one by one (DEBUGCTL.BLD above CPL 0)

// return codes of run()
export const RUN_SPENT = 0; // the budget is used up
export const RUN_HALTED = 1; // not active: HLT, wait-for-SIPI
export const RUN_SHUTDOWN = 2; // triple fault
export const RUN_OBSERVED = 3; // a line of the boundary table acted for the observer; causes in OBSERVED
export const RUN_STOP = 4; // ATTENTION_STOP: budget left, the scheduler has to look

export const OBSERVED_STEP = 1; // line 4
export const OBSERVED_WATCH = 2; // line 5 (slots in PENDING_HOST, accesses in the committed hit list)
export const OBSERVED_BREAKPOINT = 4; // line 9: overlay or planted at the linear RIP
export const OBSERVED_SLOT_X = 8; // line 9: H-bank type X; slot bits in PENDING_HOST
export const OBSERVED_CAUGHT_DB = 16; // line 6/10/2: guest #DB about to be delivered, causes in FAULT_ERROR
export const OBSERVED_CAUGHT_BP = 32; // guest #BP about to be delivered
export const OBSERVED_GENERAL_DETECT = 64; // host GD
export const OBSERVED_RESET = 128; // INIT during a lease

export const CATCH_BP = 1;
export const CATCH_BP_SOFTWARE_INTERRUPT = 2; // CD 03 too
export const CATCH_DB = 4;
export const CATCH_ICEBP = 8;
export const CATCH_GENERAL_DETECT = 16;
export const CATCH_TASK_SWITCH = 32;

// codes of host.log(code, a, b); the receiver says each pair (code, a) once
export const LOG_INVALID_OPCODE = 1; // a: linear RIP, b: the first eight bytes or 0
export const LOG_MSR_READ = 2; // a: index, b: linear RIP; unknown: #GP(0)
export const LOG_MSR_WRITE = 3; // a: index, b: value; unknown: #GP(0)
export const LOG_DEBUG_REGISTER = 7; // a: DR7, b: index; a slot that never matches (guest-debug-spec 3.5)

// ---- constants after start-up ------------------------------------------------------------------------------------------
export const CONFIG = 0xc00;
export const CONFIG_RAM = 0xc00; // u32: linear-memory address of guest-physical 0
export const CONFIG_RAM_SIZE = 0xc04; // u32: bytes
export const CONFIG_PAGES = 0xc08; // u32: page table of PAGE_* entries, one per RAM frame
export const CONFIG_ARENA = 0xc0c; // u32: start of the record arena
export const CONFIG_ARENA_END = 0xc10;
export const CONFIG_BLOCKS = 0xc14; // u32: block hash, BLOCK_HASH_SIZE x u32
export const CONFIG_LINEAR_PAGES = 0xc18; // u32: blocks by linear page, LINEAR_HASH_SIZE x u32
export const CONFIG_VCPUS = 0xc1c; // u32: number of vCPUs
export const CONFIG_PROFILE = 0xc20; // u32: 0 intel, 1 amd
export const CONFIG_TLB = 0xc24; // u32: TLB areas, TLB_AREA_SIZE each
export const CONFIG_ENTRY_TABLES = 0xc28; // u32: hash tables of compiled regions: jump target -> entry
export const CONFIG_RANDOM_SEED = 0xc30; // u64: what RDRAND's source is seeded with at power-on
// constant rows {u64 mask, u64 keep} for stack pointer arithmetic: RSP = (RSP & keep) | (new & mask)
export const STACK16 = 0xc40;
export const STACK32 = 0xc50;
export const STACK64 = 0xc60;
// derived, machine wide
export const ARENA_TOP = 0xc80; // u32: bump pointer
/** u32: 0, or how a compiled region left in front of an instruction that only the interpreter can do: LEFT_* fields. */
export const REGION_LEFT = 0xc98;
export const LEFT_INDEX = 0xff; // bits 0-7: index of the instruction in its block
export const LEFT_ALONE = 0x100; // it always leaves: the interpreter executes it alone
export const LEFT_CAUSE = 16; // bits 16-: why, an index into EXIT_COUNTS, not 0
/** u32: record of that instruction. */
export const REGION_RECORD = 0xc9c;
/** i64: ticks that compiled regions have used, for statistics. */
export const REGION_TICKS = 0xca0;
/** u32: executions of a block after which it is reported as hot; 0: never. */
export const HOT_THRESHOLD = 0xca8;
export const WALK_RESULT = 0xc90; // u64: physical address found by the debugger's walk
export const SPLIT_COUNT = 0xc84; // u32: number of linear addresses where blocks must split (observer and guest DR type X)
export const CODE_GENERATION = 0xc88; // u32: counts flushes of the arena

// ---- scratch -------------------------------------------------------------------------------------------------------------
export const FETCH_BUFFER = 0x1000; // 32 bytes: an instruction that crosses a page
export const SCRATCH_BLOCK = 0x1040; // a block that is not cached (code outside RAM): header, record, fall record
export const VECTOR_SCRATCH = 0x11e0; // 16 bytes: what loadVector answers
export const BOUNCE = 0x1200; // BOUNCE_MAX entries of BOUNCE_SIZE
export const BOUNCE_SIZE = 64; // +0 u64 linear, +8 u32 size, +12 u32 reserved, +16 u64 physical 1, +24 u64 physical 2, +32 u8[16] data, +48 u8[16] old data
export const BOUNCE_MAX = 4;
// watch hits of the running instruction, then the committed list: HIT_MAX entries of HIT_SIZE
export const HITS = 0x1400;
export const HIT_SIZE = 64; // +0 u64 linear, +8 u64 physical, +16 u32 size, +20 u32 kind (1 read, 2 write, 3 both, 4 I/O in, 8 I/O out), +24 u32 host slots, +28 u32 guest slots, +32 u64 old, +40 u64 new, +48 u64 instruction's linear RIP, +56 u32 vCPU
export const HIT_MAX = 16;
export const COMMITTED_HITS = 0x1800; // the host's share, kept until the next instruction under watch
export const COMMITTED_COUNT = 0x1c00; // u32
export const NEW_STACK = 0x1c40; // SEGMENT_SIZE bytes: stack segment of a transfer that is being prepared
export const NEW_SP = 0x1c60; // u64: its stack pointer
// what softfloat answers besides a function's result; written by each of its functions, read right after the call
/** u32: exceptions in the positions of MXCSR and of the x87 status word: IE 1, DE 2, ZE 4, OE 8, UE 10h, PE 20h. */
export const FLOAT_FLAGS = 0x1c80;
/** 16 bytes: a packed result, or a binary80 one. */
export const FLOAT_RESULT = 0x1c90;
/** u64 and u32: significand, and sign and exponent, of an 80-bit result; the integer when the result is one. */
export const FLOAT_EXTENDED_LOW = 0x1cc0;
export const FLOAT_EXTENDED_HIGH = 0x1cc8;
/** The same for the second result of FXTRACT, FSINCOS and FPTAN. */
export const FLOAT_SECOND_LOW = 0x1cd0;
export const FLOAT_SECOND_HIGH = 0x1cd8;
export const TASK_STATE = 0x1d00; // the incoming task's TSS while a task switch goes on: TASK_* of system/task-state.ts
/** u64 each: how often compiled regions ended, by cause; 0: at a jump to elsewhere, or out of ticks. */
export const EXIT_COUNTS = 0x2000;
export const EXIT_CAUSES = 96;
export const CORE_DATA = 0x10000; // AssemblyScript static data of core.wasm
export const SYSTEM_DATA = 0x30000; // AssemblyScript static data of system.wasm
export const VCPU_AREAS = 0x80000; // 16 x VCPU_AREA_SIZE: saved state areas (STATE..STATE_END at offset 0)
export const VCPU_AREA_SIZE = 0x1000;
export const DYNAMIC = 0x100000; // from here on placed at start-up by engine.ts

// ---- decoded records -----------------------------------------------------------------------------------------------------
export const RECORD_SIZE = 64;
export const R_HANDLER = 0; // u16: index into core.wasm's function table
export const R_LENGTH = 2; // u8: bytes of the instruction
export const R_PARAMETER = 3; // u8: condition code, or RARE_* operation
export const R_DST = 4; // u32: address of the destination's register slot
export const R_SRC = 8; // u32: address of the source's register slot, or of the immediate in this record
export const R_BASE = 12; // u8: offset from REGS of the base register (0x80: ZERO)
export const R_INDEX = 13; // u8
export const R_SCALE = 14; // u8: 0-3
export const R_FLAGS = 15; // u8: R_FLAG_*
export const R_IMM = 16; // u64: immediate, sign-extended; or the target RIP of a relative jump
export const R_NEXT = 24; // u64: RIP (offset in CS) of the next instruction
export const R_DISP = 32; // u64: displacement (RIP-relative: the next RIP is added at decode time)
export const R_SRC2 = 40; // u32: second source (three-operand forms)
export const R_SEGMENT = 44; // u32: address of the segment whose base is added (ZERO when flat)
export const R_STACK = 48; // u32: STACK16, STACK32 or STACK64
export const R_OPCODE = 52; // u16: row of the decode table
export const R_ATTRIBUTES = 54; // u16: A_* bits
export const R_MASK = 56; // u64: address-size mask of the effective address
export const R_FLAG_SIZE = 3; // bits 0-1: operand size 0: 8, 1: 16, 2: 32, 3: 64 bits
export const R_FLAG_CHECKED = 4; // not flat: each access asks for its segment's limit and type
export const R_FLAG_MEMORY = 8; // has a memory operand
export const R_FLAG_REP = 16;
export const R_FLAG_REPNE = 32;
export const R_FLAG_LOCK = 64;
export const R_FLAG_ADDRESS32 = 128; // effective address size differs from the code size's default (67h)
export const A_ENDS_BLOCK = 1; // stores RIP itself
export const A_CALL = 2; // the next instruction is a likely entry
export const A_BOUNDARY = 4; // the block ends behind it although it does not store RIP (STI, MOV SS, I/O, CR writes...)
export const A_STACK = 16; // what it accesses besides its memory operand is on the stack
export const A_BUS_LOCK = 32; // locked, and decoded in MODE_BUS_LOCK: a read-modify-write over a line's end goes the slow way
export const A_REP = 8; // repeats itself: one iteration is one count

// ---- blocks: a header, then count records, then a "fall" record when the last does not store RIP -----------------------
export const HEADER_SIZE = 64;
export const B_COUNT = 0; // u32: instructions
export const B_JIT = 4; // u32: compiled region's table index, 0 none
export const B_JIT_ENTRY = 8; // u32
export const B_HOT = 12; // u32: executions
export const B_LINEAR = 16; // u64: linear address of the first byte
export const B_FRAME = 24; // u32: physical page number
export const B_FRAME2 = 28; // u32: page number of the second page, NO_FRAME when it does not cross
export const B_MODE = 32; // u32
export const B_FLAGS = 36; // u32: BLOCK_*
export const B_NEXT_HASH = 40; // u32: chains
export const B_NEXT_PHYSICAL = 44;
export const B_NEXT_LINEAR = 48;
export const B_CS_LIMIT = 52; // u32
export const B_CS_BASE = 56; // u64
// flat blocks have no use for the segment; in its place they remember where they went last
export const B_SUCCESSOR = 56; // u32: block header, 0 none
export const B_SUCCESSOR2 = 60; // u32
export const BLOCK_GUARD = 1; // an execution breakpoint may sit on the first instruction
export const BLOCK_DROPPED = 2; // unlinked; its memory is free at the next flush of the arena
export const BLOCK_TERMINATED = 4; // the last instruction stores RIP
export const NO_FRAME = 0xffffffff;
export const ENTRY_TABLES_SIZE = 0x800000; // for all compiled regions
export const BLOCK_MAX = 64; // instructions
export const BLOCK_HASH_SIZE = 65536;
export const LINEAR_HASH_SIZE = 16384;

// ---- RAM frames ----------------------------------------------------------------------------------------------------------
export const PAGE_SIZE = 16; // bytes of an entry
export const PAGE_CODE = 0; // u64: 64-byte lines that hold decoded code
export const PAGE_BLOCKS = 8; // u32: first block on this page
export const PAGE_FLAGS = 12; // u32: bit 0: some fast write tag may exist; bit 1: part of a block's second page; PAGE_MONITORED
export const PAGE_MONITORED = 4; // some vCPU has armed a line of this page: no write tags (monitor.ts)

// ---- TLBs ----------------------------------------------------------------------------------------------------------------
// The architectural TLB is guest state; fast tags are derived from it. Both are direct mapped with the same index, so a
// fast tag never outlives its architectural entry.
export const TLB_ENTRIES = 8192;
export const TLB_ENTRY = 32;
export const TLB_BANK_SIZE = 0x40000; // TLB_ENTRIES * TLB_ENTRY
// fast tag entry
export const T_READ = 0; // u64: linear page, or TLB_INVALID
export const T_WRITE = 8;
export const T_FETCH = 16;
export const T_ADDEND = 24; // u32: linear-memory address = addend + (u32)linear
export const T_FRAME = 28; // u32: physical page number
export const TLB_INVALID = 1;
// architectural entry
export const TA_TAG = 0; // u64: linear page, or TLB_INVALID
export const TA_FRAME = 8; // u64: physical page address
export const TA_FLAGS = 16; // u32: PTE-style: 2 writable, 4 user, 0x40 dirty, 0x80 part of a 2 MiB page, 0x100 global, 0x200 no-execute, 0x400 part of a 4 MiB or 1 GiB page
// a vCPU's TLB area
export const TLB_ARCHITECTURAL = 0;
export const TLB_LIST_COUNT = 0x40000; // u32: valid entries, then u16 indices (guest state)
export const TLB_LIST = 0x40010;
/** u32: valid entries that come from 4 MiB or 1 GiB pages: INVLPG then has to look at the whole list (guest state). */
export const TLB_HUGE_COUNT = 0x40004;
export const TLB_GUEST_END = 0x44010;
export const TLB_USER = 0x80000; // banks by access regime
export const TLB_SUPERVISOR = 0xc0000;
export const TLB_SUPERVISOR_AC = 0x100000;
export const TLB_MISS = 0x140000; // a bank that never matches: alignment-checked code (CPL 3, CR0.AM, RFLAGS.AC)
export const TLB_AREA_SIZE = 0x180000;
