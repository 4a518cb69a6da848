// A machine of a few lines for the guest-debug layer's own tests: vCPUs whose instructions are one byte long, do nothing
// or store to memory, and obey lines 4, 5, 8 and 9 of the boundary table. It is no judge of the core: the same cases run
// on the real engine in the other tests of this folder.
import * as L from '../../src/core/layout.ts';
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
  private readonly views: DataView[];
  private readonly raw = new Uint8Array(0x3000);
  private readonly options: Required<FakeOptions>;
  private left: number;

  constructor(options: FakeOptions = {}) {
    this.options = { vcpus: 1, quantum: 1, code: () => ({}), ...options };
    const { vcpus } = this.options;
    this.left = this.options.quantum;
    this.views = Array.from({ length: vcpus }, () => new DataView(new ArrayBuffer(L.STATE_END)));
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      this.view(vcpu).setUint32(L.MODE, 2, true);
      this.view(vcpu).setBigUint64(L.DR6, 0xffff0ff0n, true);
      this.view(vcpu).setBigUint64(L.DR7, 0x400n, true);
      this.view(vcpu).setBigUint64(L.RFLAGS, IF | 2n, true);
    }
    let current = 0;
    const at = (vcpu: number | undefined): DataView => this.view(vcpu ?? current);
    this.engine = {
      vcpuCount: vcpus,
      raw: this.raw,
      rawView: new DataView(this.raw.buffer),
      get current(): number {
        return current;
      },
      select: (vcpu: number): void => {
        current = vcpu;
      },
      get32: (slot: number, vcpu?: number): number => at(vcpu).getUint32(slot, true),
      set32: (slot: number, value: number, vcpu?: number): void => at(vcpu).setUint32(slot, value, true),
      get64: (slot: number, vcpu?: number): bigint => at(vcpu).getBigUint64(slot, true),
      set64: (slot: number, value: bigint, vcpu?: number): void =>
        at(vcpu).setBigUint64(slot, BigInt.asUintN(64, value), true),
      attend: (vcpu: number, bits: number): void =>
        at(vcpu).setUint32(L.ATTENTION, at(vcpu).getUint32(L.ATTENTION, true) | bits, true),
      injectBreakpoint: (): void => undefined,
      decode: (record: number): number => {
        this.raw[record + L.R_LENGTH] = 1;
        return 1;
      },
      system: {
        dropBlocksAt: (linear: bigint): void => void this.dropped.push(BigInt.asUintN(64, linear)),
        observerChanged: (): void => undefined,
        peek: (): number => this.peek(current),
      },
    };
  }
  private view(vcpu: number): DataView {
    const view = this.views[vcpu];
    if (view === undefined) throw new RangeError(`no vCPU ${vcpu}`);
    return view;
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
    return this.engine.get64(L.RIP, vcpu);
  }
  setPc(vcpu: number, pc: bigint): void {
    this.engine.set64(L.RIP, pc, vcpu);
  }
  /** A delivery as the machine tells it. */
  deliver(delivery: Delivery): void {
    this.observer?.onDelivery(delivery);
  }

  run(ticks: number, how: { readonly only?: number } = {}): MachineStop {
    for (let n = 0; n < ticks; n++) {
      const vcpu = how.only ?? this.turn;
      this.engine.select(vcpu);
      const active = this.engine.get32(L.ACTIVITY, vcpu) === 0;
      if (active) {
        const causes = this.boundary(vcpu);
        if (causes !== 0) {
          if (this.observer?.onObserved(vcpu, causes) === 'stop') return { kind: 'observed', vcpu };
          n--;
          continue;
        }
        this.execute(vcpu);
      } else if (how.only !== undefined || this.views.every((view) => view.getUint32(L.ACTIVITY, true) !== 0)) {
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
    const reported = engine.get32(L.OBSERVED, vcpu);
    if ((reported & (L.OBSERVED_WATCH | L.OBSERVED_SLOT_X)) !== 0) engine.set32(L.PENDING_HOST, 0, vcpu);
    engine.set32(L.OBSERVED, 0, vcpu);
    const causes = this.peek(vcpu);
    if (causes === 0) return 0;
    engine.set32(L.OBSERVED, causes, vcpu);
    engine.set32(L.LEASE, 0, vcpu);
    engine.set32(L.LEASE_DONE, 0, vcpu);
    engine.set32(L.CAUGHT, 0, vcpu);
    return causes;
  }
  private peek(vcpu: number): number {
    const { engine } = this;
    if (engine.get32(L.ACTIVITY, vcpu) !== 0) return 0;
    const caught = engine.get32(L.CAUGHT, vcpu);
    if (caught !== 0) return caught;
    const traps =
      (engine.get32(L.LEASE_DONE, vcpu) === 0 ? 0 : L.OBSERVED_STEP) |
      (engine.get32(L.PENDING_HOST, vcpu) === 0 ? 0 : L.OBSERVED_WATCH);
    if (traps !== 0) return traps;
    const pc = this.pc(vcpu);
    const passes = engine.get32(L.PASS_TOKEN, vcpu) !== 0 && engine.get64(L.PASS_LINEAR, vcpu) === pc;
    if (passes) return 0;
    const overlay = this.observer?.splitAt(pc) === true ? L.OBSERVED_BREAKPOINT : 0;
    const slots = this.matching(vcpu, (index, type) => type === 0 && engine.get64(L.H_DR0 + 8 * index, vcpu) === pc);
    return overlay | (slots === 0 ? 0 : L.OBSERVED_SLOT_X);
  }
  private matching(vcpu: number, test: (index: number, type: number, length: bigint) => boolean): number {
    const dr7 = this.engine.get32(L.H_DR7, vcpu);
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
    if (halt === true) engine.set32(L.ACTIVITY, 1, vcpu);
    engine.set32(L.PASS_TOKEN, 0, vcpu);
    engine.set32(L.FIRST_HOLD, 0, vcpu);
    if (engine.get32(L.LEASE, vcpu) !== 0) engine.set32(L.LEASE_DONE, 1, vcpu);
  }
  private store(vcpu: number, pc: bigint, { linear, size, value }: NonNullable<FakeInstruction['store']>): void {
    const { engine } = this;
    const old = this.memory.get(linear) ?? 0n;
    this.memory.set(linear, value);
    const bits = this.matching(vcpu, (index, type, length) => {
      const address = engine.get64(L.H_DR0 + 8 * index, vcpu);
      return (type & 1) !== 0 && linear < address + length && linear + BigInt(size) > address;
    });
    if (bits === 0) return;
    engine.set32(L.PENDING_HOST, bits | 0x10, vcpu);
    const { rawView: view } = engine;
    const at = L.COMMITTED_HITS;
    view.setUint32(L.COMMITTED_COUNT, 1, true);
    view.setBigUint64(at, linear, true);
    view.setBigUint64(at + 8, linear, true);
    view.setUint32(at + 16, size, true);
    view.setUint32(at + 20, 2, true);
    view.setUint32(at + 24, bits, true);
    view.setBigUint64(at + 32, old, true);
    view.setBigUint64(at + 40, value, true);
    view.setBigUint64(at + 48, pc, true);
    view.setUint32(at + 56, vcpu, true);
  }
}
