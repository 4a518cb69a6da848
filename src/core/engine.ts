// The TypeScript end of the engine: one linear memory, two WebAssembly modules, and typed access to what they share.
import * as L from './layout.ts';
import { SharedArea, StateArea } from './state-area.generated.ts';

/** What the engine asks of the machine around it. All of it is below the recorder: no wall clock, no randomness. */
export interface EngineHost {
  /** Reads size (1, 2, 4, 8) bytes of a device at a physical address; unknown addresses read all-ones. */
  mmioRead(physical: number, size: number): bigint;
  mmioWrite(physical: number, size: number, value: bigint): void;
  /** Port input of size 1, 2 or 4 bytes. */
  portRead(port: number, size: number): number;
  portWrite(port: number, size: number, value: number): void;
  /** INTA cycle of the running vCPU: the vector to deliver. Called only while EVENTS bit 0 is set. */
  acknowledgeInterrupt(): number;
  /** Whether an MSR that is not plain vCPU state exists. */
  msrKnown(index: number, write: boolean): boolean;
  msrRead(index: number): bigint;
  /** false: the value is not allowed, #GP(0). */
  msrWrite(index: number, value: bigint): boolean;
  /** CR8, the task priority bits 7:4 of the running vCPU's local APIC. */
  taskPriorityRead(): number;
  taskPriorityWrite(value: number): void;
  /** Said once per cause by the engine: something is not implemented or a guest does what is never right. */
  log(code: number, a: bigint, b: bigint): void;
  /** An event was delivered whose vector is in OBSERVE_VECTORS; kind 0 exception, 1 software, 2 interrupt, 3 NMI; error -1: none. */
  delivered(vector: number, kind: number, error: number, linear: bigint): void;
  /** Whether the observer has an execution breakpoint at a linear address. */
  splitAt(linear: bigint): boolean;
  /** Number of linear addresses for which splitAt answers true. */
  splitCount(): number;
  /** A write to its monitored line ended the MWAIT of a vCPU, which may run again. */
  woken?(vcpu: number): void;
  /** FERR# is asserted, which a PC wires to IRQ 13 (SDM 1 8.7.2): an x87 exception with CR0.NE clear. */
  floatError?(): void;
}

/** A fault of the guest on its way from a slow path to the run loop. One object for all: nothing is allocated per fault. */
const GUEST_FAULT: unique symbol = Symbol('guest fault');

interface CoreExports {
  readonly table: WebAssembly.Table;
  run(): number;
  flush(): void;
  decode(record: number, bytes: number, available: number, rip: bigint, mode: number): number;
  handlerIndex(instance: number): number;
}
interface SystemExports {
  deliverFault(): void;
  injectBreakpoint(length: number): void;
  updateMode(): void;
  reset(bootstrap: number): void;
  startup(vector: number): void;
  rflags(): bigint;
  setRflags(value: bigint): void;
  ticksLeft(): bigint;
  translate(linear: bigint): bigint;
  physicalWritten(physical: number, size: number): void;
  dropBlocksAt(linear: bigint): void;
  flushTags(): void;
  resetTags(): void;
  observerChanged(): void;
  /** Writes DR0-DR3, DR6 or DR7 of the selected vCPU and drops what was derived from the old value. */
  setDebugRegister(index: number, value: bigint): void;
  /** What the boundary would do for the observer on the selected vCPU: OBSERVED_* bits; changes nothing. */
  peek(): number;
  canonicaliseFlags(): void;
  /** The selected vCPU's state was restored: an armed MONITOR sees stores again. */
  rearmMonitor(): void;
  /** CR3 was changed from outside: loads the registers of PAE paging from its table, without checks. */
  refreshDirectoryPointers(): void;
  loadSegmentReal(segment: number, selector: number): void;
  initTlb(): void;
}

