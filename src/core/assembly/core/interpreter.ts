// The interpreter: blocks of records, one indirect call an instruction. Reference, single-stepper, and home of cold code.
import * as L from '../../layout';
import { boundary, retire } from './imports';
import { lookup } from './blocks';
import { handlerOf } from './record';

/** Runs a block, or its first instructions when limit says so; leaves early when a handler asks for attention. */
function runBlock(b: usize, limit: i64): void {
  let count = <i64>load<u32>(b), n = count > limit ? limit : count;
  store<u32>(L.BLOCK, <u32>b);
  store<u32>(L.BLOCK_TICKS, <u32>n);
  store<i64>(L.BUDGET, load<i64>(L.BUDGET) - n); // a fault gives back what did not retire: see system's raise
  let r = b + L.HEADER_SIZE, last = r + (<usize>n - 1) * L.RECORD_SIZE;
  while (true) {
    call_indirect(handlerOf(r), r);
    if (load<u32>(L.ATTENTION) || r == last) break;
    r += L.RECORD_SIZE;
  }
  let done = <i64>((r - b - L.HEADER_SIZE) / L.RECORD_SIZE) + 1;
  store<i64>(L.BUDGET, load<i64>(L.BUDGET) + (n - done));
  if (!(done == count && load<u32>(b, L.B_FLAGS) & L.BLOCK_TERMINATED)) store<u64>(L.RIP, load<u64>(r, L.R_NEXT));
  if (load<u32>(L.ATTENTION) & L.ATTENTION_RETIRE) retire();
}

/**
 * Runs the vCPU in the state area until its budget is used up or something wants the scheduler; answers a RUN_* code.
 * Faults leave it as exceptions of the import that raised them; the caller delivers them and calls again.
 */
export function run(): u32 {
  while (true) {
    if (load<i64>(L.BUDGET) <= 0) return L.RUN_SPENT;
    if (load<u32>(L.ATTENTION)) {
      let code = boundary();
      if (code) return code;
      if (load<i64>(L.BUDGET) <= 0) return L.RUN_SPENT; // an event was delivered, which takes one tick
    }
    let b = lookup();
    if (load<u32>(b, L.B_FLAGS) & L.BLOCK_GUARD && !load<u32>(L.GUARD_PASSED)) {
      store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_GUARD);
      continue;
    }
    store<u32>(L.GUARD_PASSED, 0);
    runBlock(b, load<u32>(L.ONE_INSTRUCTION) ? 1 : load<i64>(L.BUDGET));
  }
}
