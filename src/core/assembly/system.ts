// system.wasm: every slow path of the engine. core.wasm imports the first group; TypeScript (engine.ts) calls the second.
export { slowLoad as load, slowStore as store, slowModify as modify, slowLoadVector as loadVector, slowStoreVector as storeVector,
  fetchPage as fetch, fetchBytes } from './system/mmu';
export { linear, updateMode, loadSegmentReal } from './system/segments';
export { raise, deliverFault, injectBreakpoint, ticksLeft } from './system/events';
export { simdException } from './system/simd-exception';
export * from './softfloat/sse';
export { rare } from './system/rare-dispatch';
export { boundary, retire, peek } from './system/boundary';
export { codePage, physicalWritten, dropBlocksAt } from './system/physical';
export { isSplit as split, observerChanged, setDebugRegister } from './system/debug';

export { translate } from './system/walk';
export { initTlb, resetTags, flushTags } from './system/tlb';
export { reset, startup } from './system/reset';
export { rearmMonitor } from './system/monitor';
export { refreshDirectoryPointers } from './system/control';
export { rflags, setRflags, canonicaliseFlags } from './system/flags';
