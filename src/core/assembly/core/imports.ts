// The slow paths: exports of system.wasm. As imports they survive the optimiser, and the partial evaluator turns a call
// to one into "leave the region in front of this instruction". Each takes the record, so a fault's RIP is exact.
// Accesses that fault answer a dummy, and whatever the handler does from then on is undone (system/raise/raise.ts); the
// others throw (a JavaScript exception) before they have written any guest state.

/** Reads size bytes (1, 2, 4, 8) at a linear address; page crossing, MMIO, watched pages, TLB misses, #PF. */
@external("system", "load") export declare function slowLoad(r: usize, linear: u64, size: u32): u64;
/** Writes size bytes (1, 2, 4, 8); a crossing store probes both pages first; code pages. */
@external("system", "store") export declare function slowStore(r: usize, linear: u64, value: u64, size: u32): void;
/**
 * Read-modify-write of size bytes (1..16): translates for write, reads, and answers an address of linear memory where
 * the handler reads the old and stores the new value: RAM itself, or a bounce buffer that is committed when the
 * instruction retires.
 */
@external("system", "modify") export declare function slowModify(r: usize, linear: u64, size: u32): usize;
/** Reads 16 bytes; answers the address of a copy. */
@external("system", "loadVector") export declare function slowLoadVector(r: usize, linear: u64): usize;
@external("system", "storeVector") export declare function slowStoreVector(r: usize, linear: u64, low: u64,
  high: u64): void;
/** Writes 10 bytes, after both pages were asked for. */
@external("system", "storeExtended") export declare function slowStoreExtended(r: usize, linear: u64, low: u64,
  high: u32): void;
/** Faults as a write of size bytes would. */
@external("system", "probe") export declare function probeWrite(r: usize, linear: u64, size: u32): void;
/**
 * Iterations of REP MOVS from one linear address to another at once, elements of size bytes: writes memory and takes
 * their ticks, but for the one that this instruction has. Answers how many; 0: the handler executes one as usual.
 */
@external("system", "moveElements") export declare function moveElements(r: usize, from: u64, to: u64, size: u32): u32;
/** The same for REP STOS. */
@external("system", "storeElements") export declare function storeElements(r: usize, to: u64, size: u32): u32;
/**
 * Segment limit and type check (not flat); answers the linear address. segment: address of the segment's state slot;
 * write: 0 or 1.
 */
@external("system", "linear") export declare function slowLinear(r: usize, segment: u32, offset: u64, size: u32,
  write: u32): u64;
/** Undoes what the handler wrote that has just ended, and delivers the fault that one of its accesses met. */
@external("system", "deliverNoted") export declare function deliverNoted(): void;
/** Throws an exception of this instruction; error < 0: none. */
@external("system", "raise") export declare function raise(r: usize, vector: u32, error: i32): void;
/** An x87 exception is pending: #MF, or the PC's FERR# (SDM 1 8.7). */
@external("system", "floatError") export declare function floatError(r: usize): void;
/**
 * Executes the rare operation of this record (RARE_*); sets RIP itself for records that end a block by A_ENDS_BLOCK.
 */
@external("system", "rare") export declare function rare(r: usize): void;
/**
 * Makes the fetch tag of a linear address valid, or throws #PF/#GP; answers 1 when the page is RAM, 0 when it is not.
 */
@external("system", "fetch") export declare function fetchPage(linear: u64): u32;
/** Reads up to n instruction bytes outside RAM into FETCH_BUFFER. */
@external("system", "fetchBytes") export declare function fetchBytes(linear: u64, n: u32): void;
/** Evaluates the boundary table; 0: execute, else a RUN_* code. */
@external("system", "boundary") export declare function boundary(): u32;
/** Commits bounce buffers and watch hits of the instruction that just retired. */
@external("system", "retire") export declare function retire(): void;
/** Told once per page that gets its first decoded line: drops the page's write tags everywhere. */
@external("system", "codePage") export declare function codePage(frame: u32): void;
/** 1 when an execution breakpoint (observer, or guest DR type X) may sit at this linear address. */
@external("system", "split") export declare function isSplit(linear: u64): u32;
/** A block was executed HOT_THRESHOLD times. It may decode others, and so flush the arena. */
@external("jit", "hot") export declare function hot(block: u32): void;
/** Sets the exceptions in MXCSR and raises #XM, or #UD without CR4.OSXMMEXCPT. Never returns. */
@external("system", "simdException") export declare function simdException(r: usize, flags: u32): void;
