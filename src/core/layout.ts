// The layout of the engine's linear memory. Read by AssemblyScript (src/core/assembly) and by TypeScript alike, so it
// holds nothing but numbers. The state area and what the vCPUs share are rows of state-table.ts, which says how to add one;
// what stands in them is state-values.ts; the layout of records, blocks and TLBs is here.
export * from './state-layout.generated';
export * from './state-values';

/** End of X87. */
export const X87_END = 0x880;
/** What handlers write, and a held fault undoes: from FIP to IGNNE, and from REGS to X87_END. */
export const UNDO_LOW_SIZE = 0x20;
export const UNDO_STATE_SIZE = 0x480;

// REGION_LEFT: how a compiled region left
export const LEFT_INDEX = 0xff; // bits 0-7: index of the instruction in its block
export const LEFT_ALONE = 0x100; // it always leaves: the interpreter executes it alone
export const LEFT_CAUSE = 16; // bits 16-: why, an index into EXIT_COUNTS, not 0

// ---- the rest of the memory -----------------------------------------------------------------------------------------------
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
/** u16 for each of TLB_LARGE_BUCKETS: valid entries that come from 2 MiB pages, by bits 32:21 of their address (derived). */
export const TLB_LARGE_COUNTS = 0x46000;
export const TLB_LARGE_BUCKETS = 4096;
/** u16 for each entry: where it stands in the list (derived). */
export const TLB_LIST_PLACES = 0x48000;
export const TLB_USER = 0x80000; // banks by access regime
export const TLB_SUPERVISOR = 0xc0000;
export const TLB_SUPERVISOR_AC = 0x100000;
export const TLB_MISS = 0x140000; // a bank that never matches: alignment-checked code (CPL 3, CR0.AM, RFLAGS.AC)
export const TLB_AREA_SIZE = 0x180000;
