// What the guest-debug layer reads of a vCPU and writes to its observer part. Guest state is only ever read here:
// the debugger must not be visible to the guest (guest-debug-spec P2).
import type { Engine } from '../core/engine.ts';
import type { StateArea } from '../core/state-area.generated.ts';
import * as V from '../core/state-values.ts';
import type { VcpuStatus } from './api.ts';

/** The part of the engine this layer needs; tests put a small model in its place. */
export type EngineState = Pick<
  Engine,
  'vcpuCount' | 'current' | 'select' | 'vcpu' | 'shared' | 'attend' | 'injectBreakpoint'
> & { readonly system: Pick<Engine['system'], 'dropBlocksAt' | 'observerChanged' | 'peek'> };

export type Activity = VcpuStatus['activity'];
const ACTIVITIES: readonly Activity[] = ['active', 'halted', 'waitSipi', 'shutdown'];
const SHADOWS = ['none', 'sti', 'movss'] as const;

const RFLAGS_RF = 1n << 16n;
const EFER_LMA = 1n << 10n;
const LOW32 = 0xffffffffn;
/** Page-table base of CR3: without PCID, PWT, PCD (SDM 3A 4.5.2). */
export const CR3_BASE = 0x000ffffffffff000n;

/** Reads one vCPU's state through the engine; holds nothing of its own. */
export class VcpuState {
  private readonly engine: EngineState;
  constructor(engine: EngineState) {
    this.engine = engine;
  }
  get count(): number {
    return this.engine.vcpuCount;
  }

  private area(vcpu: number): StateArea {
    return this.engine.vcpu(vcpu);
  }

  /** Linear address of the next instruction: CS base + RIP, 32 bits wide outside 64-bit mode. */
  pc(vcpu: number): bigint {
    const { rip, cs } = this.area(vcpu);
    const sum = rip + cs.base;
    return this.isLong(vcpu) ? BigInt.asUintN(64, sum) : sum & LOW32;
  }
  rsp(vcpu: number): bigint {
    return this.area(vcpu).rsp;
  }
  cr3(vcpu: number): bigint {
    return this.area(vcpu).cr3;
  }
  cpl(vcpu: number): number {
    return this.area(vcpu).cpl;
  }
  activity(vcpu: number): Activity {
    return ACTIVITIES[this.area(vcpu).activity] ?? 'active';
  }
  shadow(vcpu: number): 'none' | 'sti' | 'movss' {
    return SHADOWS[this.area(vcpu).shadow] ?? 'none';
  }
  private isLong(vcpu: number): boolean {
    return (this.area(vcpu).mode & V.MODE_CODE) === V.CODE_64;
  }
  mode(vcpu: number): VcpuStatus['mode'] {
    const { mode, efer } = this.area(vcpu);
    if ((mode & V.MODE_REAL) !== 0) return 'real';
    if ((mode & V.MODE_CODE) === V.CODE_64) return 'long';
    if ((efer & EFER_LMA) !== 0n) return 'compatibility';
    return (mode & V.MODE_CODE) === 0 ? 'protected16' : 'protected32';
  }
  guestAddress(vcpu: number, index: number): bigint {
    return this.area(vcpu).dr(index);
  }
  guestDr6(vcpu: number): bigint {
    return this.area(vcpu).dr6;
  }
  guestDr7(vcpu: number): bigint {
    return this.area(vcpu).dr7;
  }
  guestPending(vcpu: number): number {
    return this.area(vcpu).pendingDebug;
  }
  resumeFlag(vcpu: number): boolean {
    return (this.area(vcpu).rflags & RFLAGS_RF) !== 0n;
  }
  hostDr7(vcpu: number): bigint {
    return BigInt(this.area(vcpu).hDr7);
  }

  /** Events that BLOCKIRQ holds at this moment. */
  heldEvents(vcpu: number): { readonly nmi: boolean; readonly smi: boolean; readonly interrupt: boolean } {
    const { blockIrq, events: pending } = this.area(vcpu);
    const events = blockIrq === 0 ? 0 : pending;
    return {
      nmi: (events & V.EVENT_NMI) !== 0,
      smi: (events & V.EVENT_SMI) !== 0,
      interrupt: (events & V.EVENT_INTERRUPT) !== 0,
    };
  }
  /** How often the first-instruction hold held something back; 0 with a frozen clock (4.6). */
  holdsApplied(): number {
    let sum = 0;
    for (let vcpu = 0; vcpu < this.count; vcpu++) sum += this.area(vcpu).holdsApplied;
    return sum;
  }
  /** Whether an exception or injected event is on its way and not yet delivered (CTL-4). */
  delivering(vcpu: number): boolean {
    return this.area(vcpu).delivering !== 0;
  }
}