export interface EngineModules {
  readonly core: WebAssembly.Module;
  readonly system: WebAssembly.Module;
  /** The bytes of `core`: the JIT derives its code from the handlers in them. Without them everything is interpreted. */
  readonly coreBytes?: Uint8Array;
  /** Milliseconds, for the JIT's statistics alone. */
  readonly now?: () => number;
}
export interface EngineOptions {
  readonly modules: EngineModules;
  readonly host: EngineHost;
  /** Number of vCPUs, 1 to 16. */
  readonly vcpus: number;
  /** Bytes of guest RAM from physical 0 on, a multiple of 4096, at most 3 GiB. */
  readonly memorySize: number;
  readonly profile?: 'intel' | 'amd';
  /** Whether CPUID announces bus-lock detection, and DEBUGCTL and DR6 have it; default false. */
  readonly busLockDetection?: boolean;
  /** 64 bits: what the source of RDRAND and RDSEED is seeded with at power-on. */
  readonly randomSeed?: bigint;
  /** Bytes of the arena for decoded records; tests make it small. */
  readonly arenaSize?: number;
}

const WASM_PAGE = 65536;
/** "trapline" */
export const DEFAULT_RANDOM_SEED = 0x656e_696c_7061_7274n;
/** From the constant addresses of the running vCPU to those where a parked one's copy is. */
const parkedAt = (vcpu: number): number => L.VCPU_AREAS + vcpu * L.VCPU_AREA_SIZE - L.STATE;
const align = (value: number, to: number): number => Math.ceil(value / to) * to;

/**
 * The engine holds all vCPUs of one machine. The state area is that of the selected vCPU; select() copies areas.
 * Guest-visible behaviour depends on guest state, ticks and EngineHost alone.
 */
export class Engine {
  readonly memory: WebAssembly.Memory;
  readonly vcpuCount: number;
  readonly memorySize: number;
  /** Host address of guest-physical 0 in linear memory. */
  readonly ram: number;
  private readonly core: CoreExports;
  readonly system: SystemExports;
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  /** What all vCPUs share. */
  readonly shared: SharedArea;
  private readonly areas: readonly StateArea[];
  private selected = 0;

