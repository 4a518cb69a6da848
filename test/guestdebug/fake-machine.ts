// A machine of a few lines for the guest-debug layer's own tests: vCPUs whose instructions are one byte long, do nothing
// or store to memory, and obey lines 4, 5, 8 and 9 of the boundary table. It is no judge of the core: the same cases run
// on the real engine in the other tests of this folder.
import { SharedArea, StateArea, type WatchHit } from '../../src/core/state-area.generated.ts';
import { STATE_END } from '../../src/core/state-table.ts';
import * as V from '../../src/core/state-values.ts';
import type { Delivery, MachineObserver, MachineStop } from '../../src/machine/api.ts';
import type { DebugMachine } from '../../src/guestdebug/guest-debug.ts';

export interface FakeInstruction {
  readonly next?: bigint;
  readonly store?: { readonly linear: bigint; readonly size: number; readonly value: bigint };
  readonly halt?: boolean;
}
export interface FakeOptions {
  readonly vcpus?: number;
  readonly quantum?: number;
  /** What the instruction at an address does; default: nothing, 1 byte. */
  readonly code?: (vcpu: number, pc: bigint) => FakeInstruction;
}
const IF = 1n << 9n;

export class FakeMachine implements DebugMachine {
  readonly engine;
  observer: MachineObserver | undefined;
  turn = 0;
  executed = 0n;
  /** Addresses of each vCPU's executed instructions, in order. */
  readonly trace: { readonly vcpu: number; readonly pc: bigint }[] = [];
  readonly dropped: bigint[] = [];
  private readonly memory = new Map<bigint, bigint>();
  private readonly areas: readonly StateArea[];
  private readonly options: Required<FakeOptions>;
  private left: number;

  constructor(options: FakeOptions = {}) {
    this.options = { vcpus: 1, quantum: 1, code: () => ({}), ...options };
    const { vcpus } = this.options;
    this.left = this.options.quantum;
    this.areas = Array.from({ length: vcpus }, () => new StateArea(new DataView(new ArrayBuffer(STATE_END))));
    for (const area of this.areas) {
      area.mode = V.CODE_64;
      area.dr6 = BigInt(V.DR6_CLEAR);
      area.dr7 = BigInt(V.DR7_CLEAR);
      area.rflags = IF | 2n;
    }
    let current = 0;
    this.engine = {
      vcpuCount: vcpus,
      shared: new SharedArea(new DataView(new ArrayBuffer(0x3000))),
      get current(): number {
        return current;
      },
      select: (vcpu: number): void => {
        current = vcpu;
      },
      vcpu: (vcpu: number = current): StateArea => this.area(vcpu),
      attend: (vcpu: number, bits: number): void => {
        this.area(vcpu).attention |= bits;
      },
      injectBreakpoint: (): void => undefined,
      instructionLength: (): number => 1,
      system: {
        dropBlocksAt: (linear: bigint): void => void this.dropped.push(BigInt.asUintN(64, linear)),
        observerChanged: (): void => undefined,
        peek: (): number => this.peek(current),
      },
    };
  }
  private area(vcpu: number): StateArea {
    const area = this.areas[vcpu];
    if (area === undefined) throw new RangeError(`no vCPU ${vcpu}`);
    return area;
  }
  get clock(): bigint {
    return this.executed;
  }
  get instructions(): bigint {
    return this.executed;
  }
  readLinear(): Uint8Array {
    return new Uint8Array(15).fill(0x90);
  }
  pc(vcpu: number): bigint {
    return this.engine.vcpu(vcpu).rip;
  }
  setPc(vcpu: number, pc: bigint): void {
    this.engine.vcpu(vcpu).rip = pc;
  }
  /** A delivery as the machine tells it. */
  deliver(delivery: Delivery): void {
    this.observer?.onDelivery(delivery);
  }

