// system.wasm: every slow path of the engine. core.wasm imports the first group; TypeScript (engine.ts) calls the
// second.
export { handlerLoad as load, handlerStore as store, handlerModify as modify, handlerLoadVector as loadVector,
  handlerStoreVector as storeVector, handlerStoreExtended as storeExtended, handlerProbe as probe, fetchPage as fetch,
  fetchBytes } from './system/memory/mmu';
export { moveElements, storeElements } from './system/memory/repeat';
export { handlerLinear as linear, updateMode, loadSegmentReal } from './system/memory/segments';
export { raise, ticksLeft } from './system/raise/raise';
export { deliverNoted, deliverFault, injectBreakpoint } from './system/deliver/events';
export { floatError } from './system/raise/x87-error';
export { simdException } from './system/raise/simd-exception';
export * from './softfloat/sse';
export { rare } from './system/rare-dispatch';
export { boundary, retire, peek } from './system/boundary';
export { codePage, physicalWritten, dropBlocksAt } from './system/memory/physical';
export { isSplit as split, observerChanged, setDebugRegister } from './system/memory/debug';

export { translate } from './system/memory/walk';
export { initTlb, resetTags, flushTags } from './system/state/tlb';
export { reset, startup } from './system/operations/reset';
export { rearmMonitor } from './system/memory/monitor-line';
export { refreshDirectoryPointers } from './system/memory/address-space';
export { rflags, setRflags, canonicaliseFlags } from './system/state/flags';

// softfloat: core.wasm imports it under that name
export { extF80_add, extF80_sub, extF80_mul, extF80_div, extF80_sqrt } from './softfloat/extf80-arithmetic';
export { f32_to_extF80, f64_to_extF80, i64_to_extF80, bcd_to_extF80, extF80_to_f32, extF80_to_f64, extF80_to_integer,
  extF80_to_bcd } from './softfloat/extf80-convert';
export { extF80_roundToInt, extF80_scale, extF80_extract, extF80_compare, extF80_classify }
from './softfloat/extf80-parts';
export { extF80_rem } from './softfloat/extf80-remainder';
export { extF80_2xm1, extF80_yl2x, extF80_yl2xp1 } from './softfloat/extf80-exponential';
export { extF80_sin, extF80_cos, extF80_sincos, extF80_tan } from './softfloat/extf80-trigonometric';
export { extF80_atan } from './softfloat/extf80-arctangent';
