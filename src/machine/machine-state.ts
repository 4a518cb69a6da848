// The guest part of the engine's memory, piece by piece: RAM, vCPUs, architectural TLBs. Everything else there is derived
// or belongs to the host, and is neither saved nor digested.
import type { Engine } from '../core/engine.ts';
import * as L from '../core/layout.ts';
import { SnapshotError, type StateReader, type StateWriter } from './state-stream.ts';

const PAGE = 4096;
const END_OF_PAGES = 0xffff_ffff;

/** Numbers of the pages that are not all zero, in order. Reading leaves untouched memory untouched: most RAM is never used. */
function* usedPages(engine: Engine): Generator<number> {
  const words = new Int32Array(engine.memory.buffer, engine.ram, engine.memorySize / 4);
  for (let page = 0; page < engine.memorySize / PAGE; page++) {
    const end = (page + 1) * (PAGE / 4);
    let at = page * (PAGE / 4);
    while (at < end && words[at] === 0) at++;
    if (at < end) yield page;
  }
}
/** RAM: page number and bytes of each page that is not all zero. */
export function saveMemory(engine: Engine, writer: StateWriter): void {
  for (const page of usedPages(engine)) {
    writer.u32(page);
    writer.raw(engine.ramView(page * PAGE, PAGE));
  }
  writer.u32(END_OF_PAGES);
}
export function restoreMemory(engine: Engine, reader: StateReader): void {
  for (const page of usedPages(engine)) engine.ramView(page * PAGE, PAGE).fill(0);
  for (;;) {
    const at = reader.offset;
    const page = reader.u32();
    if (page === END_OF_PAGES) return;
    if (!engine.isRam(page * PAGE, PAGE)) {
      throw new SnapshotError('format', at, `page ${page} is outside RAM; the snapshot is damaged.`);
    }
    engine.ramView(page * PAGE, PAGE).set(reader.raw(PAGE));
  }
}

/** One vCPU: registers and what else of its state area is the guest's, then its architectural TLB. */
export function saveVcpu(engine: Engine, vcpu: number, writer: StateWriter): void {
  engine.select(vcpu);
  engine.system.canonicaliseFlags(); // one representation for each value, whatever computed it
  writer.bytes(engine.raw.subarray(L.STATE, L.STATE_GUEST_END));
  const area = engine.vcpu(vcpu).tlbArea;
  const { rawView } = engine;
  const count = rawView.getUint32(area + L.TLB_LIST_COUNT, true);
  writer.raw(engine.raw.subarray(area + L.TLB_LIST_COUNT, area + L.TLB_LIST));
  for (let i = 0; i < count; i++) {
    const index = rawView.getUint16(area + L.TLB_LIST + i * 2, true);
    const entry = area + L.TLB_ARCHITECTURAL + index * L.TLB_ENTRY;
    writer.u16(index);
    writer.raw(engine.raw.subarray(entry, entry + L.TLB_ENTRY));
  }
}
export function restoreVcpu(engine: Engine, vcpu: number, reader: StateReader): void {
  engine.select(vcpu);
  const start = reader.offset;
  const saved = reader.bytes();
  if (saved.length !== L.STATE_GUEST_END - L.STATE) {
    throw new SnapshotError('mismatch', start, 'the state area has another size; it is of another version.');
  }
  engine.raw.set(saved, L.STATE);
  const state = engine.vcpu(vcpu);
  const area = state.tlbArea;
  engine.system.initTlb();
  const header = reader.raw(L.TLB_LIST - L.TLB_LIST_COUNT);
  engine.raw.set(header, area + L.TLB_LIST_COUNT);
  const count = engine.rawView.getUint32(area + L.TLB_LIST_COUNT, true);
  if (count > L.TLB_ENTRIES) throw new SnapshotError('format', start, `a TLB of ${count} entries; it is damaged.`);
  for (let i = 0; i < count; i++) {
    const index = reader.u16() % L.TLB_ENTRIES;
    engine.rawView.setUint16(area + L.TLB_LIST + i * 2, index, true);
    engine.raw.set(reader.raw(L.TLB_ENTRY), area + L.TLB_ARCHITECTURAL + index * L.TLB_ENTRY);
  }
  // what the boundary has to look at is derived from the guest state: look at everything once
  state.clearTransient();
  state.attention = L.ATTENTION_EVENT;
  engine.system.rearmMonitor();
  engine.system.updateMode();
}