  constructor(options: EngineOptions) {
    this.vcpuCount = options.vcpus;
    this.memorySize = options.memorySize;
    const arenaSize = options.arenaSize ?? 128 << 20;
    const blocks = L.DYNAMIC;
    const linearPages = blocks + L.BLOCK_HASH_SIZE * 4;
    const tlbs = align(linearPages + L.LINEAR_HASH_SIZE * 4, WASM_PAGE);
    const pages = tlbs + options.vcpus * L.TLB_AREA_SIZE;
    const arena = align(pages + (options.memorySize / 4096) * L.PAGE_SIZE, WASM_PAGE);
    const entryTables = arena + arenaSize;
    this.ram = align(entryTables + L.ENTRY_TABLES_SIZE, WASM_PAGE);
    const end = align(this.ram + options.memorySize, WASM_PAGE) + WASM_PAGE;
    this.memory = new WebAssembly.Memory({ initial: end / WASM_PAGE, maximum: end / WASM_PAGE });
    this.view = new DataView(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);

    this.shared = new SharedArea(this.view);
    Object.assign(this.shared, {
      configRam: this.ram,
      configRamSize: options.memorySize,
      configPages: pages,
      configArena: arena,
      configArenaEnd: arena + arenaSize,
      configBlocks: blocks,
      configLinearPages: linearPages,
      configVcpus: options.vcpus,
      configProfile: options.profile === 'amd' ? 1 : 0,
      configFeatures: options.busLockDetection === true ? L.FEATURE_BUS_LOCK_DETECTION : 0,
      configTlb: tlbs,
      configEntryTables: entryTables,
      configRandomSeed: options.randomSeed ?? DEFAULT_RANDOM_SEED,
      arenaTop: arena,
    } satisfies Partial<SharedArea>);
    Object.assign(this.shared.stack16, { mask: 0xffffn, keep: ~0xffffn });
    Object.assign(this.shared.stack32, { mask: 0xffffffffn, keep: 0n });
    Object.assign(this.shared.stack64, { mask: ~0n, keep: 0n });

    const { host } = options;
    const imports = {
      env: {
        memory: this.memory,
        abort: (): never => {
          throw new Error('internal error: assertion in the engine');
        },
      },
      host: {
        throwFault: (): never => {
          throw GUEST_FAULT;
        },
        mmioRead: (physical: number, size: number) => host.mmioRead(physical, size),
        mmioWrite: (physical: number, size: number, value: bigint) =>
          host.mmioWrite(physical, size, BigInt.asUintN(64, value)),
        portRead: (port: number, size: number) => host.portRead(port, size),
        portWrite: (port: number, size: number, value: number) => host.portWrite(port, size, value >>> 0),
        acknowledge: () => host.acknowledgeInterrupt(),
        msrKnown: (index: number, write: number) => (host.msrKnown(index >>> 0, write !== 0) ? 1 : 0),
        msrRead: (index: number) => host.msrRead(index >>> 0),
        msrWrite: (index: number, value: bigint) => (host.msrWrite(index >>> 0, BigInt.asUintN(64, value)) ? 0 : 1),
        tprRead: () => host.taskPriorityRead(),
        tprWrite: (value: number) => host.taskPriorityWrite(value),
        log: (code: number, a: bigint, b: bigint) => host.log(code, BigInt.asUintN(64, a), BigInt.asUintN(64, b)),
        delivered: (vector: number, kind: number, error: number, linear: bigint) =>
          host.delivered(vector, kind, error, BigInt.asUintN(64, linear)),
        split: (linear: bigint) => (host.splitAt(BigInt.asUintN(64, linear)) ? 1 : 0),
        splitCount: () => host.splitCount(),
        woken: (vcpu: number) => host.woken?.(vcpu),
        floatError: () => host.floatError?.(),
        blockDropped: () => undefined,
      },
    };
    const system = new WebAssembly.Instance(options.modules.system, imports);
    // The modules are ours, built from src/core/assembly; their export types are declared above.
    this.system = system.exports as unknown as SystemExports;
    this.softfloat = { ...system.exports };
    const core = new WebAssembly.Instance(options.modules.core, {
      env: imports.env,
      system: system.exports,
      softfloat: this.softfloat,
      jit: { hot: (block: number) => this.onHot(block >>> 0) },
    });
    this.core = core.exports as unknown as CoreExports;

    const running = new StateArea(this.view);
    for (let i = options.vcpus - 1; i >= 0; i--) {
      this.bytes.fill(0, L.STATE, L.STATE_END);
      running.vcpu = i;
      running.tlbArea = tlbs + i * L.TLB_AREA_SIZE;
      this.system.initTlb();
      this.system.reset(i === 0 ? 1 : 0);
      this.saveTo(i);
    }
    this.areas = Array.from({ length: options.vcpus }, (_, i) =>
      i === 0 ? running : new StateArea(this.view, parkedAt(i)),
    );
  }

  /** Index of the vCPU in the state area. */
  get current(): number {
    return this.selected;
  }
  private saveTo(vcpu: number): void {
    this.bytes.copyWithin(L.STATE + parkedAt(vcpu), L.STATE, L.STATE_END);
  }
  /** Brings a vCPU into the state area. Invisible to the guest. */
  select(vcpu: number): void {
    if (vcpu === this.selected) return;
    const next = this.vcpu(vcpu);
    this.saveTo(this.selected);
    this.bytes.copyWithin(L.STATE, L.STATE + next.shift, L.STATE_END + next.shift);
    this.vcpu(this.selected).shift = parkedAt(this.selected);
    next.shift = 0;
    this.selected = vcpu;
  }
  /** State of a vCPU, selected or not; good for as long as the engine. Throws RangeError when there is none of that index. */
  vcpu(index: number = this.selected): StateArea {
    const area = this.areas[index];
    if (area === undefined) throw new RangeError(`there is no vCPU ${index}`);
    return area;
  }
  /** Executions after which a block is reported to onHot; 0: never. Host state: no threshold changes what the guest sees. */
  set hotThreshold(executions: number) {
    this.shared.hotThreshold = executions;
  }
  /** Ticks that compiled regions have used. */
  get compiledTicks(): bigint {
    return this.shared.regionTicks;
  }
  /** Raises attention bits (ATTENTION_*) of a vCPU: it evaluates its boundary before its next instruction. */
  attend(vcpu: number, bits: number): void {
    this.vcpu(vcpu).attention |= bits;
  }

