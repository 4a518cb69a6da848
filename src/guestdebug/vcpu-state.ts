// What the guest-debug layer reads of a vCPU and writes to its observer part. Guest state is only ever read here:
// the debugger must not be visible to the guest (guest-debug-spec P2).
import * as L from '../core/layout.ts';
import type { Engine } from '../core/engine.ts';
import type { VcpuStatus } from './api.ts';

/** The part of the engine this layer needs; tests put a small model in its place. */
export type EngineState = Pick<
  Engine,
  'vcpuCount' | 'current' | 'select' | 'get32' | 'set32' | 'get64' | 'set64' | 'attend' | 'rawView' | 'injectBreakpoint'
> & { readonly system: Pick<Engine['system'], 'dropBlocksAt' | 'observerChanged' | 'peek'> };

export type Activity = VcpuStatus['activity'];
const ACTIVITIES: readonly Activity[] = ['active', 'halted', 'waitSipi', 'shutdown'];
const SHADOWS = ['none', 'sti', 'movss'] as const;

const RFLAGS_RF = 1n << 16n;
const EFER_LMA = 1n << 10n;
const CODE_LONG = 2;
const LOW32 = 0xffffffffn;
/** Page-table base of CR3: without PCID, PWT, PCD (SDM 3A 4.5.2). */
export const CR3_BASE = 0x000ffffffffff000n;

/** EVENTS bits of the state area. */
const EVENT_MASKABLE = 1;
const EVENT_NMI = 2;
const EVENT_SMI = 4;

/** Reads one vCPU's state through the engine; holds nothing of its own. */
export class VcpuState {
  private readonly engine: EngineState;
  constructor(engine: EngineState) {
    this.engine = engine;
  }
  get count(): number {
    return this.engine.vcpuCount;
  }

  /** Linear address of the next instruction: CS base + RIP, 32 bits wide outside 64-bit mode. */
  pc(vcpu: number): bigint {
    const sum = this.engine.get64(L.RIP, vcpu) + this.engine.get64(L.CS, vcpu);
    return this.isLong(vcpu) ? BigInt.asUintN(64, sum) : sum & LOW32;
  }
  rsp(vcpu: number): bigint {
    return this.engine.get64(L.RSP, vcpu);
  }
  cr3(vcpu: number): bigint {
    return this.engine.get64(L.CR3, vcpu);
  }
  cpl(vcpu: number): number {
    return this.engine.get32(L.CPL, vcpu);
  }
  activity(vcpu: number): Activity {
    return ACTIVITIES[this.engine.get32(L.ACTIVITY, vcpu)] ?? 'active';
  }
  shadow(vcpu: number): 'none' | 'sti' | 'movss' {
    return SHADOWS[this.engine.get32(L.SHADOW, vcpu)] ?? 'none';
  }
  private isLong(vcpu: number): boolean {
    return (this.engine.get32(L.MODE, vcpu) & L.MODE_CODE) === CODE_LONG;
  }
  mode(vcpu: number): VcpuStatus['mode'] {
    const key = this.engine.get32(L.MODE, vcpu);
    if ((key & L.MODE_REAL) !== 0) return 'real';
    if ((key & L.MODE_CODE) === CODE_LONG) return 'long';
    if ((this.engine.get64(L.EFER, vcpu) & EFER_LMA) !== 0n) return 'compatibility';
    return (key & L.MODE_CODE) === 0 ? 'protected16' : 'protected32';
  }
  guestAddress(vcpu: number, index: number): bigint {
    return this.engine.get64(L.DR0 + 8 * index, vcpu);
  }
  guestDr6(vcpu: number): bigint {
    return this.engine.get64(L.DR6, vcpu);
  }
  guestDr7(vcpu: number): bigint {
    return this.engine.get64(L.DR7, vcpu);
  }
  guestPending(vcpu: number): number {
    return this.engine.get32(L.PENDING_DEBUG, vcpu);
  }
  resumeFlag(vcpu: number): boolean {
    return (this.engine.get64(L.RFLAGS, vcpu) & RFLAGS_RF) !== 0n;
  }
  hostDr7(vcpu: number): bigint {
    return BigInt(this.engine.get32(L.H_DR7, vcpu));
  }

  private held(vcpu: number): boolean {
    return this.engine.get32(L.BLOCK_IRQ, vcpu) !== 0;
  }
  /** Events that BLOCKIRQ holds at this moment. */
  heldEvents(vcpu: number): { readonly nmi: boolean; readonly smi: boolean; readonly interrupt: boolean } {
    const events = this.held(vcpu) ? this.engine.get32(L.EVENTS, vcpu) : 0;
    return {
      nmi: (events & EVENT_NMI) !== 0,
      smi: (events & EVENT_SMI) !== 0,
      interrupt: (events & EVENT_MASKABLE) !== 0,
    };
  }
  /** How often the first-instruction hold held something back; 0 with a frozen clock (4.6). */
  holdsApplied(): number {
    let sum = 0;
    for (let vcpu = 0; vcpu < this.count; vcpu++) sum += this.engine.get32(L.HOLDS_APPLIED, vcpu);
    return sum;
  }
  /** Whether an exception or injected event is on its way and not yet delivered (CTL-4). */
  delivering(vcpu: number): boolean {
    return this.engine.get32(L.DELIVERING, vcpu) !== 0;
  }
}
