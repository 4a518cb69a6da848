// The interpreter: blocks of records, one indirect call an instruction. Reference, single-stepper, and home of cold code.
import * as L from '../../layout';
import { boundary, hot, retire } from './imports';
import { flush, lookup, successor } from './blocks';
import { execute } from './decode-table.generated';
import { handlerOf } from './record';

/** Runs a block, or its first instructions when limit says so; leaves early when a handler asks for attention. */
@inline function runBlock(b: usize, limit: i64): void {
  let count = <i64>load<u32>(b), n = count > limit ? limit : count;
  store<u32>(L.BLOCK, <u32>b);
  store<u32>(L.BLOCK_TICKS, <u32>n);
  store<i64>(L.BUDGET, load<i64>(L.BUDGET) - n); // a fault gives back what did not retire: see system's raise
  let r = b + L.HEADER_SIZE, last = r + (<usize>n - 1) * L.RECORD_SIZE;
  while (true) {
    execute(handlerOf(r), r);
    if (load<u32>(L.ATTENTION)) { endEarly(b, r, n); return; }
    if (r == last) break;
    r += L.RECORD_SIZE;
  }
  if (!(n == count && load<u32>(b, L.B_FLAGS) & L.BLOCK_TERMINATED)) store<u64>(L.RIP, load<u64>(r, L.R_NEXT));
}
/** The instruction of record r was the last to retire: ticks of the n that were taken are given back, and RIP is brought up. */
function endEarly(b: usize, r: usize, n: i64): void {
  let done = <i64>((r - b - L.HEADER_SIZE) / L.RECORD_SIZE) + 1;
  store<i64>(L.BUDGET, load<i64>(L.BUDGET) + (n - done));
  if (!(done == <i64>load<u32>(b) && load<u32>(b, L.B_FLAGS) & L.BLOCK_TERMINATED)) store<u64>(L.RIP, load<u64>(r, L.R_NEXT));
  if (load<u32>(L.ATTENTION) & L.ATTENTION_RETIRE) retire();
}

/** Enters the compiled region of a block; true when it has used ticks and did not leave for the interpreter's sake. */
function runRegion(b: usize): bool {
  let before = load<i64>(L.BUDGET);
  store<u32>(L.REGION_LEFT, 0);
  call_indirect(load<u32>(b, L.B_JIT), load<u32>(b, L.B_JIT_ENTRY));
  let used = before - load<i64>(L.BUDGET);
  store<i64>(L.REGION_TICKS, load<i64>(L.REGION_TICKS) + used);
  return used != 0 && !load<u32>(L.REGION_LEFT);
}

/**
 * Runs the vCPU in the state area until its budget is used up or something wants the scheduler; answers a RUN_* code.
 * Faults leave it as exceptions of the import that raised them; the caller delivers them and calls again.
 */
export function run(): u32 {
  let previous: usize = 0; // the block that ran last; 0: none, or it may be gone
  let interpret = false; // the region at this RIP has just left in front of the next instruction
  while (true) {
    let limit = load<i64>(L.BUDGET);
    if (limit <= 0) return L.RUN_SPENT;
    if (load<u32>(L.ATTENTION) | load<u32>(L.FLUSH_REQUEST)) {
      if (load<u32>(L.ATTENTION)) {
        let code = boundary();
        if (code) return code;
        limit = load<i64>(L.BUDGET);
        if (limit <= 0) return L.RUN_SPENT; // an event was delivered, which takes one tick
        if (load<u32>(L.ONE_INSTRUCTION)) limit = 1;
      }
      if (load<u32>(L.FLUSH_REQUEST)) { store<u32>(L.FLUSH_REQUEST, 0); flush(); previous = 0; }
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
        if (!interpret) { interpret = !runRegion(b); continue; }
      } else {
        let threshold = load<u32>(L.HOT_THRESHOLD), times = load<u32>(b, L.B_HOT) + 1;
        store<u32>(b, times, L.B_HOT);
        if (times == threshold) {
          hot(<u32>b);
          previous = 0;
          if (load<u32>(b, L.B_JIT) && !interpret || load<u32>(L.FLUSH_REQUEST)) continue;
        }
      }
      // just behind a region: one instruction, so that compiled code goes on right after it
      if (interpret) limit = 1;
    }
    interpret = false;
    runBlock(b, limit);
  }
}

/** For the region builder: the block at another RIP of the running code, without running it; 0 when it cannot be fetched. */
export function blockAt(rip: u64): usize {
  if ((<u32>rip & 0xfff) > 0xff0) return 0; // its first instruction may cross, and fetching the next page may fault
  let saved = load<u64>(L.RIP);
  store<u64>(L.RIP, rip);
  let b = lookup();
  store<u64>(L.RIP, saved);
  return b;
}
