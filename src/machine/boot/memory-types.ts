// Memory types as firmware sets them up before any kernel runs (SDM 3A 12.11): RAM is cached, what lies above 3 GiB is not.
// They have no effect here, but a kernel that finds the registers blank switches its own use of memory types off.
import type { Engine } from '../../core/engine.ts';
import { MAXIMUM_RAM } from '../memory-map.ts';

const UNCACHED = 0n;
const WRITE_BACK = 6n;
const FIXED_RANGES = 11;
const ENABLED = 0xc00n; // MTRRs, fixed ranges too
const VALID = 0x800n;
const PHYSICAL_ADDRESS = (1n << 40n) - 1n; // CPUID 80000008h

export function setMemoryTypes(engine: Engine): void {
  for (let vcpu = 0; vcpu < engine.vcpuCount; vcpu++) {
    const state = engine.vcpu(vcpu);
    for (let i = 0; i < FIXED_RANGES; i++) state.setMsrMtrrFixed(i, 0x0101_0101_0101_0101n * WRITE_BACK);
    state.msrMtrrDefType = ENABLED | WRITE_BACK;
    state.setMsrMtrrVariable(0, BigInt(MAXIMUM_RAM) | UNCACHED);
    state.setMsrMtrrVariable(1, (PHYSICAL_ADDRESS & ~0x3fff_ffffn) | VALID);
  }
}
