// The real machine with the test tables of test/core (identity map, GDT, IDT, a handler for every vector that writes what
// it saw to a log), and the guest-debug layer on it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as L from '../../src/core/layout.ts';
import type { GuestDebugOptions } from '../../src/guestdebug/guest-debug.ts';
import { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import { LocalApic } from '../../src/machine/lapic.ts';
import { Machine as Pc } from '../../src/machine/machine.ts';
import type { Code } from '../core/code.ts';
import { CODE, Machine as Tables, STACK } from '../core/machine.ts';

const dist = join(import.meta.dirname, '../../dist');
export const modules = {
  core: new WebAssembly.Module(readFileSync(join(dist, 'core.wasm'))),
  system: new WebAssembly.Module(readFileSync(join(dist, 'system.wasm'))),
};
const RAM = 4 << 20;

export interface BenchOptions extends GuestDebugOptions {
  readonly vcpus?: number;
  readonly quantum?: number;
  readonly user?: boolean;
  /** Changes to the tables and registers before the machine is made. */
  readonly prepare?: (tables: Tables, code: Code) => void;
}
export interface Bench {
  readonly pc: Pc;
  readonly layer: GuestDebug;
  /** Registers, memory, log and guest slots of vCPU 0, on the machine's own engine. */
  readonly tables: Tables;
  readonly code: Code;
  readonly A: bigint;
}

/** A machine whose vCPUs all stand at the start of one program, each with a stack of its own. The layer is attached, not stopped. */
export function bench(build: (code: Code) => void, options: BenchOptions = {}): Bench {
  const { vcpus = 1, quantum = 10_000, user = false, prepare, ...layerOptions } = options;
  const tables = new Tables({ user });
  const code = tables.program(build);
  prepare?.(tables, code);
  const state = tables.engine.raw.slice(L.STATE, L.STATE_GUEST_END);
  const ram = tables.engine.ramView(0, RAM).slice();
  const pc = new Pc(modules, { cpus: vcpus, memorySize: RAM, quantum });
  const { engine } = pc;
  engine.writePhysical(0, ram);
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    engine.select(vcpu);
    const apicBase = engine.vcpu().msrApicBase;
    engine.raw.set(state, L.STATE);
    engine.vcpu().msrApicBase = apicBase;
    engine.vcpu().rsp = engine.vcpu().rsp - BigInt(vcpu * 0x400);
    engine.system.updateMode();
    engine.system.resetTags();
    engine.system.observerChanged();
  }
  engine.select(0);
  // From here on the helpers read and write the machine's engine instead of their own.
  Reflect.set(tables, 'engine', engine);
  const layer = new GuestDebug(pc, { stepIrq: 'enter', ...layerOptions });
  return { pc, layer, tables, code, A: hasPlace(code) ? code.place('A') : BigInt(CODE) };
}
function hasPlace(code: Code): boolean {
  try {
    return code.place('A') >= 0n;
  } catch {
    return false;
  }
}
/** Something of the outside world asks vCPU `vcpu` for attention, whose local APIC software has enabled. */
export function outside(pc: Pc, vcpu: number, message: Parameters<LocalApic['receive']>[0]): void {
  const lapics: unknown = Reflect.get(pc, 'lapics');
  const lapic: unknown = Array.isArray(lapics) ? lapics[vcpu] : undefined;
  if (!(lapic instanceof LocalApic)) throw new Error(`the machine has no local APIC ${vcpu}`);
  lapic.receive(message);
}
/** An interrupt of this vector comes from outside. */
export function interrupt(pc: Pc, vcpu: number, vector: number): void {
  outside(pc, vcpu, { delivery: 0, vector, level: false });
}
/** x2APIC on, and software-enabled by the spurious-vector register (SDM 3A 11.9, 11.12.1). */
export const APIC_ON = 'B9 1B 00 00 00 0F 32 0D 00 0C 00 00 0F 30 B9 0F 08 00 00 B8 FF 01 00 00 31 D2 0F 30';

/** The same program without a debugger: digest at its end. */
export function undebugged(build: (code: Code) => void, options: BenchOptions = {}, ticks = 100_000): string {
  const { pc, layer } = bench(build, options);
  layer.detach(false);
  pc.run(ticks);
  return pc.digest();
}
export { STACK };
