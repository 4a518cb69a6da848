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
  engine.vcpu().cs.attributes = 0x9b;
  engine.vcpu().rip = BigInt(START);
  engine.system.observerChanged();
  if (engine.run(TICKS, BigInt(TICKS)).code !== L.RUN_OBSERVED) return undefined;
  return stateOf(engine);
}

function stateOf(engine: Engine): ProcessorState {
  const wide = (engine.vcpu().mode & L.MODE_CODE) === 2;
  const general = new Map<string, bigint>();
  GENERAL.forEach((name, i) => {
    const value = engine.vcpu().regs(i);
    if (wide || i < 8) general.set(name, wide ? value : BigInt.asUintN(32, value));
  });
  const plain = new Map<string, bigint>([
    ['RIP', engine.vcpu().rip],
    ['EFL', BigInt.asUintN(64, engine.system.rflags())],
    ['CPL', BigInt(engine.vcpu().cpl)],
    ['CR0', engine.vcpu().cr0],
    ['CR2', engine.vcpu().cr2],
    ['CR3', engine.vcpu().cr3],
    ['CR4', engine.vcpu().cr4],
    ['EFER', engine.vcpu().efer],
    ['DR6', engine.vcpu().dr6],
    ['DR7', engine.vcpu().dr7],
  ]);
  const segments = new Map<string, SegmentState>();
  SEGMENTS.forEach((name, i) => {
    const { selector, base, limit, attributes } = engine.vcpu().segments(i);
    segments.set(name, {
      selector,
      base,
      limit,
      rights: (attributes & UNUSABLE) !== 0 ? 0 : attributes & 0xf0ff,
    });
  });
  const table = ({ base, limit }: TableState): TableState => ({ base, limit });
  const tables = new Map([
    ['GDT', table(engine.vcpu().gdtr)],
    ['IDT', table(engine.vcpu().idtr)],
  ]);
  return { general, plain, segments, tables, memory: engine.ramView(0, IMAGE_SIZE).slice() };
}
