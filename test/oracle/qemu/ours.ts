// The same run on our core.
import { Engine, type EngineHost } from '../../../src/core/engine.ts';
import * as L from '../../../src/core/layout.ts';
import { emptyHost } from '../engine-host.ts';
import { engineModules } from '../engine-decoder.ts';
import { IMAGE_SIZE, START } from './image.ts';
import { GENERAL, SEGMENTS, type ProcessorState, type SegmentState, type TableState } from './processor-state.ts';

const MEMORY = 8 << 20;
const TICKS = 1_000_000;
const UNUSABLE = 0x10000;

const hostFor = (stops: ReadonlySet<bigint>): EngineHost => ({
  ...emptyHost,
  splitAt: (linear) => stops.has(linear),
  splitCount: () => stops.size,
});

/** Runs the image from reset to one of its stops; undefined: it never got there. */
export function runOurs(memory: Uint8Array, stops: readonly number[]): ProcessorState | undefined {
  const engine = new Engine({
    modules: engineModules,
    host: hostFor(new Set(stops.map(BigInt))),
    vcpus: 1,
    memorySize: MEMORY,
  });
  engine.writePhysical(0, memory);
  engine.system.loadSegmentReal(1, 0);
  engine.set32(L.CS + 12, 0x9b);
  engine.set64(L.RIP, BigInt(START));
  engine.system.observerChanged();
  if (engine.run(TICKS, BigInt(TICKS)).code !== L.RUN_OBSERVED) return undefined;
  return stateOf(engine);
}

function stateOf(engine: Engine): ProcessorState {
  const wide = (engine.get32(L.MODE) & L.MODE_CODE) === 2;
  const general = new Map<string, bigint>();
  GENERAL.forEach((name, i) => {
    const value = engine.get64(L.REGS + i * 8);
    if (wide || i < 8) general.set(name, wide ? value : BigInt.asUintN(32, value));
  });
  const plain = new Map<string, bigint>([
    ['RIP', engine.get64(L.RIP)],
    ['EFL', BigInt.asUintN(64, engine.system.rflags())],
    ['CPL', BigInt(engine.get32(L.CPL))],
    ['CR0', engine.get64(L.CR0)],
    ['CR2', engine.get64(L.CR2)],
    ['CR3', engine.get64(L.CR3)],
    ['CR4', engine.get64(L.CR4)],
    ['EFER', engine.get64(L.EFER)],
    ['DR6', engine.get64(L.DR6)],
    ['DR7', engine.get64(L.DR7)],
  ]);
  const segments = new Map<string, SegmentState>();
  SEGMENTS.forEach((name, i) => {
    const slot = L.SEGMENTS + i * L.SEGMENT_SIZE;
    const attributes = engine.get32(slot + 12);
    segments.set(name, {
      selector: engine.get32(slot + 16),
      base: engine.get64(slot),
      limit: engine.get32(slot + 8),
      rights: (attributes & UNUSABLE) !== 0 ? 0 : attributes & 0xf0ff,
    });
  });
  const table = (slot: number): TableState => ({ base: engine.get64(slot), limit: engine.get32(slot + 8) });
  const tables = new Map([
    ['GDT', table(L.GDTR)],
    ['IDT', table(L.IDTR)],
  ]);
  return { general, plain, segments, tables, memory: engine.ramView(0, IMAGE_SIZE).slice() };
}