  /**
   * Runs the selected vCPU for at most `ticks`; clockEnd is the virtual clock at which they would be used up.
   * @returns a RUN_* code (state-values.ts) and the ticks that were used.
   */
  run(ticks: number, clockEnd: bigint): { code: number; used: number } {
    const state = this.vcpu();
    state.budget = BigInt(ticks);
    state.clockEnd = clockEnd;
    const code = this.resume();
    const used = ticks - Number(state.budget);
    state.retired += BigInt(used);
    return { code, used };
  }
  private resume(): number {
    let faulted = false;
    for (;;) {
      try {
        if (faulted) this.system.deliverFault();
        faulted = false;
        return this.core.run();
      } catch (error) {
        if (error !== GUEST_FAULT) throw error;
        faulted = true;
      }
    }
  }
  /**
   * Delivers #BP to the selected vCPU, which is at a boundary, as an INT3 of `length` bytes at RIP would raise it: asked
   * for by the debugger. A fault on the way is delivered in its place.
   */
  injectBreakpoint(length: number): void {
    let faulted = false;
    for (;;) {
      try {
        if (faulted) this.system.deliverFault();
        else this.system.injectBreakpoint(length);
        return;
      } catch (error) {
        if (error !== GUEST_FAULT) throw error;
        faulted = true;
      }
    }
  }
  /** Ticks left of the current run, exact inside a device access too: the clock is clockEnd minus this. */
  ticksLeft(): number {
    return Number(this.system.ticksLeft());
  }

  /** A view of guest RAM. Writers must call physicalWritten() (or use writePhysical). */
  ramView(physical: number, size: number): Uint8Array {
    return this.bytes.subarray(this.ram + physical, this.ram + physical + size);
  }
  /** Whether [physical, physical + size) is RAM. */
  isRam(physical: number, size: number): boolean {
    return physical >= 0 && size >= 0 && physical + size <= this.memorySize;
  }
  /** Copies bytes to RAM as DMA or the debugger does: decoded code on those pages is dropped. */
  writePhysical(physical: number, data: Uint8Array): void {
    if (!this.isRam(physical, data.length)) throw new RangeError('outside guest RAM');
    this.bytes.set(data, this.ram + physical);
    if (data.length > 0) this.system.physicalWritten(physical, data.length);
  }
  /** Physical address of a linear address of the selected vCPU, by a walk without side effects; undefined: not mapped. */
  translate(linear: bigint): bigint | undefined {
    const physical = this.system.translate(BigInt.asIntN(64, linear));
    return physical < 0n ? undefined : physical;
  }
  /** Told of blocks that were executed hotThreshold times: the JIT's end. */
  onHot: (block: number) => void = () => undefined;
  /** core.wasm's function table, where compiled regions go. */
  get table(): WebAssembly.Table {
    return this.core.table;
  }
  /** The pure functions that handlers import as "softfloat": results depend on arguments alone (and scratch memory). */
  readonly softfloat: WebAssembly.ModuleImports;
  /** Index in the function table of a handler by its number in the generated decode table. */
  handlerIndex(instance: number): number {
    return this.core.handlerIndex(instance);
  }
  /** Forgets all decoded blocks (derived state). */
  flushBlocks(): void {
    this.core.flush();
  }
  /** Raw linear memory, for snapshots, the digest and tests. */
  get raw(): Uint8Array {
    return this.bytes;
  }
  get rawView(): DataView {
    return this.view;
  }
  decode(record: number, bytes: number, available: number, rip: bigint, mode: number): number {
    return this.core.decode(record, bytes, available, rip, mode);
  }
  /**
   * Bytes of the instruction that `bytes` (32 at most) begin with, at linear address `rip` and in the given MODE; 0: they are
   * not a whole one. Uses the core's scratch record: only while no instruction is inside a slow path.
   */
  instructionLength(bytes: Uint8Array, rip: bigint, mode: number): number {
    const buffer = this.bytes.subarray(L.FETCH_BUFFER, L.FETCH_BUFFER + 32);
    buffer.fill(0);
    buffer.set(bytes);
    const record = L.SCRATCH_BLOCK + L.HEADER_SIZE;
    const done = this.core.decode(record, L.FETCH_BUFFER, bytes.length, rip, mode);
    return done === 0 ? 0 : this.view.getUint8(record + L.R_LENGTH);
  }
}
