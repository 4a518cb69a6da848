// The interpreter: blocks of records, one indirect call an instruction. Reference, single-stepper, and home of cold
// code.
import * as L from '../../layout';
import { boundary, deliverNoted, hot, retire } from './imports';
import { flush, lookup, successor } from './blocks';
import { execute } from './decode-table.generated';
import { handlerOf } from './record';

/** Runs a block, or its first instructions when limit says so; leaves early when a handler asks for attention. */
@inline function runBlock(b: usize, limit: i64): void { runFrom(b, 0, limit); }
function runRecords(b: usize, first: u32, limit: i64): void { runFrom(b, first, limit); }
/** The same from record `first` on. */
@inline function runFrom(b: usize, first: u32, limit: i64): void {
  let count = <i64>load<u32>(b) - first, n = count > limit ? limit : count;
  store<u32>(L.BLOCK, <u32>b);
  store<u32>(L.BLOCK_TICKS, first + <u32>n);
  store<i64>(L.BUDGET, load<i64>(L.BUDGET) - n); // a fault gives back what did not retire: see system's raise
  let r = b + L.HEADER_SIZE + first * L.RECORD_SIZE, last = r + (<usize>n - 1) * L.RECORD_SIZE;
  while (true) {
    execute(handlerOf(r), r);
    if (load<u32>(L.ATTENTION)) { endEarly(b, r, first + n); return; }
    if (r == last) break;
    r += L.RECORD_SIZE;
  }
  if (!(n == count && load<u32>(b, L.B_FLAGS) & L.BLOCK_TERMINATED)) store<u64>(L.RIP, load<u64>(r, L.R_NEXT));
}
/**
 * The instruction of record r faulted, or was the last to retire: ticks of the n that were taken are given back, and
 * RIP is brought up.
 */
function endEarly(b: usize, r: usize, n: i64): void {
  if (load<u32>(L.FAULT_NOTED)) { deliverNoted(); return; }
  let done = <i64>((r - b - L.HEADER_SIZE) / L.RECORD_SIZE) + 1;
  store<i64>(L.BUDGET, load<i64>(L.BUDGET) + (n - done));
  if (!(done == <i64>load<u32>(b) && load<u32>(b, L.B_FLAGS) & L.BLOCK_TERMINATED))
    store<u64>(L.RIP, load<u64>(r, L.R_NEXT));
  if (load<u32>(L.ATTENTION) & L.ATTENTION_RETIRE) retire();
}

/** How a chain of compiled regions ended. */
const ON: u32 = 0; // at a block that has none, or the run loop has to look
const SHORT: u32 = 1; // the next block takes more ticks than there are
/**
 * Runs the compiled region of block b, and of the blocks that follow it as long as they have one. Inside of regions
 * nothing happens that the boundary or the fetch mapping could see: whatever does leaves the region.
 */
function runRegions(b: usize): u32 {
  while (true) {
    let before = load<i64>(L.BUDGET);
    store<u32>(L.REGION_LEFT, 0);
    call_indirect(load<u32>(b, L.B_JIT), load<u32>(b, L.B_JIT_ENTRY));
    let after = load<i64>(L.BUDGET), left = load<u32>(L.REGION_LEFT);
    store<i64>(L.REGION_TICKS, load<i64>(L.REGION_TICKS) + before - after);
    let cause = <usize>(left >> L.LEFT_CAUSE) << 3;
    store<u64>(cause, load<u64>(cause, L.EXIT_COUNTS) + 1, L.EXIT_COUNTS);
    if (left) { finish(left); return ON; }
    if (before == after) return SHORT;
    if (after <= 0) return ON;
    b = lookup();
    if (!load<u32>(b, L.B_JIT) || load<u32>(L.ATTENTION)) return ON;
  }
}
/**
 * A region has left in front of an instruction. After a memory access that was not fast the interpreter goes on with
 * the same block, for the next access may well be fast again; an instruction that always leaves is executed alone, so
 * that compiled code goes on right behind it.
 */
function finish(left: u32): void {
  let r = <usize>load<u32>(L.REGION_RECORD), index = left & L.LEFT_INDEX, b = r - L.HEADER_SIZE - index * L.RECORD_SIZE;
  runRecords(b, index, left & L.LEFT_ALONE ? 1 : load<i64>(L.BUDGET));
}

/**
 * Runs the vCPU in the state area until its budget is used up or something wants the scheduler; answers a RUN_* code.
 * Faults other than those of a handler's accesses leave it as exceptions; the caller delivers them and calls again.
 */
export function run(): u32 {
  let previous: usize = 0; // the block that ran last; 0: none, or it may be gone
  let short = false; // the region at this RIP has no ticks for its first block
  while (true) {
    let limit = load<i64>(L.BUDGET);
    if (limit <= 0) return L.RUN_SPENT;
    if (load<u32>(L.ATTENTION)) {
      let code = boundary();
      if (code) return code;
      limit = load<i64>(L.BUDGET);
      if (limit <= 0) return L.RUN_SPENT; // an event was delivered, which takes one tick
      if (load<u32>(L.ONE_INSTRUCTION)) limit = 1;
    }
    let b = successor(previous);
    previous = b;
    if (load<u32>(b, L.B_FLAGS) & L.BLOCK_GUARD && !load<u32>(L.GUARD_PASSED)) {
      store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_GUARD);
      continue;
    }
    store<u32>(L.GUARD_PASSED, 0);
    if (!load<u32>(L.ONE_INSTRUCTION)) {
      if (load<u32>(b, L.B_JIT)) {
        if (!short) { short = runRegions(b) == SHORT; previous = 0; continue; }
      } else {
        let threshold = load<u32>(L.HOT_THRESHOLD), times = load<u32>(b, L.B_HOT) + 1;
        store<u32>(b, times, L.B_HOT);
        if (times == threshold) { hot(<u32>b); if (load<u32>(b, L.B_JIT)) continue; }
      }
    }
    short = false;
    runBlock(b, limit);
  }
}