  run(ticks: number, how: { readonly only?: number } = {}): MachineStop {
    for (let n = 0; n < ticks; n++) {
      const vcpu = how.only ?? this.turn;
      this.engine.select(vcpu);
      const active = this.engine.vcpu(vcpu).activity === 0;
      if (active) {
        const causes = this.boundary(vcpu);
        if (causes !== 0) {
          if (this.observer?.onObserved(vcpu, causes) === 'stop') return { kind: 'observed', vcpu };
          n--;
          continue;
        }
        this.execute(vcpu);
      } else if (how.only !== undefined || this.areas.every(({ activity }) => activity !== V.ACTIVITY_ACTIVE)) {
        return { kind: 'idle' };
      }
      if (how.only === undefined && (--this.left === 0 || !active)) {
        this.turn = (this.turn + 1) % this.options.vcpus;
        this.left = this.options.quantum;
      }
    }
    return { kind: 'spent' };
  }
  private boundary(vcpu: number): number {
    const { engine } = this;
    const reported = engine.vcpu(vcpu).observed;
    if ((reported & (V.OBSERVED_WATCH | V.OBSERVED_SLOT_X)) !== 0) engine.vcpu(vcpu).pendingHost = 0;
    engine.vcpu(vcpu).observed = 0;
    const causes = this.peek(vcpu);
    if (causes === 0) return 0;
    engine.vcpu(vcpu).observed = causes;
    engine.vcpu(vcpu).lease = 0;
    engine.vcpu(vcpu).leaseDone = 0;
    engine.vcpu(vcpu).caught = 0;
    return causes;
  }
  private peek(vcpu: number): number {
    const { engine } = this;
    if (engine.vcpu(vcpu).activity !== 0) return 0;
    const caught = engine.vcpu(vcpu).caught;
    if (caught !== 0) return caught;
    const traps =
      (engine.vcpu(vcpu).leaseDone === 0 ? 0 : V.OBSERVED_STEP) |
      (engine.vcpu(vcpu).pendingHost === 0 ? 0 : V.OBSERVED_WATCH);
    if (traps !== 0) return traps;
    const pc = this.pc(vcpu);
    const passes = engine.vcpu(vcpu).passToken !== 0 && engine.vcpu(vcpu).passLinear === pc;
    if (passes) return 0;
    const overlay = this.observer?.splitAt(pc) === true ? V.OBSERVED_BREAKPOINT : 0;
    const slots = this.matching(vcpu, (index, type) => type === 0 && engine.vcpu(vcpu).hDr(index) === pc);
    return overlay | (slots === 0 ? 0 : V.OBSERVED_SLOT_X);
  }
  private matching(vcpu: number, test: (index: number, type: number, length: bigint) => boolean): number {
    const dr7 = this.engine.vcpu(vcpu).hDr7;
    let bits = 0;
    for (let index = 0; index < 4; index++) {
      if (((dr7 >>> (2 * index)) & 3) === 0) continue;
      const field = (dr7 >>> (16 + 4 * index)) & 15;
      const length = [1n, 2n, 8n, 4n][field >> 2] ?? 1n;
      if (test(index, field & 3, length)) bits |= 1 << index;
    }
    return bits;
  }
  private execute(vcpu: number): void {
    const { engine } = this;
    const pc = this.pc(vcpu);
    const { next, store, halt } = this.options.code(vcpu, pc);
    this.trace.push({ vcpu, pc });
    this.executed++;
    this.setPc(vcpu, next ?? pc + 1n);
    if (store !== undefined) this.store(vcpu, pc, store);
    if (halt === true) engine.vcpu(vcpu).activity = 1;
    engine.vcpu(vcpu).passToken = 0;
    engine.vcpu(vcpu).firstHold = 0;
    if (engine.vcpu(vcpu).lease !== 0) engine.vcpu(vcpu).leaseDone = 1;
  }
  private store(vcpu: number, pc: bigint, { linear, size, value }: NonNullable<FakeInstruction['store']>): void {
    const { engine } = this;
    const old = this.memory.get(linear) ?? 0n;
    this.memory.set(linear, value);
    const bits = this.matching(vcpu, (index, type, length) => {
      const address = engine.vcpu(vcpu).hDr(index);
      return (type & 1) !== 0 && linear < address + length && linear + BigInt(size) > address;
    });
    if (bits === 0) return;
    engine.vcpu(vcpu).pendingHost = bits | 0x10;
    const { shared } = engine;
    shared.committedCount = 1;
    Object.assign(shared.committedHits(0), {
      ...{ linear, physical: linear, size, kind: V.HIT_WRITE, hostSlots: bits },
      ...{ old, value, rip: pc, vcpu },
    } satisfies Partial<WatchHit>);
  }
}
